"""Finds rules that never fire, are shadowed, or are valid but not meant."""

from __future__ import annotations

from collections.abc import Sequence

from rules.engine.rule import Condition, Rule

_ConditionKeys = frozenset[tuple[str, str]]


def find_shadowed(rules: Sequence[Rule]) -> list[tuple[Rule, Rule]]:
    """Each rule that an earlier one shadows, with that one: it asks the same or less, and does not say continue."""
    earlier: list[tuple[Rule, _ConditionKeys]] = []
    found: list[tuple[Rule, Rule]] = []
    for rule in rules:
        asks = _condition_keys(rule)
        by = next((one for one, less in earlier if less <= asks and _is_wider(one, rule)), None)
        if by is not None:
            found.append((rule, by))
        if not rule.continues:
            earlier.append((rule, asks))
    return found


def _condition_keys(rule: Rule) -> _ConditionKeys:
    """The conditions beside those that the rule's action types and send types already say."""
    return frozenset((c.key, c.expected.casefold()) for c in rule.conditions if not _is_implied(c, rule.action_types))


def _is_implied(condition: Condition, action_types: frozenset[str] | None) -> bool:
    """An alias is not said by its action type: it asks for a sub type too."""
    if condition.key != "action_type" or action_types is None:
        return condition.key == "send_type"
    return {name.casefold() for name in condition.expected.split(", ")} <= action_types


def _is_wider(one: Rule, other: Rule) -> bool:
    if not one.send_types >= other.send_types:
        return False
    return one.action_types is None or (other.action_types is not None and one.action_types >= other.action_types)
