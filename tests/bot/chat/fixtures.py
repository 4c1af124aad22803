"""A small world of fixtures for the dialogues, and a view of it."""

from __future__ import annotations

import datetime as dt
from typing import Any

from bot.chat.catalogue import FollowableCatalogue
from bot.chat.dialogue import ChatContext, DialogueResult, Screen, Subscribe, Unsubscribe
from bot.subscribers import Chat, ChatRef, Subscription
from rules.engine.alert import SHIPPED_KINDS
from rules.football.action import Fixture, Team
from rules.football.match import Match

NOW = dt.datetime(2026, 11, 22, 14, 0, tzinfo=dt.UTC)
LEAGUE, CUP = Team("c1", "Premier League"), Team("c2", "Süper Lig")
ARSENAL, CHELSEA, CITY, UNITED = (
    Team("t1", "Arsenal"), Team("t2", "Chelsea"), Team("t3", "Manchester City"), Team("t4", "Manchester United"),
)  # fmt: skip
FENER, GALATA = Team("t5", "Fenerbahçe"), Team("t6", "Galatasaray")


def fixture(fixture_id: str, home: Team, away: Team, competition: Team, hours: float, **more: Any) -> Fixture:
    return Fixture(fixture_id, home, away, competition, NOW + dt.timedelta(hours=hours), **more)


FIXTURES = (
    fixture("f1", ARSENAL, CHELSEA, LEAGUE, 1),
    fixture("f2", CITY, UNITED, LEAGUE, 26),
    fixture("f3", FENER, GALATA, CUP, -1),
    fixture("f4", UNITED, ARSENAL, LEAGUE, -72, status="Completed"),
)


class Scores:
    """How matches stand, as told."""

    def __init__(self, *matches: Match) -> None:
        self._matches = {match.fixture.id: match for match in matches}

    def match(self, fixture_id: str) -> Match | None:
        return self._matches.get(fixture_id)

    def play(self, *matches: Match) -> None:
        """Know how these stand from now on."""
        self._matches |= {match.fixture.id: match for match in matches}


class KnownFixtures(Scores):
    """A directory that a test fills."""

    def __init__(self, fixtures: tuple[Fixture, ...] = FIXTURES, *matches: Match) -> None:
        super().__init__(*matches)
        self.known = fixtures

    def fixtures(self) -> tuple[Fixture, ...]:
        return self.known


def view(
    *followed: Subscription, fixtures: tuple[Fixture, ...] = FIXTURES, matches: tuple[Match, ...] = (), **chat: Any
) -> ChatContext:
    return ChatContext(Chat(ChatRef(42), **chat), followed, FollowableCatalogue(fixtures), SHIPPED_KINDS, NOW, Scores(*matches))


def labels(reply: Screen) -> list[str]:
    return [button.label for row in reply.rows for button in row]


def data(reply: Screen, label: str) -> str:
    """The data of the first button whose words contain `label`."""
    return next(button.data for row in reply.rows for button in row if label in button.label)


def changed(turn: DialogueResult | None) -> list[tuple[str, str]]:
    """`("+", name)` for what is followed, `("-", name)` for what is not any more."""
    assert turn is not None
    signs = {Subscribe: "+", Unsubscribe: "-"}
    return [(signs[type(c)], c.subscription.name) for c in turn.changes if isinstance(c, Subscribe | Unsubscribe)]
