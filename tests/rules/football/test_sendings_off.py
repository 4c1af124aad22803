"""A player is sent off once, whether the feed reports it by a Second Yellow Card, by a Red Card, or by both."""

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


class SendingsOff(Story):
    """A match, and the messages about red cards that a chat has: by action their state, the player and the sub type."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: dict[str, tuple[State, str]] = {}
        self.loud: list[str] = []
        self._rules: dict[str, set[str]] = {}
        self.minute = 60

    def send_off(self, action: str, send: str = "Confirmed", side: str = "home", **more: Any) -> Moment:
        moment = self.add(TYPES[action[0]], send, action, side, **{"player": "Kane"} | more)
        for alert in evaluate(load_pack(), moment, self._rules):
            action_id = alert.key.action_id
            if alert.kind == "red_card" and action_id not in self.messages:
                self.loud.append(action_id)
                self._rules.setdefault(action_id, set()).add(alert.rule)
            if action_id in self._rules:
                self.messages[action_id] = (alert.state, alert.facts.player)
        return moment

    def count_red_cards(self) -> int:
        events = build_timeline(self.match).events
        return sum(event.kind in (EventKind.RED_CARD, EventKind.SECOND_YELLOW) for event in events)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("later", [0, 1, 2])
def test_a_second_yellow_and_a_red_of_one_player_are_loud_once(order: tuple[str, str], later: int) -> None:
    sent_off = SendingsOff()
    sent_off.send_off(order[0])
    sent_off.send_off(order[1], minute=60 + later)

    assert sent_off.loud == [order[0]] and sent_off.count_red_cards() == 1
    assert sent_off.match.records[order[0]].action.sub_type == "Second Yellow"


@pytest.mark.parametrize("order", ORDERS)
def test_a_card_without_a_name_yet_is_the_same_and_one_of_another_player_is_news(order: tuple[str, str]) -> None:
    sent_off = SendingsOff()
    sent_off.send_off(order[0])
    sent_off.send_off(order[1], "Pending", player=None)
    same = list(sent_off.loud)
    sent_off.send_off(order[1], player="Rice")

    assert (same, sent_off.loud, sent_off.count_red_cards()) == ([order[0]], list(order), 2)


@pytest.mark.parametrize(
    "other",
    [{"player": "Rice"}, {"side": "away", "player": "Rice"}, {"side": "away", "player": None}, {"minute": 63}],
)
def test_another_sending_off_is_loud(other: dict[str, Any]) -> None:
    sent_off = SendingsOff()
    sent_off.send_off("y")
    sent_off.send_off("r", **other)

    assert sent_off.loud == ["y", "r"] and sent_off.count_red_cards() == 2


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("gone", [0, 1])
def test_it_stands_while_one_of_the_two_stands(order: tuple[str, str], gone: int) -> None:
    sent_off = SendingsOff()
    sent_off.send_off(order[0])
    sent_off.send_off(order[1])
    sent_off.send_off(order[gone], "Deleted")
    after_one, reds = dict(sent_off.messages), sent_off.count_red_cards()
    sent_off.send_off(order[1 - gone], "Deleted")

    assert (after_one[order[0]][0], reds) == (State.CONFIRMED, 1)
    assert sent_off.messages[order[0]][0] is State.RETRACTED and sent_off.count_red_cards() == 0
    assert list(sent_off.messages) == [order[0]]


def test_the_same_red_card_after_one_that_was_taken_back_is_loud_again() -> None:
    sent_off = SendingsOff()
    sent_off.send_off("r1")
    sent_off.send_off("r1", "Deleted")
    sent_off.send_off("r2")

    assert sent_off.loud == ["r1", "r2"]


def test_a_card_completes_the_name_that_the_first_left_out() -> None:
    sent_off = SendingsOff()
    sent_off.send_off("y", player=None)
    sent_off.send_off("r")

    assert sent_off.messages == {"y": (State.CONFIRMED, "Kane")}
