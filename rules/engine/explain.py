"""Says for each rule why it fired or did not."""

from __future__ import annotations

import enum

import msgspec

from rules.engine.alert import Alert
from rules.engine.evaluate import ActionChange, NotifiedRules, alerts_for, changes_in, is_end_without_full_time
from rules.engine.rule import Condition, Rule, RuleSet
from rules.football.action import SendType
from rules.football.catalogue import Catalogue, load_catalogue
from rules.football.match import Moment


class Verdict(enum.StrEnum):
    """What became of a rule."""

    FIRES = "fires"
    FAILS = "does not fire"
    OTHER_ACTION = "speaks of other actions"
    NOT_ASKED = "not asked"
    NOT_NEEDED = "not needed"
    """What is taken back is told to whoever heard of it."""


class CheckedCondition(msgspec.Struct, frozen=True):
    """One condition: what it wanted, what the moment showed. `groups` are those inside `any`, `all` or `not`."""

    key: str
    wanted: str
    seen: str
    holds: bool
    groups: tuple[tuple[CheckedCondition, ...], ...] = ()


class RuleVerdict(msgspec.Struct, frozen=True):
    """One rule and its conditions; none where it was not asked. `after` is the rule that ended the walk before it."""

    rule: Rule
    verdict: Verdict
    conditions: tuple[CheckedCondition, ...] = ()
    stopped_by: str = ""


class ActionExplanation(msgspec.Struct, frozen=True):
    """One action of a moment: what each rule says of it, and the alerts that come of that."""

    change: ActionChange
    verdicts: tuple[RuleVerdict, ...]
    alerts: tuple[Alert, ...]


class Explanation(msgspec.Struct, frozen=True):
    """Everything about one moment; `silence` says why nothing is told of its action, where no rule is the reason."""

    moment: Moment
    changes: tuple[ActionExplanation, ...]
    reason_for_silence: str = ""


def explain(rules: RuleSet, moment: Moment, told: NotifiedRules | None = None, catalogue: Catalogue | None = None) -> Explanation:
    """Why `evaluate` tells of this moment what it tells; the alerts are its own."""
    parts = (_explain_change(rules, news, told or {}, catalogue or load_catalogue()) for news in changes_in(moment))
    return Explanation(moment, tuple(parts), _explain_silence(moment))


def _explain_change(rules: RuleSet, news: ActionChange, told: NotifiedRules, catalogue: Catalogue) -> ActionExplanation:
    alerts = alerts_for(rules, news, told, catalogue)
    if news.is_retraction:
        return ActionExplanation(news, tuple(RuleVerdict(rule, Verdict.NOT_NEEDED) for rule in rules.rules), alerts)
    return ActionExplanation(news, judge_rules(rules, news.moment), alerts)


def judge_rules(rules: RuleSet, moment: Moment) -> tuple[RuleVerdict, ...]:
    """Every rule in order: those that fire are the ones that `RuleSet.fired` finds."""
    fired = rules.find_matching(moment)
    last = fired[-1] if fired and not fired[-1].continues else None
    found: list[RuleVerdict] = []
    over = False
    for rule in rules.rules:
        found.append(
            RuleVerdict(rule, Verdict.NOT_ASKED, stopped_by=last.name) if over and last else _judge_rule(rule, moment, fired)
        )
        over = over or rule is last
    return tuple(found)


def _judge_rule(rule: Rule, moment: Moment, fired: list[Rule]) -> RuleVerdict:
    checks = (*_check_default_send_types(rule, moment), *(check_condition(condition, moment) for condition in rule.conditions))
    if any(rule is one for one in fired):
        return RuleVerdict(rule, Verdict.FIRES, checks)
    if not rule.may_match_type(moment.action.type):
        return RuleVerdict(rule, Verdict.OTHER_ACTION, tuple(check for check in checks if check.key == "action_type"))
    return RuleVerdict(rule, Verdict.FAILS, checks)


def check_condition(condition: Condition, moment: Moment) -> CheckedCondition:
    """One condition's answer, with those that it is made of."""
    groups = tuple(tuple(check_condition(one, moment) for one in group) for group in condition.groups)
    return CheckedCondition(condition.key, condition.expected, condition.describe_actual(moment), condition.holds(moment), groups)


def _check_default_send_types(rule: Rule, moment: Moment) -> tuple[CheckedCondition, ...]:
    """The send types that a rule asks for without saying so."""
    if any("send_type" in condition.all_keys() for condition in rule.conditions):
        return ()
    wanted = ", ".join(one.value for one in SendType if one in rule.send_types)
    seen = moment.action.send_type
    return (CheckedCondition("send_type", wanted, seen.value, seen in rule.send_types),)


def _explain_silence(moment: Moment) -> str:
    if not moment.is_news:
        return "the feed repeats what it said before, or says what is older: nothing is told twice"
    if is_end_without_full_time(moment):
        return "the match, or its coverage, ended without full time"
    if moment.action.send_type is SendType.OTHER:
        return "its send type is not known: that is no news"
    return ""
