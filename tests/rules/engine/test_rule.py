"""A set of rules finds those that fire without asking all of them."""

from functools import cache

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from rules.engine.rule import Condition, Rule, RuleSet
from rules.football.match import Moment
from rules.loading.loader import load_rules
from tests.laws import try_examples
from tests.packets import Story

VALUES = {
    "action_type": ["Goal", "Own Goal", "Red Card", "Second Yellow Card", "[Goal, Yellow Card]", "{not: Goal}", "Beach Ball"],
    "sub_action_type": ["Penalty", "{not: Own Goal}", "Header"],
    "send_type": ["Pending", "[Pending, Confirmed]", "{not: Updated}"],
    "team": ["Arsenal", "Chelsea", "{not: Arsenal}", "[Arsenal, h]"],
    "side": ["home", "away"],
    "player": ["Saka", "[Saka, Bukayo Saka, James]", "{not: Saka}"],
    "competition": ["Premier League", "Serie A"],
    "fixture": ["Arsenal v Chelsea", "{not: f1}"],
    "period": ["second half", "{not: shootout}"],
    "minute": ["{from: 30}", "{to: 60}"],
    "score": ["{home: 1}", "{margin: {to: 1}}"],
}


# Built once: hypothesis examines each strategy that it is given, which takes longer than to draw from it.
_PAIRS = st.lists(
    st.sampled_from([(key, value) for key in sorted(VALUES) for value in VALUES[key]]),
    min_size=1,
    max_size=3,
    unique_by=lambda pair: pair[0],
)
_GROUP, _DEEPER = st.sampled_from(["any", "all", "not"]), st.booleans()


@st.composite
def _conditions(draw: st.DrawFn, deep: int) -> str:
    """What stands under `match:`, in one line."""
    written = [f"{key}: {value}" for key, value in draw(_PAIRS)]
    if deep and draw(_DEEPER):
        written.append(f"{draw(_GROUP)}: {draw(CONDITIONS[deep - 1])}")
    return f"{{{', '.join(written)}}}"


CONDITIONS = [_conditions(deep) for deep in range(3)]
"""By how deep they may be."""


def rule_sets() -> st.SearchStrategy[RuleSet]:
    """Up to forty rules that may say continue."""
    continues = st.sampled_from([True, True, False])
    return st.lists(st.tuples(CONDITIONS[2], continues), max_size=40).map(_make_rule_set)


def _make_rule_set(chosen: list[tuple[str, bool]]) -> RuleSet:
    rules = ((number, _read(match), goes_on) for number, (match, goes_on) in enumerate(chosen))
    return RuleSet([msgspec.structs.replace(rule, name=f"r{n}", continues=goes_on) for n, rule, goes_on in rules if rule])


@cache
def _read(match: str) -> Rule | None:
    try:
        return load_rules(f"- {{name: r, match: {match}, alert: {{kind: g, text: x}}}}").rules[0]
    except ValueError:
        return None


def moments() -> st.SearchStrategy[list[Moment]]:
    """A few moments of a match, of all kinds."""
    revisions = st.tuples(
        st.sampled_from(["Goal", "Own Goal", "Red Card", "Yellow Card", "Second Yellow Card", "Beach Ball"]),
        st.sampled_from(["Pending", "Confirmed", "Updated"]),
        st.sampled_from([None, "home", "away"]),
        st.sampled_from(["", "Penalty", "header"]),
        st.sampled_from([None, "Bukayo Saka", "R. James"]),
        st.integers(1, 95),
    )
    return st.lists(revisions, min_size=1, max_size=12).map(_add_to_story)


def _add_to_story(revisions: list[tuple[str, str, str | None, str, str | None, int]]) -> list[Moment]:
    story = Story()
    return [
        story.add(kind, send, side=side, sub=sub, player=player, minute=minute)
        for kind, send, side, sub, player, minute in revisions
    ]


def find_matching_one_by_one(rules: RuleSet, moment: Moment) -> list[Rule]:
    fired: list[Rule] = []
    for rule in rules.rules:
        if rule.may_match_type(moment.action.type) and rule.matches(moment):
            fired.append(rule)
            if not rule.continues:
                break
    return fired


@try_examples(150)
@given(rules=rule_sets(), story=moments())
def test_the_same_rules_fire_as_when_all_are_evaluated_one_by_one(rules: RuleSet, story: list[Moment]) -> None:
    for moment in story:
        assert rules.find_matching(moment) == find_matching_one_by_one(rules, moment)


def test_of_ten_thousand_rules_only_those_that_can_fire_are_evaluated() -> None:
    checked: list[Moment] = []
    text = "\n".join(
        f"- {{name: r{n}, match: {{action_type: Goal, team: T{n}, minute: 1}}, alert: {{kind: g, text: x}}}}" for n in range(50)
    )
    (own,) = load_rules("- {name: own, match: {action_type: Goal, team: Arsenal}, alert: {kind: g, text: x}}").rules
    recorded = [_record_checks(rule, checked) for rule in load_rules(text).rules] * 200
    rules, moment = RuleSet([*recorded, own]), Story().goal()
    rules.find_matching(moment)
    checked.clear()

    assert (rules.find_matching(moment), checked) == ([own], [])


def _record_checks(rule: Rule, checked: list[Moment]) -> Rule:
    """Return the same rule, which records each moment for which a condition of it was checked."""

    def record(condition: Condition) -> Condition:
        return msgspec.structs.replace(condition, holds=lambda m: bool(checked.append(m)) or condition.holds(m))

    return msgspec.structs.replace(rule, conditions=tuple(map(record, rule.conditions)))
