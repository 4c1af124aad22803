"""What a chat has seen of an action, revision by revision: the lines of an entry's history. Pure."""

from __future__ import annotations

import datetime as dt

import msgspec

from bot.outbox.entry import Entry, Reason
from bot.outbox.way import Way, read, written
from rules.alert import State

_REMEMBERED = 20
"""Lines of an entry's history."""


class Seen(msgspec.Struct, frozen=True):
    """One revision that a chat has seen: seconds since 1970, why, where the news stood, the feed's number.

    `way` is None where it was not noted; `reply` is the id of the reply that told it, 0 where the message itself did.
    """

    at: float
    reason: str
    state: State
    seq: int
    way: Way | None = None
    reply: int = 0


def remembered(entry: Entry, reason: Reason, now: dt.datetime, way: Way | None = None, *, reply: int = 0) -> Entry:
    """The entry with a line more in its history; the oldest go where there are many."""
    words = [f"{now.timestamp():.1f} {reason.value} {entry.state.value} {entry.seq}"]
    words += [written(way)] if way else []
    words += [f"#{reply}"] if reply else []
    lines = [*entry.history.split("\n"), " ".join(words)]
    return msgspec.structs.replace(entry, history="\n".join(line for line in lines[-_REMEMBERED:] if line))


def seen_of(entry: Entry) -> tuple[Seen, ...]:
    """The lines of an entry's history; those of earlier versions have no way."""
    return tuple(map(_read, entry.history.splitlines()))


def _read(line: str) -> Seen:
    at, reason, state, seq, *more = line.split(" ")
    ways = [read(word) for word in more if "/" in word]
    replies = [int(word[1:]) for word in more if word.startswith("#")]
    return Seen(float(at), reason, State(state), int(seq), next(iter(ways), None), next(iter(replies), 0))
