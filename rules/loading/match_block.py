"""Reads the `match:` of a rule: its conditions, with `any`, `all` and `not`, and what follows from them for the whole rule."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import msgspec
import yaml

from rules.engine.cases import Cases, complement_cases, union_cases
from rules.engine.rule import DEFAULT_SEND_TYPES, Condition
from rules.engine.unreachable import find_contradiction, intersect_conditions
from rules.football.action import SendType
from rules.football.catalogue import Catalogue
from rules.football.match import Moment
from rules.football.minute import LAST_MINUTE, Minute, Period
from rules.football.names import normalise
from rules.loading.conditions import (
    CONDITIONS,
    GOAL_CONDITIONS,
    GOAL_RANGES,
    MINUTE_RANGES,
    PERIOD_NAMES,
    RULE_SEND_TYPES,
    SCORE_VALUES,
    read_send_types,
    resolve_pairs,
)
from rules.loading.document import Report, iterate_scalars, mapping_items
from rules.loading.expected_names import ExpectedNames, read_names
from rules.loading.ranges import LAST_ADDED, Range
from rules.loading.rule_keys import MATCH_KEYS, MATCH_PLACES
from rules.loading.values import Reader, parse_boolean

ConditionGroup = tuple[Condition, ...]
"""The conditions of one mapping; a group holds if all of them hold."""


_NAME_KEYS = ("action_type", "sub_action_type", "period", "side")
"""The conditions on names from which something follows for the whole rule."""


class MatchBlock(msgspec.Struct, frozen=True):
    """What a rule's `match:` expects of a moment. The fields mean what those of `Rule` mean."""

    conditions: ConditionGroup = ()
    action_types: frozenset[str] | None = None
    send_types: frozenset[SendType] = DEFAULT_SEND_TYPES


def read_match(reader: Reader, node: yaml.Node, catalogue: Catalogue) -> MatchBlock:
    """Read a rule's `match:`. Reports what is wrong and leaves it out."""
    conditions = _read_group(reader, node, catalogue, "match") or ()
    fields = {key.value: value for key, value in mapping_items(node)}
    # Once more and silently: the mistakes in them are reported already.
    silent = Reader(Report())
    names = {key: found for key in _NAME_KEYS if key in fields and (found := read_names(silent, fields[key], ""))}
    if isinstance(node, yaml.MappingNode) and not fields:
        reader.report_warning(node, "match is empty: this rule fires for every action of every match")
    send_types = DEFAULT_SEND_TYPES
    if "send_type" in fields:
        send_types = read_send_types(silent, fields["send_type"]) or DEFAULT_SEND_TYPES
    elif mentions_key(node, "send_type"):
        # Inside `any`, `all` or `not` the condition itself decides.
        send_types = frozenset(RULE_SEND_TYPES)
    match = MatchBlock(conditions, _derive_action_types(fields, names, catalogue), send_types)
    if why := _find_impossible(fields, names, match, catalogue):
        reader.report_mistake(node, f"this rule can never fire: {why}")
    else:
        _warn_of_contradiction(reader, node, conditions)
        _warn_of_foreign_sub_types(reader, names, catalogue)
        _warn_of_impossible_values(reader, fields, names, match)
    return match


def _warn_of_contradiction(reader: Reader, node: yaml.Node, conditions: ConditionGroup) -> None:
    # A warning and no mistake: `find_contradiction` knows names by their words, and the feed may give one thing two names.
    excluding = [conditions[place] for place in find_contradiction(conditions)]
    if not excluding:
        return
    # At the last of them: a person who reads from the top has seen the others by then.
    at = next((key for key, _ in mapping_items(node) if key.value == excluding[-1].key), node)
    words = " and ".join(f"{one.key}: {one.expected}" for one in excluding)
    ending = "contradicts itself" if len(excluding) == 1 else "exclude each other"
    reader.report_warning(at, f"this rule can never fire: {words} {ending}")


def _warn_of_foreign_sub_types(reader: Reader, names: Mapping[str, ExpectedNames], catalogue: Catalogue) -> None:
    """Warn of sub action types that never come with the action types of the rule."""
    types, sub_types = names.get("action_type"), names.get("sub_action_type")
    if types is None or sub_types is None or types.is_negated or sub_types.is_negated:
        return
    asked = {normalise(action_type) for action_type, _ in resolve_pairs(types, catalogue)}
    for name, at in sub_types.items():
        owners = catalogue.list_types_of(name)
        if owners and not asked & {normalise(owner) for owner in owners}:
            sentence = f'"{name}" never comes with {", ".join(types.names)}: it is a sub action type of {owners[0]}'
            reader.report_warning(at, sentence)


_ODD_MINUTE = re.compile(r"\b[01]\b|\b1[2-9]\d|[2-9]\d\d")
"""A number that may leave no minute of a match: 0, 1 (as in `<1`), or 120 and more. Only then is the range read."""


def _warn_of_impossible_values(
    reader: Reader, fields: Mapping[str, yaml.Node], names: Mapping[str, ExpectedNames], match: MatchBlock
) -> None:
    """Warn of minutes that no match has, and of scores that a goal cannot make."""
    silent = Reader(Report())
    # Most minutes are at once seen to be possible, without reading their range.
    if (minute := fields.get("minute")) is not None and _ODD_MINUTE.search(
        " ".join(one.value for one in iterate_scalars(minute))
    ):
        minutes = MINUTE_RANGES.read(silent, minute, "")
        if minutes is not None and not any(_overlaps(minutes, period) for period in LAST_MINUTE):
            reader.report_warning(minute, f"this rule can never fire: there is no minute {minutes}")
    score = fields.get("score")
    # A rule that names a period may mean the shootout, whose goals leave the score as it is.
    if score is None or match.action_types != frozenset({"goal"}) or "period" in fields:
        return
    nodes = {str(key.value): value for key, value in mapping_items(score)}
    asked = {key: found for key, value in nodes.items() if key in SCORE_VALUES and (found := GOAL_RANGES.read(silent, value, ""))}
    # Where a goal cannot leave a 0: in the score of the side that scores, in the total, or on both sides.
    none = {key for key, found in asked.items() if found.high == 0}
    side = names.get("side")
    own_side = side.names[0].strip().casefold() if side and not side.is_negated and len(side.names) == 1 else ""
    if none & {"total", "own", own_side} or {"home", "away"} <= none:
        sentence = "a goal counts in its own score, so that this holds in a shootout alone: the first goal has first: true"
        reader.report_warning(score, sentence)
    elif _is_true(fields.get("first")) and (total := asked.get("total")) and (total.low or 0) > 1:
        reader.report_warning(score, f"this rule can never fire: the first goal makes a total of 1, not {total}")


def _read_group(reader: Reader, node: yaml.Node, catalogue: Catalogue, what: str) -> ConditionGroup | None:
    fields = reader.read_mapping(node, what, MATCH_KEYS, MATCH_PLACES)
    if fields is None:
        return None
    conditions: list[Condition | None] = []
    for key, value in fields.items():
        if key in CONDITIONS:
            conditions.append(CONDITIONS[key](reader, value, catalogue))
        else:
            conditions.append(_read_combined(reader, key, value, catalogue))
    return tuple(condition for condition in conditions if condition is not None)


def _read_combined(reader: Reader, key: str, node: yaml.Node, catalogue: Catalogue) -> Condition | None:
    """Read `any` or `all`, which take a list of mappings, or `not`, which takes one. A single mapping is a list of one."""
    nodes = node.value if isinstance(node, yaml.SequenceNode) and key != "not" else [node]
    if not nodes:
        reader.report_mistake(node, f"{key} is an empty list")
        return None
    # An empty group would hold for everything, which nobody means by it.
    for empty in (at for at in nodes if isinstance(at, yaml.MappingNode) and not at.value):
        reader.report_mistake(empty, f"{key} asks for nothing here")
    groups = tuple(group for group in (_read_group(reader, at, catalogue, key) for at in nodes) if group)
    if not groups:
        return None

    def describe(moment: Moment) -> str:
        return "; ".join(dict.fromkeys(f"{c.key}: {c.describe_actual(moment)}" for group in groups for c in group))

    expected = "; ".join(", ".join(f"{c.key}: {c.expected}" for c in group) for group in groups)

    def any_holds(moment: Moment) -> bool:
        return any(all(c.holds(moment) for c in group) for group in groups)

    def all_hold(moment: Moment) -> bool:
        return all(c.holds(moment) for group in groups for c in group)

    def none_holds(moment: Moment) -> bool:
        return not any_holds(moment)

    holds = {"any": any_holds, "all": all_hold, "not": none_holds}[key]
    return Condition(key, f"({expected})", holds, describe, groups, cases=_list_group_cases(key, groups))


def _list_group_cases(key: str, groups: Sequence[ConditionGroup]) -> Cases | None:
    if key == "all":
        return intersect_conditions([condition for group in groups for condition in group])
    # `not` excludes what `any` would accept of the same groups.
    found = union_cases([intersect_conditions(group) for group in groups])
    return complement_cases(found) if key == "not" and found is not None else found


def _derive_action_types(
    fields: Mapping[str, yaml.Node], names: Mapping[str, ExpectedNames], catalogue: Catalogue
) -> frozenset[str] | None:
    """Return the action types that the rule can fire for, in lower case; None for any."""
    types = names.get("action_type")
    if types is not None and not types.is_negated:
        return frozenset(action_type for action_type, _ in resolve_pairs(types, catalogue))
    # Conditions inside `any`, `all` and `not` are left out: None is always right, and only costs an evaluation.
    if any(_is_true(fields.get(key)) for key in GOAL_CONDITIONS):
        return frozenset({"goal"})
    return None


def mentions_key(node: yaml.Node, word: str) -> bool:
    """Return True if a node has a key anywhere below it, such as `send_type` inside `any`."""
    if isinstance(node, yaml.SequenceNode):
        return any(mentions_key(child, word) for child in node.value)
    return any(key.value == word or mentions_key(value, word) for key, value in mapping_items(node))


def _find_impossible(
    fields: Mapping[str, yaml.Node], names: Mapping[str, ExpectedNames], match: MatchBlock, catalogue: Catalogue
) -> str:
    """Return why the conditions exclude each other, in the few cases that are certain; empty where none is found."""
    types, sub_types = names.get("action_type"), names.get("sub_action_type")
    # An alias such as `Own Goal` expects a sub type, although the rule does not mention one.
    by_alias = types is not None and not types.is_negated and all(sub for _, sub in resolve_pairs(types, catalogue))
    # The feed often adds the sub type only when it confirms an action (feed documentation, section 3.2).
    if match.send_types == {SendType.PENDING} and (by_alias or (sub_types is not None and not sub_types.is_negated)):
        return "the feed gives the sub action type when it confirms, and this asks for Pending alone"
    for key in GOAL_CONDITIONS:
        if _is_true(fields.get(key)) and match.action_types and "goal" not in match.action_types:
            return f"{key} is about goals, and action_type asks for something else"
    return _find_minute_outside_period(fields.get("minute"), names.get("period"))


def _is_true(node: yaml.Node | None) -> bool:
    try:
        return isinstance(node, yaml.ScalarNode) and parse_boolean(node.value)
    except ValueError:
        return False


def _find_minute_outside_period(minute: yaml.Node | None, names: ExpectedNames | None) -> str:
    """Return why no expected minute lies in an expected period; empty where one may."""
    minutes = MINUTE_RANGES.read(Reader(Report()), minute, "") if minute is not None else None
    if names is None or names.is_negated or minutes is None:
        return ""
    periods = [period for name in names.names for period in PERIOD_NAMES.get(normalise(name), ())]
    if not periods or any(_overlaps(minutes, period) for period in periods):
        return ""
    return f"there is no minute {minutes} in the {', '.join(names.names)}"


def _overlaps(minutes: Range[Minute], period: Period) -> bool:
    if period not in LAST_MINUTE:
        return False  # A shootout has no minutes.
    last = LAST_MINUTE[period]
    first = Minute({45: 1, 90: 46}.get(last, last - 14))  # a half of extra time has fifteen
    low, high = minutes.low or first, minutes.high or first
    return low <= Minute(last, LAST_ADDED) and high >= first  # added time has no known end
