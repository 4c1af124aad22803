"""The button under an alert over python-telegram-bot: thin around the pure `hush`."""

from __future__ import annotations

import asyncio

import structlog
from telegram import Bot, CallbackQuery, Update
from telegram.error import BadRequest
from telegram.ext import CallbackQueryHandler, ContextTypes

from bot.chats import hush_words as words
from bot.chats import texts
from bot.chats.deps import Desk
from bot.chats.heard import Heard, heard
from bot.chats.hush import Hushed, about, press
from bot.chats.keyboards import markup
from bot.chats.permissions import Permissions
from bot.chats.reply import Reply, Row
from bot.chats.speak import acknowledge
from bot.outbox.bell import OPENS
from bot.outbox.entry import Entry, News

Context = ContextTypes.DEFAULT_TYPE

log = structlog.get_logger()

_PAUSES = (0.2, 0.4, 0.0)
"""Seconds between looks for an alert: its id is committed milliseconds after Telegram's answer, later where much is sent."""


class Bell:
    """Hears presses of the button, and finds by chat and message which alert it is under: it works after a restart too."""

    def __init__(self, desk: Desk, permissions: Permissions) -> None:
        self._desk, self._permissions = desk, permissions

    def handler(self) -> CallbackQueryHandler[Context, None]:
        """The one handler of these buttons."""
        return CallbackQueryHandler(self.pressed, rf"^{OPENS}(:.*)?$")

    async def pressed(self, update: Update, context: Context) -> None:
        """Open the menu or do what it offers, for who may change the chat."""
        query, place = update.callback_query, heard(update)
        if query is None:
            return
        told = await self._told(place) if place else None
        if place is None or told is None:
            await acknowledge(query, words.unknown())
            return
        hushed = await self._hushed(context.bot, place, *told, query.data or "")
        if isinstance(hushed, str):
            await acknowledge(query, hushed)
            return
        await self._desk.store(told[0].ref, hushed.changes)
        await acknowledge(query, hushed.note)
        await _redraw(query, hushed.rows)

    async def _told(self, place: Heard) -> tuple[Entry, News] | None:
        """What the message tells; an alert that has only just left is known a moment later."""
        if (why := self._desk.deps.why) is None:
            return None
        for pause in _PAUSES:
            if account := await why(place.ref.chat_id, place.message_id):
                return account.entry, account.news
            await asyncio.sleep(pause)
        return None

    async def _hushed(self, bot: Bot, place: Heard, entry: Entry, news: News, data: str) -> Hushed | str:
        """What the press does, or the sentence that says why it does nothing."""
        if not await self._permissions.may_change(bot, place):
            return texts.only_administrators()
        view = await self._desk.view(entry.ref, place.kind, place.title)
        if view.chat.fixed:
            return texts.fixed()
        return press(view, about(entry, news), data) or texts.stale()


async def _redraw(query: CallbackQuery, rows: tuple[Row, ...]) -> None:
    """The words of the alert stay; a message that was erased meanwhile needs no buttons."""
    try:
        await query.edit_message_reply_markup(markup(Reply("", rows)))
    except BadRequest as refusal:
        log.debug("buttons_not_shown", reason=str(refusal))
