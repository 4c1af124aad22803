"""How fast one user may speak to the bot: a token bucket for each, so that a flood slows nobody else. It reads no clock."""

from __future__ import annotations

import msgspec

BURST = 20.0
"""So many commands and presses at once …"""
A_SECOND = 1.0
"""… and then so many a second."""
MOST = 10_000
"""Users remembered."""


class Bucket(msgspec.Struct, frozen=True):
    """What a user has left, as of an instant of the monotonic clock; `warned` since it last ran dry."""

    left: float = BURST
    at: float = 0.0
    warned: bool = False


def poured(bucket: Bucket, now: float) -> Bucket:
    """The bucket as it has filled up meanwhile."""
    left = min(BURST, bucket.left + (now - bucket.at) * A_SECOND)
    return Bucket(left, now, bucket.warned and left < BURST / 2)


class Floods:
    """Knows who speaks too fast."""

    def __init__(self) -> None:
        self._buckets: dict[int, Bucket] = {}

    def admit(self, user_id: int, now: float) -> bool:
        """Take one token; false where none is left."""
        bucket = poured(self._buckets.pop(user_id, Bucket(at=now)), now)
        admitted = bucket.left >= 1
        self._buckets[user_id] = msgspec.structs.replace(bucket, left=bucket.left - 1) if admitted else bucket
        if len(self._buckets) > MOST:
            del self._buckets[next(iter(self._buckets))]
        return admitted

    def warn(self, user_id: int) -> bool:
        """Tell whether the user is to be warned now: once until there was peace."""
        bucket = self._buckets.get(user_id, Bucket())
        self._buckets[user_id] = msgspec.structs.replace(bucket, warned=True)
        return not bucket.warned
