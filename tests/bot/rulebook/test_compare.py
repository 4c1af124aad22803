"""Two tellings of the same matches are held against each other."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from bot.commands.replay import Told
from bot.rulebook.against import against, as_json, table
from bot.rulebook.compare import Change, Comparison, compare, plain, summary, together, words
from rules.catalogue import shipped
from rules.load import load_rules, pack
from tests.recordings import recording

TELLINGS = st.lists(
    st.builds(
        Told,
        at=st.sampled_from(["2026-01-01T10:00:00Z", "2026-01-01T10:05:00Z", "2026-01-01T11:00:00Z"]),
        fixture_id=st.sampled_from("fg"),
        action_id=st.sampled_from("abcd"),
        op=st.sampled_from(["send", "edit", "reply"]),
        kind=st.sampled_from(["goal", "var"]),
        text=st.sampled_from(["one", "two"]),
    ),
    max_size=12,
)


def told(action: str, text: str = "Goal!", op: str = "send", **more: str) -> Told:
    facts = {"at": "2026-01-01T10:00:00Z", "fixture_id": "f", "rule": "goals", "kind": "goal", "state": "confirmed"} | more
    return Told(**facts, action_id=action, op=op, home=0, away=0, minute="10", player=None, text=text)  # type: ignore[arg-type]


def changes(comparison: Comparison) -> list[tuple[str, str]]:
    return [(difference.change.value, difference.action_id) for difference in comparison.differences]


def test_what_is_added_dropped_and_reworded_is_named_and_the_rest_counted() -> None:
    before = [told("a"), told("b"), told("c"), told("c", "Goal, truly!", "edit")]
    after = [told("b"), told("c"), told("c", "Goal, really!", "edit"), told("d")]

    found = compare(before, after)

    assert changes(found) == [("dropped", "a"), ("reworded", "c"), ("added", "d")]
    assert summary(found, 1) == "1 added, 1 dropped, 1 reworded, 1 unchanged over 1 match"


def test_another_kind_is_a_change_though_the_words_are_the_same() -> None:
    assert changes(compare([told("a")], [told("a", kind="drama")])) == [("reworded", "a")]


def test_another_rule_with_the_same_words_is_none() -> None:
    assert compare([told("a")], [told("a", rule="late goals")]) == Comparison(unchanged=1)


def test_the_words_shown_are_the_first_that_differ_without_their_html() -> None:
    (found,) = compare(
        [told("a", "<b>A &amp; B</b>\n1–0"), told("a", "x", "edit")], [told("a", "C"), told("a", "x", "edit")]
    ).differences

    assert (words(found.before, found.after), words(found.after, found.before)) == ("A & B 1–0", "C")
    assert words(None, found.after) == "" and plain("<i>x</i>") == "x"


def test_what_only_one_says_more_is_shown() -> None:
    (found,) = compare([told("a"), told("a", "out", "reply")], [told("a")]).differences

    assert (words(found.before, found.after), words(found.after, found.before)) == ("out", "Goal!")


@given(TELLINGS)
def test_a_telling_never_differs_from_itself(telling: list[Told]) -> None:
    assert compare(telling, telling).differences == ()


@given(TELLINGS, TELLINGS)
def test_what_one_way_adds_the_other_way_drops(before: list[Told], after: list[Told]) -> None:
    there, back = compare(before, after), compare(after, before)
    mirrored = {Change.ADDED: Change.DROPPED, Change.DROPPED: Change.ADDED, Change.REWORDED: Change.REWORDED}

    assert {(d.action_id, d.fixture_id, mirrored[d.change]) for d in there.differences} == {
        (d.action_id, d.fixture_id, d.change) for d in back.differences
    }
    assert there.unchanged == back.unchanged


def test_several_matches_are_summed_up() -> None:
    one = compare([told("a")], [told("b")])

    assert (
        summary(together([one, one, Comparison(unchanged=3)]), 3) == "2 added, 2 dropped, 0 reworded, 3 unchanged over 3 matches"
    )


def test_a_table_without_a_terminal_is_plain_with_one_line_each() -> None:
    text = f"[bold]{'long ' * 60}"
    shown = table(
        compare([told("a", text)], [told("b", "B")]), {"f": "Arsenal v Chelsea"}, Console(file=None, force_terminal=False)
    )

    head, dropped, added = shown.splitlines()
    assert head.split() == ["CHANGE", "MATCH", "MINUTE", "BEFORE", "AFTER"]
    assert dropped.startswith("dropped  Arsenal v Chelsea  10") and "goals: [bold]long" in dropped
    assert added.startswith("added") and added.endswith("goals: B")


def test_no_difference_is_no_table() -> None:
    assert table(Comparison(unchanged=2), {}, Console()) == ""


def test_a_difference_is_one_json_object() -> None:
    (found,) = compare([], [told("a")]).differences

    assert json.loads(as_json(found)) == {
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
    found = await against([recording("newcastle-united-chelsea")], (pack(), shipped()), (load_rules(rules), shipped()))

    assert (found.count(Change.ADDED) > 0, found.count(Change.DROPPED) > 0) == (added, dropped)
    assert found.count(Change.REWORDED) == 0
