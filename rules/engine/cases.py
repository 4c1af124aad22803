"""For which moments a condition holds, as sets of values that can be compared with those of other conditions.

A case names values of a moment and says what each may be; a condition holds for any of its cases. So rules can be compared
without a moment: whether one can fire at all, and whether others always fire before it. `unreachable.py` asks these questions.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from rules.football.action import SendType
from rules.football.minute import Period
from rules.football.names import normalise

MAX_CASES = 64
"""The most cases of one condition or rule. One with more, as with lists of many names, is compared only as written."""

_MAX_PIECES = 400
"""The most pieces into which a case is cut while others are subtracted from it."""


class Names(msgspec.Struct, frozen=True):
    """These words; with `is_complement` all words but these."""

    words: frozenset[str]
    is_complement: bool = False

    @property
    def is_empty(self) -> bool:
        """Return True if no word is in the set."""
        return not self.words and not self.is_complement

    def intersect(self, other: ValueSet) -> Names:
        """Return the words that are in both sets."""
        if not isinstance(other, Names):
            raise TypeError("names and numbers are compared")
        if self.is_complement and other.is_complement:
            return Names(self.words | other.words, is_complement=True)
        if self.is_complement:
            return Names(other.words - self.words)
        return Names(self.words - other.words if other.is_complement else self.words & other.words)

    def complement(self) -> Names:
        """Return all words that are not in the set."""
        return Names(self.words, not self.is_complement)


class Numbers(msgspec.Struct, frozen=True):
    """The whole numbers of some spans, both ends included, and perhaps the lack of a number."""

    spans: tuple[tuple[float, float], ...]
    has_none: bool = False
    """True if the set has moments without a number: a shootout has no minute."""

    @property
    def is_empty(self) -> bool:
        """Return True if no number is in the set, nor the lack of one."""
        return not self.spans and not self.has_none

    def intersect(self, other: ValueSet) -> Numbers:
        """Return the numbers that are in both sets."""
        if not isinstance(other, Numbers):
            raise TypeError("numbers and names are compared")
        both = ((max(a, c), min(b, d)) for a, b in self.spans for c, d in other.spans)
        return Numbers(tuple(sorted((low, high) for low, high in both if low <= high)), self.has_none and other.has_none)

    def complement(self) -> Numbers:
        """Return all numbers that are not in the set."""
        # The numbers are whole, minutes too (`_ADDED_MINUTES` in `conditions.py`): what ends before 5 ends at 4.
        gaps: list[tuple[float, float]] = []
        begin = -math.inf
        for low, high in sorted(self.spans):
            if begin < low:
                gaps.append((begin, low - 1))
            begin = max(begin, high + 1)
        if begin < math.inf:
            gaps.append((begin, math.inf))
        return Numbers(tuple(gaps), not self.has_none)


ValueSet = Names | Numbers

Case = Mapping[str, ValueSet]
"""The values that a moment must have, by their names; a value that is not named may be anything."""

Cases = tuple[Case, ...]
"""Cases of which at least one must hold."""

ANYTHING: Cases = ({},)


def intersect_case(one: Case, other: Case) -> Case | None:
    """Return the case in which both hold; None if there is none."""
    both = dict(one)
    # A name that one case alone has may be anything in the other, so that its values stay.
    for key, values in other.items():
        both[key] = both[key].intersect(values) if key in both else values
        if both[key].is_empty:
            return None
    return None if _names_two_of_one(both) else both


def _names_two_of_one(case: Case) -> bool:
    """Return True if the case asks for two values of something that has only one, such as two competitions."""
    # A team or a competition may be named by its name or its id, so each name is a question of its own (`team=arsenal`). Two
    # names are two teams, unless one of them is an id, which has a digit in it. A name such as "Schalke 04" is taken for an id
    # too, which only means that a rule with it is not reported as impossible.
    seen: set[str] = set()
    for key, values in case.items():
        owner, _, name = key.partition("=")
        # In this order, since it runs for every two rules that are compared, and most keys are no names.
        if name and owner in _SINGLE and values == IS_TRUE and not any(letter.isdigit() for letter in name):
            if owner in seen:
                return True
            seen.add(owner)
    return False


_SINGLE = frozenset({"team", "competition", "fixture"})
"""What a moment has only one of."""


IS_TRUE, IS_FALSE = Names(frozenset({"true"})), Names(frozenset({"false"}))
"""The values of a yes-or-no question. They are complements of each other, see `complement_cases`."""


# Not the sides: an action may have none.
_FEW_VALUES = {
    "period": Names(frozenset(normalise(period.value) for period in Period)),
    "send_type": Names(frozenset(normalise(one.value) for one in (SendType.PENDING, SendType.CONFIRMED, SendType.UPDATED))),
}
"""All values of the names that always have one of a few: if every one is excluded, nothing is left."""


def intersect_cases(one: Cases, other: Cases) -> Cases | None:
    """Return the cases in which both hold, none if they contradict each other; None if there are too many to compare."""
    both = [case for a in one for b in other if (case := intersect_case(a, b)) is not None]
    return tuple(both) if len(both) <= MAX_CASES else None


def union_cases(parts: Iterable[Cases | None]) -> Cases | None:
    """Return the cases of which one of the parts holds; None if there are too many to compare."""
    found: list[Case] = []
    for part in parts:
        if part is None or len(found) + len(part) > MAX_CASES:
            return None
        found += part
    return tuple(found)


def complement_cases(cases: Cases) -> Cases | None:
    """Return the cases in which none of these holds; None if there are too many to compare."""
    # A case does not hold where one of its values is another. So each case gives as many as it has values, and those of several
    # cases are combined: the number grows as their product.
    result: Cases = ANYTHING
    for case in cases:
        opposite = ((key, complement_values(key, values)) for key, values in case.items())
        remaining = intersect_cases(result, tuple({key: values} for key, values in opposite if not values.is_empty))
        if remaining is None:
            return None
        result = remaining
    return result


def complement_values(key: str, values: ValueSet) -> ValueSet:
    """Return all other values of a name; of what has few values, such as the period, those that are left."""
    # A question has two answers only: the opposite of true is false, and not all words but `true`.
    if values in (IS_TRUE, IS_FALSE):
        return IS_FALSE if values == IS_TRUE else IS_TRUE
    others = values.complement()
    return others.intersect(_FEW_VALUES[key]) if key in _FEW_VALUES else others


def subtract_case(pieces: Sequence[Case], other: Case) -> list[Case] | None:
    """Return what is left of some cases without another one; None if it comes into too many pieces."""
    left: list[Case] = []
    for piece in pieces:
        both = intersect_case(piece, other)
        if both is None:
            left.append(piece)
            continue
        # What differs in the first value, then what agrees in it and differs in the second, and so on.
        agreed = dict(piece)
        for key, values in other.items():
            outside = complement_values(key, values)
            remaining = agreed[key].intersect(outside) if key in agreed else outside
            if not remaining.is_empty:
                left.append({**agreed, key: remaining})
            agreed[key] = both[key]
        if len(left) > _MAX_PIECES:
            return None
    return left
