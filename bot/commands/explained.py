"""An explanation in words, or as JSON. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click
import msgspec

from rules.action import Action
from rules.alert import Alert, State
from rules.explain import Checked, Explanation, Judged, Part, Verdict
from rules.facts import scoreline
from rules.match import Moment

_SIGNS = {
    Verdict.FIRES: click.style("✓", fg="green", bold=True),
    Verdict.FAILS: click.style("✗", fg="red"),
    Verdict.OTHER_ACTION: click.style("·", dim=True),
    Verdict.NOT_ASKED: click.style("·", dim=True),
    Verdict.NOT_NEEDED: click.style("·", dim=True),
}


def lines(explanation: Explanation) -> Iterator[str]:
    """Everything about one moment, for people."""
    moment = explanation.moment
    yield _title(moment.action, moment)
    yield f"action {moment.action.id}, match {moment.action.fixture_id}"
    if explanation.silence:
        yield f"\nNothing is told of it: {explanation.silence}."
    for part in explanation.told:
        yield ""
        if part.news.moment.action is not moment.action:
            yield _title(part.news.moment.action, part.news.moment)
        yield from _part(part)


def _title(action: Action, moment: Moment) -> str:
    minute = f"{action.minute}' " if action.minute else ""
    sub = f" ({action.sub_type})" if action.sub_type else ""
    who = ", ".join(filter(None, (action.player.name if action.player else "", action.team.name if action.team else "")))
    said = f"{minute}{action.type}{sub}, {action.send_type.value.lower()}{f': {who}' if who else ''}"
    return f"{click.style(said, bold=True)}    {scoreline(moment.after)}"


def _part(part: Part) -> Iterator[str]:
    if part.news.taken_back:
        why = f" ({part.news.reason})" if part.news.reason else ""
        yield f"It is taken back{why}: whoever was told of it is told so, and no rule is asked."
        return
    if not part.rules:
        yield "There are no rules."
    for judged in part.rules:
        yield from _rule(judged)
    if unasked := [judged for judged in part.rules if judged.verdict is Verdict.NOT_ASKED]:
        sign = _SIGNS[Verdict.NOT_ASKED]
        yield f'{sign} not asked, as "{unasked[0].after}" fired before: {", ".join(one.rule.name for one in unasked)}'
    yield ""
    if not part.alerts:
        yield "No rule fires: nothing is told."
    for alert in part.alerts:
        yield from _alert(alert)


def _rule(judged: Judged) -> Iterator[str]:
    name = f"{_SIGNS[judged.verdict]} {judged.rule.name}"
    place = click.style(str(judged.rule.place), dim=True)
    if judged.verdict is Verdict.NOT_ASKED:
        return
    if judged.verdict is Verdict.OTHER_ACTION:
        yield f"{name}: {_other(judged)}  {place}"
    else:
        yield f"{name}: {judged.verdict.value}  {place}"
        yield from _checks(judged.checks, "    ")


def _other(judged: Judged) -> str:
    asked = next((check for check in judged.checks if check.key == "action_type"), None)
    return f"speaks of {asked.wanted}" if asked else "speaks of other actions"


def _checks(checks: tuple[Checked, ...], indent: str) -> Iterator[str]:
    for check in checks:
        sign = click.style("✓", fg="green") if check.holds else click.style("✗", fg="red")
        if not check.groups:
            yield f"{indent}{sign} {check.key}: {check.wanted}; it is {check.seen or 'nothing'}"
            continue
        yield f"{indent}{sign} {check.key}:"
        for number, group in enumerate(check.groups, start=1):
            if len(check.groups) > 1:
                yield f"{indent}    {number}."
            yield from _checks(group, f"{indent}    ")


def _alert(alert: Alert) -> Iterator[str]:
    to = ", only to those who were told of it" if alert.follow_up else ""
    state = "" if alert.state is State.CONFIRMED else f", {alert.state.value}"
    if not alert.kind:
        yield f'The rule "{alert.rule}" is not there any more: its text stays{to}'
        return
    yield f'"{alert.rule}" tells{to}: {alert.kind}, {alert.importance.value}{state}'
    yield from (f"    {line}" for line in alert.text.splitlines())
    if alert.fault:
        yield f"    its own text could not be used: {alert.fault}"


def as_json(explanation: Explanation) -> str:
    """The same as one object, one line."""
    action = explanation.moment.action
    data = _action(action) | {
        "fixture_id": action.fixture_id,
        "match": scoreline(explanation.moment.after),
        "silence": explanation.silence,
        "told": [_part_data(part) for part in explanation.told],
    }
    return msgspec.json.encode(data).decode()


def _action(action: Action) -> dict[str, Any]:
    return {
        "action_id": action.id,
        "action_type": action.type,
        "sub_action_type": action.sub_type,
        "send_type": action.send_type.value,
        "minute": str(action.minute or "") or None,
        "team": action.team.name if action.team else None,
        "player": action.player.name if action.player else None,
    }


def _part_data(part: Part) -> dict[str, Any]:
    return _action(part.news.moment.action) | {
        "taken_back": part.news.taken_back,
        "reason": part.news.reason,
        "rules": [_rule_data(judged) for judged in part.rules],
        "alerts": [
            {"rule": a.rule, "kind": a.kind, "state": a.state.value, "importance": a.importance.value, "text": a.text}
            for a in part.alerts
        ],
    }


def _rule_data(judged: Judged) -> dict[str, Any]:
    return {
        "name": judged.rule.name,
        "place": str(judged.rule.place),
        "verdict": judged.verdict.value,
        "after": judged.after or None,
        "checks": [msgspec.to_builtins(check) for check in judged.checks],
    }
