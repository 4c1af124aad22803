"""(rules, moment) -> why each rule fires or does not: the walk of `evaluate`, with the values that were compared."""

from __future__ import annotations

import enum

import msgspec

from rules.action import SendType
from rules.alert import Alert
from rules.catalogue import Catalogue, shipped
from rules.evaluate import News, Told, alerts_of, news_of, no_full_time
from rules.match import Moment
from rules.rule import Condition, Rule, RuleSet


class Verdict(enum.StrEnum):
    """What became of a rule."""

    FIRES = "fires"
    FAILS = "does not fire"
    OTHER_ACTION = "speaks of other actions"
    NOT_ASKED = "not asked"
    NOT_NEEDED = "not needed"
    """What is taken back is told to whoever heard of it."""


class Checked(msgspec.Struct, frozen=True):
    """One condition: what it wanted, what the moment showed. `groups` are those inside `any`, `all` or `not`."""

    key: str
    wanted: str
    seen: str
    holds: bool
    groups: tuple[tuple[Checked, ...], ...] = ()


class Judged(msgspec.Struct, frozen=True):
    """One rule and its conditions; none where it was not asked. `after` is the rule that ended the walk before it."""

    rule: Rule
    verdict: Verdict
    checks: tuple[Checked, ...] = ()
    after: str = ""


class Part(msgspec.Struct, frozen=True):
    """One action of a moment: what each rule says of it, and the alerts that come of that."""

    news: News
    rules: tuple[Judged, ...]
    alerts: tuple[Alert, ...]


class Explanation(msgspec.Struct, frozen=True):
    """Everything about one moment; `silence` says why nothing is told of its action, where no rule is the reason."""

    moment: Moment
    told: tuple[Part, ...]
    silence: str = ""


def explain(rules: RuleSet, moment: Moment, told: Told | None = None, names: Catalogue | None = None) -> Explanation:
    """Why `evaluate` tells of this moment what it tells; the alerts are its own."""
    parts = (_part(rules, news, told or {}, names or shipped()) for news in news_of(moment))
    return Explanation(moment, tuple(parts), _silence(moment))


def _part(rules: RuleSet, news: News, told: Told, names: Catalogue) -> Part:
    alerts = alerts_of(rules, news, told, names)
    if news.taken_back:
        return Part(news, tuple(Judged(rule, Verdict.NOT_NEEDED) for rule in rules.rules), alerts)
    return Part(news, judged(rules, news.moment), alerts)


def judged(rules: RuleSet, moment: Moment) -> tuple[Judged, ...]:
    """Every rule in order: those that fire are the ones that `RuleSet.fired` finds."""
    fired = rules.fired(moment)
    last = fired[-1] if fired and not fired[-1].go_on else None
    found: list[Judged] = []
    over = False
    for rule in rules.rules:
        found.append(Judged(rule, Verdict.NOT_ASKED, after=last.name) if over and last else _judged(rule, moment, fired))
        over = over or rule is last
    return tuple(found)


def _judged(rule: Rule, moment: Moment, fired: list[Rule]) -> Judged:
    checks = (*_unwritten(rule, moment), *(checked(condition, moment) for condition in rule.conditions))
    if any(rule is one for one in fired):
        return Judged(rule, Verdict.FIRES, checks)
    if not rule.covers(moment.action.type):
        return Judged(rule, Verdict.OTHER_ACTION, tuple(check for check in checks if check.key == "action_type"))
    return Judged(rule, Verdict.FAILS, checks)


def checked(condition: Condition, moment: Moment) -> Checked:
    """One condition's answer, with those that it is made of."""
    groups = tuple(tuple(checked(one, moment) for one in group) for group in condition.groups)
    return Checked(condition.key, condition.wanted, condition.seen(moment), condition.holds(moment), groups)


def _unwritten(rule: Rule, moment: Moment) -> tuple[Checked, ...]:
    """The send types that a rule asks for without saying so."""
    if any("send_type" in condition.words() for condition in rule.conditions):
        return ()
    wanted = ", ".join(one.value for one in SendType if one in rule.send_types)
    seen = moment.action.send_type
    return (Checked("send_type", wanted, seen.value, seen in rule.send_types),)


def _silence(moment: Moment) -> str:
    if not moment.news:
        return "the feed repeats what it said before, or says what is older: nothing is told twice"
    if no_full_time(moment):
        return "the match, or its coverage, ended without full time"
    if moment.action.send_type is SendType.OTHER:
        return "its send type is not known: that is no news"
    return ""
