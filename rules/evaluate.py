"""(rules, moment) -> alerts: what is told of one step of a match."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import msgspec

from rules.action import Action, SendType
from rules.alert import Alert, AlertKey, Facts, State
from rules.catalogue import Catalogue, shipped
from rules.compared import compared
from rules.facts import facts_of
from rules.match import Moment, Record
from rules.rule import Rule, RuleSet
from rules.template import TextFault, plain

Told = Mapping[str, Collection[str]]
"""By action id, the names of the rules by which some chat has been told of it."""

_NEAR = 10
"""Minutes within which an unlinked disallowance is taken to speak of a goal that was taken back."""


class News(msgspec.Struct, frozen=True):
    """One action to be told of in a moment: the step's own, one that it took back or restored, or a change of coverage."""

    moment: Moment
    taken_back: bool = False
    """True: whoever heard of it is told so, and no rule is asked."""
    reason: str = ""
    """Why it was taken back; empty where the feed does not say."""


def evaluate(rules: RuleSet, moment: Moment, told: Told | None = None, names: Catalogue | None = None) -> tuple[Alert, ...]:
    """The alerts of a moment: for its action in the order of the rules, then for actions it took back or restored.

    Alerts of one key are alternatives: a chat hears the first whose kind it takes. Nothing is raised.
    """
    alerts: list[Alert] = []
    for news in news_of(moment):
        alerts += alerts_of(rules, news, told or {}, names or shipped())
    return tuple(alerts)


def news_of(moment: Moment) -> list[News]:
    """Everything that a moment may have to tell, in order; nothing where it is a repetition or of an unknown kind."""
    news: list[News] = []
    if moment.coverage is not None:
        news.append(News(msgspec.structs.replace(moment, action=moment.coverage, settled=())))
    if not moment.news or no_full_time(moment):
        return news
    action, record = moment.action, moment.record
    if action.send_type is not SendType.OTHER:
        taken_back = action.send_type.takes_back or bool(record and record.taken_back)
        news.append(News(moment, taken_back, _reason_known(moment, record) if taken_back else ""))
    for other in moment.settled:
        news.append(News(_seen_now(moment, other.action), other.taken_back, action.sub_type if other.taken_back else ""))
    return news


def alerts_of(rules: RuleSet, news: News, told: Told, names: Catalogue) -> tuple[Alert, ...]:
    """What is told of one action: by the rules that fire, then, for chats told by other rules, the same news in those words."""
    moment = news.moment
    if news.taken_back:
        return (_retraction(moment, news.reason),)
    fired = rules.fired(moment)
    before = () if moment.action is moment.coverage else told.get(moment.action.id, ())
    if not fired and not before:
        return ()
    facts = facts_of(moment)
    alerts = [_alert(rule, moment, facts, names) for rule in fired]
    left = [name for name in before if name not in {rule.name for rule in fired}]
    return tuple(alerts + [_follow_up(rules.by_name.get(name), name, moment, facts, names) for name in left])


def no_full_time(moment: Moment) -> bool:
    """Tell whether it is an end that is none: the match, or its coverage, ended otherwise."""
    return moment.action.type == "End Match" and moment.after.lost and moment.action.send_type.stands


def _alert(rule: Rule, moment: Moment, facts: Facts, names: Catalogue) -> Alert:
    try:
        text, fault = rule.alert.text.fill(facts), ""
    except TextFault as error:
        text, fault = plain(facts), str(error)
    action = moment.action
    return msgspec.structs.replace(
        _bare(moment, facts, State.PENDING if action.send_type is SendType.PENDING else State.CONFIRMED),
        rule=rule.name,
        kind=rule.alert.kind,
        importance=rule.alert.importance,
        gravity=names.of(action.type).gravity,
        max_age=rule.alert.max_age.total_seconds(),
        text=text,
        fault=fault,
        takes_back=_disallowed(moment, names),
        because={rule.name: compared(rule, moment)},
    )


def _follow_up(rule: Rule | None, name: str, moment: Moment, facts: Facts, names: Catalogue) -> Alert:
    """A rule that told of the action and does not fire now: its text anew; taken back where it never speaks of such an action;
    the told text left as it is (an empty one) where the rule itself is gone."""
    if rule is None:
        state = State.PENDING if moment.action.send_type is SendType.PENDING else State.CONFIRMED
        return msgspec.structs.replace(_bare(moment, facts, state), rule=name, follow_up=True)
    if not rule.covers(moment.action.type):
        return msgspec.structs.replace(_retraction(moment, ""), rule=name, follow_up=True)
    return msgspec.structs.replace(_alert(rule, moment, facts, names), follow_up=True)


def _retraction(moment: Moment, reason: str) -> Alert:
    return _bare(moment, facts_of(moment, reason), State.RETRACTED)


def _bare(moment: Moment, facts: Facts, state: State) -> Alert:
    action, match = moment.action, moment.after
    key = AlertKey(action.fixture_id, action.id)
    return Alert(key, action.seq, state, action.at, match.fixture, facts, match.score.home, match.score.away)


def _seen_now(moment: Moment, action: Action) -> Moment:
    """The other action's moment: its own facts, at the instant and place in the order of the action that settled it."""
    now = msgspec.structs.replace(action, seq=moment.action.seq, at=moment.action.at)
    return msgspec.structs.replace(moment, action=now, settled=())


def _reason_known(moment: Moment, record: Record | None) -> str:
    by = moment.after.records.get(record.taken_back_by) if record else None
    return by.action.sub_type if by else ""


def _disallowed(moment: Moment, names: Catalogue) -> str:
    """The action that this one disallows, now or before; empty for most."""
    disallows = names.of(moment.action.type).disallows
    if not disallows:
        return ""
    records = moment.after.records
    linked = [record.action.id for record in moment.settled] + [i for i in moment.action.related if i in records]
    near = (r for r in records.values() if r.taken_back and r.action.type in disallows and _close(r, moment.action))
    return next(iter(linked), "") or next((r.action.id for r in near), "")


def _close(record: Record, action: Action) -> bool:
    """Tell whether the action may speak of this goal: same side, same period, a few minutes later at most."""
    one, other = record.action.minute, action.minute
    if one is None or other is None or record.credited is not action.side or record.action.period is not action.period:
        return False
    return 0 <= (other.base + other.added) - (one.base + one.added) <= _NEAR
