"""(conditions that hold, what was told before, now) -> what the admins are told: each trouble once, and once when it is over.

Pure. A trouble is told when it has lasted for its patience, and is over when it was away for its calm. Each time that it comes
back within a day it has to be away four times as long, so that one that comes and goes is told a few times and then lasts.
docs/operate/messages.md has a section for each.
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Mapping

import msgspec

REMIND_AFTER = dt.timedelta(days=1)
"""What lasts so long is told again."""
FORGET_AFTER = dt.timedelta(days=1)
"""What was over for so long is as if it had never been."""
LONGEST_CALM = dt.timedelta(hours=6)
_GROWTH = 4


class Nature(msgspec.Struct, frozen=True):
    """How soon a trouble is told and believed to be over, in seconds.

    `by_hand`: people make it, and other details are news; `cut_off`: nobody can be reached while it lasts, and its end tells all.
    """

    patience: float = 0.0
    calm: float = 60.0
    by_hand: bool = False
    cut_off: bool = False


TROUBLES = {
    "feed-refused": Nature(),
    "feed-down": Nature(calm=30.0),
    "fixtures-old": Nature(patience=60.0),
    "telegram-refused": Nature(patience=10.0, cut_off=True),
    "telegram-away": Nature(patience=300.0, cut_off=True),
    "second-process": Nature(calm=180.0),
    "webhook-set": Nature(),
    "texts-refused": Nature(calm=3600.0),
    "database-away": Nature(patience=15.0),
    "database-full": Nature(calm=30.0),
    "database-read-only": Nature(calm=30.0),
    "disk-low": Nature(patience=60.0, calm=600.0),
    "clock-off": Nature(patience=120.0, calm=120.0),
    "rules-refused": Nature(calm=15.0, by_hand=True),
}
"""Every trouble that is told."""


class What(enum.StrEnum):
    """What is told of a trouble."""

    BEGUN = "begun"
    CHANGED = "changed"
    LASTS = "lasts"
    OVER = "over"


class Telling(msgspec.Struct, frozen=True):
    """Something for the admins: of which trouble, what, why, since when, and until when it was last there."""

    name: str
    what: What
    detail: str
    since: dt.datetime
    until: dt.datetime


class Standing(msgspec.Struct, frozen=True):
    """How a trouble stands. `told` and `said` are when and what was told last; `over` is when it was, None while it is not.

    `times` is how often it was told lately; `last` is when it was there last.
    """

    since: dt.datetime
    last: dt.datetime
    detail: str
    told: dt.datetime | None = None
    said: str = ""
    over: dt.datetime | None = None
    times: int = 0


Standings = Mapping[str, Standing]


def step(before: Standings, conditions: Mapping[str, str], now: dt.datetime) -> tuple[dict[str, Standing], tuple[Telling, ...]]:
    """What stands after a look, and what is to be told. `conditions` are sentences by the names of TROUBLES."""
    after: dict[str, Standing] = {}
    tellings = []
    for name in sorted({*before, *conditions}):
        standing, what = _looked(TROUBLES[name], before.get(name), conditions.get(name), now)
        if standing is not None:
            after[name] = standing
        if standing is not None and what is not None:
            tellings.append(Telling(name, what, standing.detail, standing.since, standing.last))
    return after, tuple(tellings)


def lasting(standings: Standings) -> dict[str, Standing]:
    """The troubles that are not over."""
    return {name: standing for name, standing in standings.items() if standing.over is None}


def _looked(
    nature: Nature, standing: Standing | None, detail: str | None, now: dt.datetime
) -> tuple[Standing | None, What | None]:
    if detail is not None:
        return _there(nature, standing, detail, now)
    if standing is None or standing.over is not None:
        return _remembered(standing, now), None
    return _away(nature, standing, now)


def _remembered(standing: Standing | None, now: dt.datetime) -> Standing | None:
    """What was over long ago is forgotten."""
    return standing if standing and standing.over and now - standing.over < FORGET_AFTER else None


def _there(nature: Nature, standing: Standing | None, detail: str, now: dt.datetime) -> tuple[Standing, What | None]:
    if standing is None or standing.over is not None:
        times = standing.times if _remembered(standing, now) and standing else 0
        standing = Standing(now, now, detail, times=times)
    standing = msgspec.structs.replace(standing, last=now, detail=detail)
    what = _to_tell(nature, standing, now)
    if what is None:
        return standing, None
    times = standing.times + (what is What.BEGUN)
    return msgspec.structs.replace(standing, told=now, said=detail, times=times), what


def _to_tell(nature: Nature, standing: Standing, now: dt.datetime) -> What | None:
    if standing.told is None:
        return What.BEGUN if (now - standing.since).total_seconds() >= nature.patience else None
    if nature.by_hand and standing.detail != standing.said:
        return What.CHANGED
    return What.LASTS if now - standing.told >= REMIND_AFTER else None


def _away(nature: Nature, standing: Standing, now: dt.datetime) -> tuple[Standing | None, What | None]:
    """It is not there; what nobody heard of ends unheard."""
    gone = (now - standing.last).total_seconds()
    if standing.told is None:
        if gone < min(nature.patience, nature.calm):
            return standing, None
        return (msgspec.structs.replace(standing, over=now) if standing.times else None), None
    if gone < _calm(nature, standing.times):
        return standing, None
    return msgspec.structs.replace(standing, over=now), What.OVER


def _calm(nature: Nature, times: int) -> float:
    """Seconds that it has to be away."""
    if nature.by_hand:
        return nature.calm
    longest = max(nature.calm, LONGEST_CALM.total_seconds())
    return float(min(longest, nature.calm * _GROWTH ** max(0, times - 1)))
