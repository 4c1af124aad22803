"""Explanations are the live walk, with the values that were compared."""

from hypothesis import given

from rules.engine.alert import ConditionResult
from rules.engine.evaluate import evaluate
from rules.engine.explain import Explanation, Verdict, explain
from rules.engine.rule import RuleSet
from rules.football.match import Moment
from rules.loading.loader import load_rules
from tests.laws import try_examples
from tests.packets import Story
from tests.rules.engine.test_rule import moments, rule_sets


def rules_of(*matches: str, go_on: bool = False) -> RuleSet:
    """Rules a, b, c … that ask for these."""
    written = [
        f"- {{name: {name}, match: {match}, continue: {str(go_on).lower()}, alert: {{kind: g, text: '{name} {{{{ minute }}}}'}}}}"
        for name, match in zip("abcdef", matches, strict=False)
    ]
    return load_rules("\n".join(written))


def verdicts(explanation: Explanation) -> list[str]:
    return [judged.verdict.value for part in explanation.changes for judged in part.verdicts]


def test_each_rule_has_its_verdict() -> None:
    rules = rules_of("{action_type: Red Card}", "{action_type: Goal, side: away}", "{action_type: Goal}", "{side: home}")

    explanation = explain(rules, Story().goal())

    assert verdicts(explanation) == ["speaks of other actions", "does not fire", "fires", "not asked"]
    assert explanation.changes[0].verdicts[3].stopped_by == "c"
    assert [judged.rule for judged in explanation.changes[0].verdicts] == list(rules.rules)


def test_a_rule_of_other_actions_shows_that_condition_alone_and_one_that_was_not_asked_shows_none() -> None:
    rules = rules_of("{action_type: Red Card, side: home}", "{action_type: Goal, side: home}", "{side: home}")

    other, fires, not_asked = explain(rules, Story().goal()).changes[0].verdicts

    assert [(c.key, c.expected, c.actual, c.holds) for c in other.conditions] == [("action_type", "Red Card", "Goal", False)]
    assert [c.key for c in fires.conditions] == ["send_type", "action_type", "side"]
    assert (not_asked.conditions, not_asked.stopped_by, fires.stopped_by) == ((), "b", "")


def test_a_condition_shows_what_was_wanted_and_what_was_seen() -> None:
    rules = rules_of("{action_type: Goal, send_type: Confirmed, team: Chelsea, minute: {from: 80}}")

    (judged,) = explain(rules, Story().goal(minute=67)).changes[0].verdicts

    assert [(c.key, c.expected, c.actual, c.holds) for c in judged.conditions] == [
        ("action_type", "Goal", "Goal", True),
        ("send_type", "Confirmed", "Confirmed", True),
        ("team", "Chelsea", "Arsenal", False),
        ("minute", "from 80", "67", False),
    ]


def test_the_send_types_that_go_without_saying_are_said() -> None:
    (judged,) = explain(rules_of("{action_type: Goal}"), Story().goal(send="Pending")).changes[0].verdicts

    assert judged.conditions[0] == ConditionResult("send_type", "Pending, Confirmed, Updated", "Pending", True)


def test_conditions_inside_conditions_have_their_own_answers() -> None:
    rules = rules_of("{any: [{side: away}, {side: home, not: {minute: {to: 9}}}]}")

    (judged,) = explain(rules, Story().goal(minute=5)).changes[0].verdicts

    (away,), (home, negated) = judged.conditions[1].groups
    assert (judged.conditions[1].holds, away.holds, home.holds, negated.holds) == (False, False, True, False)
    assert [(c.key, c.expected, c.holds) for c in negated.groups[0]] == [("minute", "to 9", True)]


def test_all_rules_that_say_continue_fire() -> None:
    explanation = explain(rules_of("{side: home}", "{side: away}", "{side: home}", go_on=True), Story().goal())

    assert verdicts(explanation) == ["fires", "does not fire", "fires"]
    assert [alert.text for alert in explanation.changes[0].alerts] == ["a 1", "c 1"]


def test_what_is_taken_back_needs_no_rule() -> None:
    story = Story()
    story.goal(score=(1, 0))

    (part,) = explain(rules_of("{side: home}"), story.goal(send="Deleted", score=(0, 0)), {"g": {"a"}}).changes

    assert (part.change.is_retraction, part.verdicts[0].verdict) == (True, Verdict.NOT_NEEDED)


def test_a_disallowance_is_explained_with_the_goal_that_it_takes_back() -> None:
    story = Story()
    story.goal(score=(1, 0))

    own, goal = explain(
        rules_of("{side: home}"), story.add("Goal Disallowed", side="home", related=("g",), sub="Offside")
    ).changes

    assert (own.change.is_retraction, goal.change.is_retraction, goal.change.reason) == (False, True, "Offside")


def test_why_nothing_is_sent_has_its_reason() -> None:
    story, rules = Story(), rules_of("{side: home}")
    story.goal()

    again = explain(rules, story.add_packet(story.packets[0]))

    assert (again.changes, again.reason_for_silence) == (
        (),
        "the feed repeats an earlier revision, or sends an older one, and nothing is sent twice",
    )
    assert explain(rules, story.add("End Match", status="Abandoned")).reason_for_silence.endswith("ended without full time")


@try_examples(80)
@given(rules=rule_sets(), story=moments())
def test_an_explanation_has_what_is_sent_and_why(rules: RuleSet, story: list[Moment]) -> None:
    for moment in story:
        explanation = explain(rules, moment)

        assert tuple(alert for part in explanation.changes for alert in part.alerts) == evaluate(rules, moment)
        for part in explanation.changes:
            for judged in part.verdicts:
                if judged.verdict in (Verdict.FIRES, Verdict.FAILS):
                    assert all(check.holds for check in judged.conditions) is (judged.verdict is Verdict.FIRES)
