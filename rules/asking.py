"""Reads `match:`: all its conditions must hold. Finds what can never hold, and which action types are worth asking about."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec
import yaml

from rules.action import SendType
from rules.catalogue import Catalogue
from rules.conditions import ABOUT_GOALS, CONDITIONS, PERIODS, TOLD, Wanted, pairs_of, send_types, wanted
from rules.document import Report, flag, pairs
from rules.fold import fold
from rules.match import Moment
from rules.minute import LAST_MINUTE, Minute, Period
from rules.ranges import Range, read_range
from rules.reader import Reader
from rules.rule import TOLD_BY_DEFAULT, Condition

Group = tuple[Condition, ...]

KEYS = (*CONDITIONS, "any", "all", "not")


class Asked(msgspec.Struct, frozen=True):
    """What a rule asks of a moment."""

    conditions: Group = ()
    action_types: frozenset[str] | None = None
    send_types: frozenset[SendType] = TOLD_BY_DEFAULT


def read_match(reader: Reader, node: yaml.Node, names: Catalogue) -> Asked:
    """Read a rule's `match:`; what is wrong with it is reported."""
    conditions = read_group(reader, node, names, "match") or ()
    fields = {key.value: value for key, value in pairs(node)}
    if isinstance(node, yaml.MappingNode) and not fields:
        reader.warn(node, "match is empty: this rule fires for every action of every match")
    asked = Asked(conditions, _action_types(fields, names), _send_types(fields, node))
    if why := _impossible(fields, asked, names):
        reader.mistake(node, f"this rule can never fire: {why}")
    return asked


def read_group(reader: Reader, node: yaml.Node, names: Catalogue, what: str) -> Group | None:
    """The conditions of one mapping."""
    fields = reader.fields(node, what, KEYS)
    if fields is None:
        return None
    made = [_condition(reader, key, value, names) for key, value in fields.items()]
    return tuple(condition for condition in made if condition is not None)


def _condition(reader: Reader, key: str, node: yaml.Node, names: Catalogue) -> Condition | None:
    if key in ("any", "all", "not"):
        return _combined(reader, key, node, names)
    return CONDITIONS[key](reader, node, names)


def _combined(reader: Reader, key: str, node: yaml.Node, names: Catalogue) -> Condition | None:
    """`any` and `all` take a list of mappings, `not` takes one; a mapping alone is a list of one."""
    nodes = node.value if isinstance(node, yaml.SequenceNode) and key != "not" else [node]
    if not nodes:
        reader.mistake(node, f"{key} is an empty list")
        return None
    for empty in (at for at in nodes if isinstance(at, yaml.MappingNode) and not at.value):
        reader.mistake(empty, f"{key} asks for nothing here")
    groups = tuple(g for g in (read_group(reader, at, names, key) for at in nodes) if g)
    written = "; ".join(", ".join(f"{c.key}: {c.wanted}" for c in group) for group in groups)
    return Condition(key, f"({written})", _HOLDS[key](groups), lambda m: _seen(groups, m), groups) if groups else None


def _seen(groups: tuple[Group, ...], moment: Moment) -> str:
    return "; ".join(dict.fromkeys(f"{c.key}: {c.seen(moment)}" for group in groups for c in group))


def _any(groups: tuple[Group, ...]) -> Callable[[Moment], bool]:
    return lambda moment: any(all(c.holds(moment) for c in group) for group in groups)


def _all(groups: tuple[Group, ...]) -> Callable[[Moment], bool]:
    return lambda moment: all(c.holds(moment) for group in groups for c in group)


def _not(groups: tuple[Group, ...]) -> Callable[[Moment], bool]:
    return lambda moment: not any(all(c.holds(moment) for c in group) for group in groups)


_HOLDS = {"any": _any, "all": _all, "not": _not}


def _quietly(node: yaml.Node | None) -> Wanted | None:
    """Names that were read, and reported on, before."""
    return None if node is None else wanted(Reader(Report()), node, "")


def _action_types(fields: Mapping[str, yaml.Node], names: Catalogue) -> frozenset[str] | None:
    asked = _quietly(fields.get("action_type"))
    if asked is not None and not asked.negated:
        return frozenset(action_type for action_type, _ in pairs_of(asked, names))
    if any(_true(fields.get(key)) for key in ABOUT_GOALS):
        return frozenset({"goal"})
    return None


def _send_types(fields: Mapping[str, yaml.Node], node: yaml.Node) -> frozenset[SendType]:
    """The default gives way where `any`, `all` or `not` speaks of send types."""
    if "send_type" in fields:
        return send_types(Reader(Report()), fields["send_type"]) or TOLD_BY_DEFAULT
    return frozenset(TOLD) if _mentions(node, "send_type") else TOLD_BY_DEFAULT


def _mentions(node: yaml.Node, word: str) -> bool:
    if isinstance(node, yaml.SequenceNode):
        return any(_mentions(child, word) for child in node.value)
    return any(key.value == word or _mentions(value, word) for key, value in pairs(node))


def _impossible(fields: Mapping[str, yaml.Node], asked: Asked, names: Catalogue) -> str:
    """Why the conditions exclude each other, in the cases that can be told for certain; empty for most."""
    if asked.send_types == {SendType.PENDING} and _asks_sub_type(fields, names):
        return "the feed gives the sub action type when it confirms, and this asks for Pending alone"
    for key in ABOUT_GOALS:
        if _true(fields.get(key)) and asked.action_types and "goal" not in asked.action_types:
            return f"{key} is about goals, and action_type asks for something else"
    return _never_then(fields)


def _true(node: yaml.Node | None) -> bool:
    try:
        return isinstance(node, yaml.ScalarNode) and flag(node.value)
    except ValueError:
        return False


def _asks_sub_type(fields: Mapping[str, yaml.Node], names: Catalogue) -> bool:
    sub, kinds = _quietly(fields.get("sub_action_type")), _quietly(fields.get("action_type"))
    by_alias = kinds is not None and not kinds.negated and all(sub_type for _, sub_type in pairs_of(kinds, names))
    return by_alias or (sub is not None and not sub.negated)


def _never_then(fields: Mapping[str, yaml.Node]) -> str:
    """Why no minute asked for lies in a period asked for."""
    asked, node = _quietly(fields.get("period")), fields.get("minute")
    minutes = read_range(Reader(Report()), node, "", Minute.parse) if node is not None else None
    if asked is None or asked.negated or minutes is None:
        return ""
    periods = [period for name in asked.names for period in PERIODS.get(fold(name), ())]
    if not periods or any(_overlap(minutes, period) for period in periods):
        return ""
    return f"there is no minute {minutes.written} in the {', '.join(asked.names)}"


def _overlap(minutes: Range[Minute], period: Period) -> bool:
    if period not in LAST_MINUTE:
        return False
    last = LAST_MINUTE[period]
    begins = Minute(1 if last == 45 else 46 if last == 90 else last - 14)
    after, before = minutes.low or begins, minutes.high or begins
    return after <= Minute(last, 99) and before >= begins
