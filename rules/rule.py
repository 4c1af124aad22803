"""A rule, and the rules of a configuration in their order."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable

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


class RuleSet:
    """Rules in order, found by the action type they may fire for."""

    def __init__(self, rules: Iterable[Rule] = ()) -> None:
        self.rules = tuple(rules)
        self.by_name = {rule.name: rule for rule in self.rules}
        types = {name for rule in self.rules for name in rule.action_types or ()}
        self._by_type = {name: tuple(r for r in self.rules if r.covers(name)) for name in types}
        self._any = tuple(rule for rule in self.rules if rule.action_types is None)

    def candidates(self, action_type: str) -> tuple[Rule, ...]:
        """The rules that may fire for an action type, in order."""
        return self._by_type.get(action_type.casefold(), self._any)

    def kinds(self) -> tuple[str, ...]:
        """Every kind that some rule uses, in order of first use."""
        return tuple(dict.fromkeys(rule.alert.kind for rule in self.rules))
