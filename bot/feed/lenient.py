"""Reads single JSON values of the wrong type without failing: each function returns an empty value for what it cannot use."""

from __future__ import annotations

import datetime as dt
import math
import re
from decimal import Decimal
from typing import Any, overload

from rules.football.statuses import COLLECTION_STATUSES, STATUSES

MAX_EXACT_NUMBER = 2**53
"""Above this a JSON number is not exact in other readers, and no count in football is so large."""

_MAX_CLOCK_SECONDS = 999 * 60

_NUL_PATTERN = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")
"""The escape of NUL, unless its backslash is itself escaped."""

_STATUS_NAMES = tuple(status.name for status in STATUSES)


@overload
def remove_nul(frame: bytes) -> bytes: ...


@overload
def remove_nul(frame: str | bytes) -> str | bytes: ...


def remove_nul(frame: str | bytes) -> str | bytes:
    """Return the JSON text without NUL, the one character that neither Telegram nor PostgreSQL accepts."""
    if isinstance(frame, str):
        return remove_nul(frame.encode(errors="replace")) if "\\u0000" in frame else frame
    return _NUL_PATTERN.sub(rb"\1", frame) if b"\\u0000" in frame else frame


def as_text(value: Any) -> str:
    """Return a string or a number as text; empty for anything else."""
    if isinstance(value, str):
        return value.strip()
    return str(value) if isinstance(value, int | float | Decimal) and not isinstance(value, bool) else ""


def as_number(value: Any) -> int | None:
    """Return a whole number, quoted or not (section 7 quotes decimals, the samples do not); None for anything else."""
    # bool is a subclass of int, and `true` is not a number.
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        return None
    try:
        found = value if isinstance(value, int) else float(value)
        return int(found) if math.isfinite(found) and 0 <= found <= MAX_EXACT_NUMBER else None
    except (ValueError, OverflowError):
        return None


def as_decimal(value: Any) -> Decimal | None:
    """Return a decimal number, quoted or not; None for anything else."""
    try:
        found = Decimal(as_text(value))
    except ArithmeticError:
        return None
    return found if found.is_finite() else None


def as_boolean(value: Any) -> bool | None:
    """Return a boolean, also from a word or from 1 and 0; None for anything else."""
    words = {"true": True, "1": True, "false": False, "0": False}
    return value if isinstance(value, bool) else words.get(as_text(value).lower())


def as_mapping(value: Any) -> dict[str, Any]:
    """Return an object; empty for anything else."""
    return value if isinstance(value, dict) else {}


def as_list(value: Any) -> list[Any]:
    """Return an array; empty for anything else."""
    return value if isinstance(value, list) else []


def as_instant(value: Any) -> dt.datetime | None:
    """Return an ISO 8601 instant in UTC, which is assumed if no zone is given (section 3.3); None if it cannot be read."""
    try:
        found = dt.datetime.fromisoformat(as_text(value))
        if found.tzinfo is dt.UTC:
            return found  # nearly always: no new object is needed
        return found.replace(tzinfo=dt.UTC) if found.tzinfo is None else found.astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return None


def as_clock(value: Any) -> int | None:
    """Return the seconds of `MM:SS`; None if it cannot be read."""
    minutes, _, seconds = as_text(value).partition(":")
    if not (minutes.isdecimal() and seconds.isdecimal()) or len(minutes) > 4 or len(seconds) > 2:
        return None
    return min(int(minutes) * 60 + int(seconds), _MAX_CLOCK_SECONDS)


def as_status(value: Any) -> str:
    """Return a fixture status as a word, whether it comes as a word or as its number."""
    return _as_listed_word(value, _STATUS_NAMES)


def as_collection_status(value: Any) -> str:
    """Return a collection status as a word, whether it comes as a word or as its number."""
    return _as_listed_word(value, COLLECTION_STATUSES)


def _as_listed_word(value: Any, names: tuple[str, ...]) -> str:
    position = as_number(value)
    return names[position] if position is not None and position < len(names) else as_text(value)
