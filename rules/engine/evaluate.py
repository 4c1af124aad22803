"""Turns a moment into alerts, and renders their texts in every language."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from operator import attrgetter

import msgspec

from rules.engine.alert import Alert, AlertKey, Facts, Importance, State, make_facts
from rules.engine.rule import Rule, RuleSet, check_conditions
from rules.engine.text import AlertText, TextError, Wording, make_fallback_text
from rules.football.action import Action, SendType, Side
from rules.football.catalogue import Catalogue, load_catalogue
from rules.football.corrections.repeated_reports import find_reporting_action
from rules.football.corrections.rewind import rewind_to_action
from rules.football.corrections.unconfirmed import NOT_CONFIRMED
from rules.football.corrections.video_checks import find_check_outcome
from rules.football.match import ActionRecord, Match, Moment, Score, is_struck_as_unconfirmed
from rules.football.match_facts import count_player_goals, list_scorers
from rules.football.minute import Period
from rules.football.substitutions import list_substitutions

NotifiedRules = Mapping[str, Collection[str]]
"""By action id, the names of the rules whose alert about the action was sent to some chat."""

_MAX_DISALLOWANCE_MINUTES = 10
"""Minutes within which a disallowance that is not linked to a goal is taken to mean a retracted goal."""


class ActionChange(msgspec.Struct, frozen=True):
    """One action to notify of: the moment's own, one that it retracted or restored, a goal after it, or a change of coverage."""

    moment: Moment
    is_retraction: bool = False
    """True: the action did not happen after all. Chats that have the message get a retraction; no rule is evaluated."""
    reason: str = ""
    """Why it was retracted; empty if the feed gives no reason."""
    is_follow_up: bool = False
    """True: it is no news, and only corrects the messages that chats have of it."""
    is_rewording: bool = False
    """True: nothing happened to the action itself, so that only chats that have its message are notified."""


def evaluate(
    rules: RuleSet, moment: Moment, notified: NotifiedRules | None = None, catalogue: Catalogue | None = None
) -> tuple[Alert, ...]:
    """Return the alerts of a moment. Raises nothing.

    First those of its action, in the order of the rules, then those of actions that it retracted or restored. Alerts with the
    same key are alternatives: a chat gets the first whose kind it accepts.
    """
    catalogue = catalogue or load_catalogue()
    return tuple(alert for change in list_changes(moment) for alert in make_alerts(rules, change, notified or {}, catalogue))


def list_changes(moment: Moment) -> list[ActionChange]:
    """Return the actions that a moment may notify of, in order; none for a repetition.

    An action that is no news itself, such as a second End Match, can still change the messages about others.
    """
    changes: list[ActionChange] = []
    if moment.coverage_change is not None:
        changes.append(ActionChange(msgspec.structs.replace(moment, action=moment.coverage_change, affected=())))
    for record in moment.settled:
        # What was never confirmed is retracted. What stands is minutes old, and no news for chats that wait for confirmations.
        then = msgspec.structs.replace(moment, action=_revise(record, moment), affected=(), settled=())
        reason = NOT_CONFIRMED if record.is_retracted else ""
        changes.append(ActionChange(then, record.is_retracted, reason, is_follow_up=not record.is_retracted))
    if moment.is_news and not is_end_without_full_time(moment) and not (moment.record and moment.record.repeats):
        changes.append(_make_own_change(moment))
    for record in moment.affected:
        is_retraction = record.is_retracted or record.action.send_type.is_retraction
        # The sub type of a disallowance is its reason, such as Offside. What the score alone took back has none.
        reason = moment.action.sub_type if record.retracted_by == moment.action.id else ""
        then = msgspec.structs.replace(moment, action=_revise(record, moment), affected=())
        changes.append(ActionChange(then, is_retraction, reason))
    before, after = moment.before, moment.after
    # Nearly every packet: nothing that was recorded has changed, so that only the time or the score can change older messages.
    is_unrecorded = after.records is before.records and not (moment.affected or moment.settled)
    is_unrecorded = is_unrecorded and moment.action.id not in after.records and after.unshown_goals == before.unshown_goals
    has_same_score = after.score == before.score and after.shootout == before.shootout
    if is_unrecorded and has_same_score and after.minute == before.minute:
        return changes
    for record in _find_reworded(moment):
        changes.append(ActionChange(msgspec.structs.replace(moment, action=_revise(record, moment), affected=())))
    for record in _find_outdated_scores(moment):
        stood = rewind_to_action(moment.after, record)
        changes.append(ActionChange(Moment(stood, _revise(record, moment), stood), is_rewording=True))
    return changes


def _make_own_change(moment: Moment) -> ActionChange:
    """Return the change of the moment's own action."""
    action, record = moment.action, moment.record
    is_retraction = action.send_type.is_retraction or bool(record and record.is_retracted)
    retracted_by = moment.after.records.get(record.retracted_by) if record else None
    reason = ""
    if is_struck_as_unconfirmed(record):
        reason = NOT_CONFIRMED
    elif is_retraction and retracted_by:
        reason = retracted_by.action.sub_type
    known = moment.before.records.get(action.id)
    if known and known.settled_at >= action.seq:
        # It comes late: at the break chats got "was not confirmed", and this revision has to be newer than that one.
        moment = msgspec.structs.replace(moment, action=msgspec.structs.replace(action, seq=known.settled_at + 1))
    return ActionChange(moment, is_retraction, reason)


def _revise(record: ActionRecord, moment: Moment) -> Action:
    """Return a recorded action with its own facts, and the number and time of the action that changed it."""
    # The feed sent no revision of it. With this number the outbox takes it for a newer one.
    return msgspec.structs.replace(record.action, seq=moment.action.seq, at=moment.action.at)


_read_goal_fields = attrgetter("score", "shootout", "unshown_goals")


def _find_reworded(moment: Moment) -> list[ActionRecord]:
    """Return the actions whose alerts say something else now, though the feed sent no revision of them.

    These are the goals after one that was retracted, restored or given to the other side, video checks with another outcome, and
    substitutions whose other player is named only now.
    """
    before, after, changed = moment.before, moment.after, _list_changed_ids(moment)
    types = {after.records[one].action.type for one in changed if one in after.records}
    reworded = []
    if not types.isdisjoint(("Substitution In", "Substitution Out")):
        # Two actions, one message: the action that names the other player changes the message of the first.
        off, off_now = ({one.action.id: one.goes for one in list_substitutions(match)} for match in (before, after))
        renamed = [i for i in off_now if i in off and i not in changed and off[i] != off_now[i]]
        reworded = [after.records[i] for i in renamed if after.records[i].action.type == "Substitution In"]
    # What a goal's alert says follows from the records and these fields alone: nearly every packet leaves them as they are.
    may_reword_goals = before.records is not after.records or _read_goal_fields(before) != _read_goal_fields(after)
    # A check is settled by time too: it is looked at again in each new minute.
    if not may_reword_goals and before.minute == after.minute:
        return reworded
    reported = _subtract_unreported_goals(before, after) if may_reword_goals else after
    for record in after.records.values():
        known = before.records.get(record.action.id)
        if known is None or record.is_retracted or record.repeats or record.action.id in changed:
            continue
        if (
            may_reword_goals
            and record.action.type == "Goal"
            and (
                before.score_made_by(known) != reported.score_made_by(record)
                or count_player_goals(before, known.action) != count_player_goals(after, record.action)
            )
        ):
            reworded.append(record)
        if record.action.type == "Video Check Over" and find_check_outcome(before, known) != find_check_outcome(after, record):
            reworded.append(record)
    return reworded


def _subtract_unreported_goals(before: Match, after: Match) -> Match:
    """Return the match after a packet without the goals and kicks with which the score rose, and that no packet has reported.

    They were scored after those that chats know, and so change none of their scores. Their own packets may come next.
    """

    def without(score: Score, *, is_kick: bool) -> Score:
        new = (_count_unreported(after, side, is_kick) - _count_unreported(before, side, is_kick) for side in Side)
        return Score(*(score.goals_of(side) - max(0, count) for side, count in zip(Side, new, strict=True)))

    shootout = None if after.shootout is None else without(after.shootout, is_kick=True)
    return msgspec.structs.replace(after, score=without(after.score, is_kick=False), shootout=shootout)


def _count_unreported(match: Match, side: Side, is_kick: bool) -> int:
    """Return how many goals of a side, or kicks of the shootout, the score has more than stand."""
    score = (match.shootout if is_kick else match.score) or Score()
    goals = (r for r in match.records.values() if r.is_standing and r.action.type == "Goal" and r.credited is side)
    return max(0, score.goals_of(side) - sum((r.action.period is Period.SHOOTOUT) is is_kick for r in goals))


def _list_changed_ids(moment: Moment) -> set[str]:
    """Return the ids of the actions that have a change of their own in this moment, and so need no other."""
    return {moment.action.id, *(record.action.id for record in (*moment.affected, *moment.settled))}


_PERIOD_MARKERS = ("Start Period", "End Period", "End Match")
"""Action types whose alerts show how a part of the match ended."""


def _find_outdated_scores(moment: Moment) -> list[ActionRecord]:
    """Return the actions whose alerts show a wrong score: an earlier goal was retracted, was restored or changed its side.

    Half time, full time and other ends of periods are corrected whatever changes, the names of scorers included. Other alerts
    only if a side has fewer goals than before: a card beside a pending goal is not worth an edit when that goal is confirmed.
    """
    before, after = moment.before, moment.after
    # With the goals of a flap of the score that is over: what was sent during the flap is corrected after it.
    changed = _list_changed_ids(moment) | (before.unshown_goals.keys() - after.unshown_goals.keys())
    if not any(one.action.type == "Goal" for match in (before, after) for one in map(match.records.get, changed) if one):
        return [end for end in _find_outdated_end(before, after) if end.action.id not in changed]
    outdated = []
    for record in after.records.values():
        known = before.records.get(record.action.id)
        is_own_news = record.action.type == "Goal" or record.action.id in changed
        if known is None or is_own_news or record.is_retracted or record.repeats:
            continue
        was, now = rewind_to_action(before, known), rewind_to_action(after, record)
        if record.action.type in _PERIOD_MARKERS:
            if (was.score, was.shootout, list_scorers(was)) != (now.score, now.shootout, list_scorers(now)):
                outdated.append(record)
        elif any(_has_fallen(one, other) for one, other in ((was.score, now.score), (was.shootout, now.shootout))):
            outdated.append(record)
    return outdated


def _find_outdated_end(before: Match, after: Match) -> list[ActionRecord]:
    """Return the full time of a match whose result has changed without a goal: by a summary, or by a second end."""
    # A lower score may be a flap. If it lasts, the goal that it leaves out is struck, and that corrects full time.
    if after.unshown_goals:
        return []
    end = after.records.get(after.ended_by) if after.ended_by == before.ended_by else None
    if end is None or after.is_lost or after.is_suspended or (before.score, before.shootout) == (after.score, after.shootout):
        return []
    return [end]


def _has_fallen(before: Score | None, after: Score | None) -> bool:
    """Return True if a side has fewer goals, or kicks, than before."""
    return before is not None and after is not None and (after.home < before.home or after.away < before.away)


def make_alerts(rules: RuleSet, change: ActionChange, notified: NotifiedRules, catalogue: Catalogue) -> tuple[Alert, ...]:
    """Return the alerts about one action: of the rules that fire, then one for each other rule that sent it before."""
    moment = change.moment
    if change.is_retraction:
        return (_make_retraction(moment, change.reason),)
    firing = [] if change.is_follow_up else rules.find_matching(moment)
    # A change of coverage is an action that is sent once and never revised, so no earlier message has to follow it.
    names = () if moment.action is moment.coverage_change else notified.get(moment.action.id, ())
    if change.is_rewording:
        firing = [rule for rule in firing if rule.name in names]
    if not firing and not names:
        return ()
    facts = make_facts(moment)  # once for all rules that fire
    alerts = [_make_alert(rule, moment, facts, catalogue) for rule in firing]
    others = [name for name in names if name not in {rule.name for rule in firing}]
    return tuple(alerts + [_make_follow_up(rules.by_name.get(name), name, moment, facts, catalogue) for name in others])


def is_end_without_full_time(moment: Moment) -> bool:
    """Return True for an End Match that is not a full time: the match was abandoned, or its coverage dropped (section 10.3)."""
    return (
        moment.action.type == "End Match"
        and (moment.after.is_lost or moment.after.is_suspended)
        and moment.action.send_type.is_standing
    )


def _make_alert(rule: Rule, moment: Moment, facts: Facts, catalogue: Catalogue) -> Alert:
    try:
        text, text_error = rule.alert.text.render(facts), ""
    except TextError as error:
        # The news matters more than its form: a plain text is sent, and the pipeline logs the error.
        text, text_error = make_fallback_text(facts), str(error)
    return msgspec.structs.replace(
        _make_bare_alert(moment, facts, _find_state(moment)),
        rule=rule.name,
        kind=rule.alert.kind,
        # What was collected offline is no live news (section 10.6).
        importance=Importance.MINOR if moment.action.is_delayed else rule.alert.importance,
        severity=catalogue.find_type(moment.action.type).severity,
        max_age=rule.alert.max_age.total_seconds(),
        text=text,
        text_error=text_error,
        disallows_action=_find_disallowed_action(moment, catalogue),
        conditions={rule.name: check_conditions(rule, moment)},
    )


def _make_follow_up(rule: Rule | None, name: str, moment: Moment, facts: Facts, catalogue: Catalogue) -> Alert:
    """Make the alert for chats that have a message by a rule that does not fire now.

    Its text is rendered anew. If the rule is gone, the text that was sent stays (an empty one). If the action has changed its
    type to one that the rule never matches, the message is retracted.
    """
    if rule is None:
        return msgspec.structs.replace(_make_bare_alert(moment, facts, _find_state(moment)), rule=name, is_follow_up=True)
    if not rule.may_match_type(moment.action.type):
        return msgspec.structs.replace(_make_retraction(moment, ""), rule=name, is_follow_up=True)
    return msgspec.structs.replace(_make_alert(rule, moment, facts, catalogue), is_follow_up=True)


def _make_retraction(moment: Moment, reason: str) -> Alert:
    return _make_bare_alert(moment, make_facts(moment, reason), State.RETRACTED)


def _make_bare_alert(moment: Moment, facts: Facts, state: State) -> Alert:
    action = moment.action
    key = AlertKey(action.fixture_id, action.id)
    scores = (facts.home_score, facts.away_score)
    return Alert(key, action.seq, state, action.at, moment.after.fixture, facts, *scores, is_delayed=action.is_delayed)


def _find_state(moment: Moment) -> State:
    return State.PENDING if moment.action.send_type is SendType.PENDING else State.CONFIRMED


def _find_disallowed_action(moment: Moment, catalogue: Catalogue) -> str:
    """Return the id of the action that this one disallows, now or in an earlier revision; empty for most actions."""
    disallows = catalogue.find_type(moment.action.type).disallows
    if not disallows:
        return ""
    records = moment.after.records
    linked = [record.action.id for record in moment.affected] + [
        find_reporting_action(records, i) for i in moment.action.related if i in records
    ]
    if linked:
        return linked[0]
    # API version 1 links no goal, and the goal may have been deleted by a revision of its own before: take one that is
    # retracted and near in time.
    retracted = (r for r in records.values() if r.is_retracted and not r.repeats and r.action.type in disallows)
    return next((r.action.id for r in retracted if _is_near_in_time(r, moment.action)), "")


def _is_near_in_time(record: ActionRecord, action: Action) -> bool:
    """Return True if the action may mean this goal: same side, same period, a few minutes later at most."""
    goal, now = record.action, action
    if goal.minute is None or now.minute is None or record.credited is not now.side or goal.period is not now.period:
        return False
    return 0 <= now.minute.total - goal.minute.total <= _MAX_DISALLOWANCE_MINUTES


def translate_alert(alert: Alert, rules: RuleSet, wordings: Iterable[Wording]) -> Alert:
    """Return the alert with its text in every language: the rule's own text, else the translation of a text that ships."""
    rule = rules.by_name.get(alert.rule)
    if rule is None or not alert.text or alert.text_error:
        return alert
    text, own = rule.alert.text, rule.alert.texts
    by_language = {wording.language: wording for wording in wordings}
    texts: dict[str, str] = {}
    for language in dict.fromkeys((*own, *by_language)):
        wording = by_language.get(language, Wording(language))
        # A rule that gives its text in several languages of its own is not translated into others.
        shipped = None if own else _parse_translation(wording.texts.get(text.source.strip(), ""))
        other = own.get(language) or own.get(wording.base) or shipped
        try:
            if other:
                texts[language] = other.render(alert.facts, wording)
        except TextError:
            continue  # Chats of this language get the English text, which could be rendered.
    return msgspec.structs.replace(alert, texts=texts) if texts else alert


# Compiling a template costs far more than rendering it; the texts that ship are a few hundred in all languages.
@lru_cache(1024)
def _parse_translation(source: str) -> AlertText | None:
    return AlertText(source) if source else None
