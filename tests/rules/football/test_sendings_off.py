"""A player is sent off once, whether the feed tells it by a Second Yellow Card, by a Red Card, or by both."""

from __future__ import annotations

from typing import Any

import pytest

from rules.engine.alert import State
from rules.engine.evaluate import evaluate
from rules.football.match import Moment
from rules.football.timeline import EventKind, build_timeline
from rules.loading.loader import load_pack
from tests.packets import Story

ORDERS = [("y", "r"), ("r", "y")]
TYPES = {"y": "Second Yellow Card", "r": "Red Card"}


class Chat(Story):
    """A match, and the messages about red cards that a chat has: by action their state, the player and the sub type."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: dict[str, tuple[State, str]] = {}
        self.rings: list[str] = []
        self._rules: dict[str, set[str]] = {}
        self.minute = 60

    def card(self, action: str, send: str = "Confirmed", side: str = "home", **more: Any) -> Moment:
        moment = self.tell(TYPES[action[0]], send, action, side, **{"player": "Kane"} | more)
        for alert in evaluate(load_pack(), moment, self._rules):
            told = alert.key.action_id
            if alert.kind == "red_card" and told not in self.messages:
                self.rings.append(told)
                self._rules.setdefault(told, set()).add(alert.rule)
            if told in self._rules:
                self.messages[told] = (alert.state, alert.facts.player)
        return moment

    def reds(self) -> int:
        events = build_timeline(self.match).events
        return sum(event.kind in (EventKind.RED_CARD, EventKind.SECOND_YELLOW) for event in events)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("later", [0, 1, 2])
def test_a_second_yellow_and_a_red_of_one_player_ring_once(order: tuple[str, str], later: int) -> None:
    chat = Chat()
    chat.card(order[0])
    chat.card(order[1], minute=60 + later)

    assert chat.rings == [order[0]] and chat.reds() == 1
    assert chat.match.records[order[0]].action.sub_type == "Second Yellow"


@pytest.mark.parametrize("order", ORDERS)
def test_a_card_without_a_name_yet_is_the_same_and_one_of_another_player_is_news(order: tuple[str, str]) -> None:
    chat = Chat()
    chat.card(order[0])
    chat.card(order[1], "Pending", player=None)
    same = list(chat.rings)
    chat.card(order[1], player="Rice")

    assert (same, chat.rings, chat.reds()) == ([order[0]], list(order), 2)


@pytest.mark.parametrize(
    "other",
    [{"player": "Rice"}, {"side": "away", "player": "Rice"}, {"side": "away", "player": None}, {"minute": 63}],
)
def test_another_sending_off_rings(other: dict[str, Any]) -> None:
    chat = Chat()
    chat.card("y")
    chat.card("r", **other)

    assert chat.rings == ["y", "r"] and chat.reds() == 2


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("gone", [0, 1])
def test_it_stands_while_one_of_the_two_stands(order: tuple[str, str], gone: int) -> None:
    chat = Chat()
    chat.card(order[0])
    chat.card(order[1])
    chat.card(order[gone], "Deleted")
    after_one, reds = dict(chat.messages), chat.reds()
    chat.card(order[1 - gone], "Deleted")

    assert (after_one[order[0]][0], reds) == (State.CONFIRMED, 1)
    assert chat.messages[order[0]][0] is State.RETRACTED and chat.reds() == 0
    assert list(chat.messages) == [order[0]]


def test_the_same_red_card_after_one_that_fell_rings_again() -> None:
    chat = Chat()
    chat.card("r1")
    chat.card("r1", "Deleted")
    chat.card("r2")

    assert chat.rings == ["r1", "r2"]


def test_a_card_completes_the_name_that_the_first_left_out() -> None:
    chat = Chat()
    chat.card("y", player=None)
    chat.card("r")

    assert chat.messages == {"y": (State.CONFIRMED, "Kane")}
