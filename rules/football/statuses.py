"""The one table of what each fixture status means. Nothing else decides which statuses are over, live or lost."""

from __future__ import annotations

import msgspec


class FixtureStatus(msgspec.Struct, frozen=True):
    """A status of the feed (feed documentation, section 6.2), and what it means here."""

    name: str
    is_live: bool = False
    """The fixture has a stream now."""
    is_over: bool = False
    """There is nothing to connect to. A postponed fixture comes back with another kick-off, and then with another status."""
    is_lost: bool = False
    """It is over without a full time."""
    is_played: bool = False
    """It is over, and a match, or a part of one, can be read to its end."""
    is_final: bool = False
    """The list of fixtures is believed about it, even if the stream of the match does not have it."""
    news: str = ""
    """The action type that reports the change to this status; empty where other actions report it, or it is no news."""

    @property
    def is_suspended(self) -> bool:
        """Return True if play is interrupted and may go on: neither over nor lost, and an end that comes now is no full time."""
        return self is SUSPENDED


# By itself, because it is asked for by identity. Its stream goes on: play may be resumed at any time.
SUSPENDED = FixtureStatus("Suspended", is_live=True)

ABANDONED = "Abandoned"
"""The name of the status of a match that was broken off."""

STATUSES = (
    FixtureStatus("Scheduled"),
    FixtureStatus("Live", is_live=True),
    FixtureStatus("Completed", is_over=True, is_played=True, is_final=True),
    FixtureStatus("Postponed", is_over=True, is_lost=True, is_final=True, news="Match Postponed"),
    FixtureStatus(ABANDONED, is_over=True, is_lost=True, is_played=True, is_final=True, news="Match Abandoned"),
    FixtureStatus("Cancelled", is_over=True, is_lost=True, is_final=True, news="Match Cancelled"),
    SUSPENDED,
    # The status of a match whose coverage was dropped for good (section 10.2).
    # Not final: of dropped coverage the stream tells by itself (section 10.1), and the list may be behind it.
    FixtureStatus("Unverified", is_over=True, is_lost=True, is_played=True),
)
"""All statuses in the order of their numbers in packets (section 6.2)."""

COLLECTION_STATUSES = (
    "CollectionScheduled",
    "CollectingLive",
    "CollectingPostMatch",
    "CollectionSuspended",
    "CollectionDropped",
    "CollectionCompleted",
    "PostMatchChecked",
)
"""Collection statuses by their numbers (section 6.3)."""

COVERAGE_LEVELS = ("No Coverage", "In Venue", "Low Latency Stream", "Standard Stream", "Video")
"""Coverage levels by their numbers (section 6.4)."""

_ALIASES = {"canceled": "cancelled"}  # the documentation has one spelling (section 6.2), and is not always kept to

_BY_WORD = {status.name.casefold(): status for status in STATUSES}
_BY_WORD |= {alias: _BY_WORD[name] for alias, name in _ALIASES.items()}

OVER_WORDS = frozenset(word for word, status in _BY_WORD.items() if status.is_over)
"""The words of the statuses that are over, in lower case, with every spelling."""


def find_status(word: str) -> FixtureStatus:
    """Return what a status means, in any letter case; an unknown one means nothing in particular."""
    return _BY_WORD.get(word.casefold()) or FixtureStatus(word)


def is_known_status(word: str) -> bool:
    """Return True if the feed's documentation has the status."""
    return word.casefold() in _BY_WORD
