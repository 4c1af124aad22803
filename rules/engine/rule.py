"""A rule, the ordered set with its index, and how two sets differ."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import NamedTuple

import msgspec

from rules.engine.alert import ConditionResult, Importance
from rules.engine.text import AlertText
from rules.football.action import SendType
from rules.football.match import Moment
from rules.football.names import normalise

DEFAULT_SEND_TYPES = frozenset({SendType.CONFIRMED, SendType.UPDATED})


class SourceLocation(msgspec.Struct, frozen=True, order=True):
    """Where something is written; lines and columns count from 1."""

    file: str = ""
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class IndexKey(msgspec.Struct, frozen=True):
    """A condition that holds where one of the values, folded, is one of the names; what rules are found by."""

    names: frozenset[str]
    read_values: Callable[[Moment], tuple[str, ...]]
    """The same for all conditions of a key."""


class Condition(msgspec.Struct, frozen=True):
    """One line under `match:`, ready to be asked."""

    key: str
    expected: str
    """As it was written, for explanations."""
    holds: Callable[[Moment], bool]
    describe_actual: Callable[[Moment], str]
    """What the moment shows in its place, for explanations."""
    groups: tuple[tuple[Condition, ...], ...] = ()
    """What `any`, `all` or `not` is made of; empty for the others."""
    index_key: IndexKey | None = None

    def all_keys(self) -> frozenset[str]:
        """The words of the language that it asks by, those inside its groups in its place."""
        parts = (c.all_keys() for group in self.groups for c in group)
        return frozenset[str]().union(*parts) if self.groups else frozenset({self.key})


class AlertSpec(msgspec.Struct, frozen=True):
    """What a rule says when it fires."""

    kind: str
    text: AlertText
    importance: Importance = Importance.MAJOR
    max_age: dt.timedelta = dt.timedelta(minutes=5)
    texts: Mapping[str, AlertText] = {}
    """The text by language code, where the rule gives it in several; `text` is said in all others."""


class Rule(msgspec.Struct, frozen=True):
    """All conditions must hold. `action_types` is None where the rule may fire for any action type."""

    name: str
    alert: AlertSpec
    conditions: tuple[Condition, ...] = ()
    action_types: frozenset[str] | None = None
    """Canonical names in lower case."""
    send_types: frozenset[SendType] = DEFAULT_SEND_TYPES
    continues: bool = False
    """`continue: true`: the rules below are asked too."""
    location: SourceLocation = SourceLocation()

    def may_match_type(self, action_type: str) -> bool:
        """Tell whether the rule may speak of this action type at all."""
        return self.action_types is None or action_type.casefold() in self.action_types

    def matches(self, moment: Moment) -> bool:
        """Tell whether the rule fires for this step of a match."""
        return moment.action.send_type in self.send_types and all(c.holds(moment) for c in self.conditions)


class RuleCandidate(NamedTuple):
    """A rule that may fire, its place in the order, and the conditions that are still to be asked."""

    position: int
    rule: Rule
    remaining_conditions: tuple[Condition, ...]


Predicate = Callable[[Moment], bool]

PreparedRule = tuple[int, Rule, tuple[Predicate, ...]]
"""The same, with only what is needed to ask."""

_NAME_CONDITIONS = frozenset({"action_type", "sub_action_type", "send_type"})
"""The conditions whose answer stays the same as long as these three do."""

_INDEX_THRESHOLD = 4
"""So many rules are asked one by one."""

_MAX_CACHED_NAMES = 4096
"""Names that are remembered; then they are forgotten, all at once, and met anew."""


class RuleIndex:
    """Finds the rules that an action may fire, so that it costs what those rules cost, and not what all of them do.

    Conditions on what happened are answered once for each action type, sub type and send type; then rules are found by the team,
    the player or whatever else most of them name. The order is kept.
    """

    def __init__(self, rules: Sequence[Rule]) -> None:
        all_of_them = [RuleCandidate(place, rule, rule.conditions) for place, rule in enumerate(rules)]
        types = {name for rule in rules for name in rule.action_types or ()}
        self._for_any_type = [one for one in all_of_them if one.rule.action_types is None]
        self._by_type = {name: [one for one in all_of_them if one.rule.may_match_type(name)] for name in types}
        self._nodes_by_name: dict[tuple[str, str, SendType], _IndexNode] = {}
        self._shared_nodes: dict[tuple[int, ...], _IndexNode] = {}

    def find_candidates(self, moment: Moment) -> Sequence[PreparedRule]:
        """The rules that may fire, in order, each with what is left to ask."""
        action = moment.action
        name = (action.type, action.sub_type, action.send_type)
        node = self._nodes_by_name.get(name)
        if node is None:
            if len(self._nodes_by_name) >= _MAX_CACHED_NAMES:
                self._nodes_by_name.clear()
                self._shared_nodes.clear()
            node = self._nodes_by_name[name] = self._make_node(list(self._select_by_name(moment)))
        return node.find_candidates(moment)

    def _select_by_name(self, moment: Moment) -> Iterator[RuleCandidate]:
        """The rules that the name leaves, without the conditions that it answers."""
        action = moment.action
        for one in self._by_type.get(action.type.casefold(), self._for_any_type):
            answered = [condition for condition in one.remaining_conditions if condition.all_keys() <= _NAME_CONDITIONS]
            if action.send_type in one.rule.send_types and all(condition.holds(moment) for condition in answered):
                yield (
                    one._replace(remaining_conditions=tuple(c for c in one.remaining_conditions if c not in answered))
                    if answered
                    else one
                )

    def _make_node(self, rules: list[RuleCandidate]) -> _IndexNode:
        """Rules that name no action type are the same for many names: they are kept once."""
        if any(one.remaining_conditions is not one.rule.conditions for one in rules):
            return _IndexNode(rules)
        places = tuple(one.position for one in rules)
        if places not in self._shared_nodes:
            self._shared_nodes[places] = _IndexNode(rules)
        return self._shared_nodes[places]


class _IndexNode:
    """Rules in order; where they are many, those that name something by one key are found by that name."""

    __slots__ = ("_by_value", "_others", "_read_values", "_rules")

    def __init__(self, rules: Iterable[RuleCandidate]) -> None:
        reachable = _list_reachable(rules)
        key = _choose_index_key(reachable) if len(reachable) > _INDEX_THRESHOLD else ""
        self._rules: list[PreparedRule] = []
        self._read_values: Callable[[Moment], tuple[str, ...]] | None = None
        self._by_value: dict[str, _IndexNode] = {}
        self._others: _IndexNode | None = None
        if key:
            self._split(reachable, key)
        else:
            self._rules = [(one.position, one.rule, tuple(c.holds for c in one.remaining_conditions)) for one in reachable]

    def _split(self, rules: Sequence[RuleCandidate], key: str) -> None:
        named: dict[str, list[RuleCandidate]] = {}
        others: list[RuleCandidate] = []
        for one in rules:
            asked = next((c for c in one.remaining_conditions if c.key == key and c.index_key), None)
            if asked is None or asked.index_key is None:
                others.append(one)
                continue
            self._read_values = asked.index_key.read_values
            for name in asked.index_key.names:
                named.setdefault(name, []).append(
                    one._replace(remaining_conditions=tuple(c for c in one.remaining_conditions if c is not asked))
                )
        self._by_value = {name: _IndexNode(found) for name, found in named.items()}
        self._others = _IndexNode(others) if others else None

    def find_candidates(self, moment: Moment) -> Sequence[PreparedRule]:
        """Those that may fire, in order; one that is found by two names stands there twice."""
        if self._read_values is None:
            return self._rules
        found = self._others.find_candidates(moment) if self._others else ()
        for value in self._read_values(moment):
            node = self._by_value.get(normalise(value)) if value else None
            if node is not None:
                more = node.find_candidates(moment)
                found = sorted([*found, *more], key=_rule_position) if found else more
        return found


_rule_position = itemgetter(0)


def _list_reachable(rules: Iterable[RuleCandidate]) -> list[RuleCandidate]:
    """The rules up to the first that fires in any case."""
    found: list[RuleCandidate] = []
    for one in rules:
        found.append(one)
        if not one.remaining_conditions and not one.rule.continues:
            break
    return found


def _choose_index_key(rules: Iterable[RuleCandidate]) -> str:
    """The key by which most rules name something; empty where hardly any do."""
    keys = Counter(condition.key for one in rules for condition in one.remaining_conditions if condition.index_key)
    return next((key for key, number in keys.most_common(1) if number > _INDEX_THRESHOLD), "")


class RuleSet:
    """Rules in order, with an index of those that an action could fire."""

    def __init__(self, rules: Iterable[Rule] = ()) -> None:
        self.rules = tuple(rules)
        self.by_name = {rule.name: rule for rule in self.rules}
        self._index = RuleIndex(self.rules)

    def find_matching(self, moment: Moment) -> list[Rule]:
        """The rules that fire, in order: from top to bottom, until one does that does not say continue."""
        found: list[Rule] = []
        for _, rule, left in self._index.find_candidates(moment):
            for holds in left:
                if not holds(moment):
                    break
            else:
                if found and found[-1] is rule:
                    continue
                found.append(rule)
                if not rule.continues:
                    break
        return found

    def list_kinds(self) -> tuple[str, ...]:
        """Every kind that some rule uses, in order of first use."""
        return tuple(dict.fromkeys(rule.alert.kind for rule in self.rules))


class RulesDiff(msgspec.Struct, frozen=True):
    """Names of rules, in the order of their files. `reordered`: those that stay are asked in another order."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """By name, what of the rule is another: `match`, `kind`, `importance`, `max_age`, `text`, `continue`."""
    reordered: bool = False

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed or self.reordered)


def compare_rules(before: RuleSet, after: RuleSet) -> RulesDiff:
    """Find every difference that can matter to what is told."""
    stay = [rule.name for rule in after.rules if rule.name in before.by_name]
    parts = [(name, _list_changed_parts(before.by_name[name], after.by_name[name])) for name in stay]
    return RulesDiff(
        added=tuple(rule.name for rule in after.rules if rule.name not in before.by_name),
        removed=tuple(rule.name for rule in before.rules if rule.name not in after.by_name),
        changed=tuple((name, differing) for name, differing in parts if differing),
        reordered=[rule.name for rule in before.rules if rule.name in after.by_name] != stay,
    )


def fingerprint(rules: RuleSet) -> str:
    """The same for two sets that ask and tell the same, wherever and however they are written."""
    said = [(rule.name, *(f"{key}={value}" for key, value in _describe_rule(rule).items())) for rule in rules.rules]
    return hashlib.sha256(msgspec.json.encode(said)).hexdigest()


def _list_changed_parts(before: Rule, after: Rule) -> tuple[str, ...]:
    ours, theirs = _describe_rule(before), _describe_rule(after)
    return tuple(key for key in ours if ours[key] != theirs[key])


def _describe_rule(rule: Rule) -> dict[str, str]:
    """What a rule says, by the words of the language."""
    asked = sorted(map(_describe_condition, rule.conditions))
    sends = sorted(send.value for send in rule.send_types)
    return {
        "match": f"{asked} {sends}",
        "kind": rule.alert.kind,
        "importance": rule.alert.importance.value,
        "max_age": str(rule.alert.max_age),
        "text": "\0".join([rule.alert.text.source, *(f"{code}: {text.source}" for code, text in rule.alert.texts.items())]),
        "continue": str(rule.continues),
    }


def _describe_condition(condition: Condition) -> str:
    return f"{condition.key}: {condition.expected}"


_MAX_VALUE_LENGTH = 160
"""Letters of either side that are kept: a rule may name a whole squad."""


def check_conditions(rule: Rule, moment: Moment) -> tuple[ConditionResult, ...]:
    """Each condition of a rule that was asked of a moment; none where it asks for nothing."""
    return tuple(_check_condition(condition, moment) for condition in rule.conditions)


def _check_condition(condition: Condition, moment: Moment) -> ConditionResult:
    return ConditionResult(
        condition.key, _truncate(condition.expected), _truncate(condition.describe_actual(moment)), condition.holds(moment)
    )


def _truncate(words: str) -> str:
    return words if len(words) <= _MAX_VALUE_LENGTH else f"{words[: _MAX_VALUE_LENGTH - 1].rstrip()}…"
