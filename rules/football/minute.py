"""Minutes and periods, and how the feed's clocks and period ids become them."""

from __future__ import annotations

import enum
import re

import msgspec

from rules.football.names import normalise


class Period(enum.StrEnum):
    """Part of the game, in order of play."""

    BEFORE = "before kick-off"
    FIRST_HALF = "first half"
    SECOND_HALF = "second half"
    EXTRA_FIRST = "first half of extra time"
    EXTRA_SECOND = "second half of extra time"
    SHOOTOUT = "shootout"


LAST_MINUTE = {Period.FIRST_HALF: 45, Period.SECOND_HALF: 90, Period.EXTRA_FIRST: 105, Period.EXTRA_SECOND: 120}

_MINUTE_PATTERN = re.compile(r"(\d{1,3})(?:\+(\d{1,2}))?'?")


class Minute(msgspec.Struct, frozen=True, order=True):
    """A minute of play. Ordered: 45 < 45+2 < 46."""

    base: int
    added: int = 0

    def __str__(self) -> str:
        return f"{self.base}+{self.added}" if self.added else str(self.base)

    @classmethod
    def parse(cls, text: str) -> Minute:
        """Read `45`, `45+2` or `45+2'`; raise ValueError for anything else."""
        found = _MINUTE_PATTERN.fullmatch(text.strip())
        if not found:
            raise ValueError(f"{text!r} is not a minute such as 45 or 45+2")
        return cls(int(found[1]), int(found[2] or 0))


def minute_of(clock: int, period: Period) -> Minute | None:
    """Turn elapsed seconds into the minute being played; None before kick-off and in a shootout.

    38:34 is the 39th minute; 45:10 of the first half is 45+1, 91:51 of the second 90+2.
    """
    last = LAST_MINUTE.get(period)
    if last is None:
        return None
    minute = clock // 60 + 1
    return Minute(minute) if minute <= last else Minute(last, minute - last)


PERIODS_BY_ID = {1: Period.FIRST_HALF, 2: Period.SECOND_HALF, 3: Period.EXTRA_FIRST, 4: Period.EXTRA_SECOND, 5: Period.SHOOTOUT}


def parse_period(kind: str, label: str, period_id: int) -> Period:
    words = normalise(f"{kind} {label}")
    if "shootout" in words or "shoot-out" in words or "penalt" in words:
        return Period.SHOOTOUT
    if "extra" in words:
        first = "1st" in words or "first" in words or ("2nd" not in words and "second" not in words and period_id <= 3)
        return Period.EXTRA_FIRST if first else Period.EXTRA_SECOND
    return PERIODS_BY_ID.get(period_id, Period.SECOND_HALF)


PERIOD_IDS = {"first half": 1, "second half": 2, "first half of extra time": 3, "second half of extra time": 4, "shootout": 5}
