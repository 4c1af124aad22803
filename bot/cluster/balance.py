"""Who follows how many matches: which free ones a process takes, and which it asks another one to hand over. Pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable, Mapping

from bot.cluster.leases import Lease

EXTRA_LEASE_DELAY = 2.5
"""Seconds for which a free match beyond one's share is left to other processes: longer than two of their checks."""

READY = "ready"
"""What the lease of a request says once its process could take the match over at once. Other versions read it."""

_FIXTURE_PREFIX, _HAND_OVER_PREFIX = "fixture:", "handover:"


def name_fixture_lease(fixture_id: str) -> str:
    """Return the name of the lease under which a match is followed."""
    return f"{_FIXTURE_PREFIX}{fixture_id}"


def read_fixture_id(name: str) -> str:
    """Return the fixture of a lease under which a match is followed."""
    return name.removeprefix(_FIXTURE_PREFIX)


def is_fixture_lease(name: str) -> bool:
    """Return True for a lease under which a match is followed."""
    return name.startswith(_FIXTURE_PREFIX)


def name_hand_over_request(name: str) -> str:
    """Return the name of the lease by which a process asks for another lease."""
    return f"{_HAND_OVER_PREFIX}{name}"


def read_requests(leases: Iterable[Lease]) -> dict[str, Lease]:
    """Return the requests of all processes, by the name of the lease that each asks for."""
    return {lease.name.removeprefix(_HAND_OVER_PREFIX): lease for lease in leases if lease.name.startswith(_HAND_OVER_PREFIX)}


def count_matches(leases: Iterable[Lease]) -> Counter[str]:
    """Return by process how many matches it follows."""
    return Counter(lease.holder for lease in leases if is_fixture_lease(lease.name) and not lease.is_finished)


def choose_leases(free_seconds: Mapping[str, float], held_count: int, wanted_count: int, process_count: int) -> list[str]:
    """Choose which free leases a process acquires. `free_seconds` says by name for how long each has been free.

    Every process wants the same `wanted_count` leases. Each acquires its share at once, and more only of what the others leave.
    """
    # The lease that has been free for longest first, and by name among equals: all processes choose in the same order, so the
    # ones that nobody took rise to the top. A share is rounded up, since all of them together have to cover every match.
    share_left = max(0, math.ceil(wanted_count / max(1, process_count)) - held_count)
    longest_first = sorted(free_seconds, key=lambda name: (-free_seconds[name], name))
    extra = [name for name in longest_first[share_left:] if free_seconds[name] >= EXTRA_LEASE_DELAY]
    return longest_first[:share_left] + extra


def choose_hand_over(leases: Collection[Lease], process: str, owners: Collection[str], wanted: Collection[str]) -> str | None:
    """Choose the lease that a process asks another one for; None if it has its share.

    `owners` are the processes that hand leases over, `wanted` the leases that `process` could take.
    """
    requests = read_requests(leases)
    counts = count_matches(leases)
    # As it will be when everything that was asked for has been handed over.
    for name, request in requests.items():
        # A lease that has become free meanwhile takes no match away from anybody.
        owner = next((lease.holder for lease in leases if lease.name == name), request.holder)
        if owner != request.holder:
            counts[owner] -= 1
            counts[request.holder] += 1
    movable = [
        lease
        for lease in leases
        if lease.name in wanted and lease.name not in requests and lease.holder in owners and lease.holder != process
    ]
    # By name among equals, so that the choice is the same at each look.
    fullest = max(movable, key=lambda lease: (counts[lease.holder], lease.name), default=None)
    return fullest.name if fullest and counts[fullest.holder] - counts[process] >= _MIN_DIFFERENCE else None


def may_hand_over(leases: Iterable[Lease], owner: str, process: str) -> bool:
    """Return True if `owner` follows so many more matches that one handed over to `process` makes both more even."""
    counts = count_matches(leases)
    return counts[owner] - counts[process] >= _MIN_DIFFERENCE


_MIN_DIFFERENCE = 2
"""Matches. With a difference of one, a match would go back and forth for ever."""
