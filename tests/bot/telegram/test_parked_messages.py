"""How often a message that is not answered is sent, and which messages are parked: pure."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from bot.outbox.delivery import Delivery, QueueItem, Reason
from bot.outbox.latency import Timestamps
from bot.subscribers import ChatRef
from bot.telegram.execute import Attempt
from bot.telegram.plan import Edit, MessagePlan, Pin, Send
from bot.telegram.unanswered import NextStep, UnansweredMessages
from rules.engine.alert import AlertKey
from tests.bot.news import alert


def item(chat_id: int = 1, action: str = "g", seq: int = 1) -> QueueItem:
    return QueueItem(AlertKey("f1", action), ChatRef(chat_id), 0, seq, 0.0)


def delivery(one: QueueItem) -> Delivery:
    return Delivery(one.key, one.chat)


def send(one: QueueItem, html: str = "goal") -> Send:
    return Send(delivery(one), alert(), html, is_silent=False, reason=Reason.FIRST)


def attempt(one: QueueItem, plan: MessagePlan | Pin | None = None, *, is_uncertain: bool = False) -> Attempt:
    before = replace(delivery(one), is_uncertain=is_uncertain)
    return Attempt(one, plan or send(one), 0.0, 0, "", Timestamps(), before)


def parked(*items: QueueItem) -> UnansweredMessages:
    messages = UnansweredMessages()
    for one in items:
        messages.park(attempt(one))
    return messages


def test_a_message_that_is_not_answered_is_repeated_once_and_then_parked_whatever_becomes_of_others() -> None:
    messages = UnansweredMessages()

    steps = [messages.count(attempt(one)) for one in (item(), item(2), item(action="h"), item())]

    assert steps == [NextStep.REPEAT, NextStep.REPEAT, NextStep.REPEAT, NextStep.PARK]


def test_a_message_that_was_sent_before_a_restart_is_parked_at_once() -> None:
    assert UnansweredMessages().count(attempt(item(), is_uncertain=True)) is NextStep.PARK


def test_a_message_that_was_answered_is_counted_anew() -> None:
    messages = UnansweredMessages()
    messages.count(attempt(item()))
    messages.forget(item())

    assert messages.count(attempt(item())) is NextStep.REPEAT


def test_a_message_that_was_sent_once_more_counts_as_sent_and_an_edit_is_parked_again() -> None:
    edit = Edit(delivery(item(2)), alert(), "goal", Reason.REVISION)
    messages = UnansweredMessages()
    for one in (attempt(item()), attempt(item(2), edit)):
        for _ in range(2):
            messages.count(one)
        messages.park(one)
    messages.release()

    assert messages.count(attempt(item())) is NextStep.COUNT_AS_SENT
    assert messages.count(attempt(item(2), edit)) is NextStep.PARK
    assert messages.count(attempt(item())) is NextStep.REPEAT, "both are counted anew after that"


def test_a_parked_item_is_known_in_the_same_revision_and_in_earlier_ones() -> None:
    messages = parked(item(seq=5))

    assert [messages.is_parked(item(seq=seq)) for seq in (4, 5, 6)] == [True, True, False]
    assert not messages.is_parked(item(2, seq=5)) and not messages.is_parked(item(action="h", seq=5))


def test_a_revision_with_the_same_text_stays_parked_and_is_the_one_that_is_released() -> None:
    messages = parked(item(seq=5))

    assert messages.stays_parked(item(seq=6), send(item(seq=6)))
    assert len(messages) == 1 and messages.is_parked(item(seq=6)) and messages.release() == [item(seq=6)]


@pytest.mark.parametrize(
    "plan", [send(item(), "goal by Kane"), Edit(delivery(item()), alert(), "goal", Reason.REVISION)], ids=["other words", "edit"]
)
def test_a_revision_that_says_something_else_leaves_and_is_counted_anew(plan: MessagePlan) -> None:
    messages = UnansweredMessages()
    for _ in range(2):
        messages.count(attempt(item()))
    messages.park(attempt(item()))

    assert not messages.stays_parked(item(seq=2), plan) and len(messages) == 0
    assert messages.count(attempt(item(seq=2), plan)) is NextStep.REPEAT


def test_a_message_that_is_not_parked_is_not_held_back() -> None:
    assert not parked(item(2)).stays_parked(item(), send(item()))


def test_a_parked_pin_has_no_text_that_a_message_could_repeat() -> None:
    messages = UnansweredMessages()
    messages.park(attempt(item(), Pin(delivery(item()), alert(), is_pinned=True)))

    assert messages.is_parked(item()) and not messages.stays_parked(item(), send(item()))


def test_what_is_parked_is_released_for_one_chat_or_for_all_in_its_order() -> None:
    messages = parked(item(2), item(1, "a"), item(1, "b"))

    assert messages.release(1) == [item(1, "a"), item(1, "b")]
    assert messages.release() == [item(2)] and messages.release() == []


def test_what_is_parked_for_a_chat_is_dropped_and_counted_anew() -> None:
    messages = UnansweredMessages()
    for one in (item(1), item(2)):
        messages.count(attempt(one))
        messages.count(attempt(one))
        messages.park(attempt(one))
    messages.discard(1)

    assert [messages.is_parked(one) for one in (item(1), item(2))] == [False, True]
    assert messages.count(attempt(item(1))) is NextStep.REPEAT
