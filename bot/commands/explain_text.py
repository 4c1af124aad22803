"""The text of `explain`: which rule fires and why, in a screenful, or all about every rule."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import click
import msgspec

from rules.engine.alert import Alert, ConditionResult, Importance, State, format_scoreline
from rules.engine.explain import ActionExplanation, Explanation, RuleVerdict, Verdict
from rules.football.action import Action
from rules.football.match import Moment
from rules.loading.loader import list_packs, load_pack

# The answer to a person fits on one screen. With --all or --json nothing is left out.
_MAX_RULES = 6
"""The most rules of the operator that are shown with the reason why they do not fire."""

_MAX_PACK_RULES = 2
"""The same for rules of packs, which are shown only if nothing is sent: those with the fewest conditions in the way."""

_VERDICT_SIGNS = {
    Verdict.FIRES: click.style("✓", fg="green", bold=True),
    Verdict.FAILS: click.style("✗", fg="red"),
    Verdict.OTHER_ACTION: click.style("·", dim=True),
    Verdict.NOT_ASKED: click.style("·", dim=True),
    Verdict.NOT_NEEDED: click.style("·", dim=True),
}


def format_explanations(explanations: Sequence[Explanation], *, rule: str = "", all_rules: bool = False) -> Iterator[str]:
    """Format explanations as lines of text, for a person who wants to know why.

    Shows only revisions that change something, of each rule what matters, and rules of the operator before those of packs.
    With `rule`, only that rule, with all its conditions; with `all_rules`, every rule at every revision.
    """
    shown: dict[str, Any] = {}
    skipped = 0
    is_first = True
    for explanation in explanations:
        action_id = explanation.moment.action.id
        before, now = shown.get(action_id), _summarise(explanation, rule)
        # Most revisions of an action change nothing that a chat sees.
        if before == now and not all_rules:
            skipped += 1
            continue
        shown[action_id] = now
        if not is_first:
            yield "\n" if all_rules else ""
        is_first = False
        if all_rules:
            yield from _format_whole(explanation)
        elif rule:
            yield from _format_rule(explanation, rule)
        else:
            yield from _format_short(explanation, before)
    if skipped:
        yield f"\n{skipped} more {'revision changes' if skipped == 1 else 'revisions change'} nothing (--all shows them)."


def _summarise(explanation: Explanation, rule: str) -> Any:
    """Return what a reader learns from a revision, as a value: a revision with an equal one is not shown again."""
    # For one rule only the verdict: its conditions name values, such as the minute, that differ without changing anything.
    if rule:
        return [judged.verdict for part in explanation.changes for judged in part.verdicts if judged.rule.name == rule]
    return explanation.reason_for_silence, [
        (
            part.change.is_retraction,
            [judged.rule.name for judged in part.verdicts if judged.verdict is Verdict.FIRES],
            [(alert.rule, alert.kind, alert.importance, alert.state, alert.text) for alert in part.alerts],
        )
        for part in explanation.changes
    ]


def _format_short(explanation: Explanation, before: Any) -> Iterator[str]:
    """Format a revision: the rules that fired, the nearest that did not, and what is sent.

    `before` is the summary of the last revision that was shown, None for the first: its rules are not listed again.
    """
    moment = explanation.moment
    firing = [fired for _, fired, _ in before[1]] if before else []
    was_sent = any(alerts for _, _, alerts in before[1]) if before else False
    yield _format_title(moment.action, moment)
    if before is None:
        yield f"action {moment.action.id}, match {moment.action.fixture_id}"
    if explanation.reason_for_silence:
        yield f"Nothing is sent about it: {explanation.reason_for_silence}."
    for part in explanation.changes:
        if part.change.moment.action is not moment.action:
            yield _format_title(part.change.moment.action, part.change.moment)
        if part.change.is_retraction:
            yield _format_retraction(part)
            continue
        # The same rules fired at the last revision that was shown: their conditions would only repeat it.
        if [judged.rule.name for judged in part.verdicts if judged.verdict is Verdict.FIRES] not in firing:
            yield from _format_verdicts(part)
        if not part.alerts:
            yield f"No rule fires: nothing is sent.{_suggest_packs(part.change.moment)}"
        for alert in part.alerts:
            yield from _format_alert(alert)
        if was_sent and part.alerts and part.change.moment.action is moment.action:
            yield "    Chats that have the message see it edited."


def _format_verdicts(part: ActionExplanation) -> Iterator[str]:
    # `load_pack` gives its rules the bare name of the file as their place.
    pack_files = {f"{name}.yaml" for name in list_packs()}
    own = [judged for judged in part.verdicts if judged.rule.location.file not in pack_files]
    failed_own = [judged for judged in own if judged.verdict is Verdict.FAILS]
    failed_of_packs = [judged for judged in part.verdicts if judged.verdict is Verdict.FAILS and judged not in own]
    # Those with the fewest conditions in the way come nearest; what a pack does not match is of interest only to a silence.
    nearest = sorted(failed_of_packs, key=lambda judged: sum(not one.holds for one in judged.conditions))
    detailed = failed_own[:_MAX_RULES] + (nearest[:_MAX_PACK_RULES] if not part.alerts else [])
    for judged in part.verdicts:
        if judged.verdict is Verdict.FIRES:
            yield from _format_verdict(judged)
        elif any(judged is one for one in detailed):
            yield f"{_VERDICT_SIGNS[judged.verdict]} {judged.rule.name}: {judged.verdict.value}  {_format_place(judged)}"
            yield from _format_conditions(tuple(one for one in judged.conditions if not one.holds), "    ")
    counts = {
        "that {} not fire": len(failed_own) + len(failed_of_packs) - len(detailed),
        "that {} for other actions": sum(judged.verdict is Verdict.OTHER_ACTION for judged in part.verdicts),
    }
    verbs = {"that {} not fire": ("does", "do"), "that {} for other actions": ("is", "are")}
    if hidden := ", ".join(f"{n} {what.format(verbs[what][n > 1])}" for what, n in counts.items() if n):
        yield f"{_VERDICT_SIGNS[Verdict.NOT_ASKED]} not shown: {hidden}"
    yield from _format_unasked(part, {judged.rule.name for judged in own})


def _format_unasked(part: ActionExplanation, own: set[str] | None = None) -> Iterator[str]:
    """Format in one line the rules behind the one that fired: a pack has dozens. `own`: the names that are written out."""
    unasked = [judged for judged in part.verdicts if judged.verdict is Verdict.NOT_ASKED]
    if not unasked:
        return
    names = [judged.rule.name for judged in unasked if own is None or judged.rule.name in own]
    if hidden := len(unasked) - len(names):
        names.append(f"{hidden} of the pack")
    sign = _VERDICT_SIGNS[Verdict.NOT_ASKED]
    yield f'{sign} not evaluated, because "{unasked[0].stopped_by}" fired before: {", ".join(names)}'


def _suggest_packs(moment: Moment) -> str:
    """Return which packs have a rule for what no rule matches."""
    # By the type alone: what is still pending may only have to be confirmed.
    found = [
        name
        for name in sorted(list_packs())
        if any(rule.action_types and rule.may_match_type(moment.action.type) for rule in load_pack(name).rules)
    ]
    return f" These packs have a rule for it: {', '.join(found)}." if found else ""


def _format_rule(explanation: Explanation, name: str) -> Iterator[str]:
    """Format what one rule says of a moment, with all its conditions."""
    for part in explanation.changes:
        yield _format_title(part.change.moment.action, part.change.moment)
        for judged in part.verdicts:
            if judged.rule.name == name and judged.verdict is Verdict.NOT_ASKED:
                yield f'{_VERDICT_SIGNS[judged.verdict]} {name}: not evaluated, because "{judged.stopped_by}" fired before'
            elif judged.rule.name == name:
                yield from _format_verdict(judged)
        if part.change.is_retraction:
            yield _format_retraction(part)
        for alert in part.alerts:
            if alert.rule == name:
                yield from _format_alert(alert)


def _format_whole(explanation: Explanation) -> Iterator[str]:
    """Format everything about one moment."""
    moment = explanation.moment
    yield _format_title(moment.action, moment)
    yield f"action {moment.action.id}, match {moment.action.fixture_id}"
    if explanation.reason_for_silence:
        yield f"\nNothing is sent about it: {explanation.reason_for_silence}."
    for part in explanation.changes:
        yield ""
        # An action may take back or restore others: then each has a title of its own.
        if part.change.moment.action is not moment.action:
            yield _format_title(part.change.moment.action, part.change.moment)
        yield from _format_action(part)


def _format_title(action: Action, moment: Moment) -> str:
    minute = f"{action.minute}' " if action.minute else ""
    sub = f" ({action.sub_type})" if action.sub_type else ""
    who = ", ".join(filter(None, (action.player.name if action.player else "", action.team.name if action.team else "")))
    title = f"{minute}{action.type}{sub}, {action.send_type.value.lower()}{f': {who}' if who else ''}"
    return f"{click.style(title, bold=True)}    {format_scoreline(moment.after.fixture, moment.score, moment.shootout)}"


def _format_action(part: ActionExplanation) -> Iterator[str]:
    if part.change.is_retraction:
        yield _format_retraction(part)
        return
    if not part.verdicts:
        yield "There are no rules."
    for judged in part.verdicts:
        yield from _format_verdict(judged)
    yield from _format_unasked(part)
    yield ""
    if not part.alerts:
        yield "No rule fires: nothing is sent."
    for alert in part.alerts:
        yield from _format_alert(alert)


def _format_retraction(part: ActionExplanation) -> str:
    why = f" ({part.change.reason})" if part.change.reason else ""
    return f"It is retracted{why}: every chat that got the alert gets the retraction, and no rule is evaluated."


def _format_place(judged: RuleVerdict) -> str:
    return click.style(str(judged.rule.location), dim=True)


def _format_verdict(judged: RuleVerdict) -> Iterator[str]:
    name = f"{_VERDICT_SIGNS[judged.verdict]} {judged.rule.name}"
    place = _format_place(judged)
    if judged.verdict is Verdict.NOT_ASKED:
        return
    if judged.verdict is Verdict.OTHER_ACTION:
        # The rule's condition on the type says which actions it is for.
        expected = next((check.expected for check in judged.conditions if check.key == "action_type"), "other actions")
        yield f"{name}: matches {expected}  {place}"
    else:
        yield f"{name}: {judged.verdict.value}  {place}"
        yield from _format_conditions(judged.conditions, "    ")


def _format_conditions(checks: tuple[ConditionResult, ...], indent: str) -> Iterator[str]:
    for check in checks:
        sign = click.style("✓", fg="green") if check.holds else click.style("✗", fg="red")
        if not check.groups:
            yield f"{indent}{sign} {check.key}: {check.expected}; it is {check.actual or 'nothing'}"
            continue
        yield f"{indent}{sign} {check.key}:"
        for number, group in enumerate(check.groups, start=1):
            if len(check.groups) > 1:
                yield f"{indent}    {number}."
            yield from _format_conditions(group, f"{indent}    ")


def _format_alert(alert: Alert) -> Iterator[str]:
    # A revision for which another rule fires is only for chats that have the message already.
    to = ", only to chats that got the alert before" if alert.is_follow_up else ""
    state = "" if alert.state is State.CONFIRMED else f", {alert.state.value}"
    # A message that stands in chats keeps its text when its rule is gone, and has no kind any more.
    if not alert.kind:
        yield f'The rule "{alert.rule}" does not exist any more: its text stays{to}'
        return
    # What a chat hears: what the feed collected offline is no live news, and silent however important it is.
    sound = "loud" if alert.importance is Importance.MAJOR and not alert.is_delayed else "silent"
    yield f'"{alert.rule}" sends{to}: {alert.kind}, {alert.importance.value} ({sound}){state}'
    yield from (f"    {line}" for line in alert.text.splitlines())
    if alert.text_error:
        yield f"    its own text could not be used: {alert.text_error}"


def explanation_to_json(explanation: Explanation) -> str:
    """Format the explanation of one moment as a JSON object in one line. The keys are those of version 0.1."""
    action = explanation.moment.action
    data = _action_to_dict(action) | {
        "fixture_id": action.fixture_id,
        "match": format_scoreline(explanation.moment.after.fixture, explanation.moment.score, explanation.moment.shootout),
        "silence": explanation.reason_for_silence,
        "told": [_part_to_dict(part) for part in explanation.changes],
    }
    return msgspec.json.encode(data).decode()


def _action_to_dict(action: Action) -> dict[str, Any]:
    return {
        "action_id": action.id,
        "action_type": action.type,
        "sub_action_type": action.sub_type,
        "send_type": action.send_type.value,
        "minute": str(action.minute or "") or None,
        "team": action.team.name if action.team else None,
        "player": action.player.name if action.player else None,
    }


def _part_to_dict(part: ActionExplanation) -> dict[str, Any]:
    return _action_to_dict(part.change.moment.action) | {
        "taken_back": part.change.is_retraction,
        "reason": part.change.reason,
        "rules": [_verdict_to_dict(judged) for judged in part.verdicts],
        "alerts": [
            {"rule": a.rule, "kind": a.kind, "state": a.state.value, "importance": a.importance.value, "text": a.text}
            for a in part.alerts
        ],
    }


def _verdict_to_dict(judged: RuleVerdict) -> dict[str, Any]:
    return {
        "name": judged.rule.name,
        "place": str(judged.rule.location),
        "verdict": judged.verdict.value,
        "after": judged.stopped_by or None,
        "checks": [_condition_to_dict(condition) for condition in judged.conditions],
    }


def _condition_to_dict(condition: ConditionResult) -> dict[str, Any]:
    return {
        "key": condition.key,
        "wanted": condition.expected,
        "seen": condition.actual,
        "holds": condition.holds,
        "groups": [[_condition_to_dict(one) for one in group] for group in condition.groups],
    }
