"""A rule, and the rules of a configuration in their order."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from typing import TypeVar

import msgspec

from rules.action import SendType
from rules.alert import Importance
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

    def keys(self) -> frozenset[str]:
        """The words of the language that it asks by, those inside its groups in its place."""
        return frozenset({self.key}) if not self.groups else frozenset[str]().union(*(c.keys() for g in self.groups for c in g))


class AlertSpec(msgspec.Struct, frozen=True):
    """What a rule says when it fires."""

    kind: str
    text: Text
    importance: Importance = Importance.MAJOR
    max_age: dt.timedelta = dt.timedelta(minutes=5)


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


Test = Callable[[Moment], bool]
Candidate = tuple[Rule, tuple[Test, ...]]
"""A rule that may fire, and the conditions that are still to be asked."""

_OF_NAME = frozenset({"action_type", "sub_action_type", "send_type"})
"""The conditions that one answer holds for while these three do not change."""
_OF_SETTING = _OF_NAME | {"team", "side", "competition", "fixture", "period"}
"""Those that one answer holds for while also the fixture, the period, the side and the team stay the same."""
_FEW = 8
"""So many rules are asked one by one."""
_NAMES, _SETTINGS = 2048, 8192
"""Answers that are remembered; then they are forgotten, all at once, and found anew."""


class Index:
    """Remembers which rules an action of a kind can fire, so that an action costs what those rules cost, not all of them.

    Conditions on what happened are answered once for every name, sub type and send type; where many rules are left, those on the
    team, the side, the period and the match once for each of these. The answers are the conditions' own, and the order is kept.
    """

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._asked = [(rule, [(condition.keys(), condition.holds) for condition in rule.conditions]) for rule in rules]
        types = {name for rule in rules for name in rule.action_types or ()}
        self._any = self._covering("")
        self._by_type = {name: self._covering(name) for name in types}
        self._by_name: dict[tuple[str, str, SendType], _Bucket] = {}
        self._by_setting: dict[Hashable, tuple[Candidate, ...]] = {}

    def _covering(self, action_type: str) -> list[_Asked]:
        return [asked for asked in self._asked if asked[0].covers(action_type)]

    def candidates(self, moment: Moment) -> tuple[Candidate, ...]:
        """The rules that may fire, in order, each with what is left to ask."""
        action = moment.action
        name = (action.type, action.sub_type, action.send_type)
        bucket = self._by_name.get(name)
        if bucket is None:
            bucket = _remember(self._by_name, _NAMES, name, self._named(moment))
        few, many = bucket
        return few if many is None else self._set(moment, name, many)

    def _named(self, moment: Moment) -> _Bucket:
        action = moment.action
        covering = self._by_type.get(action.type.casefold(), self._any)
        left = list(_left([asked for asked in covering if action.send_type in asked[0].send_types], moment, _OF_NAME))
        return (_candidates(left), None) if len(left) <= _FEW else ((), left)

    def _set(self, moment: Moment, name: Hashable, many: list[_Asked]) -> tuple[Candidate, ...]:
        action = moment.action
        setting = (name, action.side, action.team, action.period, moment.after.fixture)
        found = self._by_setting.get(setting)
        if found is None:
            found = _remember(self._by_setting, _SETTINGS, setting, _candidates(_left(many, moment, _OF_SETTING)))
        return found


_Asked = tuple[Rule, list[tuple[frozenset[str], Test]]]
_Bucket = tuple[tuple[Candidate, ...], list[_Asked] | None]
K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


def _remember(known: dict[K, V], most: int, key: K, value: V) -> V:
    if len(known) >= most:
        known.clear()
    known[key] = value
    return value


def _left(rules: Iterable[_Asked], moment: Moment, answered: frozenset[str]) -> Iterator[_Asked]:
    """The rules that these conditions leave, without them; nothing below a rule that fires in any case."""
    for rule, conditions in rules:
        if all(holds(moment) for keys, holds in conditions if keys <= answered):
            left = [(keys, holds) for keys, holds in conditions if not keys <= answered]
            yield rule, left
            if not left and not rule.go_on:
                return


def _candidates(rules: Iterable[_Asked]) -> tuple[Candidate, ...]:
    return tuple((rule, tuple(holds for _, holds in conditions)) for rule, conditions in rules)


class RuleSet:
    """Rules in order, with an index of those that an action could fire."""

    def __init__(self, rules: Iterable[Rule] = ()) -> None:
        self.rules = tuple(rules)
        self.by_name = {rule.name: rule for rule in self.rules}
        self._index = Index(self.rules)

    def fired(self, moment: Moment) -> list[Rule]:
        """The rules that fire, in order: from top to bottom, until one does that does not say continue."""
        found: list[Rule] = []
        for rule, left in self._index.candidates(moment):
            for holds in left:
                if not holds(moment):
                    break
            else:
                found.append(rule)
                if not rule.go_on:
                    break
        return found

    def kinds(self) -> tuple[str, ...]:
        """Every kind that some rule uses, in order of first use."""
        return tuple(dict.fromkeys(rule.alert.kind for rule in self.rules))
