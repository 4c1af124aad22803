"""Which free leases a process takes, so that all processes of a role have about as many. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping

PATIENCE = 2.5
"""Seconds that more than one's share is left to others."""


def to_take(free_for: Mapping[str, float], held: int, wanted: int, processes: int) -> list[str]:
    """The names to take of those that have been free for so many seconds, where so many are held already.

    Everybody wants the same names, `wanted` in all: each process has its share of them, and takes more only of what is left over.
    """
    room = max(0, math.ceil(wanted / max(1, processes)) - held)
    longest_first = sorted(free_for, key=lambda name: (-free_for[name], name))
    return longest_first[:room] + [name for name in longest_first[room:] if free_for[name] >= PATIENCE]
