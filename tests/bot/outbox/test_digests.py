"""Digests as values: which news are their lines, when they are news themselves, and what of them a chat has seen."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bot.outbox.delivery import Delivery, Reason
from bot.outbox.digests import (
    find_line_changes,
    find_uncertain_lines,
    is_quiet_hours_digest,
    make_burst_digest,
    make_burst_key,
    make_missed_digest,
    make_quiet_hours_digest,
    make_quiet_hours_key,
    parse_burst_end,
    read_line_keys,
    renew_digest,
    select_burst_lines,
    select_lines,
)
from bot.outbox.news import NewsItem, format_line_name, parse_line_name
from bot.subscribers import ChatRef
from rules.engine.alert import CARD, AlertKey, Facts, Importance, State
from tests.bot.news import NOW, alert, news, pending, retracted

BURST = make_burst_key(1_790_000_000.0)
IDS = st.text("aZ09_:-é", min_size=1, max_size=12)
LINES = st.lists(
    st.builds(
        lambda match, action, state: replace(news(alert()), key=AlertKey(match, action), state=state),
        IDS,
        IDS,
        st.sampled_from(State),
    ),
    max_size=5,
    unique_by=lambda line: line.key,
)


def sent_digest(lines: list[NewsItem]) -> Delivery:
    return Delivery(BURST, ChatRef(1), rule="\n".join(format_line_name(line, BURST) for line in lines), message_id=1)


@given(LINES)
def test_what_a_chat_was_told_is_remembered_whichever_matches_it_was_of(lines: list[NewsItem]) -> None:
    assert read_line_keys(sent_digest(lines)) == [line.key for line in lines]
    assert find_line_changes(sent_digest(lines), lines) == ()


@given(LINES)
def test_what_stood_and_is_taken_back_falls_once(lines: list[NewsItem]) -> None:
    after = [replace(line, state=State.RETRACTED) for line in lines]

    assert [(change.line, change.reason) for change in find_line_changes(sent_digest(lines), after)] == [
        (a, Reason.RETRACTION) for a, b in zip(after, lines, strict=True) if b.state is not State.RETRACTED
    ]
    assert find_line_changes(sent_digest(after), after) == ()
    assert {change.reason for change in find_line_changes(sent_digest(after), lines)} <= {Reason.RESTORATION}


@given(LINES, st.frozensets(IDS))
def test_neither_what_fell_nor_what_is_muted_is_told(lines: list[NewsItem], muted: frozenset[str]) -> None:
    found = select_burst_lines(lines, muted)

    assert {line.key for line in found} == {
        line.key for line in lines if line.state is not State.RETRACTED and line.key.fixture_id not in muted
    }


def test_a_summary_of_one_match_remembers_its_lines_by_their_actions_alone() -> None:
    digest_key = AlertKey("f1", "summary:1")

    assert parse_line_name(format_line_name(news(alert()), digest_key), digest_key) == AlertKey("f1", "g")
    assert make_burst_digest(BURST, alert(), is_silent=False).line_ids


END = NOW + dt.timedelta(hours=8)
SHOWN_FACTS = Facts(
    "Arsenal 2–1 Chelsea", "2–1", player="Saka", minute="88", action_type="Goal", sub_action_type="Header", team="Arsenal"
)


def line(action: str, seq: int = 1, **more: Any) -> NewsItem:
    """A news item that some chat missed."""
    return news(alert(seq, action=action), **({"is_missed": True} | more))


def in_digest(key: AlertKey, rule: str = "", **more: Any) -> Delivery:
    return Delivery(key, ChatRef(1), rule=rule, **more)


def test_a_digest_of_missed_news_has_what_stands_and_is_in_no_other() -> None:
    items = [
        line("a", 3),
        line("told", 4, is_missed=False),
        line("elsewhere", 5, digest_id="summary:1"),
        news(pending(6, action="pending"), is_missed=True),
        news(retracted(7, action="gone"), is_missed=True),
        line("digest", 8, line_ids=("x",)),
        line("card", 99),
        line("b", 9),
    ]
    items[6] = replace(items[6], alternatives=(alert(99, action="card", kind=CARD),))

    digest = make_missed_digest(items, NOW)

    assert digest and digest.line_ids == ("a", "b")
    assert digest.alternatives[0].facts.reason == ""
    assert (digest.key, digest.seq, digest.priority) == (AlertKey("f1", "summary:3"), 9, 2)
    assert digest.first_fired_at == {"": NOW.timestamp()}


@pytest.mark.parametrize("items", [[], [line("a", is_missed=False)], [line("a", digest_id="summary:1")]])
def test_there_is_no_digest_where_nothing_was_missed(items: list[NewsItem]) -> None:
    assert make_missed_digest(items, NOW) is None


@pytest.mark.parametrize(("is_late_join", "reason"), [(False, ""), (True, "joined")])
def test_a_digest_shows_the_score_of_the_latest_news_and_nothing_of_what_happened(is_late_join: bool, reason: str) -> None:
    latest = news(alert(9, facts=SHOWN_FACTS, action="b", home_score=2, away_score=1))

    digest = make_missed_digest([line("a", 3), latest, line("c", 4)], NOW, is_late_join=is_late_join)

    assert digest
    (summary,) = digest.alternatives
    assert summary.facts == Facts("Arsenal 2–1 Chelsea", "2–1", team="Arsenal", reason=reason)
    assert (summary.home_score, summary.away_score, summary.at, summary.state) == (2, 1, NOW, State.CONFIRMED)
    assert (summary.kind, summary.importance, summary.max_age) == ("summary", Importance.MINOR, 3600.0)


def test_quiet_hours_collect_line_by_line_until_they_end() -> None:
    first = make_quiet_hours_digest(None, line("a", 5), END)
    second = make_quiet_hours_digest(first, line("b", 3), END)
    again = make_quiet_hours_digest(second, line("a", 6), END)

    assert [one.line_ids for one in (first, second, again)] == [("a",), ("a", "b"), ("a", "b")]
    assert [one.seq for one in (first, second, again)] == [5, 5, 6]
    assert {one.key for one in (first, second, again)} == {AlertKey("f1", "quiet:1786833000")}
    assert again.alternatives[0].facts.reason == "quiet"
    assert (again.alternatives[0].at, again.first_fired_at) == (END, {"": END.timestamp()})


def test_the_key_tells_which_digest_it_is() -> None:
    assert is_quiet_hours_digest(make_quiet_hours_key(line("a"), END))
    assert not is_quiet_hours_digest(AlertKey("f1", "summary:3"))
    assert not is_quiet_hours_digest(AlertKey("f1", "quieter"))
    assert (BURST.fixture_id, BURST.action_id) == ("bursts", "1790000000")
    assert parse_burst_end(BURST) == 1_790_000_000.0


@pytest.mark.parametrize(("is_silent", "priority"), [(False, 1), (True, 2)])
def test_a_burst_is_news_from_its_end_on_and_says_nothing_of_one_match(is_silent: bool, priority: int) -> None:
    digest = make_burst_digest(BURST, alert(7, facts=SHOWN_FACTS), is_silent=is_silent)

    (summary,) = digest.alternatives
    assert (digest.seq, digest.priority, digest.first_fired_at) == (1, priority, {"": 1_790_000_000.0})
    assert (summary.facts, summary.fixture.id, summary.kind, summary.at) == (Facts(reason="bursts"), "", "summary", NOW)
    assert (summary.importance, summary.max_age, summary.state) == (Importance.MINOR, 300.0, State.CONFIRMED)


def test_a_burst_whose_line_is_revised_keeps_its_time_and_its_priority() -> None:
    digest = replace(make_burst_digest(BURST, alert(), is_silent=True), first_fired_at={"": 5.0})

    renewed = renew_digest(digest, [retracted(9, at=NOW + dt.timedelta(minutes=1))], NOW)

    assert (renewed.seq, renewed.priority, renewed.first_fired_at) == (2, 2, {"": 5.0})
    assert renewed.alternatives[0].at == NOW + dt.timedelta(minutes=1)
    assert renewed.alternatives[0].seq == 2


@pytest.mark.parametrize(("seq_of_line", "seq"), [(2, 6), (9, 9)])
def test_a_digest_whose_line_is_revised_shows_the_score_of_now(seq_of_line: int, seq: int) -> None:
    digest = make_quiet_hours_digest(None, line("a", 5), END)

    renewed = renew_digest(digest, [alert(seq_of_line, facts=SHOWN_FACTS)], NOW)

    assert (renewed.seq, renewed.alternatives[0].seq) == (seq, seq)
    assert (renewed.line_ids, renewed.key, renewed.first_fired_at) == (("a",), digest.key, digest.first_fired_at)
    assert (renewed.alternatives[0].facts.score, renewed.alternatives[0].facts.reason) == ("2–1", "quiet")
    assert renewed.alternatives[0].at == NOW


QUIET, MISSED = AlertKey("f1", "quiet:1"), AlertKey("f1", "summary:1")
HELD, EXPIRED = Reason.HELD_FOR_QUIET_HOURS.value, Reason.EXPIRED.value


@pytest.mark.parametrize(
    ("digest", "reasons", "chosen"),
    [
        # What was sent keeps its lines, whatever is known now.
        (in_digest(QUIET, "b", message_id=1), {"a": HELD, "b": HELD}, "b"),
        (in_digest(QUIET), {"a": HELD, "b": Reason.FIRST.value}, "a"),
        (in_digest(QUIET), {}, ""),
        # A digest of missed news has what the chat was not told, and what came too late for it.
        (in_digest(MISSED), {}, "a b c"),
        (in_digest(MISSED), {"a": EXPIRED, "b": Reason.MUTED.value}, "a c"),
        # What may have arrived is sent with the same lines again.
        (in_digest(MISSED, "b\ngone", is_uncertain=True), {"b": Reason.FIRST.value, "c": Reason.FIRST.value}, "a b gone"),
        (in_digest(MISSED, "b"), {"b": Reason.FIRST.value}, "a c"),
    ],
)
def test_a_chat_gets_those_lines_of_a_digest_that_it_was_not_told(digest: Delivery, reasons: dict[str, str], chosen: str) -> None:
    lines = [line("a"), line("b"), line("c"), replace(news(retracted(action="gone")), state=State.RETRACTED)]
    deliveries = [Delivery(AlertKey("f1", action), ChatRef(1), reason=reason) for action, reason in reasons.items()]
    deliveries.append(Delivery(AlertKey("f1", "gone"), ChatRef(1), reason=HELD if digest.key == QUIET else EXPIRED))

    assert [one.key.action_id for one in select_lines(digest, lines, deliveries)] == chosen.split()


def test_the_lines_of_a_burst_are_in_the_order_in_which_they_became_news() -> None:
    lines = [
        news(alert(2, action="b"), first_fired_at={"goals": 7.0, "others": 9.0}),
        news(alert(1, action="a"), first_fired_at={"goals": 8.0}),
        news(alert(3, action="d"), first_fired_at={"goals": 8.0}),
        news(alert(4, action="first"), first_fired_at={}),
    ]

    assert [one.key.action_id for one in select_burst_lines(lines, ())] == ["first", "b", "a", "d"]


def test_a_line_that_may_have_been_seen_is_sent_whatever_became_of_it() -> None:
    gone, muted = news(retracted(action="gone")), news(alert(action="muted"))

    assert select_burst_lines([gone, muted], {"f1"}, {gone.key}) == (gone,)
    assert select_burst_lines([gone, muted], {"f1"}, {muted.key}) == (muted,)


def test_only_a_digest_of_unknown_arrival_has_uncertain_lines() -> None:
    digest = in_digest(MISSED, "a\nb")

    assert find_uncertain_lines(digest) == frozenset()
    assert find_uncertain_lines(replace(digest, is_uncertain=True)) == {AlertKey("f1", "a"), AlertKey("f1", "b")}
    assert read_line_keys(in_digest(MISSED)) == []
