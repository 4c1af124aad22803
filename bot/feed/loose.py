"""Reads single values of the vendor's JSON without ever failing: a wrong type is as good as an absent value."""

from __future__ import annotations

import datetime as dt
import math
import re
from typing import Any, overload

LARGEST = 2**53
"""Beyond this a JSON number is not exact, and no count of football's is so large."""
_LONGEST_CLOCK = 999 * 60
_NUL = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")
"""The escape, where its backslash is not itself escaped."""

STATUSES = ("Scheduled", "Live", "Completed", "Postponed", "Abandoned", "Cancelled", "Suspended", "Unverified")
"""Fixture statuses by their numbers (feed documentation, section 6.2)."""
COLLECTION_STATUSES = (
    "CollectionScheduled",
    "CollectingLive",
    "CollectingPostMatch",
    "CollectionSuspended",
    "CollectionDropped",
    "CollectionCompleted",
    "PostMatchChecked",
)
"""Collection statuses by their numbers (feed documentation, section 6.3)."""


@overload
def without_nul(frame: bytes) -> bytes: ...
@overload
def without_nul(frame: str | bytes) -> str | bytes: ...
def without_nul(frame: str | bytes) -> str | bytes:
    """A JSON text without the one character that neither Telegram nor PostgreSQL takes."""
    if isinstance(frame, str):
        return without_nul(frame.encode(errors="replace")) if "\\u0000" in frame else frame
    return _NUL.sub(rb"\1", frame) if b"\\u0000" in frame else frame


def text(value: Any) -> str:
    """A string or a number as text; empty for anything else."""
    if isinstance(value, str):
        return value.strip()
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""


def number(value: Any) -> int | None:
    """A whole number, quoted or not; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = value if isinstance(value, int) else float(value)
        return int(found) if math.isfinite(found) and 0 <= found <= LARGEST else None
    except (ValueError, OverflowError):
        return None


def boolean(value: Any) -> bool | None:
    """True or false, also as a word or as 1 and 0; None for anything else."""
    words = {"true": True, "1": True, "false": False, "0": False}
    return value if isinstance(value, bool) else words.get(text(value).lower())


def mapping(value: Any) -> dict[str, Any]:
    """An object; empty for anything else."""
    return value if isinstance(value, dict) else {}


def items(value: Any) -> list[Any]:
    """An array; empty for anything else."""
    return value if isinstance(value, list) else []


def instant(value: Any) -> dt.datetime | None:
    """An ISO 8601 instant in UTC, which is meant where no zone is given; None where it cannot be read."""
    try:
        found = dt.datetime.fromisoformat(text(value))
        if found.tzinfo is dt.UTC:
            return found
        return found.replace(tzinfo=dt.UTC) if found.tzinfo is None else found.astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return None


def clock(value: Any) -> int | None:
    """Seconds of `MM:SS`; None where it cannot be read."""
    minutes, _, seconds = text(value).partition(":")
    if not (minutes.isdecimal() and seconds.isdecimal()) or len(minutes) > 4 or len(seconds) > 2:
        return None
    return min(int(minutes) * 60 + int(seconds), _LONGEST_CLOCK)


def status(value: Any) -> str:
    """A fixture status as a word, whether it comes as a word or as its number."""
    return _named(value, STATUSES)


def collection_status(value: Any) -> str:
    """A collection status as a word, whether it comes as a word or as its number."""
    return _named(value, COLLECTION_STATUSES)


def _named(value: Any, names: tuple[str, ...]) -> str:
    position = number(value)
    return names[position] if position is not None and position < len(names) else text(value)
