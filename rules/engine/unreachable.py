"""Finds rules that never fire, or that never begin a message, because another rule always fires first.

A rule is reported only if the conditions alone prove it: after one wrong warning nobody reads the next. So what is too large to
compare counts as reachable.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain, combinations

from rules.engine.cases import (
    ANYTHING,
    IS_FALSE,
    IS_TRUE,
    Case,
    Cases,
    Names,
    Numbers,
    complement_values,
    intersect_cases,
    subtract_case,
)
from rules.engine.rule import Condition, Rule
from rules.football.action import SendType
from rules.football.names import normalise

_MAX_CANDIDATES = 500
"""Earlier rules that one is compared with, one by one. Only files of thousands of rules without a team have more."""

_MAX_TOGETHER = 40
"""Earlier rules that are compared together with a later one, to see whether they leave it anything."""

_MOST_GOALS = 20
"""The highest number of goals of a side that is tried to see whether a score is possible."""


def list_cases(rule: Rule) -> Cases | None:
    """Return the cases in which a rule fires, none if its conditions contradict each other; None if they are too many."""
    found = intersect_conditions(rule.conditions)
    if found is None:
        return None
    # A rule that does not mention send types is limited to the default ones all the same.
    send_types = Names(frozenset(normalise(one.value) for one in rule.send_types))
    return intersect_cases(found, ({"send_type": send_types},))


def intersect_conditions(conditions: Iterable[Condition]) -> Cases | None:
    """Return the cases in which all conditions hold, none if they contradict each other; None if they are too many."""
    found: Cases | None = ANYTHING
    for condition in conditions:
        found = None if found is None else intersect_cases(found, condition.listed_cases)
    return found


def find_contradiction(conditions: Sequence[Condition]) -> tuple[int, ...]:
    """Return the positions of conditions that exclude each other; empty if a moment may meet all of them."""
    whole = intersect_conditions(conditions)
    if whole is None or any(_is_score_possible(case) for case in whole):
        return ()
    # The fewest that exclude each other are the ones to show: one alone, else two, else all.
    places = range(len(conditions))
    for some in chain(((place,) for place in places), combinations(places, 2)):
        cases = intersect_conditions(conditions[place] for place in some)
        if cases is not None and not any(_is_score_possible(case) for case in cases):
            return some
    return tuple(places)


def _is_score_possible(case: Case) -> bool:
    """Return True unless the case asks for a score that does not exist, such as a margin of 3 at 1–0."""
    asked = {key.removeprefix("score."): values for key, values in case.items() if key.startswith("score.")}
    if len(asked) < 2:
        return True
    # The sums and differences of two numbers: trying all scores is simpler than reasoning, and as fast as needed.
    goals = range(_MOST_GOALS + 1)
    for home in goals:
        for away in goals:
            both = {"home": home, "away": away, "total": home + away, "margin": abs(home - away)}
            for own, other in ((home, away), (away, home)):
                values = both | {"own": own, "other": other}
                if all(
                    isinstance(part, Numbers) and any(low <= values[key] <= high for low, high in part.spans)
                    for key, part in asked.items()
                ):
                    return True
    return False


def find_shadowed(rules: Sequence[Rule]) -> list[tuple[Rule, tuple[Rule, ...]]]:
    """Return each rule that never fires, with the earlier rules of which one always fires before it and does not continue."""
    earlier, found = _RulesByCase(), []
    for rule in rules:
        # None: too many to compare. An empty tuple: it contradicts itself, of which `find_contradiction` warns.
        cases = list_cases(rule)
        if cases and (by := earlier.find_covering(cases)):
            found.append((rule, by))
        # A rule that continues hides nothing from the rules below it.
        elif cases and not rule.continues:
            earlier.add(rule, cases)
    return found


def find_rewording(
    rules: Sequence[Rule], others: Sequence[Rule], pending_types: Iterable[str]
) -> list[tuple[Rule, tuple[Rule, ...]]]:
    """Return each rule that waits for a confirmation, with the rules that already cover all its cases while they are pending.

    The latter send the message, and the rule that waits only rewords it. `pending_types` are the action types, in lower
    case, that the feed first sends as pending.
    """
    at_once, possible, found = _index_rules_at_once(rules, others), frozenset(pending_types), []
    for rule in rules:
        if SendType.PENDING in rule.send_types or not rule.action_types or not rule.action_types <= possible:
            continue
        cases = intersect_conditions(rule.conditions)
        # Compared without the send types: one rule is for the confirmed action, the other for the same action when pending.
        at_any_time = [_leave_out_send_type(case) for case in cases or ()]
        if at_any_time and (by := at_once.find_covering(at_any_time)):
            found.append((rule, by))
    return found


def find_late(rules: Sequence[Rule], others: Sequence[Rule], pending_types: Iterable[str]) -> list[tuple[Rule, tuple[Rule, ...]]]:
    """Return each rule that needs a player or a sub action type, with the rules that fire while the feed has not named it.

    A pending action often has neither (feed documentation, section 3.2). None are found among very many rules: such a file was
    made by a program, and nobody reads a note on each of its rules.
    """
    if len(rules) > _MAX_CANDIDATES:
        return []
    at_once, possible, found = _index_rules_at_once(rules, others), frozenset(pending_types), []
    for rule in rules:
        if SendType.PENDING not in rule.send_types or not rule.action_types or not rule.action_types <= possible:
            continue
        cases = intersect_conditions(rule.conditions) or ()
        if cases and all(_needs_late_facts(case) for case in cases):
            unnamed = [_leave_unnamed(case) for case in cases]
            if by := at_once.find_covering(unnamed):
                found.append((rule, by))
    return found


def _index_rules_at_once(rules: Iterable[Rule], others: Iterable[Rule]) -> _RulesByCase:
    """Return the rules that fire for a pending action, with the cases in which they do."""
    at_once, pending = _RulesByCase(), Names(frozenset({normalise(SendType.PENDING.value)}))
    for other in chain(rules, others):
        if SendType.PENDING in other.send_types:
            cases = intersect_conditions(other.conditions) or ()
            # A rule may wait for a confirmation in some of its cases alone: `any: [{team: A, send_type: Confirmed}, {team: B}]`.
            meant = [one for one in cases if "send_type" not in one or not one["send_type"].intersect(pending).is_empty]
            at_once.add(other, map(_leave_out_send_type, meant))
    return at_once


def _leave_out_send_type(case: Case) -> Case:
    return {key: values for key, values in case.items() if key != "send_type"}


def _needs_late_facts(case: Case) -> bool:
    """Return True if a case needs a player or a sub action type; one that excludes sub types holds without any."""
    sub_type = case.get("sub_action_type")
    is_sub_type_needed = isinstance(sub_type, Names) and not sub_type.is_complement
    return is_sub_type_needed or any(name.startswith("player=") for name in _list_needed_names(case))


def _leave_unnamed(case: Case) -> Case:
    """Return the case of the same action before the feed named its player and its sub action type."""
    players = {key: IS_FALSE for key in case if key.startswith("player=")}
    return {**_leave_out_send_type(case), **players, "sub_action_type": Names(frozenset({""}))}


class _RulesByCase:
    """Rules by their action type and by a name that they need, so that a rule is compared with the few that could cover it."""

    def __init__(self) -> None:
        self._entries: dict[tuple[str, str], list[tuple[int, Case, Rule]]] = {}
        self._size = 0

    def add(self, rule: Rule, cases: Iterable[Case]) -> None:
        """Add a rule with its cases."""
        for case in cases:
            # Under one of its names is enough: a case that it covers needs that name as well.
            name = next(iter(_list_needed_names(case)), "")
            for action_type in _list_types(case) or ("",):
                self._entries.setdefault((action_type, name), []).append((self._size, case, rule))
            self._size += 1

    def find_covering(self, cases: Iterable[Case]) -> tuple[Rule, ...]:
        """Return the rules that together cover all of the cases, in the order in which they were added; none if they do not."""
        covering: dict[str, Rule] = {}
        for case in cases:
            types, names = {"", *_list_types(case)}, {"", *_list_needed_names(case)}
            # Each list is cut before they are joined, so that a file with thousands of similar rules is checked quickly.
            near = [one for type_ in types for name in names for one in self._entries.get((type_, name), ())[:_MAX_CANDIDATES]]
            candidates = [(earlier, rule) for _, earlier, rule in sorted(near, key=lambda entry: entry[0])]
            # One rule alone if possible, since the warning names all that are returned.
            by = next(([rule] for one, rule in candidates if _covers(one, case)), None) or _find_together(case, candidates)
            if not by:
                return ()
            covering |= {rule.name: rule for rule in by}
        return tuple(covering.values())


def _list_types(case: Case) -> frozenset[str]:
    types = case.get("action_type")
    return types.words if isinstance(types, Names) and not types.is_complement else frozenset()


def _list_needed_names(case: Case) -> list[str]:
    return [key for key, values in case.items() if values == IS_TRUE]


def _covers(one: Case, other: Case) -> bool:
    """Return True if the first case holds whenever the second does."""
    return all(key in other and other[key].intersect(complement_values(key, values)).is_empty for key, values in one.items())


def _find_together(case: Case, candidates: Sequence[tuple[Case, Rule]]) -> list[Rule]:
    """Return the fewest rules that cover a case together; none if something is left."""
    if not 1 < len(candidates) <= _MAX_TOGETHER or _leaves_anything(case, candidates):
        return []
    # Each rule that can be left out is left out, so that the warning names only those that an operator has to look at.
    needed = list(candidates)
    for one in candidates:
        without = [other for other in needed if other is not one]
        if not _leaves_anything(case, without):
            needed = without
    return [rule for _, rule in needed]


def _leaves_anything(case: Case, candidates: Iterable[tuple[Case, Rule]]) -> bool:
    """Return True if a moment may meet the case and none of the candidates', or if there are too many pieces to know."""
    left: list[Case] = [case]
    for one, _ in candidates:
        remaining = subtract_case(left, one)
        # None: it is not known what is left. An empty list: nothing is.
        if not remaining:
            return remaining is None
        left = remaining
    return True
