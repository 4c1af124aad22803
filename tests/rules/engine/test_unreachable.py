"""Rules that are reported never to fire never do, for rules and matches of every kind."""

import pytest
from hypothesis import given

from rules.engine.cases import complement_cases, intersect_cases
from rules.engine.rule import Rule, RuleSet
from rules.engine.unreachable import find_contradiction, find_late, find_rewording, find_shadowed, list_cases
from rules.football.match import Moment
from rules.loading.loader import load_pack, load_rules
from tests.laws import try_examples
from tests.rules.engine.test_rule import moments, rule_sets


@try_examples(300)
@given(rules=rule_sets(), played=moments())
def test_a_shadowed_rule_never_fires_where_the_others_do_not(rules: RuleSet, played: list[Moment]) -> None:
    for rule, by in find_shadowed(rules.rules):
        assert all(any(one.matches(moment) for one in by) for moment in played if rule.matches(moment))


@try_examples(200)
@given(rules=rule_sets(), played=moments())
def test_conditions_that_exclude_each_other_never_hold(rules: RuleSet, played: list[Moment]) -> None:
    for rule in rules.rules:
        if find_contradiction(rule.conditions):
            assert not any(all(condition.holds(moment) for condition in rule.conditions) for moment in played)


@try_examples(200)
@given(rules=rule_sets())
def test_no_case_is_in_its_complement(rules: RuleSet) -> None:
    for rule in rules.rules:
        cases = list_cases(rule)
        outside = None if cases is None else complement_cases(cases)
        if cases is not None and outside is not None:
            assert intersect_cases(cases, outside) in ((), None)


def _rules(*matches: str) -> tuple[Rule, ...]:
    return load_rules(
        "".join(f"- {{name: r{n}, match: {match}, alert: {{kind: goal, text: x}}}}\n" for n, match in enumerate(matches))
    ).rules


def _shadowed(*matches: str) -> dict[str, list[str]]:
    return {rule.name: [one.name for one in by] for rule, by in find_shadowed(_rules(*matches))}


def test_rules_together_leave_nothing_to_a_later_one() -> None:
    early, late = "{action_type: Goal, minute: {to: 60}}", "{action_type: Goal, minute: {from: 50}}"

    assert _shadowed(early, late, "{action_type: Goal, minute: {from: 20, to: 90}}") == {"r2": ["r0", "r1"]}
    # A shootout has goals without a minute.
    assert _shadowed(early, late, "{action_type: Goal}") == {}


def test_only_the_rules_that_are_needed_are_named() -> None:
    goals, cards = "{action_type: Goal}", "{action_type: Red Card}"

    assert _shadowed(goals, "{side: home, action_type: Corner}", cards, "{action_type: [Goal, Red Card]}") == {"r3": ["r0", "r2"]}


def test_every_period_together_is_everything() -> None:
    halves = [f"{{action_type: Goal, period: {period}}}" for period in ("before kick-off", "first half", "second half")]

    assert _shadowed(*halves, "{action_type: Goal, period: [extra time, shootout]}", "{action_type: Goal}") == {
        "r4": ["r0", "r1", "r2", "r3"]
    }


def test_other_words_for_the_same_are_understood() -> None:
    assert _shadowed("{action_type: Goal, minute: {from: 80}}", "{minute: {from: 85}, action_type: Own Goal}") == {"r1": ["r0"]}
    assert _shadowed("{team: Arsenal}", "{all: [{team: [Arsenal]}, {side: home}]}") == {"r1": ["r0"]}
    assert _shadowed("{not: {team: Arsenal}}", "{team: {not: Arsenal}}") == {"r1": ["r0"]}


def test_a_team_may_be_named_by_its_id() -> None:
    assert find_contradiction(_rules("{team: Arsenal, all: [{team: 42}]}")[0].conditions) == ()
    assert find_contradiction(_rules("{team: Arsenal, all: [{team: Chelsea}]}")[0].conditions) == (0, 1)


@pytest.mark.parametrize(("count", "shadowed"), [(8, {"r1": ["r0"]}), (9, {})])
def test_a_short_list_of_names_is_compared_name_by_name(count: int, shadowed: dict[str, list[str]]) -> None:
    squad = ", ".join(f"Player {number}" for number in range(count))

    assert _shadowed(f"{{player: [{squad}]}}", "{player: Player 1}") == shadowed


def test_a_long_list_of_names_is_compared_by_its_words() -> None:
    squad = "[" + ", ".join(f"Player {letter}" for letter in "ABCDEFGHIJKL") + "]"

    assert _shadowed(f"{{player: {squad}}}", f"{{player: {squad}, side: home}}") == {"r1": ["r0"]}


def test_a_rule_that_waits_only_rewords_what_another_began() -> None:
    waiting = _rules("{action_type: Goal, send_type: Confirmed, team: Arsenal}", "{action_type: Corner, send_type: Confirmed}")

    found = find_rewording(waiting, load_pack("goals").rules, ["goal"])

    assert [(rule.name, [one.name for one in by]) for rule, by in found] == [("r0", ["goals", "shootout kick scored"])]
    assert find_rewording(waiting, load_pack("cards").rules, ["goal"]) == []


def test_a_rule_that_waits_is_compared_with_those_that_name_pending_among_their_send_types() -> None:
    waiting = _rules(
        "{action_type: Red Card, send_type: [Confirmed, Updated]}", "{action_type: Yellow Card, send_type: Confirmed}"
    )

    found = find_rewording(waiting, load_pack("cards").rules, ["red card", "yellow card"])

    assert [(rule.name, [one.name for one in by]) for rule, by in found] == [("r0", ["red cards"])]


def test_a_rule_for_a_player_or_a_sub_type_may_come_after_one_that_speaks_before_they_are_known() -> None:
    rules = _rules(
        "{action_type: Goal, player: Saka}",
        "{action_type: Goal, sub_action_type: [Header, Penalty]}",
        "{action_type: Goal, player: {not: Saka}}",
        "{action_type: Goal, player: Saka, send_type: Confirmed}",
        "{action_type: Corner, player: Saka}",
        "{action_type: Goal, team: Arsenal}",
    )

    found = find_late(rules, load_pack("goals").rules, ["goal"])

    # What excludes a player holds before the player is known, too; and nothing speaks of a corner before its rule does.
    assert [(rule.name, [one.name for one in by]) for rule, by in found] == [
        ("r0", ["r2"]),
        ("r1", ["goals", "shootout kick scored"]),
    ]
    assert find_late(rules[:2], load_pack("cards").rules, ["goal"]) == []


@try_examples(50)
@given(rules=rule_sets())
def test_a_rule_that_speaks_at_once_is_never_said_to_reword(rules: RuleSet) -> None:
    found = find_rewording(rules.rules, load_pack().rules, ["goal", "red card"])

    assert all("Pending" not in rule.send_types for rule, _ in found)
