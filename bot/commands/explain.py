"""The command `explain`: finds the packets and prints, as text or JSON, why each rule fires or not."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import click
import msgspec

from bot.commands.common import config_option, is_default, read_minute
from bot.errors import FrameUnreadable, UserMistake
from bot.feed.decode import Control, decode_frame
from bot.feed.match_source import MatchSource, open_match, read_packets_of
from bot.feed.recording import read_fixtures_beside
from rules.engine.alert import Alert, ConditionResult, State, scoreline
from rules.engine.evaluate import evaluate
from rules.engine.explain import ActionExplanation, Explanation, RuleVerdict, Verdict, explain
from rules.engine.rule import RuleSet
from rules.football.action import Action, Fixture, Packet
from rules.football.advance import advance
from rules.football.catalogue import Catalogue
from rules.football.match import Match, Moment
from rules.football.minute import Minute


@click.command()
@config_option
@click.option("--recording", metavar="MATCH", help="Explain what happens in this match instead: a recording, scenario or opener.")
@click.option("--minute", "minute_text", help="Of the recording: a minute such as 67 or 45+2.")
@click.option("--action", "action_id", default="", help="Of the recording: one action, by its id.")
@click.option("--json", "json_lines", is_flag=True, help="One JSON object a line.")
@click.argument("action_json", required=False, type=click.Path(path_type=Path))
@click.pass_context
def explain_command(
    ctx: click.Context,
    config_path: Path,
    recording: str | None,
    minute_text: str | None,
    action_id: str,
    json_lines: bool,
    action_json: Path | None,
) -> None:
    """Say of every rule why it fires or not, for a packet in ACTION_JSON (the last, where it is a list), or in a recording."""
    from bot.config.load import load_rules_of

    minute = read_minute(minute_text)
    # Exactly one of the two.
    if (recording is None) is (action_json is None):
        raise click.UsageError("name a file with an action, or a recording by --recording FILE")
    if recording is not None and minute is None and not action_id:
        raise click.UsageError("--recording needs --minute, --action or both")
    rules, catalogue = load_rules_of(config_path, os.environ, optional=is_default(ctx, "config_path"))
    if recording is not None:
        explanations = explain_match(open_match(recording), rules, catalogue, minute, action_id)
    else:
        explanations = explain_file(cast(Path, action_json), rules, catalogue)
    for number, explanation in enumerate(explanations):
        if json_lines:
            click.echo(explanation_to_json(explanation))
        else:  # two empty lines between explanations
            click.echo("\n".join(["\n"] * bool(number) + list(format_explanation(explanation))))


def explain_file(path: Path, rules: RuleSet, catalogue: Catalogue) -> list[Explanation]:
    """Explain the last of the packets in a JSON file, those before it played first; raise UserMistake."""
    packets = _read_packets(path)
    last = len(packets) - 1
    # By position and not by id: a list may contain several revisions of one action.
    numbers = iter(range(len(packets)))
    return _explain_packets(packets, read_fixtures_beside(path), rules, catalogue, lambda _: next(numbers) == last)


def explain_match(
    match: MatchSource, rules: RuleSet, catalogue: Catalogue, minute: Minute | None, action_id: str
) -> list[Explanation]:
    """Explain every revision of one action, or all actions in a minute that rules cover; raise UserMistake if there is none."""
    seen: Counter[str] = Counter()

    def is_selected(moment: Moment) -> bool:
        if minute is not None and moment.action.minute != minute:
            return False
        seen[moment.action.type] += 1
        if action_id:
            return moment.action.id == action_id
        # A minute has dozens of packets (ball in play, throw-ins): only those are explained of which a rule names the type, or
        # which take something back.
        named = any(rule.action_types and rule.may_match_type(moment.action.type) for rule in rules.rules)
        return named or bool(moment.coverage_change or moment.affected)

    found = _explain_packets(read_packets_of(match), match.read_fixtures(), rules, catalogue, is_selected)
    if not found:
        when = f" in minute {minute}" if minute is not None else ""
        if action_id:
            raise UserMistake(f"{match.name}: there is no action {action_id}{when}")
        # What did happen helps to find the right minute, or the type that a rule has to name.
        happened = ", ".join(f"{name} ({number})" for name, number in seen.most_common(8)) or "nothing at all"
        raise UserMistake(f"{match.name}: no rule matches what happened{when}: {happened}; name an action by --action ID")
    return found


def _explain_packets(
    packets: Iterable[Packet],
    fixtures: Mapping[str, Fixture],
    rules: RuleSet,
    catalogue: Catalogue,
    is_selected: Callable[[Moment], bool],
) -> list[Explanation]:
    """Play the packets as `run` does, and explain the moments for which `is_selected` returns true."""
    matches: dict[str, Match] = {}
    notified_rules: defaultdict[str, set[str]] = defaultdict(set)
    found: list[Explanation] = []
    for packet in packets:
        match = matches.get(packet.fixture_id) or Match(fixtures.get(packet.fixture_id, Fixture(packet.fixture_id)))
        moment = advance(match, packet, catalogue)
        matches[packet.fixture_id] = moment.after
        if is_selected(moment):
            # Explained before it is evaluated: `explain` must see which rules had fired until then. The sets are copied, since
            # they grow.
            found.append(explain(rules, moment, {key: set(value) for key, value in notified_rules.items()}, catalogue))
        for alert in evaluate(rules, moment, notified_rules, catalogue):
            # A retraction has no rule.
            if alert.rule:
                notified_rules[alert.key.action_id].add(alert.rule)
    return found


def _read_packets(path: Path) -> list[Packet]:
    """Read one packet as the feed sends it or as a line of a recording, or a list of them."""
    data = _read_json(path)
    packets = [_decode_packet(path, one) for one in (data if isinstance(data, list) else [data])]
    if not packets:
        raise UserMistake(f"{path}: the list is empty")
    return packets


def _read_json(path: Path) -> Any:
    try:
        return msgspec.json.decode(path.read_bytes())
    except OSError as error:
        raise UserMistake(f"{path}: it cannot be read: {(error.strerror or 'unknown trouble').lower()}") from error
    except msgspec.DecodeError as error:
        raise UserMistake(f"{path}: this is not JSON: {error}") from error


def _decode_packet(path: Path, data: Any) -> Packet:
    try:
        packet = decode_frame(msgspec.json.encode(data["frame"] if isinstance(data, dict) and "frame" in data else data))
    # One sentence of the decoder: the file comes from a person, who needs no traceback.
    except FrameUnreadable as error:
        raise UserMistake(f"{path}: this is no packet of the feed: {error.reason}") from error
    if isinstance(packet, Control):
        raise UserMistake(f"{path}: this frame carries no action")
    return packet


_VERDICT_SIGNS = {
    Verdict.FIRES: click.style("✓", fg="green", bold=True),
    Verdict.FAILS: click.style("✗", fg="red"),
    Verdict.OTHER_ACTION: click.style("·", dim=True),
    Verdict.NOT_ASKED: click.style("·", dim=True),
    Verdict.NOT_NEEDED: click.style("·", dim=True),
}


def format_explanation(explanation: Explanation) -> Iterator[str]:
    """Format the explanation of one moment as lines of text."""
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
    said = f"{minute}{action.type}{sub}, {action.send_type.value.lower()}{f': {who}' if who else ''}"
    return f"{click.style(said, bold=True)}    {scoreline(moment.after.fixture, moment.score, moment.shootout)}"


def _format_action(part: ActionExplanation) -> Iterator[str]:
    if part.change.is_retraction:
        why = f" ({part.change.reason})" if part.change.reason else ""
        yield f"It is retracted{why}: every chat that got the alert gets the retraction, and no rule is evaluated."
        return
    if not part.verdicts:
        yield "There are no rules."
    for judged in part.verdicts:
        yield from _format_verdict(judged)
    # In one line at the end: a pack has dozens of rules behind the one that fired.
    if unasked := [judged for judged in part.verdicts if judged.verdict is Verdict.NOT_ASKED]:
        sign, names = _VERDICT_SIGNS[Verdict.NOT_ASKED], ", ".join(judged.rule.name for judged in unasked)
        yield f'{sign} not evaluated, because "{unasked[0].stopped_by}" fired before: {names}'
    yield ""
    if not part.alerts:
        yield "No rule fires: nothing is sent."
    for alert in part.alerts:
        yield from _format_alert(alert)


def _format_verdict(judged: RuleVerdict) -> Iterator[str]:
    name = f"{_VERDICT_SIGNS[judged.verdict]} {judged.rule.name}"
    place = click.style(str(judged.rule.location), dim=True)
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
    if not alert.kind:
        yield f'The rule "{alert.rule}" does not exist any more: its text stays{to}'
        return
    yield f'"{alert.rule}" sends{to}: {alert.kind}, {alert.importance.value}{state}'
    yield from (f"    {line}" for line in alert.text.splitlines())
    if alert.text_error:
        yield f"    its own text could not be used: {alert.text_error}"


def explanation_to_json(explanation: Explanation) -> str:
    """Format the explanation of one moment as a JSON object in one line. The keys are those of version 0.1."""
    action = explanation.moment.action
    data = _action_to_dict(action) | {
        "fixture_id": action.fixture_id,
        "match": scoreline(explanation.moment.after.fixture, explanation.moment.score, explanation.moment.shootout),
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
