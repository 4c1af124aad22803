"""The way of an alert: how long each step took, waits that were meant to be apart. Pure: instants are seconds since 1970."""

from __future__ import annotations

import msgspec

_UNKNOWN = "-"


class Way(msgspec.Struct, frozen=True):
    """Milliseconds of each step; None where an instant is not known.

    `lag` is from the feed's own stamp to its frame, `outbox` from the frame to the outbox, `request` from the outbox, or from
    when it was due there, to the request to Telegram, `accepted` from there to its answer. `waited` is what was meant to be:
    the chat's delay, quiet hours, Telegram's limits; it is in none of the others.
    """

    lag: float | None = None
    outbox: float | None = None
    waited: float = 0.0
    request: float | None = None
    accepted: float | None = None

    @property
    def own(self) -> float | None:
        """From the frame to Telegram's answer, without what was meant to be."""
        if self.outbox is None or self.request is None or self.accepted is None:
            return None
        return self.outbox + self.request + self.accepted


class Marks(msgspec.Struct, frozen=True):
    """The instants of one delivery before it leaves; 0 where one is not known.

    `due` is when it was to leave at the earliest; `meant` are the seconds until then that were meant, `held` those that the
    limits took after that.
    """

    happened: float = 0.0
    received: float = 0.0
    put: float = 0.0
    due: float = 0.0
    meant: float = 0.0
    held: float = 0.0


def way_of(marks: Marks, left: float, accepted: float) -> Way:
    """How long each step took, now that Telegram has answered."""
    return Way(
        _between(marks.happened, marks.received),
        _between(marks.received, marks.put),
        (marks.meant + marks.held) * 1000,
        _between(marks.due + marks.held, left) if marks.due else None,
        _between(left, accepted),
    )


def written(way: Way) -> str:
    """In one word, for the history of an entry."""
    return "/".join(map(_number, (way.lag, way.outbox, way.waited, way.request, way.accepted)))


def read(word: str) -> Way:
    """What `written` wrote."""
    lag, outbox, waited, request, accepted = (None if part == _UNKNOWN else float(part) for part in word.split("/"))
    return Way(lag, outbox, waited or 0.0, request, accepted)


def _number(part: float | None) -> str:
    return _UNKNOWN if part is None else f"{part:.1f}"


def _between(one: float, other: float) -> float | None:
    """Milliseconds; a clock that was set back makes none."""
    return max(0.0, (other - one) * 1000) if one and other else None
