"""Inline mode: share a match card."""

from __future__ import annotations

import datetime as dt

import msgspec
import structlog
from telegram import InlineQueryResultArticle, InputTextMessageContent, LinkPreviewOptions, Update
from telegram.constants import ParseMode
from telegram.error import BadRequest
from telegram.ext import InlineQueryHandler

from bot.chat.catalogue import Choice, FollowableCatalogue, make_short_id, measure_fit
from bot.chat.dialogue import ChatContext, HandlerContext, has_begun
from bot.chat.features.fixtures import render_headline, visible_title
from bot.chat.routing import Feature
from bot.chat.services import ChatServices
from bot.chat.texts import escape_text
from bot.i18n.language import format_long_date, format_time, to_local_time
from bot.media.card import render_card
from bot.media.labels import standing_text
from rules.football.action import Fixture
from rules.football.match import Match

MAX_CARDS = 20

_NEAR_KICKOFF = dt.timedelta(days=1)


class InlineCard(msgspec.Struct, frozen=True):
    """One match to share; `id` is at most 64 bytes."""

    id: str
    title: str
    about: str
    html: str


def find_cards(context: ChatContext, wanted: str) -> tuple[InlineCard, ...]:
    """The matches that a name fits, or those around now: in play first, then by how near their kick-off is."""
    found = [
        f
        for choice in context.catalogue.matches
        if (f := choice.fixture) and _is_card_wanted(context.catalogue, choice, wanted.strip(), context.now)
    ]
    found.sort(key=lambda fixture: (not context.is_in_play(fixture), _time_from_kickoff(fixture, context.now)))
    return tuple(make_card(context, fixture) for fixture in found[:MAX_CARDS])


def make_card(context: ChatContext, fixture: Fixture) -> InlineCard:
    """Score or kick-off, the competition, and where the match stands; hidden where the asking user hides scores."""
    match = context.find_match(fixture.id)
    state, when = "" if context.chat.spoilers else standing_text(fixture, match), _format_kickoff(fixture, context)
    about = " · ".join(filter(None, (state or when, fixture.competition.name)))
    return InlineCard(
        make_short_id(fixture.id), visible_title(context, fixture, match), about, _render_card_html(context, fixture, match, when)
    )


def _render_card_html(context: ChatContext, fixture: Fixture, match: Match | None, when: str) -> str:
    """Of a match that has begun the card that chats keep, with its day; of any other when it begins."""
    if match is not None and has_begun(match) and not context.chat.spoilers:
        return "\n\n".join(filter(None, (render_card(match), escape_text(when))))
    below = " · ".join(filter(None, (when, fixture.competition.name)))
    return f"⚽ {render_headline(context, fixture, match)}\n{escape_text(below)}".rstrip()


def _format_kickoff(fixture: Fixture, context: ChatContext) -> str:
    """`Sunday 22 November, 15:00 (UTC)`, in the asking user's time."""
    if fixture.kickoff is None:
        return ""
    zone = context.chat.timezone
    date = format_long_date(to_local_time(fixture.kickoff, zone).date())
    return f"{date}, {format_time(fixture.kickoff, zone)} ({zone})" if fixture.is_kickoff_known else date


def _is_card_wanted(catalogue: FollowableCatalogue, choice: Choice, wanted: str, now: dt.datetime) -> bool:
    fixture = choice.fixture
    if fixture is None:
        return False
    if not wanted:
        return _time_from_kickoff(fixture, now) < _NEAR_KICKOFF
    names = (fixture.title, fixture.home.name, fixture.away.name, fixture.competition.name)
    return any(measure_fit(wanted, name) is not None for name in names)


def _time_from_kickoff(fixture: Fixture, now: dt.datetime) -> dt.timedelta:
    return abs(fixture.kickoff - now) if fixture.kickoff else dt.timedelta.max


log = structlog.get_logger()

CACHE_SECONDS = 15
"""Seconds for which Telegram may show the same answer again: scores change."""

MAX_QUERY_LENGTH = 100


class InlineCardsHandler:
    """Answers what is typed after the bot's name; nothing is stored for it."""

    def __init__(self, services: ChatServices) -> None:
        self._services = services

    def handler(self) -> InlineQueryHandler[HandlerContext, None]:
        """The one handler of inline queries."""
        return InlineQueryHandler(self.on_inline_query)

    async def on_inline_query(self, update: Update, _ptb_context: HandlerContext) -> None:
        """Show the cards that fit; a query too old to answer was typed over by the next."""
        query = update.inline_query
        if query is None:
            return
        context = await self._services.load_user_context(query.from_user.id)
        articles = [_make_article(card) for card in find_cards(context, query.query[:MAX_QUERY_LENGTH])]
        try:
            await query.answer(articles, cache_time=CACHE_SECONDS, is_personal=True)
        except BadRequest as refusal:
            log.debug("inline_not_answered", reason=str(refusal))


def _make_article(card: InlineCard) -> InlineQueryResultArticle:
    text = InputTextMessageContent(
        card.html, parse_mode=ParseMode.HTML, link_preview_options=LinkPreviewOptions(is_disabled=True)
    )
    return InlineQueryResultArticle(card.id, card.title, text, description=card.about)


FEATURE = Feature(make_handlers=lambda services, _router: (InlineCardsHandler(services).handler(),))
