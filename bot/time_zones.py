"""Time zones by name, and by their distance from UTC."""

from __future__ import annotations

import datetime as dt
import re
from zoneinfo import ZoneInfo


def find_zone(name: str) -> dt.tzinfo:
    """Return a time zone by its name, or by its distance from UTC as in `UTC+5:30`; UTC if it is not known."""
    if (offset := _OFFSET.fullmatch(name)) is not None:
        distance = dt.timedelta(hours=int(offset["hours"]), minutes=int(offset["minutes"] or 0))
        if distance <= _MAX_OFFSET:
            return dt.timezone(distance if offset["sign"] == "+" else -distance, name)
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown, not a name, or the name of a directory of the zone database
        return ZoneInfo("UTC")


_OFFSET = re.compile(r"UTC(?P<sign>[+-])(?P<hours>\d{1,2})(?::(?P<minutes>[0-5]\d))?")

_MAX_OFFSET = dt.timedelta(hours=14)
"""The farthest from UTC that any place is."""

_TYPED_OFFSET = re.compile(r"(?:UTC|GMT)?\s*(?P<sign>[+-])\s*(?P<hours>\d{1,2})(?:[:.]?(?P<minutes>[0-5]\d))?", re.IGNORECASE)


def parse_utc_offset(typed: str) -> str | None:
    """Return `UTC+5:30` for what people write for it, such as `utc +05:30`, `GMT+5:30` and `+0530`; None if it is none.

    East of Greenwich is plus, as everybody but the zones `Etc/GMT+2` has it.
    """
    # Phones and text editors write a real minus sign.
    offset = _TYPED_OFFSET.fullmatch(typed.strip().replace("\u2212", "-"))
    if offset is None:
        return None
    hours, minutes = int(offset["hours"]), int(offset["minutes"] or 0)
    if dt.timedelta(hours=hours, minutes=minutes) > _MAX_OFFSET:
        return None
    if not hours and not minutes:
        return "UTC"
    return f"UTC{offset['sign']}{hours}" + (f":{minutes:02}" if minutes else "")
