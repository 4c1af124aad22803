"""What `touchline explain` asks: packets of a file or a recording, played up to those that are to be explained."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from bot.errors import FrameUnreadable, UserMistake
from bot.feed.decode import Control, decode
from bot.feed.recording import fixtures_beside, packets
from rules.action import Fixture, Packet
from rules.advance import advance
from rules.catalogue import Catalogue
from rules.evaluate import evaluate
from rules.explain import Explanation, explain
from rules.match import Match, Moment
from rules.minute import Minute
from rules.rule import RuleSet


def explain_file(path: Path, rules: RuleSet, names: Catalogue) -> list[Explanation]:
    """Explain the last of the packets in a JSON file, those before it played first; raise UserMistake."""
    told = _packets(path)
    last = len(told) - 1
    numbers = iter(range(len(told)))
    return _explained(told, fixtures_beside(path), rules, names, lambda _: next(numbers) == last)


def explain_recording(path: Path, rules: RuleSet, names: Catalogue, minute: Minute | None, action_id: str) -> list[Explanation]:
    """Explain every revision of one action, or all in a minute that rules speak of; raise UserMistake where there is none."""
    seen: Counter[str] = Counter()

    def asked(moment: Moment) -> bool:
        if minute is not None and moment.action.minute != minute:
            return False
        seen[moment.action.type] += 1
        return moment.action.id == action_id if action_id else _spoken_of(rules, moment)

    found = _explained(packets(path), fixtures_beside(path), rules, names, asked)
    if not found:
        raise UserMistake(f"{path}: {_nothing(minute, action_id, seen)}")
    return found


def _nothing(minute: Minute | None, action_id: str, seen: Counter[str]) -> str:
    when = f" in minute {minute}" if minute is not None else ""
    if action_id:
        return f"there is no action {action_id}{when}"
    happened = ", ".join(f"{name} ({number})" for name, number in seen.most_common(8)) or "nothing at all"
    return f"no rule speaks of what happened{when}: {happened}; name an action by --action ID"


def _spoken_of(rules: RuleSet, moment: Moment) -> bool:
    """Tell whether a rule names the action's type, or the moment takes something back."""
    if moment.coverage or moment.settled:
        return True
    return any(rule.action_types and rule.covers(moment.action.type) for rule in rules.rules)


def _explained(
    packets: Iterable[Packet],
    fixtures: Mapping[str, Fixture],
    rules: RuleSet,
    names: Catalogue,
    asked: Callable[[Moment], bool],
) -> list[Explanation]:
    """The packets in their order, each match moved on by them as in `run`, chats told as it goes."""
    matches: dict[str, Match] = {}
    told: defaultdict[str, set[str]] = defaultdict(set)
    found: list[Explanation] = []
    for packet in packets:
        match = matches.get(packet.fixture_id) or Match(fixtures.get(packet.fixture_id, Fixture(packet.fixture_id)))
        moment = advance(match, packet, names)
        matches[packet.fixture_id] = moment.after
        if asked(moment):
            found.append(explain(rules, moment, {key: set(value) for key, value in told.items()}, names))
        for alert in evaluate(rules, moment, told, names):
            if alert.rule:
                told[alert.key.action_id].add(alert.rule)
    return found


def _packets(path: Path) -> list[Packet]:
    """One packet as the feed sends it, or as a line of a recording; or a list of them."""
    data = _data(path)
    packets = [_packet(path, one) for one in (data if isinstance(data, list) else [data])]
    if not packets:
        raise UserMistake(f"{path}: the list is empty")
    return packets


def _data(path: Path) -> Any:
    try:
        return msgspec.json.decode(path.read_bytes())
    except OSError as error:
        raise UserMistake(f"{path}: it cannot be read: {(error.strerror or 'unknown trouble').lower()}") from error
    except msgspec.DecodeError as error:
        raise UserMistake(f"{path}: this is not JSON: {error}") from error


def _packet(path: Path, data: Any) -> Packet:
    try:
        packet = decode(msgspec.json.encode(data["frame"] if isinstance(data, dict) and "frame" in data else data))
    except FrameUnreadable as error:
        raise UserMistake(f"{path}: this is no packet of the feed: {error.reason}") from error
    if isinstance(packet, Control):
        raise UserMistake(f"{path}: this frame carries no action")
    return packet
