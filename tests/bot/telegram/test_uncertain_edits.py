"""Which messages are suspected of an edit that another process has made: pure, with the time as a value."""

from __future__ import annotations

import datetime as dt

from msgspec.structs import replace

from bot.outbox.delivery import Delivery, Reason, add_to_history
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
