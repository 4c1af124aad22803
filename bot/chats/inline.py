"""Inline mode: a user types after the bot's name in any chat and shares a match card there."""

from __future__ import annotations

import structlog
from telegram import InlineQueryResultArticle, InputTextMessageContent, LinkPreviewOptions, Update
from telegram.constants import ParseMode
from telegram.error import BadRequest
from telegram.ext import ContextTypes, InlineQueryHandler

from bot.chats.cards import Card, cards
from bot.chats.deps import Desk

Context = ContextTypes.DEFAULT_TYPE

log = structlog.get_logger()

KEEP = 15
"""Seconds for which Telegram may show the same answer again: scores change."""
LONGEST = 100


class Inline:
    """Answers what is typed after the bot's name; nothing is stored for it."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def handler(self) -> InlineQueryHandler[Context, None]:
        """The one handler of inline queries."""
        return InlineQueryHandler(self.asked)

    async def asked(self, update: Update, _: Context) -> None:
        """Show the cards that fit; a query too old to answer was typed over by the next."""
        query = update.inline_query
        if query is None:
            return
        view = await self._desk.glance(query.from_user.id)
        articles = [_article(card) for card in cards(view, query.query[:LONGEST])]
        try:
            await query.answer(articles, cache_time=KEEP, is_personal=True)
        except BadRequest as refusal:
            log.debug("inline_not_answered", reason=str(refusal))


def _article(card: Card) -> InlineQueryResultArticle:
    text = InputTextMessageContent(
        card.html, parse_mode=ParseMode.HTML, link_preview_options=LinkPreviewOptions(is_disabled=True)
    )
    return InlineQueryResultArticle(card.id, card.title, text, description=card.about)
