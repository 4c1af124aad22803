"""A set of rules finds those that fire without asking all of them."""

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


@st.composite
def conditions(draw: st.DrawFn, deep: int = 2) -> str:
    """What stands under `match:`, in one line."""
    keys = draw(st.lists(st.sampled_from(sorted(VALUES)), min_size=1, max_size=3, unique=True))
    written = [f"{key}: {draw(st.sampled_from(VALUES[key]))}" for key in keys]
    if deep and draw(st.booleans()):
        written.append(f"{draw(st.sampled_from(['any', 'all', 'not']))}: {draw(conditions(deep - 1))}")
    return f"{{{', '.join(written)}}}"


@st.composite
def rule_sets(draw: st.DrawFn) -> RuleSet:
    """Up to thirty rules that may say continue."""
    chosen = draw(st.lists(st.tuples(conditions(), st.sampled_from(["true", "true", "false"])), max_size=40))
    sets = [_read(f"- {{name: r{n}, match: {m}, continue: {c}, alert: {{kind: g, text: x}}}}") for n, (m, c) in enumerate(chosen)]
    return RuleSet([rule for one in sets for rule in one.rules])


def _read(text: str) -> RuleSet:
    try:
        return load_rules(text)
    except ValueError:
        return RuleSet()


@st.composite
def moments(draw: st.DrawFn) -> list[Moment]:
    """A story of a few revisions of this and that."""
    story = Story()
    revisions = st.tuples(
        st.sampled_from(["Goal", "Own Goal", "Red Card", "Yellow Card", "Second Yellow Card", "Beach Ball"]),
        st.sampled_from(["Pending", "Confirmed", "Updated"]),
        st.sampled_from([None, "home", "away"]),
        st.sampled_from(["", "Penalty", "header"]),
        st.sampled_from([None, "Bukayo Saka", "R. James"]),
        st.integers(1, 95),
    )
    return [
        story.tell(kind, send, side=side, sub=sub, player=player, minute=minute)
        for kind, send, side, sub, player, minute in draw(st.lists(revisions, min_size=1, max_size=12))
    ]


def asked_one_by_one(rules: RuleSet, moment: Moment) -> list[Rule]:
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
        assert rules.find_matching(moment) == asked_one_by_one(rules, moment)


def test_of_ten_thousand_rules_only_those_that_can_fire_are_evaluated() -> None:
    asked: list[Moment] = []
    text = "\n".join(
        f"- {{name: r{n}, match: {{action_type: Goal, team: T{n}, minute: 1}}, alert: {{kind: g, text: x}}}}" for n in range(50)
    )
    (own,) = load_rules("- {name: own, match: {action_type: Goal, team: Arsenal}, alert: {kind: g, text: x}}").rules
    spied = [_spied(rule, asked) for rule in load_rules(text).rules] * 200
    rules, moment = RuleSet([*spied, own]), Story().goal()
    rules.find_matching(moment)
    asked.clear()

    assert (rules.find_matching(moment), asked) == ([own], [])


def _spied(rule: Rule, asked: list[Moment]) -> Rule:
    """The same rule, whose every condition notes that it was asked."""

    def noting(condition: Condition) -> Condition:
        return msgspec.structs.replace(condition, holds=lambda m: bool(asked.append(m)) or condition.holds(m))

    return msgspec.structs.replace(rule, conditions=tuple(map(noting, rule.conditions)))
