import datetime as dt
from typing import Any

import pytest
from msgspec.structs import replace

from bot.outbox.decide import choose_revision, decide, is_next_loud, make_burst_line
from bot.outbox.delivery import Delivery, DeliveryContext, DeliveryStatus, Reason
from bot.outbox.news import BURSTS, NewsItem
from bot.quiet_hours import QuietHours
from bot.subscribers import AlertFilter, Chat, Recipient
from rules.engine.alert import CARD, Alert, AlertKey, Facts, State
from tests.bot.news import CHAT, KEY, NOW, REF, alert, delivered, minor, news, pending, retracted

PICKY = Chat(REF, filter=AlertFilter(kinds_off=frozenset({"goal"})))
RED = alert(2, "red", rule="reds", kind="red_card", severity=2)


def later(**delta: float) -> dt.datetime:
    return NOW + dt.timedelta(**delta)


def reason(delivery: Delivery | None, known: NewsItem, chat: Chat = CHAT, now: dt.datetime = NOW, **more: Any) -> Reason:
    return decide(delivery, known, Recipient(chat), now, **more).reason


@pytest.mark.parametrize(
    ("known", "chat", "now", "why"),
    [
        (news(alert()), CHAT, NOW, Reason.FIRST),
        (news(pending()), CHAT, NOW, Reason.FIRST),
        (news(alert()), PICKY, NOW, Reason.NOT_WANTED),
        (news(pending()), replace(CHAT, filter=replace(CHAT.filter, confirmed_only=True)), NOW, Reason.UNCONFIRMED),
        (news(alert()), replace(CHAT, filter=replace(CHAT.filter, confirmed_only=True)), NOW, Reason.FIRST),
        (news(alert()), replace(CHAT, delay=30), NOW, Reason.DELAYED),
        (news(alert()), replace(CHAT, muted_until=later(hours=1)), NOW, Reason.MUTED),
        (news(alert()), replace(CHAT, muted_until=later(hours=-1)), NOW, Reason.FIRST),
        (news(alert()), CHAT, later(minutes=6), Reason.EXPIRED),
        (news(alert()), replace(CHAT, delay=120), later(minutes=6), Reason.DELAYED),
        (news(retracted()), CHAT, NOW, Reason.SUPERSEDED),
        (news(replace(alert(), is_follow_up=True)), CHAT, NOW, Reason.SUPERSEDED),
    ],
)
def test_a_chat_without_a_message_gets_only_what_is_news_to_it(
    known: NewsItem, chat: Chat, now: dt.datetime, why: Reason
) -> None:
    assert reason(None, known, chat, now) is why


QUIET = QuietHours(14 * 60, 15 * 60, holds_alerts=True)
"""`NOW` is in them."""
BUSY = replace(CHAT, digests=True, digest_window_at=NOW.timestamp() - 1)
"""A message left for this chat a second ago."""
CARD_NEWS = news(minor(kind=CARD, action=CARD))
SCORERS = replace(CHAT, filter=replace(CHAT.filter, scorers_only=True))


@pytest.mark.parametrize(
    ("known", "chat", "why"),
    [
        (news(alert()), replace(CHAT, quiet_hours=QUIET), Reason.HELD_FOR_QUIET_HOURS),
        (news(alert()), replace(CHAT, quiet_hours=replace(QUIET, holds_alerts=False)), Reason.FIRST),
        (news(alert(), line_ids=("a",)), replace(CHAT, quiet_hours=QUIET), Reason.FIRST),
        (news(alert()), BUSY, Reason.HELD_FOR_BURST),
        (news(alert()), replace(BUSY, digests=False), Reason.FIRST),
        (news(alert()), replace(BUSY, digest_window_at=None), Reason.FIRST),
        (news(alert(), line_ids=("a",)), BUSY, Reason.FIRST),
        (news(alert()), SCORERS, Reason.SCORER_UNKNOWN),
        (news(alert(facts=Facts(player="Saka"))), SCORERS, Reason.FIRST),
        (news(alert(), line_ids=("a",)), SCORERS, Reason.FIRST),
        (news(alert()), replace(CHAT, muted_matches=frozenset({KEY.fixture_id})), Reason.MUTED),
        (news(alert()), replace(CHAT, muted_matches=frozenset({"another"})), Reason.FIRST),
        (news(alert()), CHAT.with_muted_match(KEY.fixture_id, NOW + dt.timedelta(seconds=1)), Reason.MUTED),
        (news(alert()), CHAT.with_muted_match(KEY.fixture_id, NOW), Reason.FIRST),
        (news(alert()), replace(CHAT, muted_until=NOW), Reason.FIRST),
        (news(alert(), first_fired_at={"goals": NOW.timestamp() - 300}), CHAT, Reason.FIRST),
        (news(alert(), first_fired_at={"goals": NOW.timestamp() - 301}), CHAT, Reason.EXPIRED),
        (news(alert(), first_fired_at={"goals": NOW.timestamp() - 330}), replace(CHAT, delay=30), Reason.DELAYED),
        (news(alert(), first_fired_at={"goals": NOW.timestamp() - 331}), replace(CHAT, delay=30), Reason.EXPIRED),
        (news(alert(), first_fired_at={}), CHAT, Reason.FIRST),
    ],
)
def test_news_is_held_or_dropped_for_the_reason_that_applies_first(known: NewsItem, chat: Chat, why: Reason) -> None:
    decision = decide(None, known, Recipient(chat), NOW)

    assert decision.reason is why
    assert decision.is_visible is (why in (Reason.FIRST, Reason.DELAYED))


@pytest.mark.parametrize("more", [{"muted_until": NOW + dt.timedelta(hours=1)}, {"quiet_hours": QUIET}])
def test_a_card_waits_where_news_is_dropped(more: dict[str, Any]) -> None:
    wanting = replace(CHAT, filter=replace(CHAT.filter, kinds_on=frozenset({CARD})), **more)

    assert reason(None, CARD_NEWS, wanting) is Reason.POSTPONED
    assert reason(None, CARD_NEWS, replace(BUSY, filter=wanting.filter)) is Reason.FIRST


@pytest.mark.parametrize(
    ("status", "why"),
    [
        (DeliveryStatus.WAITING, Reason.FIRST),
        (DeliveryStatus.DONE, Reason.FIRST),
        (DeliveryStatus.DROPPED, Reason.HELD_FOR_BURST),
    ],
)
def test_what_waits_by_itself_is_not_held_by_the_window_that_it_opened(status: DeliveryStatus, why: Reason) -> None:
    assert reason(Delivery(KEY, REF, status, Reason.UNCONFIRMED.value), news(alert()), BUSY) is why


def test_the_delay_of_a_chat_is_counted_once() -> None:
    waiting = Delivery(KEY, REF, DeliveryStatus.WAITING, Reason.DELAYED.value)

    assert reason(waiting, news(alert()), replace(CHAT, delay=30)) is Reason.FIRST


@pytest.mark.parametrize(
    ("dropped", "rule", "why"),
    [
        (Reason.MUTED, "goals", Reason.MUTED),
        (Reason.EXPIRED, "goals", Reason.EXPIRED),
        (Reason.HELD_FOR_QUIET_HOURS, "goals", Reason.HELD_FOR_QUIET_HOURS),
        (Reason.HELD_FOR_BURST, "goals", Reason.HELD_FOR_BURST),
        (Reason.EXPIRED, "others", Reason.FIRST),
        (Reason.UNCONFIRMED, "goals", Reason.FIRST),
        (Reason.NOT_WANTED, "goals", Reason.FIRST),
    ],
)
def test_what_was_dropped_stays_dropped_unless_another_rule_makes_it_news(dropped: Reason, rule: str, why: Reason) -> None:
    delivery = Delivery(KEY, REF, DeliveryStatus.DROPPED, dropped.value, rule=rule)

    assert reason(delivery, news(alert(2))) is why


def test_a_correction_that_is_as_severe_or_retracted_is_no_other_news() -> None:
    red = delivered(RED)

    assert reason(red, news(replace(RED, seq=3))) is Reason.REVISION
    assert reason(red, news(minor(3))) is Reason.CHANGED
    assert reason(delivered(retracted(2)), news(retracted(3, severity=9))) is Reason.REVISION
    assert reason(red, NewsItem(KEY, 3, State.CONFIRMED, ())) is Reason.DUPLICATE


def test_a_chat_gets_the_first_alternative_that_it_takes() -> None:
    known = news(alert(rule="goals"), alert(rule="everything", kind="other", text="other"))

    chosen = decide(None, known, Recipient(PICKY), NOW).alert

    assert chosen is not None
    assert chosen.rule == "everything"


def test_a_chat_that_has_the_disallowed_goal_is_told_there() -> None:
    assert reason(None, news(alert()), is_superseded=True) is Reason.SUPERSEDED


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        (pending(1), alert(2), Reason.REVISION),
        (alert(1), alert(1), Reason.DUPLICATE),
        (alert(2), pending(1), Reason.DUPLICATE),
        (minor(1), RED, Reason.CHANGED),
        (replace(RED, seq=1), minor(2), Reason.CHANGED),
        (replace(RED, seq=1, state=State.RETRACTED), minor(2), Reason.CHANGED),
        (replace(RED, seq=1), alert(2, "", rule="reds", kind="", severity=0, is_follow_up=True), Reason.REVISION),
        (alert(1), retracted(2), Reason.RETRACTION),
        (replace(alert(1), state=State.RETRACTED), alert(2), Reason.RESTORATION),
        (replace(alert(1), state=State.RETRACTED), retracted(2), Reason.REVISION),
    ],
)
def test_a_chat_that_has_the_message_sees_what_becomes_of_it(before: Alert, after: Alert, why: Reason) -> None:
    muted_and_late = replace(PICKY, muted_until=later(days=1))

    assert reason(delivered(before), news(after), muted_and_late, later(hours=2)) is why


def test_what_came_while_muted_is_not_sent_when_the_mute_is_over() -> None:
    delivery = Delivery(KEY, REF, DeliveryStatus.DROPPED, Reason.MUTED.value, rule="goals")

    assert reason(delivery, news(alert(2))) is Reason.MUTED


def test_a_card_that_turns_red_is_news_even_where_its_yellow_was_muted() -> None:
    delivery = Delivery(KEY, REF, DeliveryStatus.DROPPED, Reason.MUTED.value, rule="yellows")

    assert reason(delivery, news(RED)) is Reason.FIRST


def test_news_retracted_before_it_was_sent_is_sent_when_it_is_restored() -> None:
    delivery = Delivery(KEY, REF, DeliveryStatus.DROPPED, Reason.SUPERSEDED.value)

    assert reason(delivery, news(alert(3))) is Reason.FIRST


@pytest.mark.parametrize(
    ("alternatives", "chosen"),
    [
        ((alert(rule="own goals"), alert(rule="goals")), "goals"),
        ((alert(rule="own goals"), alert(rule="others"), alert(rule="goals", is_follow_up=True)), "own goals"),
        ((retracted(rule="goals", is_follow_up=True), alert(rule="reds", kind="red_card")), "reds"),
        ((alert(rule="left", is_follow_up=True), alert(rule="goals", is_follow_up=True)), "goals"),
        ((), None),
    ],
)
def test_a_revision_shows_the_rule_that_was_sent_or_else_the_one_that_fires(
    alternatives: tuple[Alert, ...], chosen: str | None
) -> None:
    known = NewsItem(KEY, 2, State.CONFIRMED, alternatives)

    found = choose_revision(delivered(alert()), known, Recipient(CHAT))

    assert (found.rule if found else None) == chosen


@pytest.mark.parametrize(
    ("delivery", "known", "chat", "is_merged"),
    [
        (Delivery(KEY, REF), news(minor()), CHAT, True),
        (Delivery(KEY, REF), news(alert()), CHAT, False),  # loud
        (Delivery(KEY, REF), news(alert()), replace(CHAT, filter=replace(CHAT.filter, silent=frozenset({"goal"}))), True),
        (Delivery(KEY, REF), news(minor()), replace(CHAT, filter=replace(CHAT.filter, loud=frozenset({"yellow_card"}))), False),
        (Delivery(KEY, REF), news(minor()), replace(CHAT, filter=AlertFilter(kinds_off=frozenset({"yellow_card"}))), False),
        (Delivery(KEY, REF, message_id=7), news(minor()), CHAT, False),
        (Delivery(KEY, REF, is_uncertain=True), news(minor()), CHAT, False),
        (Delivery(KEY, REF), news(minor(), line_ids=("a",)), CHAT, False),
        (Delivery(KEY, REF), CARD_NEWS, replace(CHAT, filter=replace(CHAT.filter, kinds_on=frozenset({CARD}))), False),
    ],
)
def test_what_the_limits_keep_back_is_merged_if_it_is_a_first_message_and_silent(
    delivery: Delivery, known: NewsItem, chat: Chat, is_merged: bool
) -> None:
    line = make_burst_line(DeliveryContext(delivery, known, Recipient(chat)), NOW)

    assert (line is not None) is is_merged
    if line:
        assert (line.status, line.reason, line.is_loud) == (DeliveryStatus.DROPPED, "grouped", False)
        assert line.rule == known.alternatives[0].rule


def test_what_is_told_by_another_message_is_not_merged() -> None:
    context = DeliveryContext(Delivery(KEY, REF), news(minor()), Recipient(CHAT), is_superseded=True)

    assert make_burst_line(context, NOW) is None


@pytest.mark.parametrize(
    ("delivery", "after", "is_loud"),
    [
        (delivered(alert(1)), retracted(2), True),
        (delivered(minor(1)), retracted(2), False),
        (delivered(minor(1)), RED, True),
        (delivered(alert(1)), alert(2, "goal by Kane"), False),
        (delivered(alert(2)), retracted(2), False),
        (delivered(replace(alert(1), state=State.RETRACTED)), alert(2), True),
        (delivered(replace(alert(1), state=State.RETRACTED)), retracted(2), False),
        (delivered(minor(1), pending_reply="red", reply_is_loud=True), RED, True),
        (delivered(alert(1), pending_reply="gone", reply_is_loud=False), retracted(2), False),
    ],
)
def test_a_correction_is_as_urgent_as_the_reply_that_follows_it(delivery: Delivery, after: Alert, is_loud: bool) -> None:
    assert is_next_loud(delivery, news(after)) is is_loud


@pytest.mark.parametrize("is_loud", [True, False])
def test_a_correction_of_a_burst_is_as_urgent_as_the_burst_was(is_loud: bool) -> None:
    key = AlertKey(BURSTS, "1790000000")

    assert is_next_loud(Delivery(key, REF, message_id=1, is_loud=is_loud), replace(news(alert()), key=key)) is is_loud
