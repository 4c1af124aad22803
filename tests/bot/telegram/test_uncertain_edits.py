"""Which messages are suspected of an edit that another process has made: pure, with the time as a value."""

from __future__ import annotations

import datetime as dt

from msgspec.structs import replace

from bot.outbox.delivery import Delivery, QueueItem, Reason, add_to_history
from bot.subscribers import ChatRef
from bot.telegram.unanswered import MAX_SUSPECTS, UncertainEdits
from rules.engine.alert import AlertKey

START, TAKEOVER = 1_000.0, 9_000.0
"""When this process started, and when it took chats over from another."""


def sent(chat: int, at: float) -> Delivery:
    """A message that was last changed then."""
    delivery = Delivery(AlertKey("f1", "g1"), ChatRef(chat), message_id=7)
    return add_to_history(delivery, Reason.FIRST, dt.datetime.fromtimestamp(at, dt.UTC))


def name(delivery: Delivery) -> tuple[AlertKey, ChatRef]:
    return delivery.key, delivery.chat


def taking_over(*deliveries: Delivery, at: float = TAKEOVER) -> UncertainEdits:
    edits = UncertainEdits()
    edits.on_start(START)
    edits.on_taken_over(map(name, deliveries), at)
    return edits


def test_a_message_that_waited_at_a_takeover_is_suspected_for_a_while_and_others_are_not() -> None:
    taken, other = sent(1, TAKEOVER - 60), sent(2, TAKEOVER - 60)
    edits = taking_over(taken)

    assert edits.is_suspect(taken, TAKEOVER + 800) and not edits.is_suspect(taken, TAKEOVER + 1_000)
    assert not edits.is_suspect(other, TAKEOVER)


def test_a_message_that_was_changed_since_the_takeover_or_was_never_sent_is_not_suspected() -> None:
    taken, unsent = sent(1, TAKEOVER - 60), replace(sent(2, TAKEOVER - 60), message_id=None)
    edits = taking_over(taken, unsent)
    changed = add_to_history(taken, Reason.REVISION, dt.datetime.fromtimestamp(TAKEOVER + 1, dt.UTC))

    assert not edits.is_suspect(changed, TAKEOVER + 2) and not edits.is_suspect(unsent, TAKEOVER + 2)


def test_each_takeover_has_an_allowance_and_its_pages_share_it() -> None:
    taken = sent(1, TAKEOVER - 60)
    edits = taking_over(taken)
    for _ in range(MAX_SUSPECTS):
        edits.count_suspect()
    edits.on_taken_over([name(taken)], TAKEOVER + 5)
    is_suspect_at_its_next_page = edits.is_suspect(taken, TAKEOVER + 6)
    edits.on_taken_over([name(taken)], TAKEOVER + 300)

    assert not is_suspect_at_its_next_page and edits.is_suspect(taken, TAKEOVER + 301)


def test_a_start_suspects_what_was_not_changed_since_for_a_quarter_of_an_hour_and_only_its_first_call_counts() -> None:
    edits = UncertainEdits()
    old, new, unknown = sent(1, START - 1), sent(2, START), Delivery(AlertKey("f1", "g1"), ChatRef(3), message_id=7)
    assert not edits.is_suspect(old, START)
    edits.on_start(START)
    edits.on_start(START + 800)

    assert [edits.is_suspect(one, START + 900) for one in (old, new, unknown)] == [True, False, True]
    assert not edits.is_suspect(old, START + 901)


def test_a_start_has_an_allowance_that_a_takeover_within_a_minute_shares() -> None:
    edits, old = UncertainEdits(), sent(1, START - 1)
    edits.on_start(START)
    for _ in range(MAX_SUSPECTS - 1):
        edits.count_suspect()
    assert edits.is_suspect(old, START)
    edits.count_suspect()
    assert not edits.is_suspect(old, START)

    edits.on_taken_over([name(old)], START + 60)
    assert not edits.is_suspect(old, START + 60)
    edits.on_taken_over([name(old)], START + 61)
    assert edits.is_suspect(old, START + 61)


def test_takeovers_of_long_ago_are_forgotten_and_a_chat_that_is_taken_over_again_is_not() -> None:
    first, again, last = (sent(chat, START - 1) for chat in (1, 2, 3))
    edits = taking_over(first, again)
    edits.on_taken_over([name(again)], TAKEOVER + 500)
    edits.on_taken_over([name(last)], TAKEOVER + 1_000)

    assert list(edits._taken_over_at) == [name(again), name(last)]
    assert edits.is_suspect(again, TAKEOVER + 1_400) and not edits.is_suspect(first, TAKEOVER + 1_000)


def test_an_edit_of_this_process_is_uncertain_until_its_message_is_answered() -> None:
    edits, one, other = UncertainEdits(), sent(1, START), sent(2, START)
    item = QueueItem(one.key, one.chat, 0, 1, 0.0)
    edits.add(item)
    assert (edits.is_unanswered(one), edits.is_unanswered(other)) == (True, False)
    edits.discard(item)

    assert not edits.is_unanswered(one)
