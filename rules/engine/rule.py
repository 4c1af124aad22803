"""A rule, and the ordered set of rules with its index."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from operator import itemgetter
from typing import NamedTuple

import msgspec

from rules.engine.alert import ConditionResult, Importance
from rules.engine.cases import IS_TRUE, Cases
from rules.engine.text import AlertText
from rules.football.action import SendType
from rules.football.match import Moment
from rules.football.names import normalise

DEFAULT_SEND_TYPES = frozenset({SendType.PENDING, SendType.CONFIRMED, SendType.UPDATED})
"""A rule that does not name send types fires at the first revision that it matches: an operator who writes `action_type: Goal`
expects the goal at once."""


class SourceLocation(msgspec.Struct, frozen=True, order=True):
    """A place in a file; lines and columns count from 1."""

    file: str = ""
    line: int = 0
    column: int = 0
    origin: str = ""
    """Where the value is written, if an alias of YAML brings it to this place."""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


_MAX_LISTED_CASES = 8
"""Cases of one condition that are compared one by one. Several conditions multiply theirs, and a rule has `MAX_CASES` in all."""


class IndexKey(msgspec.Struct, frozen=True):
    """By what the index finds a condition: it holds if one of the moment's values, normalised, is one of the names."""

    names: frozenset[str]
    read_values: Callable[[Moment], tuple[str, ...]]
    """Reads the values from a moment. All conditions of a key have the same function, so the index calls it once."""


class NameReference(msgspec.Struct, frozen=True):
    """A team, competition or fixture that a rule or a chat of the configuration names, by name or by id."""

    key: str
    """`team`, `competition` or `fixture`."""
    name: str
    location: SourceLocation
    rule: str = ""
    """The name of the rule; empty for a chat."""


class Condition(msgspec.Struct, frozen=True):
    """One line under `match:`, ready to be evaluated."""

    # `holds`, `index_key` and `cases` say the same in three ways: for one moment, for the index, and for comparing rules. A law
    # of the tests compares the index with the conditions themselves.
    key: str
    expected: str
    """The expected value in its normal form, for explanations."""
    holds: Callable[[Moment], bool]
    describe_actual: Callable[[Moment], str]
    """Returns what the moment has instead, for explanations."""
    groups: tuple[tuple[Condition, ...], ...] = ()
    """The conditions inside `any`, `all` or `not`; empty for others."""
    index_key: IndexKey | None = None
    cases: Cases | None = None
    """The values for which it holds; None where they are too many to compare, see `listed_cases`."""
    names: tuple[NameReference, ...] = ()
    """What it names that the feed's fixtures should have, to be compared with them; without the name of the rule."""

    @property
    def listed_cases(self) -> Cases:
        """The values for which it holds; where they are many, only that it holds, by its words."""
        # A squad of thirty names is one question: two rules that ask it in the same words are still seen to be alike.
        if self.cases is None or len(self.cases) > _MAX_LISTED_CASES:
            return ({f"{self.key}: {self.expected.casefold()}": IS_TRUE},)
        return self.cases

    def all_keys(self) -> frozenset[str]:
        """Return the key of the condition; for `any`, `all` and `not` the keys of the conditions inside."""
        parts = (c.all_keys() for group in self.groups for c in group)
        return frozenset[str]().union(*parts) if self.groups else frozenset({self.key})

    def all_names(self) -> Iterator[NameReference]:
        """Yield what the condition names, and what the conditions inside it name."""
        yield from self.names
        for group in self.groups:
            for condition in group:
                yield from condition.all_names()


class AlertSpec(msgspec.Struct, frozen=True):
    """The alert that a rule makes when it fires."""

    kind: str
    text: AlertText
    importance: Importance = Importance.MAJOR
    max_age: dt.timedelta = dt.timedelta(minutes=5)
    texts: Mapping[str, AlertText] = {}
    """The text by language code, where the rule gives it in several; chats with another language get `text`."""


class Rule(msgspec.Struct, frozen=True):
    """A rule fires if all its conditions hold. `action_types` is None where it may fire for any action type."""

    name: str
    alert: AlertSpec
    conditions: tuple[Condition, ...] = ()
    action_types: frozenset[str] | None = None
    """Canonical names in lower case."""
    send_types: frozenset[SendType] = DEFAULT_SEND_TYPES
    continues: bool = False
    """`continue: true`: the rules below are evaluated too when this one fires."""
    location: SourceLocation = SourceLocation()

    def may_match_type(self, action_type: str) -> bool:
        """Return True if the rule can fire for an action of this type at all."""
        # True is always safe, and costs an evaluation. Only what certainly cannot fire is False.
        return self.action_types is None or action_type.casefold() in self.action_types

    def matches(self, moment: Moment) -> bool:
        """Return True if the rule fires for a moment."""
        return moment.action.send_type in self.send_types and all(c.holds(moment) for c in self.conditions)


class RuleCandidate(NamedTuple):
    """A rule that may fire, its position in the order, and the conditions that are still to be evaluated."""

    position: int
    rule: Rule
    remaining_conditions: tuple[Condition, ...]


Predicate = Callable[[Moment], bool]

PreparedRule = tuple[int, Rule, tuple[Predicate, ...]]
"""The same as a bare tuple with only what is evaluated: this is the hot path of every packet."""

_NAME_CONDITIONS = frozenset({"action_type", "sub_action_type", "send_type"})
"""The conditions whose result depends only on an action's type, sub type and send type."""

_INDEX_THRESHOLD = 4
"""Up to this many rules are evaluated one by one: a look-up would cost more."""

_MAX_CACHED_NAMES = 4096
"""Most (type, sub type, send type) triples to cache. The feed decides the names, so the cache must not grow for ever."""


class RuleIndex:
    """Finds the rules that may fire for a moment, so that evaluating costs as much as these rules and not as much as all.

    Conditions on the action's names are evaluated once for each triple of action type, sub type and send type. The rules that
    remain are found by the team, the player or whatever else most of them name. The order of the rules is kept.
    """

    def __init__(self, rules: Sequence[Rule]) -> None:
        candidates = [RuleCandidate(place, rule, rule.conditions) for place, rule in enumerate(rules)]
        # A type that no rule names leaves the rules for any type, which are the same for all such types.
        types = {name for rule in rules for name in rule.action_types or ()}
        self._for_any_type = [one for one in candidates if one.rule.action_types is None]
        self._by_type = {name: [one for one in candidates if one.rule.may_match_type(name)] for name in types}
        self._nodes_by_name: dict[tuple[str, str, SendType], _IndexNode] = {}
        self._shared_nodes: dict[tuple[int, ...], _IndexNode] = {}

    def find_candidates(self, moment: Moment) -> Sequence[PreparedRule]:
        """Return the rules that may fire, in order, each with the conditions that are left to evaluate."""
        # Nodes are made when a triple first comes: the few that a match has, and not all that the feed could send.
        action = moment.action
        name = (action.type, action.sub_type, action.send_type)
        node = self._nodes_by_name.get(name)
        if node is None:
            if len(self._nodes_by_name) >= _MAX_CACHED_NAMES:
                # Only nonsense from the feed gets here. Starting over costs one slow evaluation for each triple.
                self._nodes_by_name.clear()
                self._shared_nodes.clear()
            node = self._nodes_by_name[name] = self._make_node(list(self._select_by_name(moment)))
        return node.find_candidates(moment)

    def _select_by_name(self, moment: Moment) -> Iterator[RuleCandidate]:
        """Yield the rules that the action's names leave, without the conditions that the names decide."""
        action = moment.action
        for one in self._by_type.get(action.type.casefold(), self._for_any_type):
            # A group counts only if all of its conditions are about names: `any: [action_type, minute]` depends on the moment.
            answered = [condition for condition in one.remaining_conditions if condition.all_keys() <= _NAME_CONDITIONS]
            if action.send_type in one.rule.send_types and all(condition.holds(moment) for condition in answered):
                if not answered:
                    yield one  # with the very conditions of its rule, by which `_make_node` knows it
                    continue
                yield one._replace(remaining_conditions=tuple(c for c in one.remaining_conditions if c not in answered))

    def _make_node(self, rules: list[RuleCandidate]) -> _IndexNode:
        """Make a node of the index, or return the one that has the same rules."""
        # Rules without a condition on names are the same for every unknown action type that the feed sends: share their node.
        if any(one.remaining_conditions is not one.rule.conditions for one in rules):
            return _IndexNode(rules)
        places = tuple(one.position for one in rules)
        if places not in self._shared_nodes:
            self._shared_nodes[places] = _IndexNode(rules)
        return self._shared_nodes[places]


class _IndexNode:
    """Rules in order. Where they are many, those that name something by one key (such as a team) are found by that name."""

    __slots__ = ("_by_value", "_others", "_read_values", "_rules")

    def __init__(self, rules: Iterable[RuleCandidate]) -> None:
        # Rules below the first that always fires and does not continue are never evaluated.
        reachable: list[RuleCandidate] = []
        for one in rules:
            reachable.append(one)
            if not one.remaining_conditions and not one.rule.continues:
                break
        # The key by which most rules name something splits them best. Below the threshold evaluating all costs less.
        keys = Counter(condition.key for one in reachable for condition in one.remaining_conditions if condition.index_key)
        key, number = keys.most_common(1)[0] if keys else ("", 0)
        self._rules: list[PreparedRule] = []
        self._read_values: Callable[[Moment], tuple[str, ...]] | None = None
        self._by_value: dict[str, _IndexNode] = {}
        self._others: _IndexNode | None = None
        if number > _INDEX_THRESHOLD:
            self._split(reachable, key)
        else:
            self._rules = [(one.position, one.rule, tuple(c.holds for c in one.remaining_conditions)) for one in reachable]

    def _split(self, rules: Sequence[RuleCandidate], key: str) -> None:
        """Make a node for each name that rules expect under a key, and one for the rules that expect none."""
        named: dict[str, list[RuleCandidate]] = {}
        others: list[RuleCandidate] = []
        for one in rules:
            found = next((c for c in one.remaining_conditions if c.key == key and c.index_key), None)
            if found is None or found.index_key is None:
                others.append(one)
                continue
            self._read_values = found.index_key.read_values
            # The index finds the rule by this name, which answers the condition: it is not evaluated again.
            remaining = tuple(c for c in one.remaining_conditions if c is not found)
            for name in found.index_key.names:
                named.setdefault(name, []).append(one._replace(remaining_conditions=remaining))
        self._by_value = {name: _IndexNode(found) for name, found in named.items()}
        self._others = _IndexNode(others) if others else None

    def find_candidates(self, moment: Moment) -> Sequence[PreparedRule]:
        """Return the rules that may fire, in order. A rule that is found by two names is there twice, one after the other."""
        if self._read_values is None:
            return self._rules
        found = self._others.find_candidates(moment) if self._others else ()
        for value in self._read_values(moment):
            node = self._by_value.get(normalise(value)) if value else None
            if node is not None:
                more = node.find_candidates(moment)
                # Sorted only where two lists meet: most moments are found by one name alone.
                found = sorted([*found, *more], key=_rule_position) if found else more
        return found


_rule_position = itemgetter(0)


class RuleSet:
    """Rules in order, with an index of those that may fire for an action."""

    def __init__(self, rules: Iterable[Rule] = ()) -> None:
        self.rules = tuple(rules)
        self.by_name = {rule.name: rule for rule in self.rules}
        self._index = RuleIndex(self.rules)

    def find_matching(self, moment: Moment) -> list[Rule]:
        """Return the rules that fire for a moment, from top to bottom, up to the first that does not continue."""
        found: list[Rule] = []
        for _, rule, left in self._index.find_candidates(moment):
            # A loop and not all(): this runs for every packet, and a generator would cost more than the conditions.
            for holds in left:
                if not holds(moment):
                    break
            else:
                # The index gives a rule twice if it finds it by two names, such as the team's name and its id.
                if found and found[-1] is rule:
                    continue
                found.append(rule)
                if not rule.continues:
                    break
        return found

    @cached_property
    def names(self) -> tuple[NameReference, ...]:
        """Every team, competition and fixture that a rule names, in the order of the rules."""
        return tuple(
            msgspec.structs.replace(name, rule=rule.name)
            for rule in self.rules
            for condition in rule.conditions
            for name in condition.all_names()
        )

    def list_kinds(self) -> tuple[str, ...]:
        """Return every kind that some rule uses, in order of first use."""
        return tuple(dict.fromkeys(rule.alert.kind for rule in self.rules))


_MAX_VALUE_LENGTH = 160
"""Most letters to store of an expected or actual value: a rule may name a whole squad."""


def check_conditions(rule: Rule, moment: Moment) -> tuple[ConditionResult, ...]:
    """Return the result of each condition of a rule, short and without groups, for storing with an alert."""
    # All of them, since a rule that fires once may not fire for a later revision of the action, whose results are stored too.
    return tuple(
        ConditionResult(one.key, _truncate(one.expected), _truncate(one.describe_actual(moment)), one.holds(moment))
        for one in rule.conditions
    )


def _truncate(text: str) -> str:
    return text if len(text) <= _MAX_VALUE_LENGTH else f"{text[: _MAX_VALUE_LENGTH - 1].rstrip()}…"


def check_condition(condition: Condition, moment: Moment) -> ConditionResult:
    """Return the whole result of a condition, with those inside its groups, for explanations."""
    groups = tuple(tuple(check_condition(one, moment) for one in group) for group in condition.groups)
    return ConditionResult(condition.key, condition.expected, condition.describe_actual(moment), condition.holds(moment), groups)
