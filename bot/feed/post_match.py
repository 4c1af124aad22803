"""How long a match is still read after its end; pure.

Corrections come late, such as a penalty that is given after the whistle.
"""

from __future__ import annotations

import msgspec

MIN_STAY = 600.0
"""Seconds after the end of a match for which its stream is read in any case."""

MAX_STAY = 3600.0
"""Seconds after the end of a match after which its stream is left, whatever its collection status says."""

# The feed calls a match done when its collection ends, not when play ends (section 6.3). A match is often still
# CollectingLive when its End Match comes, and some feeds never report any other status.
_COLLECTING = frozenset({"collectinglive", "collectingpostmatch"})
_COLLECTED = frozenset({"collectioncompleted", "postmatchchecked"})


class Listing(msgspec.Struct, frozen=True):
    """What the list of fixtures says about a match whose stream says that it has ended."""

    is_live: bool = False
    collection_status: str = ""


class PostMatch(msgspec.Struct, frozen=True):
    """The time after the end of a match, which was at `ended_at` on the monotonic clock, in seconds."""

    ended_at: float

    def is_over(self, now: float, collection_status: str, listing: Listing) -> bool:
        """Return True if nothing more is expected of the stream. `collection_status` is the stream's own word."""
        since = now - self.ended_at
        if since < MIN_STAY:
            return False
        if since >= MAX_STAY:
            return True
        # The stream or the list, whichever says so first: the stream may be silent by then; the list is read every 30 s.
        is_collected = not _COLLECTED.isdisjoint((collection_status.casefold(), listing.collection_status.casefold()))
        return is_collected or not (listing.is_live or collection_status.casefold() in _COLLECTING)
