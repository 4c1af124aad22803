"""Two sets of rules are compared."""

from __future__ import annotations

import pytest

from rules.engine.rule import RuleSet
from rules.engine.rule_diff import compare_rules, fingerprint
from rules.loading.loader import load_pack, load_rules

GOALS = "{name: goals, match: {action_type: Goal, minute: {from: 80}}, alert: {kind: goal, text: Goal}}"
CARDS = "{name: cards, match: {action_type: Red Card}, alert: {kind: red_card, text: Red}}"


def rules(*written: str) -> RuleSet:
    return load_rules(f"[{', '.join(written)}]")


def test_rules_that_come_and_go_are_named() -> None:
    found = compare_rules(rules(GOALS), rules(CARDS))

    assert (found.added, found.removed, found.changed, found.reordered) == (("cards",), ("goals",), (), False)


@pytest.mark.parametrize(
    ("old", "new", "part"),
    [
        ("from: 80", "from: 85", "match"),
        ("action_type: Goal", "action_type: Goal, send_type: Pending", "match"),
        ("kind: goal", "kind: late_goal", "kind"),
        ("text: Goal", "text: GOAL", "text"),
        ("kind: goal", "kind: goal, importance: minor", "importance"),
        ("kind: goal", "kind: goal, max_age: 1m", "max_age"),
        ("name: goals", "name: goals, continue: true", "continue"),
    ],
)
def test_what_changed_of_a_rule_is_named_by_the_word_of_the_language(old: str, new: str, part: str) -> None:
    assert compare_rules(rules(GOALS), rules(GOALS.replace(old, new))).changed == (("goals", (part,)),)


def test_another_order_is_a_difference() -> None:
    found = compare_rules(rules(GOALS, CARDS), rules(CARDS, GOALS))

    assert found.reordered and not found.changed and found


def test_rules_written_otherwise_are_the_same() -> None:
    other = rules(GOALS.replace("{action_type: Goal, minute: {from: 80}}", "{minute: {from: 80}, action_type: 'Goal'}"))

    assert not compare_rules(rules(GOALS), other)
    assert fingerprint(rules(GOALS)) == fingerprint(other)


def test_the_fingerprint_differs_for_other_rules_and_another_order() -> None:
    every = [rules(GOALS), rules(CARDS), rules(GOALS, CARDS), rules(CARDS, GOALS), load_pack(), RuleSet()]

    assert len({fingerprint(one) for one in every}) == len(every)


def test_the_fingerprint_is_as_it_is_stored_with_each_version_of_the_rules() -> None:
    several = GOALS.replace("text: Goal", "text: {en: Goal, de: Tor}, importance: minor, max_age: 1m")

    assert fingerprint(rules(GOALS)) == "94d3529891f973890d30f92897fefb8cfef72fa9afb0ee64e06e7203a60948d3"
    assert (
        fingerprint(rules(several.replace("name: goals", "name: goals, continue: true")))
        == "4d77f79e2251a7fb802c69ffffb6dd75798f22ef9fb0ed0d6e0d8a68179b6617"
    )
