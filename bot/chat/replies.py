"""Sends, edits and acknowledges, waiting out a 429."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
from collections.abc import Awaitable, Callable

import structlog
from telegram import Bot, CallbackQuery, InputFile, LinkPreviewOptions, ReplyParameters
from telegram.constants import ParseMode
from telegram.error import BadRequest, RetryAfter

from bot.chat.dialogue import Screen, UpdateOrigin, to_inline_keyboard
from bot.i18n.language import translate as _
from rules.football.match import Match

DrawPicture = Callable[[Match], Awaitable[bytes]]

MAX_WAITING_REPLIES = 32
"""Answers that wait: half of the updates that are dealt with at once, so that one full group holds up no other chat."""


class ReplyRetrier:
    """Says things, and waits with them as long as Telegram asks."""

    def __init__(self, at_once: int = MAX_WAITING_REPLIES) -> None:
        self._at_once = at_once
        self._waits: set[asyncio.Event] = set()

    async def say(self, what: Callable[[], Awaitable[object]]) -> None:
        """Say it; raise RetryAfter where Telegram asks for too long a time, too often, or too many wait already."""
        for left in reversed(range(MAX_ATTEMPTS)):
            try:
                await what()
            except RetryAfter as refusal:
                pause = read_retry_after(refusal)
                if not left or pause > MAX_REPLY_RETRY_DELAY or len(self._waits) >= self._at_once:
                    raise
                log.info("answer_waits", seconds=pause)
                if not await self._over(pause + _RETRY_MARGIN):
                    raise
            else:
                return

    def give_up(self) -> None:
        """Let nothing wait any longer: the bot stops."""
        for given_up in self._waits:
            given_up.set()

    async def _over(self, pause: float) -> bool:
        """Wait; tell whether the time is over, and was not given up before."""
        given_up = asyncio.Event()
        self._waits.add(given_up)
        try:
            async with asyncio.timeout(pause):
                await given_up.wait()
        except TimeoutError:
            return True
        finally:
            self._waits.discard(given_up)
        return False


_retrier = ReplyRetrier()


async def send_screen(bot: Bot, place: UpdateOrigin, reply: Screen, draw: DrawPicture | None) -> None:
    """Send a reply, with its picture where it has one; `draw` is None where nothing is drawn."""
    if reply.picture is None:
        await send_text(bot, place, reply)
    elif draw is None:
        await send_text(bot, place, Screen(no_pictures_text()))
    else:
        await send_picture(bot, place, reply, await draw(reply.picture))


async def send_text(bot: Bot, place: UpdateOrigin, reply: Screen) -> None:
    """Send a reply; where many speak, as an answer to what was said."""
    await _retrier.say(
        lambda: bot.send_message(
            place.ref.chat_id,
            reply.html,
            parse_mode=ParseMode.HTML,
            message_thread_id=place.ref.topic or None,
            reply_parameters=_make_reply_parameters(place),
            reply_markup=to_inline_keyboard(reply),
            link_preview_options=LinkPreviewOptions(is_disabled=True),
        )
    )


async def send_picture(bot: Bot, place: UpdateOrigin, reply: Screen, png: bytes) -> None:
    """Send a reply below a picture."""
    await _retrier.say(
        lambda: bot.send_photo(
            place.ref.chat_id,
            InputFile(png, "match.png"),
            caption=reply.html,
            has_spoiler=reply.hidden or None,
            parse_mode=ParseMode.HTML,
            message_thread_id=place.ref.topic or None,
            reply_parameters=_make_reply_parameters(place),
            reply_markup=to_inline_keyboard(reply),
        )
    )


def _make_reply_parameters(place: UpdateOrigin) -> ReplyParameters | None:
    return ReplyParameters(place.reply_to, allow_sending_without_reply=True) if place.reply_to else None


async def acknowledge_press(query: CallbackQuery, words: str) -> None:
    """Answer a press; one that waited too long cannot be answered, and what it asked for is done all the same."""
    try:
        # An empty text would leave the library as "[]", and be shown.
        await (_retrier.say(lambda: query.answer(words)) if words else query.answer())
    except (BadRequest, RetryAfter) as refusal:
        log.debug("press_not_answered", reason=str(refusal))


async def edit_screen(query: CallbackQuery, reply: Screen) -> None:
    """Put a reply in the place of the message whose button was pressed."""
    try:
        await _retrier.say(
            lambda: query.edit_message_text(reply.html, parse_mode=ParseMode.HTML, reply_markup=to_inline_keyboard(reply))
        )
    except BadRequest as refusal:
        if "not modified" not in str(refusal):
            raise


def cancel_waiting_replies() -> None:
    """Drop the answers that Telegram holds back, so that a stop need not wait for them."""
    _retrier.give_up()


os.environ.setdefault("PTB_TIMEDELTA", "1")  # python-telegram-bot's own switch: without it each RetryAfter warns


MAX_ATTEMPTS = 3

MAX_REPLY_RETRY_DELAY = 60.0
"""Seconds; whoever would have to wait longer for an answer has asked again by then."""

_RETRY_MARGIN = 0.5

log = structlog.get_logger()


def read_retry_after(refusal: RetryAfter) -> float:
    """How long Telegram asks to wait."""
    after = refusal.retry_after
    return after.total_seconds() if isinstance(after, dt.timedelta) else after


def no_pictures_text() -> str:
    return _("I draw no pictures here.")
