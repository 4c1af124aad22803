"""Minutes and periods, and how the feed's clocks and period ids become them."""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import msgspec

from rules.football.names import normalise


class Period(enum.StrEnum):
    """A part of the game, in order of play."""

    BEFORE = "before kick-off"
    FIRST_HALF = "first half"
    SECOND_HALF = "second half"
    EXTRA_FIRST = "first half of extra time"
    EXTRA_SECOND = "second half of extra time"
    SHOOTOUT = "shootout"


PERIOD_ORDER = {period: number for number, period in enumerate(Period)}


def is_later_period(one: Period, other: Period) -> bool:
    """Return True if a period is played after another."""
    return PERIOD_ORDER[one] > PERIOD_ORDER[other]


LAST_MINUTE = {Period.FIRST_HALF: 45, Period.SECOND_HALF: 90, Period.EXTRA_FIRST: 105, Period.EXTRA_SECOND: 120}
"""The last regular minute of each period that has minutes; what is played after it is added time."""

PERIODS_BY_ID = {1: Period.FIRST_HALF, 2: Period.SECOND_HALF, 3: Period.EXTRA_FIRST, 4: Period.EXTRA_SECOND, 5: Period.SHOOTOUT}
"""What a period id means where the summary does not describe the period (feed documentation, sections 6.1 and 14)."""

PERIOD_IDS = {period: period_id for period_id, period in PERIODS_BY_ID.items()}

_MINUTE_PATTERN = re.compile(r"(\d{1,3})(?:\+(\d{1,2}))?'?")


class Minute(msgspec.Struct, frozen=True, order=True):
    """A minute of play. Ordered: 45 < 45+2 < 46."""

    # `order=True` compares the fields one by one, so the minute of the period comes first.
    base: int
    added: int = 0

    def __str__(self) -> str:
        return f"{self.base}+{self.added}" if self.added else str(self.base)

    @property
    def total(self) -> int:
        """Minutes since kick-off, as if added time ran on: 45+2 is 47."""
        return self.base + self.added

    @classmethod
    def parse(cls, text: str) -> Minute:
        """Read `45`, `45+2` or `45+2'`. Raises ValueError for anything else."""
        found = _MINUTE_PATTERN.fullmatch(text.strip())
        if not found:
            raise ValueError(f"{text!r} is not a minute such as 45 or 45+2")
        return cls(int(found[1]), int(found[2] or 0))


def find_minute(clock: int, period: Period) -> Minute | None:
    """Turn elapsed seconds into the minute being played; None before kick-off and in a shootout.

    38:34 is the 39th minute; 45:10 of the first half is 45+1, 91:51 of the second 90+2.
    """
    # The feed's clock runs on through added time and never says "90+2" (section 8), so the period decides.
    last = LAST_MINUTE.get(period)
    if last is None:
        return None
    minute = clock // 60 + 1
    return Minute(minute) if minute <= last else Minute(last, minute - last)


_ADDED_TIME_KEYS = ("addedtime", "addedminutes", "additionalminutes", "stoppagetime", "minutes")
"""Where an Added Time action may say how many minutes are added, in lower case. Assumed: none was seen (section 8)."""

_ADDED_TIME_PATTERN = re.compile(r"\+?(\d{1,2})(?:\s*(?:'|min\.?|minutes?))?")


def read_added_minutes(values: Mapping[str, Any], sub_type: str) -> int | None:
    """Return the minutes that are added to a period, by metadata or sub type; None where neither says."""
    in_metadata = [value for key, value in values.items() if str(key).casefold() in _ADDED_TIME_KEYS]
    for value in (*in_metadata, sub_type):
        # True is an int in Python, and no number of minutes.
        words = str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""
        if found := _ADDED_TIME_PATTERN.fullmatch(words.casefold()):
            return int(found[1]) or None  # 0 says nothing that a chat could use
    return None


def is_known_period(kind: str, label: str) -> bool:
    """Return True if a period's words are those that the documentation shows, or that `parse_period` understands."""
    words = normalise(f"{kind} {label}")
    known = ("regular", "half", "shootout", "shoot-out", "penalt", "extra")
    return not words or any(word in words for word in known)


@lru_cache(1024)  # every packet asks for the same few
def parse_period(kind: str, label: str, period_id: int) -> Period:
    """Return the period that the summary describes by its type and label, such as `Regular` and `2nd half`."""
    # The id alone does not say: 3 is a shootout in a match without extra time (section 6.1). The words for extra time are
    # not documented, so any that contain "extra" are taken, and the id decides where they do not say which half.
    words = normalise(f"{kind} {label}")
    if "shootout" in words or "shoot-out" in words or "penalt" in words:
        return Period.SHOOTOUT
    if "extra" in words:
        is_first = "1st" in words or "first" in words or ("2nd" not in words and "second" not in words and period_id <= 3)
        return Period.EXTRA_FIRST if is_first else Period.EXTRA_SECOND
    # Neither a shootout nor extra time: play, and with an id that says nothing the later half of it.
    return PERIODS_BY_ID.get(period_id, Period.SECOND_HALF)
