"""Finds rules that are valid but never fire, because an earlier rule always fires before them."""

from __future__ import annotations

from collections.abc import Sequence

from rules.engine.rule import Condition, Rule


def find_shadowed(rules: Sequence[Rule]) -> list[tuple[Rule, Rule]]:
    """Return each rule that an earlier one shadows, with that one: it has the same or fewer conditions, and does not continue.

    Finds only what is certain: a rule whose conditions imply an earlier one's in other words is not found.
    """
    # Conditions are compared as they are written: proving that one implies another would need to know all of them.
    earlier: list[tuple[Rule, frozenset[tuple[str, str]]]] = []
    found: list[tuple[Rule, Rule]] = []
    for rule in rules:
        conditions = frozenset((c.key, c.expected.casefold()) for c in rule.conditions if not _is_implied(c, rule.action_types))
        by = next((one for one, fewer in earlier if fewer <= conditions and _is_wider(one, rule)), None)
        if by is not None:
            found.append((rule, by))
        # A rule that continues hides nothing from the rules below it.
        if not rule.continues:
            earlier.append((rule, conditions))
    return found


def _is_implied(condition: Condition, action_types: frozenset[str] | None) -> bool:
    """Return True if the rule's action types and send types already say the condition. `_is_wider` compares those."""
    if condition.key != "action_type" or action_types is None:
        return condition.key == "send_type"
    # An alias such as `Own Goal` expects a sub action type too, which the action types do not say.
    return {name.casefold() for name in condition.expected.split(", ")} <= action_types


def _is_wider(one: Rule, other: Rule) -> bool:
    if not one.send_types >= other.send_types:
        return False
    return one.action_types is None or (other.action_types is not None and one.action_types >= other.action_types)
