"""Two tellings of the same matches are held against each other."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from bot.replay.comparison import (
    Comparison,
    DifferenceKind,
    compare_messages,
    compare_replays,
    difference_to_json,
    format_comparison_summary,
    format_table,
    merge_comparisons,
    select_changed_text,
    to_plain_line,
)
from bot.replay.replay import ReplayedMessage
from rules.football.catalogue import load_catalogue
from rules.loading.loader import load_pack, load_rules
from tests.recordings import recording

TELLINGS = st.lists(
    st.builds(
        ReplayedMessage,
        at=st.sampled_from(["2026-01-01T10:00:00Z", "2026-01-01T10:05:00Z", "2026-01-01T11:00:00Z"]),
        fixture_id=st.sampled_from("fg"),
        action_id=st.sampled_from("abcd"),
        op=st.sampled_from(["send", "edit", "reply"]),
        kind=st.sampled_from(["goal", "var"]),
        text=st.sampled_from(["one", "two"]),
    ),
    max_size=12,
)


def told(action: str, text: str = "Goal!", op: str = "send", **more: str) -> ReplayedMessage:
    facts = {"at": "2026-01-01T10:00:00Z", "fixture_id": "f", "rule": "goals", "kind": "goal", "state": "confirmed"} | more
    return ReplayedMessage(**facts, action_id=action, op=op, home=0, away=0, minute="10", player=None, text=text)  # type: ignore[arg-type]


def changes(comparison: Comparison) -> list[tuple[str, str]]:
    return [(difference.change.value, difference.action_id) for difference in comparison.differences]


def test_what_is_added_dropped_and_reworded_is_named_and_the_rest_counted() -> None:
    before = [told("a"), told("b"), told("c"), told("c", "Goal, truly!", "edit")]
    after = [told("b"), told("c"), told("c", "Goal, really!", "edit"), told("d")]

    found = compare_messages(before, after)

    assert changes(found) == [("dropped", "a"), ("reworded", "c"), ("added", "d")]
    assert format_comparison_summary(found, 1) == "1 added, 1 dropped, 1 reworded, 1 unchanged over 1 match"


def test_another_kind_is_a_change_though_the_words_are_the_same() -> None:
    assert changes(compare_messages([told("a")], [told("a", kind="drama")])) == [("reworded", "a")]


def test_another_rule_with_the_same_words_is_none() -> None:
    assert compare_messages([told("a")], [told("a", rule="late goals")]) == Comparison(unchanged=1)


def test_the_words_shown_are_the_first_that_differ_without_their_html() -> None:
    (found,) = compare_messages(
        [told("a", "<b>A &amp; B</b>\n1–0"), told("a", "x", "edit")], [told("a", "C"), told("a", "x", "edit")]
    ).differences

    assert (select_changed_text(found.before, found.after), select_changed_text(found.after, found.before)) == ("A & B 1–0", "C")
    assert select_changed_text(None, found.after) == "" and to_plain_line("<i>x</i>") == "x"


def test_what_only_one_says_more_is_shown() -> None:
    (found,) = compare_messages([told("a"), told("a", "out", "reply")], [told("a")]).differences

    assert (select_changed_text(found.before, found.after), select_changed_text(found.after, found.before)) == ("out", "Goal!")


@given(TELLINGS)
def test_a_telling_never_differs_from_itself(telling: list[ReplayedMessage]) -> None:
    assert compare_messages(telling, telling).differences == ()


@given(TELLINGS, TELLINGS)
def test_what_one_way_adds_the_other_way_drops(before: list[ReplayedMessage], after: list[ReplayedMessage]) -> None:
    there, back = compare_messages(before, after), compare_messages(after, before)
    mirrored = {
        DifferenceKind.ADDED: DifferenceKind.DROPPED,
        DifferenceKind.DROPPED: DifferenceKind.ADDED,
        DifferenceKind.REWORDED: DifferenceKind.REWORDED,
    }

    assert {(d.action_id, d.fixture_id, mirrored[d.change]) for d in there.differences} == {
        (d.action_id, d.fixture_id, d.change) for d in back.differences
    }
    assert there.unchanged == back.unchanged


def test_several_matches_are_summed_up() -> None:
    one = compare_messages([told("a")], [told("b")])

    assert (
        format_comparison_summary(merge_comparisons([one, one, Comparison(unchanged=3)]), 3)
        == "2 added, 2 dropped, 0 reworded, 3 unchanged over 3 matches"
    )


def test_a_table_without_a_terminal_is_plain_with_one_line_each() -> None:
    text = f"[bold]{'long ' * 60}"
    shown = format_table(
        compare_messages([told("a", text)], [told("b", "B")]),
        {"f": "Arsenal v Chelsea"},
        Console(file=None, force_terminal=False),
    )

    head, dropped, added = shown.splitlines()
    assert head.split() == ["CHANGE", "MATCH", "MINUTE", "BEFORE", "AFTER"]
    assert dropped.startswith("dropped  Arsenal v Chelsea  10") and "goals: [bold]long" in dropped
    assert added.startswith("added") and added.endswith("goals: B")


def test_no_difference_is_no_table() -> None:
    assert format_table(Comparison(unchanged=2), {}, Console()) == ""


def test_a_difference_is_one_json_object() -> None:
    (found,) = compare_messages([], [told("a")]).differences

    assert json.loads(difference_to_json(found)) == {
        "change": "added", "at": "2026-01-01T10:00:00Z", "fixture_id": "f", "action_id": "a", "minute": "10",
        "before": None, "after": {"rule": "goals", "kind": "goal", "texts": ["send: Goal!"]},
    }  # fmt: skip


CORNERS = "rules: [{name: corners, match: {action_type: Corner}, alert: {kind: corner, text: corner}}]"


@pytest.mark.parametrize(
    ("rules", "added", "dropped"),
    [(CORNERS, True, True), (f"extends: default\n{CORNERS}", True, False)],
    ids=["in place of the shipped rules", "beside them"],
)
async def test_other_rules_over_a_real_match(rules: str, added: bool, dropped: bool) -> None:
    found = await compare_replays(
        [recording("newcastle-united-chelsea")], (load_pack(), load_catalogue()), (load_rules(rules), load_catalogue())
    )

    assert (found.count(DifferenceKind.ADDED) > 0, found.count(DifferenceKind.DROPPED) > 0) == (added, dropped)
    assert found.count(DifferenceKind.REWORDED) == 0
