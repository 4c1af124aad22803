"""A small world of fixtures for the dialogues, and a chat's context in it."""

from __future__ import annotations

import datetime as dt
from typing import Any

from bot.chat.application import ROUTER
from bot.chat.dialogue import ChatContext, DialogueResult, OutdatedButton, Screen, Subscribe, Unsubscribe, UpdateChat
from bot.chat.search.catalogue import FollowableCatalogue
from bot.subscribers import Chat, ChatRef, Subscription
from bot.telegram.html import remove_tags
from rules.engine.alert import SHIPPED_KINDS
from rules.football.action import Fixture, Team
from rules.football.match import Match, Score
from rules.football.minute import Minute, Period
from tests.chats import make_chat

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


PLAYING = Match(FIXTURES[2], Score(1, 0), period=Period.SECOND_HALF, minute=Minute(47), status="Live")
"""One of them that is being played."""


class Scores:
    """The scores of matches, as a test sets them."""

    def __init__(self, *matches: Match) -> None:
        self._matches = {match.fixture.id: match for match in matches}

    def match(self, fixture_id: str) -> Match | None:
        return self._matches.get(fixture_id)

    def play(self, *matches: Match) -> None:
        """Set how matches stand from now on."""
        self._matches |= {match.fixture.id: match for match in matches}


class KnownFixtures(Scores):
    """A directory that a test fills."""

    def __init__(self, fixtures: tuple[Fixture, ...] = FIXTURES, *matches: Match) -> None:
        super().__init__(*matches)
        self.known = fixtures

    def fixtures(self) -> tuple[Fixture, ...]:
        return self.known


def make_context(
    *followed: Subscription, fixtures: tuple[Fixture, ...] = FIXTURES, matches: tuple[Match, ...] = (), **chat: Any
) -> ChatContext:
    catalogue, find_match = FollowableCatalogue(fixtures), Scores(*matches).match
    return ChatContext(make_chat(ChatRef(42), **chat), followed, catalogue, SHIPPED_KINDS, NOW, find_match, ROUTER.menu)


def run_command(context: ChatContext, name: str, *args: str) -> DialogueResult:
    """What a command answers."""
    run = ROUTER.find_command(name)
    assert run is not None
    return run(context, args)


def press_button(context: ChatContext, data: str) -> DialogueResult:
    """What a button does."""
    return ROUTER.press_button(context, data)


def is_outdated(context: ChatContext, data: str) -> bool:
    """True if a button with this data only says that it is out of date."""
    try:
        press_button(context, data)
    except OutdatedButton:
        return True
    return False


def html_without_dates(screen: Screen) -> str:
    """A screen's HTML with its kick-offs as plain text, as an older Bot API server is sent it."""
    return remove_tags(screen.html, {"tg-time"})


def labels(screen: Screen) -> list[str]:
    return [button.label for row in screen.buttons for button in row]


def data(screen: Screen, label: str) -> str:
    """The data of the first button whose label contains `label`."""
    return next(button.data for row in screen.buttons for button in row if label in button.label)


def changed_chat(result: DialogueResult, context: ChatContext | None = None) -> Chat:
    """The chat after the only change of a result, which changes its settings."""
    (change,) = result.changes
    assert isinstance(change, UpdateChat)
    return change.change((context or make_context()).chat)


def changed(result: DialogueResult) -> list[tuple[str, str]]:
    """`("+", name)` for what is subscribed, `("-", name)` for what is unsubscribed."""
    signs = {Subscribe: "+", Unsubscribe: "-"}
    return [(signs[type(c)], c.subscription.name) for c in result.changes if isinstance(c, Subscribe | Unsubscribe)]
