"""What a chat has seen, revision by revision."""

from __future__ import annotations

import enum
from typing import Any

import pytest
from msgspec.structs import replace

from bot.outbox.delivery import (
    Delivery,
    DeliveryContext,
    DeliveryStatus,
    HistoryLine,
    PinState,
    Reason,
    Subject,
    add_to_history,
    collect_timestamps,
    read_history,
)
from bot.outbox.latency import LatencyTrace, Timestamps
from bot.outbox.match_cards import must_resend_card, record_card_edited, record_card_sent, record_message_gone
from bot.subscribers import Recipient
from rules.engine.alert import CARD, Facts, State
from tests.bot.news import CHAT, KEY, NOW, REF, alert, delivered, news

LATENCY = LatencyTrace(812.4, 0.6, 0.0, 3.1, 51.7)


def test_a_revision_is_stored_with_its_latencies_and_a_reply_with_its_id() -> None:
    delivery = add_to_history(delivered(alert(1)), Reason.FIRST, NOW, LATENCY)
    delivery = add_to_history(delivery, Reason.RETRACTION, NOW, reply_id=57)

    assert read_history(delivery) == (
        HistoryLine(NOW.timestamp(), "first", State.CONFIRMED, 1, LATENCY),
        HistoryLine(NOW.timestamp(), "retraction", State.CONFIRMED, 1, reply_id=57),
    )


def test_lines_of_earlier_versions_are_read() -> None:
    delivery = delivered(alert(1), history="1786804200.0 first pending 1\n1786804209.5 revision confirmed 2")

    assert [(seen.state, seen.seq, seen.latency) for seen in read_history(delivery)] == [
        (State.PENDING, 1, None),
        (State.CONFIRMED, 2, None),
    ]


def test_only_the_latest_lines_are_kept() -> None:
    delivery = delivered(alert(1))
    for number in range(30):
        delivery = add_to_history(delivery, Reason.REVISION, NOW, reply_id=number + 1)

    assert [seen.reply_id for seen in read_history(delivery)] == list(range(11, 31))


def test_the_history_is_stored_as_earlier_versions_read_it() -> None:
    delivery = add_to_history(delivered(alert(3)), Reason.FIRST, NOW, replace(LATENCY, feed=None))
    delivery = add_to_history(delivery, Reason.CHANGED, NOW, reply_id=57)

    assert delivery.history == "1786804200.0 first confirmed 3 -/0.6/0.0/3.1/51.7\n1786804200.0 graver confirmed 3 #57"


@pytest.mark.parametrize(
    ("words", "stored"),
    [
        (DeliveryStatus, "waiting done dropped"),
        (
            Reason,
            "first revision graver retraction restored duplicate muted delayed expired held grouped unconfirmed later unnamed"
            " superseded unwanted",
        ),
        (PinState, " due on off"),
    ],
)
def test_what_is_stored_of_a_delivery_keeps_its_words(words: type[enum.StrEnum], stored: str) -> None:
    assert list(words) == stored.split(" ")


@pytest.mark.parametrize(
    ("seen", "is_sent", "has_follow_up"),
    [
        ({}, False, False),
        ({"message_id": 7}, True, False),
        ({"message_id": 0}, True, False),
        ({"message_id": 7, "pending_reply": ""}, True, True),
        ({"message_id": 7, "pin": PinState.TO_PIN}, True, True),
        ({"message_id": 7, "pin": PinState.TO_UNPIN}, True, True),
        ({"message_id": 7, "pin": PinState.PINNED}, True, False),
    ],
)
def test_a_delivery_knows_whether_it_was_seen_and_whether_more_is_to_be_done(
    seen: dict[str, Any], is_sent: bool, has_follow_up: bool
) -> None:
    delivery = Delivery(KEY, REF, **seen)

    assert (delivery.is_sent, delivery.has_follow_up) == (is_sent, has_follow_up)


def test_nothing_of_a_new_delivery_is_loud_or_uncertain() -> None:
    delivery = Delivery(KEY, REF)

    assert not (delivery.is_loud or delivery.reply_is_loud or delivery.next_is_loud or delivery.is_uncertain)


STORED_AT = NOW.timestamp() + 2


@pytest.mark.parametrize(
    ("delay", "line_ids", "seen", "stored_at", "due", "intended_wait"),
    [
        (0, (), {}, STORED_AT, STORED_AT, 0.0),
        (30, (), {}, STORED_AT, STORED_AT + 30, 30.0),
        (30, (), {"due_at": 77.0}, 0.0, 77.0, 0.0),
        (30, (), {"due_at": 77.0, "pending_reply": "the score now"}, STORED_AT, 77.0, 0.0),
        (30, ("a",), {"due_at": STORED_AT + 12}, STORED_AT, STORED_AT + 12, 12.0),
        (30, ("a",), {"due_at": STORED_AT - 12}, STORED_AT, STORED_AT, 0.0),
    ],
)
def test_when_a_delivery_was_due_and_how_much_of_the_wait_was_intended(
    delay: int, line_ids: tuple[str, ...], seen: dict[str, Any], stored_at: float, due: float, intended_wait: float
) -> None:
    sent_alert = alert(received_at=NOW.timestamp() + 1)
    known = news(sent_alert, line_ids=line_ids, stored_at=stored_at)
    context = DeliveryContext(Delivery(KEY, REF, **seen), known, Recipient(replace(CHAT, delay=delay)))

    found = collect_timestamps(context, sent_alert, STORED_AT + 40, 0.0)

    assert found == Timestamps(NOW.timestamp(), NOW.timestamp() + 1, stored_at, due, intended_wait, 0.0)


@pytest.mark.parametrize(
    ("blocked_until", "held"),
    [
        (STORED_AT - 1, 0.0),  # before it was due
        (STORED_AT, 0.0),
        (STORED_AT + 3, 5.0),
        (STORED_AT + 5, 5.0),
        (STORED_AT + 6, 0.0),  # of another limit, that is still to come
    ],
)
def test_what_the_rate_limits_held_back_is_counted_from_when_it_was_due(blocked_until: float, held: float) -> None:
    context = DeliveryContext(Delivery(KEY, REF), news(alert(), stored_at=STORED_AT), Recipient(CHAT))

    assert collect_timestamps(context, alert(), STORED_AT + 5, blocked_until).held == held


@pytest.mark.parametrize(
    ("kind", "is_match_over", "pin", "times_sent"),
    [("goal", False, PinState.NONE, 1), (CARD, False, PinState.TO_PIN, 2), (CARD, True, PinState.NONE, 2)],
)
def test_a_card_of_a_match_in_play_is_to_be_pinned_once_it_was_sent(
    kind: str, is_match_over: bool, pin: PinState, times_sent: int
) -> None:
    sent_alert = alert(kind=kind, is_match_over=is_match_over)

    sent = record_card_sent(delivered(sent_alert, times_sent=1), sent_alert)

    assert (sent.pin, sent.times_sent) == (pin, times_sent)


def test_a_card_is_not_pinned_where_the_chat_wants_no_pins() -> None:
    sent_alert = alert(kind=CARD)

    assert record_card_sent(delivered(sent_alert), sent_alert, pins_cards=False).pin is PinState.NONE


@pytest.mark.parametrize(
    ("before", "is_match_over", "after"),
    [
        (PinState.PINNED, False, PinState.PINNED),
        (PinState.TO_PIN, False, PinState.TO_PIN),
        (PinState.PINNED, True, PinState.TO_UNPIN),
        (PinState.TO_PIN, True, PinState.NONE),
        (PinState.TO_UNPIN, True, PinState.TO_UNPIN),
        (PinState.NONE, True, PinState.NONE),
    ],
)
def test_a_card_is_unpinned_when_its_match_is_over(before: PinState, is_match_over: bool, after: PinState) -> None:
    sent_alert = alert(kind=CARD, is_match_over=is_match_over)

    assert record_card_edited(delivered(sent_alert, pin=before), sent_alert).pin is after


@pytest.mark.parametrize(
    ("kind", "message_id", "times_sent", "is_resent"),
    [
        (CARD, 0, 1, True),
        (CARD, 0, 2, False),
        (CARD, 0, 0, False),
        (CARD, 7, 1, False),
        (CARD, None, 1, True),
        ("goal", 0, 1, False),
    ],
)
def test_a_card_that_somebody_deleted_is_sent_again_once(
    kind: str, message_id: int | None, times_sent: int, is_resent: bool
) -> None:
    delivery = delivered(alert(5, kind=kind), message_id=message_id, times_sent=times_sent)

    assert must_resend_card(delivery) is is_resent
    assert record_message_gone(delivery).seq == (-1 if is_resent else 5)


@pytest.mark.parametrize(
    ("score", "shootout", "stored"),
    [("2–1", "", "0//End Match/2–1"), ("1–1", "6–5", "0//End Match/1–1 (6–5)"), ("", "", "0//End Match")],
)
def test_a_full_time_is_stored_with_its_result(score: str, shootout: str, stored: str) -> None:
    subject = Subject.of(replace(alert(), severity=0, facts=Facts(action_type="End Match", score=score, shootout=shootout)))

    assert str(subject) == stored and Subject.parse(stored) == subject


def test_a_full_time_has_changed_if_its_result_has_and_both_are_known() -> None:
    unknown, one, other = (Subject.parse(f"0//End Match{result}") for result in ("", "/2–2", "/2–3"))

    assert one.has_changed_to(other)
    assert not (one.has_changed_to(one) or unknown.has_changed_to(one) or one.has_changed_to(unknown))
