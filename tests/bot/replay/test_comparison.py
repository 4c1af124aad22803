"""The comparison of two replays of the same matches."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from bot.feed.match_source import RecordedMatch
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

MESSAGES = st.lists(
    st.builds(
        ReplayedMessage,
        at=st.sampled_from(["2026-01-01T10:00:00Z", "2026-01-01T10:05:00Z", "2026-01-01T11:00:00Z"]),
        fixture_id=st.sampled_from("fg"),
        action_id=st.sampled_from("abcd"),
        op=st.sampled_from(["send", "edit", "reply"]),
        kind=st.sampled_from(["goal", "var"]),
        text=st.sampled_from(["one", "two"]),
        silent=st.booleans(),
    ),
    max_size=12,
)


def message(action: str, text: str = "Goal!", op: str = "send", *, silent: bool = False, **more: str) -> ReplayedMessage:
    facts = {"at": "2026-01-01T10:00:00Z", "fixture_id": "f", "rule": "goals", "kind": "goal", "state": "confirmed"} | more
    return ReplayedMessage(**facts, action_id=action, op=op, home=0, away=0, minute="10", player=None, text=text, silent=silent)  # type: ignore[arg-type]


def changes(comparison: Comparison) -> list[tuple[str, str]]:
    return [(difference.change.value, difference.action_id) for difference in comparison.differences]


def test_added_dropped_and_reworded_alerts_are_listed_and_the_rest_is_counted() -> None:
    before = [message("a"), message("b"), message("c"), message("c", "Goal, truly!", "edit")]
    after = [message("b"), message("c"), message("c", "Goal, really!", "edit"), message("d")]

    found = compare_messages(before, after)

    assert changes(found) == [("dropped", "a"), ("reworded", "c"), ("added", "d")]
    assert format_comparison_summary(found, 1) == "1 added, 1 dropped, 1 reworded, 0 louder, 0 quieter, 1 unchanged over 1 match"


def test_a_different_kind_is_a_difference_even_with_the_same_text() -> None:
    assert changes(compare_messages([message("a")], [message("a", kind="drama")])) == [("reworded", "a")]


def test_another_sound_is_a_difference_whatever_else_changed() -> None:
    before = [message("a", silent=True), message("b"), message("c", silent=True)]
    after = [message("a"), message("b", "Goal, truly!", silent=True), message("c", silent=True)]
    found = compare_messages(before, after)

    assert changes(found) == [("louder", "a"), ("quieter", "b")]
    assert format_comparison_summary(found, 1) == "0 added, 0 dropped, 0 reworded, 1 louder, 1 quieter, 1 unchanged over 1 match"
    louder, quieter = format_table(found, {}, Console(file=None, force_terminal=False)).splitlines()[1:]
    assert "goals: 🔕 Goal!" in louder and "goals: 🔔 Goal!" in louder
    assert "goals: 🔔 Goal!" in quieter and "goals: 🔕 Goal, truly!" in quieter


def test_a_different_rule_with_the_same_text_is_no_difference() -> None:
    assert compare_messages([message("a")], [message("a", rule="late goals")]) == Comparison(unchanged=1)


def test_the_selected_text_is_the_first_that_differs_without_its_html() -> None:
    (found,) = compare_messages(
        [message("a", "<b>A &amp; B</b>\n1–0"), message("a", "x", "edit")], [message("a", "C"), message("a", "x", "edit")]
    ).differences

    assert (select_changed_text(found.before, found.after), select_changed_text(found.after, found.before)) == ("A & B 1–0", "C")
    assert select_changed_text(None, found.after) == "" and to_plain_line("<i>x</i>") == "x"


def test_a_text_that_only_one_side_has_is_selected() -> None:
    (found,) = compare_messages([message("a"), message("a", "out", "reply")], [message("a")]).differences

    assert (select_changed_text(found.before, found.after), select_changed_text(found.after, found.before)) == ("out", "Goal!")


@given(MESSAGES)
def test_a_replay_never_differs_from_itself(messages: list[ReplayedMessage]) -> None:
    assert compare_messages(messages, messages).differences == ()


@given(MESSAGES, MESSAGES)
def test_what_is_added_in_one_direction_is_dropped_in_the_other(
    before: list[ReplayedMessage], after: list[ReplayedMessage]
) -> None:
    forward, backward = compare_messages(before, after), compare_messages(after, before)
    mirrored = {
        DifferenceKind.ADDED: DifferenceKind.DROPPED,
        DifferenceKind.DROPPED: DifferenceKind.ADDED,
        DifferenceKind.REWORDED: DifferenceKind.REWORDED,
        DifferenceKind.LOUDER: DifferenceKind.QUIETER,
        DifferenceKind.QUIETER: DifferenceKind.LOUDER,
    }

    assert {(d.action_id, d.fixture_id, mirrored[d.change]) for d in forward.differences} == {
        (d.action_id, d.fixture_id, d.change) for d in backward.differences
    }
    assert forward.unchanged == backward.unchanged


def test_the_comparisons_of_several_matches_are_added_up() -> None:
    one = compare_messages([message("a")], [message("b")])

    assert (
        format_comparison_summary(merge_comparisons([one, one, Comparison(unchanged=3)]), 3)
        == "2 added, 2 dropped, 0 reworded, 0 louder, 0 quieter, 3 unchanged over 3 matches"
    )


def test_a_table_without_a_terminal_is_plain_with_one_line_for_each_difference() -> None:
    text = f"[bold]{'long ' * 60}"
    table = format_table(
        compare_messages([message("a", text)], [message("b", "B")]),
        {"f": "Arsenal v Chelsea"},
        Console(file=None, force_terminal=False),
    )

    head, dropped, added = table.splitlines()
    assert head.split() == ["CHANGE", "MATCH", "MINUTE", "BEFORE", "AFTER"]
    assert dropped.startswith("dropped  Arsenal v Chelsea  10") and "goals: [bold]long" in dropped
    assert added.startswith("added") and added.endswith("goals: B")


def test_without_differences_there_is_no_table() -> None:
    assert format_table(Comparison(unchanged=2), {}, Console()) == ""


def test_a_difference_is_one_json_object() -> None:
    (found,) = compare_messages([], [message("a")]).differences

    assert json.loads(difference_to_json(found)) == {
        "change": "added", "at": "2026-01-01T10:00:00Z", "fixture_id": "f", "action_id": "a", "minute": "10",
        "before": None, "after": {"rule": "goals", "kind": "goal", "texts": ["send: Goal!"], "silent": [False]},
    }  # fmt: skip


CORNERS = "rules: [{name: corners, match: {action_type: Corner}, alert: {kind: corner, text: corner}}]"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rules", "added", "dropped"),
    [(CORNERS, True, True), (f"extends: default\n{CORNERS}", True, False)],
    ids=["instead of the shipped rules", "in addition to them"],
)
async def test_different_rules_are_compared_over_a_recorded_match(rules: str, added: bool, dropped: bool) -> None:
    found = await compare_replays(
        [RecordedMatch(recording("newcastle-united-chelsea"))],
        (load_pack(), load_catalogue()),
        (load_rules(rules), load_catalogue()),
    )

    assert (found.count(DifferenceKind.ADDED) > 0, found.count(DifferenceKind.DROPPED) > 0) == (added, dropped)
    assert found.count(DifferenceKind.REWORDED) == 0
