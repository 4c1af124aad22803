"""The command `explain`: finds the packets, and explains why each rule fires or not."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click
import msgspec

from bot.commands.common import config_option, is_default, read_minute
from bot.commands.explain_text import explanation_to_json, format_explanations
from bot.errors import FrameUnreadable, UserMistake, explain_file_error
from bot.feed.decode import Control, decode_frame
from bot.feed.match_source import MatchSource, ScenarioMatch, open_match, read_packets_of
from bot.feed.recording import read_fixtures_beside
from rules.engine.evaluate import evaluate
from rules.engine.explain import Explanation, explain
from rules.engine.rule import RuleSet
from rules.football.action import Fixture, Packet
from rules.football.catalogue import Catalogue
from rules.football.match import Moment
from rules.football.minute import Minute
from rules.football.playback import play_packets
from rules.loading.values import describe_unknown
from rules.scenarios.parser import ScenarioInvalid, parse_scenario


@click.command()
@config_option
@click.option("--recording", metavar="MATCH", help="Explain what happens in this match instead: a recording, scenario or opener.")
@click.option("--minute", "minute_text", help="Of the recording: a minute such as 67 or 45+2.")
@click.option("--action", "action_id", default="", help="Of the recording: one action, by its id.")
@click.option("--rule", default="", metavar="NAME", help="Only this rule, with all its conditions.")
@click.option("--all", "all_rules", is_flag=True, help="Every rule, at every revision.")
@click.option("--match", "teams", default="", metavar="'HOME v AWAY'", help="Of a line such as 88' goal: the teams that play.")
@click.option("--competition", default="", help="Of a line such as 88' goal: the competition.")
@click.option("--json", "json_lines", is_flag=True, help="One JSON object a line, with every rule at every revision.")
@click.argument("what", required=False)
@click.pass_context
def explain_command(
    ctx: click.Context,
    config_path: Path,
    recording: str | None,
    minute_text: str | None,
    action_id: str,
    rule: str,
    all_rules: bool,
    teams: str,
    competition: str,
    json_lines: bool,
    what: str | None,
) -> None:
    """Say why a rule fires or not, and why nothing was sent.

    WHAT is what happens, in a line: "88' goal Saka (Arsenal)". Or it is a match, as for replay, with --minute, --action or
    --rule; or a file with a packet of the feed in JSON (of a list the last is explained).
    """
    from bot.config.load import load_rules_of

    minute = read_minute(minute_text)
    # Exactly one of the two.
    if (recording is None) is (what is None):
        example = "88' goal Saka (Arsenal)"
        raise click.UsageError(f'say what happens, such as "{example}", or name a match, or a file with a packet')
    name = recording or what or ""
    rules, catalogue = load_rules_of(config_path, os.environ, optional=is_default(ctx, "config_path"))
    if rule and rule not in (names := [one.name for one in rules.rules]):
        raise UserMistake(describe_unknown("rule", rule, names))
    if recording is None and _EVENT_LINE.match(name):
        explanations = explain_line(name, teams, competition, rules, catalogue)
    elif recording is None and Path(name).suffix == ".json":
        explanations = explain_file(Path(name), rules, catalogue)
    elif minute is None and not action_id and not rule:
        raise click.UsageError("say which part of the match: --minute, --action or --rule")
    else:
        explanations = explain_match(open_match(name), rules, catalogue, minute, action_id, rule)
    if json_lines:
        for explanation in explanations:
            click.echo(explanation_to_json(explanation))
        return
    for line in format_explanations(explanations, rule=rule, all_rules=all_rules):
        click.echo(line)


_EVENT_LINE = re.compile(r"\s*[\d+]+'")


def explain_line(text: str, teams: str, competition: str, rules: RuleSet, catalogue: Catalogue) -> list[Explanation]:
    """Explain what happens in the last of some lines, which are separated by semicolons; raise UserMistake."""
    lines = [line.strip() for line in text.split(";") if line.strip()]
    named = list(dict.fromkeys(found.strip() for line in lines for found in re.findall(r"\(([^()]+)\)", line)))
    # A rule that names the other team needs --match: without it the opponent is a placeholder.
    title = teams or " v ".join([*named, "Visitors", "Others"][:2])
    header = f"match: {title}\n" + (f"competition: {json.dumps(competition)}\n" if competition else "")

    def build(events: Sequence[str]) -> ScenarioMatch:
        written = "".join(f"  - {json.dumps(line, ensure_ascii=False)}\n" for line in events)
        source = f"{header}events:\n{written}" if events else header
        try:
            return ScenarioMatch(title, parse_scenario(source, "line"))
        except ScenarioInvalid as error:
            # Without the place, which is in a file that does not exist.
            raise UserMistake("; ".join(re.sub(r"^line:\d+:\d+: ", "", one) for one in error.mistakes)) from error

    # What the last line adds to the match: an event may be several actions, such as a goal and its video check.
    match, known = build(lines), {packet.action_id for packet in read_packets_of(build(lines[:-1]))}
    packets = list(read_packets_of(match))
    found = _explain_packets(packets, match.read_fixtures(), rules, catalogue, lambda moment: moment.action.id not in known)
    if not found:
        raise UserMistake(f"{lines[-1]}: the feed sends nothing of its own about that")
    return found


def explain_file(path: Path, rules: RuleSet, catalogue: Catalogue) -> list[Explanation]:
    """Explain the last of the packets in a JSON file, those before it played first; raise UserMistake."""
    packets = _read_packets(path)
    last = len(packets) - 1
    # By position and not by id: a list may contain several revisions of one action.
    numbers = iter(range(len(packets)))
    return _explain_packets(packets, read_fixtures_beside(path), rules, catalogue, lambda _: next(numbers) == last)


def explain_match(
    match: MatchSource,
    rules: RuleSet,
    catalogue: Catalogue,
    minute: Minute | None,
    action_id: str,
    rule_name: str = "",
) -> list[Explanation]:
    """Explain every revision of one action, or all actions in a minute that rules cover; raise UserMistake if there is none.

    With a rule, only actions of the types that it is for.
    """
    asked = [rule for rule in rules.rules if not rule_name or rule.name == rule_name]
    seen: Counter[str] = Counter()

    def is_selected(moment: Moment) -> bool:
        if minute is not None and moment.action.minute != minute:
            return False
        seen[moment.action.type] += 1
        if action_id:
            return moment.action.id == action_id
        # A minute has dozens of packets (ball in play, throw-ins): only those are explained of which a rule names the type, or
        # which take something back.
        named = any(rule.action_types and rule.may_match_type(moment.action.type) for rule in asked)
        return named or (not rule_name and bool(moment.coverage_change or moment.affected))

    packets, listings = read_packets_of(match), match.read_listings()
    found = _explain_packets(packets, match.read_fixtures(), rules, catalogue, is_selected, listings)
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
    listings: Sequence[tuple[dt.datetime, Fixture]] = (),
) -> list[Explanation]:
    """Play the packets as `run` does, and explain the moments for which `is_selected` returns true."""
    notified_rules: defaultdict[str, set[str]] = defaultdict(set)
    found: list[Explanation] = []
    for moment in play_packets(packets, fixtures, listings, catalogue):
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
    try:
        data = msgspec.json.decode(path.read_bytes())
    except OSError as error:
        raise UserMistake(f"{path}: it cannot be read: {explain_file_error(error)}") from error
    except msgspec.DecodeError as error:
        raise UserMistake(f"{path}: this is not JSON: {error}") from error
    packets = [_decode_packet(path, one) for one in (data if isinstance(data, list) else [data])]
    if not packets:
        raise UserMistake(f"{path}: the list is empty")
    return packets


def _decode_packet(path: Path, data: Any) -> Packet:
    try:
        packet = decode_frame(msgspec.json.encode(data["frame"] if isinstance(data, dict) and "frame" in data else data))
    # One sentence of the decoder: the file comes from a person, who needs no traceback.
    except FrameUnreadable as error:
        raise UserMistake(f"{path}: this is no packet of the feed: {error.reason}") from error
    if isinstance(packet, Control):
        raise UserMistake(f"{path}: this frame carries no action")
    return packet
