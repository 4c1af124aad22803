"""A rule, and the rules of a configuration in their order."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import NamedTuple

import msgspec

from rules.action import SendType
from rules.alert import Importance
from rules.fold import fold
from rules.match import Moment
from rules.template import Text

TOLD_BY_DEFAULT = frozenset({SendType.CONFIRMED, SendType.UPDATED})


class Place(msgspec.Struct, frozen=True, order=True):
    """Where something is written; lines and columns count from 1."""

    file: str = ""
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class Among(msgspec.Struct, frozen=True):
    """A condition that holds where one of the values, folded, is one of the names; what rules are found by."""

    names: frozenset[str]
    values: Callable[[Moment], tuple[str, ...]]
    """The same for all conditions of a key."""


class Condition(msgspec.Struct, frozen=True):
    """One line under `match:`, ready to be asked."""

    key: str
    wanted: str
    """As it was written, for explanations."""
    holds: Callable[[Moment], bool]
    seen: Callable[[Moment], str]
    """What the moment shows in its place, for explanations."""
    groups: tuple[tuple[Condition, ...], ...] = ()
    """What `any`, `all` or `not` is made of; empty for the others."""
    among: Among | None = None

    def words(self) -> frozenset[str]:
        """The words of the language that it asks by, those inside its groups in its place."""
        return frozenset({self.key}) if not self.groups else frozenset[str]().union(*(c.words() for g in self.groups for c in g))


class AlertSpec(msgspec.Struct, frozen=True):
    """What a rule says when it fires."""

    kind: str
    text: Text
    importance: Importance = Importance.MAJOR
    max_age: dt.timedelta = dt.timedelta(minutes=5)
    texts: Mapping[str, Text] = {}
    """The text by language code, where the rule gives it in several; `text` is said in all others."""


class Rule(msgspec.Struct, frozen=True):
    """All conditions must hold. `action_types` is None where the rule may fire for any action type."""

    name: str
    alert: AlertSpec
    conditions: tuple[Condition, ...] = ()
    action_types: frozenset[str] | None = None
    """Canonical names in lower case."""
    send_types: frozenset[SendType] = TOLD_BY_DEFAULT
    go_on: bool = False
    """`continue: true`: the rules below are asked too."""
    place: Place = Place()

    def covers(self, action_type: str) -> bool:
        """Tell whether the rule may speak of this action type at all."""
        return self.action_types is None or action_type.casefold() in self.action_types

    def fires(self, moment: Moment) -> bool:
        """Tell whether the rule fires for this step of a match."""
        return moment.action.send_type in self.send_types and all(c.holds(moment) for c in self.conditions)


class Candidate(NamedTuple):
    """A rule that may fire, its place in the order, and the conditions that are still to be asked."""

    place: int
    rule: Rule
    left: tuple[Condition, ...]


Test = Callable[[Moment], bool]
Ready = tuple[int, Rule, tuple[Test, ...]]
"""The same, with only what is needed to ask."""


_OF_NAME = frozenset({"action_type", "sub_action_type", "send_type"})
"""The conditions whose answer stays the same as long as these three do."""
_FEW = 4
"""So many rules are asked one by one."""
_NAMES = 4096
"""Names that are remembered; then they are forgotten, all at once, and met anew."""


class Index:
    """Finds the rules that an action may fire, so that it costs what those rules cost, and not what all of them do.

    Conditions on what happened are answered once for each action type, sub type and send type; then rules are found by the team,
    the player or whatever else most of them name. The order is kept.
    """

    def __init__(self, rules: Sequence[Rule]) -> None:
        all_of_them = [Candidate(place, rule, rule.conditions) for place, rule in enumerate(rules)]
        types = {name for rule in rules for name in rule.action_types or ()}
        self._any = [one for one in all_of_them if one.rule.action_types is None]
        self._by_type = {name: [one for one in all_of_them if one.rule.covers(name)] for name in types}
        self._by_name: dict[tuple[str, str, SendType], _Node] = {}
        self._shared: dict[tuple[int, ...], _Node] = {}

    def candidates(self, moment: Moment) -> Sequence[Ready]:
        """The rules that may fire, in order, each with what is left to ask."""
        action = moment.action
        name = (action.type, action.sub_type, action.send_type)
        node = self._by_name.get(name)
        if node is None:
            if len(self._by_name) >= _NAMES:
                self._by_name.clear()
                self._shared.clear()
            node = self._by_name[name] = self._node(list(self._named(moment)))
        return node.candidates(moment)

    def _named(self, moment: Moment) -> Iterator[Candidate]:
        """The rules that the name leaves, without the conditions that it answers."""
        action = moment.action
        for one in self._by_type.get(action.type.casefold(), self._any):
            answered = [condition for condition in one.left if condition.words() <= _OF_NAME]
            if action.send_type in one.rule.send_types and all(condition.holds(moment) for condition in answered):
                yield one._replace(left=tuple(c for c in one.left if c not in answered)) if answered else one

    def _node(self, rules: list[Candidate]) -> _Node:
        """Rules that name no action type are the same for many names: they are kept once."""
        if any(one.left is not one.rule.conditions for one in rules):
            return _Node(rules)
        places = tuple(one.place for one in rules)
        if places not in self._shared:
            self._shared[places] = _Node(rules)
        return self._shared[places]


class _Node:
    """Rules in order; where they are many, those that name something by one key are found by that name."""

    __slots__ = ("_by_value", "_few", "_others", "_values")

    def __init__(self, rules: Iterable[Candidate]) -> None:
        reachable = _reachable(rules)
        key = _most_named(reachable) if len(reachable) > _FEW else ""
        self._few: list[Ready] = []
        self._values: Callable[[Moment], tuple[str, ...]] | None = None
        self._by_value: dict[str, _Node] = {}
        self._others: _Node | None = None
        if key:
            self._split(reachable, key)
        else:
            self._few = [(one.place, one.rule, tuple(c.holds for c in one.left)) for one in reachable]

    def _split(self, rules: Sequence[Candidate], key: str) -> None:
        named: dict[str, list[Candidate]] = {}
        others: list[Candidate] = []
        for one in rules:
            asked = next((c for c in one.left if c.key == key and c.among), None)
            if asked is None or asked.among is None:
                others.append(one)
                continue
            self._values = asked.among.values
            for name in asked.among.names:
                named.setdefault(name, []).append(one._replace(left=tuple(c for c in one.left if c is not asked)))
        self._by_value = {name: _Node(found) for name, found in named.items()}
        self._others = _Node(others) if others else None

    def candidates(self, moment: Moment) -> Sequence[Ready]:
        """Those that may fire, in order; one that is found by two names stands there twice."""
        if self._values is None:
            return self._few
        found = self._others.candidates(moment) if self._others else ()
        for value in self._values(moment):
            node = self._by_value.get(fold(value)) if value else None
            if node is not None:
                more = node.candidates(moment)
                found = sorted([*found, *more], key=_place) if found else more
        return found


_place = itemgetter(0)


def _reachable(rules: Iterable[Candidate]) -> list[Candidate]:
    """The rules up to the first that fires in any case."""
    found: list[Candidate] = []
    for one in rules:
        found.append(one)
        if not one.left and not one.rule.go_on:
            break
    return found


def _most_named(rules: Iterable[Candidate]) -> str:
    """The key by which most rules name something; empty where hardly any do."""
    keys = Counter(condition.key for one in rules for condition in one.left if condition.among)
    return next((key for key, number in keys.most_common(1) if number > _FEW), "")


class RuleSet:
    """Rules in order, with an index of those that an action could fire."""

    def __init__(self, rules: Iterable[Rule] = ()) -> None:
        self.rules = tuple(rules)
        self.by_name = {rule.name: rule for rule in self.rules}
        self._index = Index(self.rules)

    def fired(self, moment: Moment) -> list[Rule]:
        """The rules that fire, in order: from top to bottom, until one does that does not say continue."""
        found: list[Rule] = []
        for _, rule, left in self._index.candidates(moment):
            for holds in left:
                if not holds(moment):
                    break
            else:
                if found and found[-1] is rule:
                    continue
                found.append(rule)
                if not rule.go_on:
                    break
        return found

    def kinds(self) -> tuple[str, ...]:
        """Every kind that some rule uses, in order of first use."""
        return tuple(dict.fromkeys(rule.alert.kind for rule in self.rules))
