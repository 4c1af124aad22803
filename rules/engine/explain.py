"""Explains for each rule why it fires for a moment or does not."""

from __future__ import annotations

import enum

import msgspec

from rules.engine.alert import Alert, ConditionResult
from rules.engine.evaluate import ActionChange, NotifiedRules, is_end_without_full_time, list_changes, make_alerts
from rules.engine.rule import Rule, RuleSet, check_condition
from rules.football.action import SendType
from rules.football.catalogue import Catalogue, load_catalogue
from rules.football.match import Moment


class Verdict(enum.StrEnum):
    """The outcome of one rule. The values are printed by `explain` and `explain --json`."""

    FIRES = "fires"
    FAILS = "does not fire"
    OTHER_ACTION = "speaks of other actions"
    NOT_ASKED = "not asked"
    NOT_NEEDED = "not needed"
    """A retraction goes to every chat that has the message, whatever the rules say."""


class RuleVerdict(msgspec.Struct, frozen=True):
    """One rule with the results of its conditions; none where it was not evaluated."""

    rule: Rule
    verdict: Verdict
    conditions: tuple[ConditionResult, ...] = ()
    stopped_by: str = ""
    """The name of the rule above that fired and does not continue."""


class ActionExplanation(msgspec.Struct, frozen=True):
    """One action of a moment: the verdict of each rule, and the alerts that follow."""

    change: ActionChange
    verdicts: tuple[RuleVerdict, ...]
    alerts: tuple[Alert, ...]


class Explanation(msgspec.Struct, frozen=True):
    """Everything about one moment."""

    moment: Moment
    changes: tuple[ActionExplanation, ...]
    reason_for_silence: str = ""
    """Why nothing is sent about the moment's action, where no rule is the reason; else empty."""


def explain(
    rules: RuleSet, moment: Moment, notified: NotifiedRules | None = None, catalogue: Catalogue | None = None
) -> Explanation:
    """Explain the alerts that `evaluate` makes of a moment. The alerts in it are those of `evaluate` itself."""
    catalogue = catalogue or load_catalogue()
    parts: list[ActionExplanation] = []
    for change in list_changes(moment):
        if change.is_retraction:
            verdicts = tuple(RuleVerdict(rule, Verdict.NOT_NEEDED) for rule in rules.rules)
        else:
            verdicts = judge_rules(rules, change.moment)
        parts.append(ActionExplanation(change, verdicts, make_alerts(rules, change, notified or {}, catalogue)))
    return Explanation(moment, tuple(parts), _explain_silence(moment))


def judge_rules(rules: RuleSet, moment: Moment) -> tuple[RuleVerdict, ...]:
    """Return the verdict of every rule in order. Those that fire are the ones that `RuleSet.find_matching` returns."""
    # The walk that decides live is asked, so that an explanation cannot differ from what was sent.
    firing = rules.find_matching(moment)
    last = firing[-1] if firing and not firing[-1].continues else None
    verdicts: list[RuleVerdict] = []
    is_stopped = False
    # By identity: two rules may be equal, and then only the first of them stops the walk.
    for rule in rules.rules:
        if is_stopped and last:
            verdicts.append(RuleVerdict(rule, Verdict.NOT_ASKED, stopped_by=last.name))
        else:
            verdicts.append(_judge_rule(rule, moment, firing))
        is_stopped = is_stopped or rule is last
    return tuple(verdicts)


def _judge_rule(rule: Rule, moment: Moment, firing: list[Rule]) -> RuleVerdict:
    # All conditions, though the first that fails decides: a person wants to know everything that is in the way.
    results = tuple(check_condition(condition, moment) for condition in rule.conditions)
    # A rule that does not mention send types has a condition on them all the same.
    if not any("send_type" in condition.all_keys() for condition in rule.conditions):
        expected = ", ".join(one.value for one in SendType if one in rule.send_types)
        actual = moment.action.send_type
        results = (ConditionResult("send_type", expected, actual.value, actual in rule.send_types), *results)
    if any(rule is one for one in firing):
        return RuleVerdict(rule, Verdict.FIRES, results)
    # A rule for other action types is named with that alone: its other conditions would only distract.
    if not rule.may_match_type(moment.action.type):
        return RuleVerdict(rule, Verdict.OTHER_ACTION, tuple(one for one in results if one.key == "action_type"))
    return RuleVerdict(rule, Verdict.FAILS, results)


def _explain_silence(moment: Moment) -> str:
    if not moment.is_news:
        return "the feed repeats an earlier revision, or sends an older one, and nothing is sent twice"
    if is_end_without_full_time(moment):
        return "the match, or its coverage, ended without full time"
    if moment.record and moment.record.repeats:
        return "another action reports the same goal"
    return ""
