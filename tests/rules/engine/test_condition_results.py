"""An alert says what its rule's conditions compared."""

from __future__ import annotations

from rules.engine.alert import Alert, ConditionResult
from rules.engine.evaluate import evaluate
from rules.loading.loader import load_rules
from tests.packets import Story

LATE = "- {name: late, match: {action_type: Goal, minute: {from: 80}}, alert: {kind: goal, text: x}}"


def alerts_of(rule: str, *, is_notified: bool = False, **goal: int) -> tuple[Alert, ...]:
    moment = Story().goal(**goal)
    return evaluate(load_rules(rule), moment, {moment.action.id: ["late"]} if is_notified else None)


def test_an_alert_has_each_condition_of_its_rule_with_what_it_wanted_and_what_there_was() -> None:
    (alert,) = alerts_of(LATE, minute=88)

    assert alert.conditions == {
        "late": (ConditionResult("action_type", "Goal", "Goal"), ConditionResult("minute", "from 80", "88"))
    }


def test_a_rule_that_fired_before_and_does_not_now_says_which_condition_does_not_hold() -> None:
    (alert,) = alerts_of(LATE, is_notified=True, minute=67)

    assert alert.is_follow_up
    assert [(one.key, one.holds) for one in alert.conditions["late"]] == [("action_type", True), ("minute", False)]


def test_names_without_end_are_cut() -> None:
    squad = ", ".join(f"Player Number {number}" for number in range(40))

    (alert,) = alerts_of(LATE.replace("minute: {from: 80}", f"player: {{not: [{squad}]}}"))

    assert len(alert.conditions["late"][1].expected) == 160
    assert alert.conditions["late"][1].expected.endswith("…")
