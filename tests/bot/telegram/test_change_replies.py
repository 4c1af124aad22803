"""Which reply follows an edit, and whether it makes a sound: pure."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from bot.outbox.delivery import Delivery, DeliveryContext, Reason, Subject, add_copy
from bot.outbox.news import BURSTS, NewsItem, format_line_name
from bot.subscribers import AlertFilter, Chat, Recipient
from bot.telegram.change_replies import add_reply
from rules.engine.alert import Alert, AlertKey, Facts, Importance
from tests.bot.news import CHAT, alert, delivered, minor, news, retracted

YELLOW = minor(1, facts=Facts(action_type="Yellow Card", side="home"))
RED = alert(2, "red", rule="reds", kind="red_card", severity=2, facts=Facts(action_type="Red Card", side="home"))


def seen(one: Alert, **more: Any) -> Delivery:
    """A message about an alert, with its subject."""
    return replace(delivered(one), subject=str(Subject.of(one)), **more)


def reply(before: Delivery, one: Alert, reason: Reason, chat: Chat = CHAT) -> tuple[str | None, bool]:
    """Return the reply, and whether it is loud."""
    after = add_reply(
        replace(before, seq=one.seq), DeliveryContext(before, news(one), Recipient(chat)), one, "the message", reason
    )
    return after.pending_reply, after.reply_is_loud


def silencing(*kinds: str) -> Chat:
    return replace(CHAT, filter=replace(CHAT.filter, silent=frozenset(kinds)))


@pytest.mark.parametrize(
    ("chat", "one", "is_loud"),
    [
        (CHAT, RED, True),
        (silencing("red_card"), RED, False),
        (CHAT, replace(RED, is_delayed=True), False),
        (CHAT, replace(RED, importance=Importance.MINOR), True),
    ],
    ids=["usual", "silent kind", "collected offline", "minor rule"],
)
def test_an_upgrade_is_the_message_once_more_and_loud(chat: Chat, one: Alert, is_loud: bool) -> None:
    assert reply(seen(YELLOW), one, Reason.CHANGED, chat) == ("the message", is_loud)


def test_an_upgrade_of_the_other_side_is_a_correction() -> None:
    other = replace(RED, facts=Facts(action_type="Red Card", side="away"))
    text, is_loud = reply(seen(YELLOW), other, Reason.CHANGED)

    assert text and text.startswith("✏️ <b>Correction: Yellow Card → Red Card</b>") and is_loud


def test_an_upgrade_of_a_message_of_an_earlier_version_is_the_message_once_more() -> None:
    assert reply(delivered(YELLOW), RED, Reason.CHANGED) == ("the message", True)


@pytest.mark.parametrize(
    ("before", "now", "chat", "is_loud"),
    [
        (RED, YELLOW, CHAT, True),
        (YELLOW, replace(YELLOW, facts=Facts(action_type="Yellow Card", side="away")), CHAT, False),
        (replace(RED, importance=Importance.MINOR), replace(RED, kind="x", severity=1), CHAT, True),
        (replace(RED, importance=Importance.MINOR), replace(RED, kind="x", severity=1), silencing("x"), False),
    ],
    ids=["was loud", "neither was", "is loud now", "its kind is silent"],
)
def test_a_downgrade_is_as_loud_as_either_was(before: Alert, now: Alert, chat: Chat, is_loud: bool) -> None:
    text, found = reply(seen(before), replace(now, seq=3), Reason.CHANGED, chat)

    assert text and text.startswith("✏️") and found is is_loud


@pytest.mark.parametrize(
    ("more", "has_reply"),
    [
        ({}, False),
        ({"severity": 1}, True),
        ({"is_loud": True}, True),
        ({"earlier_copies": add_copy(seen(YELLOW)).earlier_copies}, True),
    ],
    ids=["trifle", "severe", "loud", "copies"],
)
def test_only_what_a_chat_must_notice_is_told_when_it_was_never_confirmed(more: dict[str, Any], has_reply: bool) -> None:
    before = replace(seen(replace(YELLOW, severity=0)), **more)

    text, _ = reply(before, retracted(2, reason="Was not confirmed"), Reason.RETRACTION)

    assert (text is not None) is has_reply


def test_a_trifle_that_is_taken_back_for_a_reason_is_told() -> None:
    text, is_loud = reply(seen(replace(YELLOW, severity=0)), retracted(2, reason="Offside"), Reason.RETRACTION)

    assert text and "(offside)" in text and not is_loud


def test_a_retraction_names_what_the_message_was_about_and_each_copy_once() -> None:
    before = add_copy(replace(add_copy(seen(RED)), is_restored=True))

    text, is_loud = reply(before, retracted(3), Reason.RETRACTION)

    assert text and text.startswith("❌ <b>Red card cancelled</b>") and text.count("<s>red</s>") == 1 and is_loud


def test_a_restoration_is_told_as_loudly_as_the_message_was_and_a_mere_revision_is_not() -> None:
    assert reply(seen(RED), RED, Reason.RESTORATION) == ("✅ <b>The red card stands</b>", True)
    assert reply(seen(YELLOW), YELLOW, Reason.RESTORATION) == ("✅ <b>The yellow card stands</b>", False)
    assert reply(seen(RED), RED, Reason.REVISION) == (None, False)


@pytest.mark.parametrize(("waits", "is_loud"), [("earlier reply", True), (None, False)])
def test_a_reply_that_replaces_a_loud_one_is_loud(waits: str | None, is_loud: bool) -> None:
    before = seen(YELLOW, pending_reply=waits, reply_is_loud=True)

    assert reply(before, YELLOW, Reason.RESTORATION) == ("✅ <b>The yellow card stands</b>", is_loud)


BURST_KEY = AlertKey(BURSTS, "1790000000")


def burst_reply(before: NewsItem, now: NewsItem, *, pending: str | None = None, chat: Chat = CHAT) -> tuple[str | None, bool]:
    """Return the reply to a loud burst with one line, after that line was revised."""
    digest = alert(5, "", kind="summary")
    delivery = Delivery(
        BURST_KEY,
        CHAT.ref,
        message_id=1,
        is_loud=True,
        rule=format_line_name(before, BURST_KEY),
        subject=str(Subject.of(before.alternatives[0])),
        pending_reply=pending,
    )
    context = DeliveryContext(delivery, news(digest), Recipient(chat), lines=(now,))
    after = add_reply(replace(delivery, is_loud=False), context, digest, "", Reason.REVISION)
    assert after.is_loud, "it stays as loud as it was sent"
    return after.pending_reply, after.reply_is_loud


def test_a_line_of_a_burst_that_is_taken_back_is_told_behind_what_waits() -> None:
    fallen = news(retracted(3))

    assert burst_reply(news(RED), fallen) == ("❌ <b>Red card cancelled</b>\nArsenal 0–0 Chelsea", True)
    assert burst_reply(news(RED), fallen, pending="first") == ("first\n❌ <b>Red card cancelled</b>\nArsenal 0–0 Chelsea", True)


def test_a_line_of_a_burst_that_is_as_it_was_is_not_told() -> None:
    assert burst_reply(news(RED), news(replace(RED, seq=3))) == (None, False)


def test_a_line_of_a_burst_that_became_graver_is_told_there_only_where_no_alert_of_its_own_comes() -> None:
    graver, picky = news(RED), replace(CHAT, filter=AlertFilter(kinds_off=frozenset({"red_card"})))

    assert burst_reply(news(YELLOW), graver) == (None, False)
    text, _ = burst_reply(news(YELLOW), graver, chat=picky)
    assert text and text.startswith("✏️ <b>Correction: Yellow Card → Red Card</b>\n")


def test_a_line_of_a_burst_that_became_less_grave_is_told() -> None:
    text, is_loud = burst_reply(news(RED), news(replace(YELLOW, seq=3)))

    assert text and text.startswith("✏️ <b>Correction: Red Card → Yellow Card</b>\nyellow") and is_loud
