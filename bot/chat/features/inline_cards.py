"""Inline mode: share a match card."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import msgspec
import structlog
from msgspec.structs import replace
from telegram import InlineQuery, InlineQueryResultArticle, InputTextMessageContent, LinkPreviewOptions, Update
from telegram.constants import ParseMode
from telegram.error import BadRequest
from telegram.ext import InlineQueryHandler

from bot.chat.dialogue import ChatContext
from bot.chat.features.fixtures import render_headline, visible_title
from bot.chat.routing import Feature
from bot.chat.search.catalogue import make_short_id
from bot.chat.services import ChatServices
from bot.chat.texts import escape_text
from bot.chat.update_origin import HandlerContext
from bot.i18n.language import format_long_date, format_time, to_local_time
from bot.media.card import render_card
from bot.media.labels import standing_text
from bot.telegram.html import remove_tags, time_tag
from bot.telegram.responses import find_unknown_tag
from rules.football.action import Fixture
from rules.football.match import Match

# Telegram takes 50. People look at the first few, and each is rendered while they wait.
MAX_CARDS = 20

MAX_QUERY_LENGTH = 100
"""Characters of what is typed after the bot's name that are looked at."""

CACHE_SECONDS = 15
"""Seconds for which Telegram may show the same answer again: scores change."""

_NEAR_KICKOFF = dt.timedelta(days=1)
"""Before anything is typed, matches are offered whose kick-off is no further away."""

log = structlog.get_logger()


class InlineCardsHandler:
    """Answers inline queries, which are what a user types after the bot's name in any chat."""

    def __init__(self, services: ChatServices) -> None:
        self._services = services

    async def on_inline_query(self, update: Update, _ptb_context: HandlerContext) -> None:
        """Offer the cards of the matches that fit."""
        query = update.inline_query
        if query is None:
            return
        # Nothing is stored: a person who types the bot's name somewhere has not started a chat with it.
        context = await self._services.load_user_context(query.from_user.id)
        cards = find_cards(context, query.query[:MAX_QUERY_LENGTH])
        try:
            await _answer(query, cards)
        except BadRequest as refusal:
            if tag := find_unknown_tag(refusal):
                # A Bot API server that is older than the tag. It refuses at once, so the answer is not too late yet.
                await _answer(query, tuple(replace(card, html=remove_tags(card.html, {tag})) for card in cards))
                return
            # Every letter that is typed is a new query, and the answer to the one before comes too late.
            log.debug("inline_not_answered", reason=str(refusal))


async def _answer(query: InlineQuery, cards: Sequence[InlineCard]) -> None:
    articles = []
    for card in cards:
        text = InputTextMessageContent(
            card.html, parse_mode=ParseMode.HTML, link_preview_options=LinkPreviewOptions(is_disabled=True)
        )
        articles.append(InlineQueryResultArticle(card.id, card.title, text, description=card.description))
    # The texts are in the user's language and time zone, so Telegram may not show them to others.
    await query.answer(articles, cache_time=CACHE_SECONDS, is_personal=True)


class InlineCard(msgspec.Struct, frozen=True):
    """One match to share."""

    id: str
    """At most 64 bytes."""
    title: str
    description: str
    html: str
    """The message that is sent if the card is chosen."""


def find_cards(context: ChatContext, typed: str) -> tuple[InlineCard, ...]:
    """Return the matches that a name fits, or those around now: in play first, then by how near their kick-off is."""
    found = []
    for choice in context.catalogue.matches:
        if (fixture := choice.fixture) and _is_requested(context, fixture, typed.strip()):
            found.append(fixture)
    found.sort(key=lambda fixture: (not context.is_in_play(fixture), _time_from_kickoff(fixture, context.now)))
    return tuple(make_card(context, fixture) for fixture in found[:MAX_CARDS])


def _is_requested(context: ChatContext, fixture: Fixture, typed: str) -> bool:
    if not typed:
        return _time_from_kickoff(fixture, context.now) < _NEAR_KICKOFF
    names = (fixture.title, fixture.home.name, fixture.away.name, fixture.competition.name)
    return any(context.catalogue.measure_fit(typed, name) is not None for name in names)


def _time_from_kickoff(fixture: Fixture, now: dt.datetime) -> dt.timedelta:
    return abs(fixture.kickoff - now) if fixture.kickoff else dt.timedelta.max


def make_card(context: ChatContext, fixture: Fixture) -> InlineCard:
    """Make the card of a match. If the user hides scores in the private chat with the bot, the card hides them too."""
    match = context.find_match(fixture.id)
    kickoff, kickoff_html, zone = "", "", context.chat.timezone
    if fixture.kickoff is not None:
        # `Sunday 22 November, 15:00 (UTC)`: with the zone, since who reads the card in another chat may live in another one.
        kickoff = format_long_date(to_local_time(fixture.kickoff, zone).date())
        if fixture.is_kickoff_known:
            kickoff = f"{kickoff}, {format_time(fixture.kickoff, zone)} ({zone})"
            kickoff_html = time_tag(fixture.kickoff, escape_text(kickoff), with_day=True)
    standing = "" if context.chat.spoilers else standing_text(fixture, match)
    description = " · ".join(filter(None, (standing or kickoff, fixture.competition.name)))
    title = visible_title(context, fixture, match)
    return InlineCard(
        make_short_id(fixture.id),
        title,
        description,
        _render_card_html(context, fixture, match, kickoff_html or escape_text(kickoff)),
    )


def _render_card_html(context: ChatContext, fixture: Fixture, match: Match | None, kickoff: str) -> str:
    """Return the message. `kickoff` is HTML."""
    if match is not None and match.has_begun and not context.chat.spoilers:
        # The card that chats keep of a match in play, with the day: it may be read much later.
        return "\n\n".join(filter(None, (render_card(match), kickoff)))
    below = " · ".join(filter(None, (kickoff, escape_text(fixture.competition.name))))
    return f"⚽ {render_headline(context, fixture, match)}\n{below}".rstrip()


FEATURE = Feature(make_handlers=lambda services, _router: (InlineQueryHandler(InlineCardsHandler(services).on_inline_query),))
