"""How the bot's answers leave: messages, notes on pressed buttons, screens drawn anew."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import structlog
from telegram import Bot, CallbackQuery, InputFile, LinkPreviewOptions, ReplyParameters
from telegram.constants import ParseMode
from telegram.error import BadRequest, RetryAfter

from bot.chats import texts
from bot.chats.heard import Heard
from bot.chats.keyboards import markup
from bot.chats.patience import Patience
from bot.chats.reply import Reply
from rules.match import Match

Draw = Callable[[Match], Awaitable[bytes]]

log = structlog.get_logger()
_patience = Patience()


async def say(bot: Bot, place: Heard, reply: Reply, draw: Draw | None) -> None:
    """Send a reply, with its picture where it has one; `draw` is None where nothing is drawn."""
    if reply.picture is None:
        await send(bot, place, reply)
    elif draw is None:
        await send(bot, place, Reply(texts.no_pictures()))
    else:
        await show(bot, place, reply, await draw(reply.picture))


async def send(bot: Bot, place: Heard, reply: Reply) -> None:
    """Send a reply; where many speak, as an answer to what was said."""
    await _patience.say(
        lambda: bot.send_message(
            place.ref.chat_id,
            reply.html,
            parse_mode=ParseMode.HTML,
            message_thread_id=place.ref.topic or None,
            reply_parameters=_answered(place),
            reply_markup=markup(reply),
            link_preview_options=LinkPreviewOptions(is_disabled=True),
        )
    )


async def show(bot: Bot, place: Heard, reply: Reply, png: bytes) -> None:
    """Send a reply below a picture."""
    await _patience.say(
        lambda: bot.send_photo(
            place.ref.chat_id,
            InputFile(png, "match.png"),
            caption=reply.html,
            has_spoiler=reply.hidden or None,
            parse_mode=ParseMode.HTML,
            message_thread_id=place.ref.topic or None,
            reply_parameters=_answered(place),
            reply_markup=markup(reply),
        )
    )


def _answered(place: Heard) -> ReplyParameters | None:
    return ReplyParameters(place.reply_to, allow_sending_without_reply=True) if place.reply_to else None


async def acknowledge(query: CallbackQuery, words: str) -> None:
    """Answer a press; one that waited too long cannot be answered, and what it asked for is done all the same."""
    try:
        # An empty text would leave the library as "[]", and be shown.
        await (_patience.say(lambda: query.answer(words)) if words else query.answer())
    except (BadRequest, RetryAfter) as refusal:
        log.debug("press_not_answered", reason=str(refusal))


async def redraw(query: CallbackQuery, reply: Reply) -> None:
    """Put a reply in the place of the message whose button was pressed."""
    try:
        await _patience.say(lambda: query.edit_message_text(reply.html, parse_mode=ParseMode.HTML, reply_markup=markup(reply)))
    except BadRequest as refusal:
        if "not modified" not in str(refusal):
            raise


def give_up() -> None:
    """Drop the answers that Telegram holds back, so that a stop need not wait for them."""
    _patience.give_up()
