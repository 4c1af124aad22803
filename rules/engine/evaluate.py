"""Turns a moment into alerts and fills their texts in every language."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import lru_cache

import msgspec

from rules.engine.alert import Alert, AlertKey, Facts, State, facts_of
from rules.engine.rule import Rule, RuleSet, check_conditions
from rules.engine.text import AlertText, TextError, fallback_text
from rules.football.action import Action, SendType
from rules.football.catalogue import Catalogue, load_catalogue
from rules.football.match import ActionRecord, Moment

NotifiedRules = Mapping[str, Collection[str]]
"""By action id, the names of the rules by which some chat has been told of it."""

_MAX_DISALLOWANCE_MINUTES = 10
"""Minutes within which an unlinked disallowance is taken to speak of a goal that was taken back."""


class ActionChange(msgspec.Struct, frozen=True):
    """One action to be told of in a moment: the step's own, one that it took back or restored, or a change of coverage."""

    moment: Moment
    is_retraction: bool = False
    """True: whoever heard of it is told so, and no rule is asked."""
    reason: str = ""
    """Why it was taken back; empty where the feed does not say."""


def evaluate(
    rules: RuleSet, moment: Moment, told: NotifiedRules | None = None, catalogue: Catalogue | None = None
) -> tuple[Alert, ...]:
    """The alerts of a moment: for its action in the order of the rules, then for actions it took back or restored.

    Alerts of one key are alternatives: a chat hears the first whose kind it takes. Nothing is raised.
    """
    alerts: list[Alert] = []
    for news in changes_in(moment):
        alerts += alerts_for(rules, news, told or {}, catalogue or load_catalogue())
    return tuple(alerts)


def changes_in(moment: Moment) -> list[ActionChange]:
    """Everything that a moment may have to tell, in order; nothing where it is a repetition or of an unknown kind."""
    news: list[ActionChange] = []
    if moment.coverage_change is not None:
        news.append(ActionChange(msgspec.structs.replace(moment, action=moment.coverage_change, affected=())))
    if not moment.is_news or is_end_without_full_time(moment):
        return news
    action, record = moment.action, moment.record
    if action.send_type is not SendType.OTHER:
        taken_back = action.send_type.is_retraction or bool(record and record.is_retracted)
        news.append(ActionChange(moment, taken_back, _find_reason(moment, record) if taken_back else ""))
    for other in moment.affected:
        news.append(
            ActionChange(
                _make_affected_moment(moment, other.action), other.is_retracted, action.sub_type if other.is_retracted else ""
            )
        )
    return news


def alerts_for(rules: RuleSet, change: ActionChange, told: NotifiedRules, catalogue: Catalogue) -> tuple[Alert, ...]:
    """What is told of one action: by the rules that fire, then, for chats told by other rules, the same news in those words."""
    moment = change.moment
    if change.is_retraction:
        return (_make_retraction(moment, change.reason),)
    fired = rules.find_matching(moment)
    before = () if moment.action is moment.coverage_change else told.get(moment.action.id, ())
    if not fired and not before:
        return ()
    facts = facts_of(moment)
    alerts = [_make_alert(rule, moment, facts, catalogue) for rule in fired]
    left = [name for name in before if name not in {rule.name for rule in fired}]
    return tuple(alerts + [_make_follow_up(rules.by_name.get(name), name, moment, facts, catalogue) for name in left])


def is_end_without_full_time(moment: Moment) -> bool:
    """Tell whether it is an end that is none: the match, or its coverage, ended otherwise."""
    return moment.action.type == "End Match" and moment.after.is_lost and moment.action.send_type.is_standing


def _make_alert(rule: Rule, moment: Moment, facts: Facts, catalogue: Catalogue) -> Alert:
    try:
        text, fault = rule.alert.text.render(facts), ""
    except TextError as error:
        text, fault = fallback_text(facts), str(error)
    action = moment.action
    return msgspec.structs.replace(
        _make_bare_alert(moment, facts, State.PENDING if action.send_type is SendType.PENDING else State.CONFIRMED),
        rule=rule.name,
        kind=rule.alert.kind,
        importance=rule.alert.importance,
        severity=catalogue.find_type(action.type).severity,
        max_age=rule.alert.max_age.total_seconds(),
        text=text,
        text_error=fault,
        disallows_action=_find_disallowed_action(moment, catalogue),
        conditions={rule.name: check_conditions(rule, moment)},
    )


def _make_follow_up(rule: Rule | None, name: str, moment: Moment, facts: Facts, catalogue: Catalogue) -> Alert:
    """A rule that told of the action and does not fire now: its text anew; taken back where it never speaks of such an action;
    the told text left as it is (an empty one) where the rule itself is gone."""
    if rule is None:
        state = State.PENDING if moment.action.send_type is SendType.PENDING else State.CONFIRMED
        return msgspec.structs.replace(_make_bare_alert(moment, facts, state), rule=name, is_follow_up=True)
    if not rule.may_match_type(moment.action.type):
        return msgspec.structs.replace(_make_retraction(moment, ""), rule=name, is_follow_up=True)
    return msgspec.structs.replace(_make_alert(rule, moment, facts, catalogue), is_follow_up=True)


def _make_retraction(moment: Moment, reason: str) -> Alert:
    return _make_bare_alert(moment, facts_of(moment, reason), State.RETRACTED)


def _make_bare_alert(moment: Moment, facts: Facts, state: State) -> Alert:
    action, match = moment.action, moment.after
    key = AlertKey(action.fixture_id, action.id)
    return Alert(key, action.seq, state, action.at, match.fixture, facts, match.score.home, match.score.away)


def _make_affected_moment(moment: Moment, action: Action) -> Moment:
    """The other action's moment: its own facts, at the instant and place in the order of the action that settled it."""
    now = msgspec.structs.replace(action, seq=moment.action.seq, at=moment.action.at)
    return msgspec.structs.replace(moment, action=now, affected=())


def _find_reason(moment: Moment, record: ActionRecord | None) -> str:
    by = moment.after.records.get(record.retracted_by) if record else None
    return by.action.sub_type if by else ""


def _find_disallowed_action(moment: Moment, catalogue: Catalogue) -> str:
    """The action that this one disallows, now or before; empty for most."""
    disallows = catalogue.find_type(moment.action.type).disallows
    if not disallows:
        return ""
    records = moment.after.records
    linked = [record.action.id for record in moment.affected] + [i for i in moment.action.related if i in records]
    near = (r for r in records.values() if r.is_retracted and r.action.type in disallows and _is_near_in_time(r, moment.action))
    return next(iter(linked), "") or next((r.action.id for r in near), "")


def _is_near_in_time(record: ActionRecord, action: Action) -> bool:
    """Tell whether the action may speak of this goal: same side, same period, a few minutes later at most."""
    one, other = record.action.minute, action.minute
    if one is None or other is None or record.credited is not action.side or record.action.period is not action.period:
        return False
    return 0 <= (other.base + other.added) - (one.base + one.added) <= _MAX_DISALLOWANCE_MINUTES


class Wording(msgspec.Struct, frozen=True):
    """What one language has for texts that are written in English only."""

    language: str
    texts: Mapping[str, str] = {}
    """The sources of texts, by the English ones without what surrounds them."""
    terms: Mapping[str, str] = {}
    """Football's words as they stand inside of a sentence, by the English ones in lower case."""
    shootout_format: str = "{score} pens"
    """The score of a shootout, in brackets in the score of the match."""


def translate_alert(alert: Alert, rules: RuleSet, wordings: Iterable[Wording]) -> Alert:
    """The alert with its text in every language that has one: the rule's own, else a translation of a text that ships."""
    rule = rules.by_name.get(alert.rule)
    if rule is None or not alert.text or alert.text_error:
        return alert
    texts = dict(_fill_languages(rule.alert.text, rule.alert.texts, alert.facts, wordings))
    return msgspec.structs.replace(alert, texts=texts) if texts else alert


def _fill_languages(
    text: AlertText, own: Mapping[str, AlertText], facts: Facts, wordings: Iterable[Wording]
) -> Iterator[tuple[str, str]]:
    known = {wording.language: wording for wording in wordings}
    for language in dict.fromkeys((*own, *known)):
        wording = known.get(language, Wording(language))
        other = own.get(language) or (None if own else _parse_translation(wording.texts.get(text.source.strip(), "")))
        try:
            if other:
                yield language, other.render(_translate_shootout(facts, wording), wording.terms)
        except TextError:
            continue  # its chats read the text that could be filled


def _translate_shootout(facts: Facts, wording: Wording) -> Facts:
    if not facts.shootout:
        return facts
    kicks = wording.shootout_format.format(score=facts.shootout)
    return msgspec.structs.replace(facts, match=facts.match.replace(f"({facts.shootout} pens)", f"({kicks})"))


@lru_cache(1024)
def _parse_translation(source: str) -> AlertText | None:
    return AlertText(source) if source else None
