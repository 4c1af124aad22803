"""Match cards for inline mode: what `@bot arsenal` offers to share. Pure."""

from __future__ import annotations

import datetime as dt

import msgspec

from bot.chats.guide import Choice, Guide, short
from bot.chats.live import begun, playing_now
from bot.chats.reply import View
from bot.chats.search import fit
from bot.chats.texts import escape
from bot.chats.times import clock_time, local, long_date
from bot.chats.today import headline, label, standing
from bot.extras.card import card_html
from rules.action import Fixture
from rules.match import Match

MOST = 20
_NEAR = dt.timedelta(days=1)


class Card(msgspec.Struct, frozen=True):
    """One match to share; `id` is at most 64 bytes."""

    id: str
    title: str
    about: str
    html: str


def cards(view: View, wanted: str) -> tuple[Card, ...]:
    """The matches that a name fits, or those around now: in play first, then by how near their kick-off is."""
    found = [f for choice in view.guide.matches if (f := choice.fixture) and _fits(view.guide, choice, wanted.strip(), view.now)]
    found.sort(key=lambda fixture: (not playing_now(view, fixture), _distance(fixture, view.now)))
    return tuple(card(view, fixture) for fixture in found[:MOST])


def card(view: View, fixture: Fixture) -> Card:
    """Score or kick-off, the competition, and where the match stands; hidden where the asking user hides scores."""
    match = view.scores.match(fixture.id)
    state, when = "" if view.chat.spoilers else standing(fixture, match), _when(fixture, view)
    about = " · ".join(filter(None, (state or when, fixture.competition.name)))
    return Card(short(fixture.id), label(view, fixture, match), about, _html(view, fixture, match, when))


def _html(view: View, fixture: Fixture, match: Match | None, when: str) -> str:
    """Of a match that has begun the card that chats keep, with its day; of any other when it begins."""
    if match is not None and begun(match) and not view.chat.spoilers:
        return "\n\n".join(filter(None, (card_html(match), escape(when))))
    below = " · ".join(filter(None, (when, fixture.competition.name)))
    return f"⚽ {headline(view, fixture, match)}\n{escape(below)}".rstrip()


def _when(fixture: Fixture, view: View) -> str:
    """`Sunday 22 November, 15:00 (UTC)`, in the asking user's time."""
    if fixture.kickoff is None:
        return ""
    zone = view.chat.timezone
    date = long_date(local(fixture.kickoff, zone).date())
    return f"{date}, {clock_time(fixture.kickoff, zone)} ({zone})" if fixture.kickoff_known else date


def _fits(guide: Guide, choice: Choice, wanted: str, now: dt.datetime) -> bool:
    fixture = choice.fixture
    if fixture is None:
        return False
    if not wanted:
        return _distance(fixture, now) < _NEAR
    names = (fixture.title, fixture.home.name, fixture.away.name, fixture.competition.name)
    return any(fit(wanted, name) is not None for name in names)


def _distance(fixture: Fixture, now: dt.datetime) -> dt.timedelta:
    return abs(fixture.kickoff - now) if fixture.kickoff else dt.timedelta.max
