"""How much happened at once."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable


def count_busiest(instants: Iterable[float], seconds: float = 1.0) -> int:
    """Return the most of these instants that lie within so many seconds. There must be some."""
    ordered = sorted(instants)
    return max(bisect_left(ordered, first + seconds) - number for number, first in enumerate(ordered))
