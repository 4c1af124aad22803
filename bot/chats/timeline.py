"""The dialogue of /timeline: a match that the chat follows, or one that is named, in a picture. Pure.

Button data: `p:FIXTURE`.
"""

from __future__ import annotations

from bot.chats import texts
from bot.chats.keyboards import button, rows
from bot.chats.reply import Reply, Turn, View
from bot.chats.today import headline, label
from bot.store.model import covers
from rules.action import Fixture
from rules.fold import fold
from rules.match import Match
from rules.minute import Period

OFFERED = 10
_LONGEST_DATA = 64


def timeline(view: View, words: tuple[str, ...]) -> Turn:
    """`/timeline [name]`: the picture where one match is meant, else buttons."""
    wanted = " ".join(words)
    begun = ((fixture, match) for fixture in view.guide.fixtures if (match := _begun(view, fixture)))
    found = sorted((match for fixture, match in begun if _meant(view, fixture, wanted)), key=_latest, reverse=True)
    if not found:
        return Turn(Reply(texts.not_begun(wanted) if wanted else texts.nothing_to_draw()))
    if len(found) == 1:
        return Turn(drawn(view, found[0]))
    offers = [(label(view, match.fixture, match), f"p:{match.fixture.id}") for match in found]
    fitting = [button(label, data) for label, data in offers if len(data.encode()) <= _LONGEST_DATA]
    return Turn(Reply(texts.choose_timeline(), rows(fitting[:OFFERED])))


def picked(view: View, fixture_id: str) -> Turn | None:
    """A match was tapped; None when it is not known any more."""
    match = view.scores.match(fixture_id)
    return Turn(drawn(view, match)) if match else None


def drawn(view: View, match: Match) -> Reply:
    """The picture of a match, with its score in words; both hidden where the chat hides scores."""
    return Reply(headline(view, match.fixture, match), picture=match, hidden=view.chat.spoilers)


def _meant(view: View, fixture: Fixture, wanted: str) -> bool:
    if wanted:
        return fold(wanted) in fold(f"{fixture.title} {fixture.competition.name}")
    return any(covers(subscription, fixture) for subscription in view.subscriptions)


def _begun(view: View, fixture: Fixture) -> Match | None:
    match = view.scores.match(fixture.id)
    return match if match and (match.period is not Period.BEFORE or match.completed) else None


def _latest(match: Match) -> tuple[bool, float]:
    """Those in play before those that are over, then by kick-off."""
    over = match.completed or bool(match.ended_by)
    return not over, match.fixture.kickoff.timestamp() if match.fixture.kickoff else 0.0
