"""Reads what the page "Now" shows: the connections of all processes, what waits, how fast it leaves, and open incidents."""

from __future__ import annotations

import asyncio
import datetime as dt
import re
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from functools import cache

import msgspec

from bot.clock import Clock
from bot.cluster.processes import ProcessInfo
from bot.installation import find_shipped_file
from bot.monitoring.incidents import Incident
from bot.outbox.depth import OutboxDepth, measure_depth
from bot.storage.database import Database

SAMPLE_INTERVAL = 10.0
"""Seconds between two points of the charts."""

_SAMPLES = 360
"""An hour."""

_SHARED_FOR = 1.0
"""Seconds for which all open pages share one reading: fifty browsers query the database as often as one."""

HANDBOOK = "docs/operate/messages.md"
"""Has a section for each incident, by its name."""


class ConnectionRow(msgspec.Struct, frozen=True):
    """One match that is followed."""

    fixture_id: str
    title: str
    score: str
    minute: str
    state: str
    seconds_since_frame: int | None
    reconnects: int
    lag_ms: int | None
    process: str
    """The process that follows it."""


class ProcessRow(msgspec.Struct, frozen=True):
    """One process at work."""

    name: str
    roles: str
    summary: str


class IncidentRow(msgspec.Struct, frozen=True):
    """One open incident, with what the handbook says to do."""

    name: str
    opened_at: dt.datetime
    detail: str
    advice: str


class Sample(msgspec.Struct, frozen=True):
    """One point of the charts. Rates are of the seconds since the point before."""

    at: dt.datetime
    messages_per_second: float
    waiting: int


class Overview(msgspec.Struct, frozen=True):
    """Everything that the page "Now" shows."""

    connections: tuple[ConnectionRow, ...]
    processes: tuple[ProcessRow, ...]
    planned: int
    depth: OutboxDepth
    allowance: float
    """Messages that may leave in a second."""
    messages_per_second: float
    too_many_requests: int
    incidents: tuple[IncidentRow, ...]
    not_ready: tuple[str, ...]
    samples: tuple[Sample, ...]
    limits: str = ""
    """Who may use the bot, and how much of it, in one line."""


class NowReader:
    """Looks at all processes for the page "Now", and takes the samples of its chart."""

    def __init__(
        self,
        clock: Clock,
        database: Database,
        list_processes: Callable[[], Awaitable[Mapping[str, ProcessInfo]]],
        open_incidents: Callable[[], tuple[tuple[str, Incident], ...]],
        reasons_not_ready: Callable[[], tuple[str, ...]],
        allowance: Callable[[], float],
        describe_limits: Callable[[], str] = lambda: "",
    ) -> None:
        """`list_processes` raises StorageError; `allowance` is how many messages may leave in a second; `describe_limits` says
        in a line who may use the bot, and how much of it."""
        self._clock, self._database, self._list_processes = clock, database, list_processes
        self._open_incidents, self._reasons_not_ready, self._allowance = open_incidents, reasons_not_ready, allowance
        self._describe_limits = describe_limits
        self._samples: deque[Sample] = deque(maxlen=_SAMPLES)
        self._counted_at: float | None = None
        self._delivered: dict[str, int] = {}
        self._reading: asyncio.Future[Overview] | None = None
        self._reading_at = 0.0

    async def take_sample(self) -> None:
        """Add a point to the chart; called every SAMPLE_INTERVAL seconds. Raises StorageError."""
        # Taken by the server and not by a page: the chart shows the last hour also to whoever opens it only now.
        processes = await self._list_processes()
        depth = await measure_depth(self._database, self._clock.now())
        # By the monotonic clock: where the wall clock is set, a rate would be negative, or a hundred times too high.
        now, delivered = self._clock.monotonic(), {name: info.delivered for name, info in processes.items()}
        new = count_new_deliveries(self._delivered, delivered)
        rate = new / (now - self._counted_at) if self._counted_at is not None and now > self._counted_at else 0.0
        self._counted_at, self._delivered = now, delivered
        self._samples.append(Sample(self._clock.now(), round(rate, 2), depth.waiting))

    async def read(self) -> Overview:
        """Return what happens now. Raises StorageError."""
        now = self._clock.monotonic()
        if self._reading is None or (self._reading.done() and now - self._reading_at >= _SHARED_FOR):
            self._reading_at, self._reading = now, asyncio.ensure_future(self._read())
        # Shielded: a page that is closed while it waits does not take the reading away from the others.
        return await asyncio.shield(self._reading)

    async def _read(self) -> Overview:
        now = self._clock.now()
        processes = await self._list_processes()
        return Overview(
            list_connections(processes, now),
            tuple(ProcessRow(name, ", ".join(info.roles), info.summary) for name, info in sorted(processes.items())),
            # Every process that follows matches plans all of them, so they are not added up.
            max((info.planned for info in processes.values()), default=0),
            await measure_depth(self._database, now),
            self._allowance(),
            self._samples[-1].messages_per_second if self._samples else 0.0,
            sum(info.throttled for info in processes.values()),
            tuple(
                IncidentRow(name, incident.opened_at, incident.detail, find_advice(read_handbook(), name))
                for name, incident in self._open_incidents()
            ),
            self._reasons_not_ready(),
            tuple(self._samples),
            self._describe_limits(),
        )


def list_connections(processes: Mapping[str, ProcessInfo], now: dt.datetime) -> tuple[ConnectionRow, ...]:
    """Return the matches that the processes follow, by title."""
    rows = []
    for name, info in processes.items():
        for one in info.connections:
            # The clocks of two processes may differ by a moment.
            age = None if one.last_frame_at is None else max(0, round(now.timestamp() - one.last_frame_at))
            rows.append(
                ConnectionRow(one.fixture_id, one.title, one.score, one.minute, one.state, age, one.reconnects, one.lag_ms, name)
            )
    return tuple(sorted(rows, key=lambda row: (row.title, row.fixture_id)))


def count_new_deliveries(before: Mapping[str, int], now: Mapping[str, int]) -> int:
    """Return how many deliveries are new, by the counts of each process. A process that was not there before began at 0."""
    # At the first sample nothing is known of before: what was sent until then belongs to no interval.
    return sum(max(0, count - before.get(name, 0)) for name, count in now.items()) if before else 0


@cache
def read_handbook() -> str:
    """Return the page of the handbook about incidents; empty where it was not installed."""
    path = find_shipped_file(HANDBOOK)
    return path.read_text(encoding="utf-8") if path else ""


def find_advice(handbook: str, name: str) -> str:
    """Return what to do about an incident, in the handbook's words as plain text; where to look if it has no section."""
    section = re.search(rf"^## `{re.escape(name)}`$(.*?)(?=^## |\Z)", handbook, re.MULTILINE | re.DOTALL)
    if section is None:
        return f"see {HANDBOOK}, under {name}"
    # Lines are joined first: the handbook breaks them anywhere, also within a link.
    text = " ".join(section[1].split())
    advice = text.partition("*What to do:*")[2].strip() or text
    # The page shows plain text, so of Markdown only the words are kept.
    return re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", advice).replace("`", "").replace("**", "")
