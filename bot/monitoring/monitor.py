"""Looks every few seconds; the text of `/status`."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import structlog
from sqlalchemy import make_url

from bot.clock import Clock
from bot.errors import StorageError
from bot.feed.source import ConnectionStatus
from bot.metrics import ADMIN_MESSAGES, render_metrics
from bot.monitoring.admin_messages import AdminMessages, render_notice, render_open_incident
from bot.monitoring.conditions import ReportedConditions, find_conditions
from bot.monitoring.health import DatabaseProblem, FeedHealth, ProcessHealth, TelegramHealth, reasons_not_ready
from bot.monitoring.http import GaugeReading
from bot.monitoring.incidents import (
    INCIDENT_POLICIES,
    IncidentEvent,
    IncidentLog,
    IncidentNotice,
    IncidentRepository,
    select_open,
)
from bot.outbox.repository import OutboxDepth, measure_depth
from bot.storage.database import Database
from bot.telegram.http import ApiHealth
from rules.football.match import Match

log = structlog.get_logger()

MONITOR_INTERVAL = 5.0
"""Seconds between two looks, unless something is reported."""

_MIN_MONITOR_INTERVAL = 0.2
"""The shortest time between two looks, in seconds: a thousand connections may report at once."""

_DATABASE_TIMEOUT = 2.0
"""Seconds in which the database has to answer whoever asks for /metrics."""


class Monitor:
    """One a process. The rooms say what they have: `feed` the connections, `backlog` what the courier holds, `rules` how many."""

    def __init__(
        self, clock: Clock, database: Database, wire: ApiHealth, admins: AdminMessages, disk: Path | None = None
    ) -> None:
        """`disk` is a place on the disk that must not get full."""
        self._clock, self._database, self._wire, self._admins, self._disk = clock, database, wire, admins, disk
        self.signals = ReportedConditions(clock)
        self.feed: Callable[[], FeedHealth] | None = None
        self.backlog: Callable[[], int] | None = None
        self.rules: Callable[[], int] = lambda: 0
        self.spokesman = False
        """Of several processes one tells of the database, that which talks with people: without it they cannot agree."""
        self._ledger = IncidentLog(IncidentRepository(database))
        self._started, self._at_work = clock.now(), False
        self._trouble: DatabaseProblem | None = None
        database.on_failure_changed = self._heard

    async def run(self) -> None:
        """Everything is at work: look and tell until cancelled."""
        self._started, self._at_work = self._clock.now(), True
        await asyncio.gather(self._admins.run(), self._look_again())

    async def look(self) -> None:
        """Look once; what is to be told waits for the admins."""
        facts = self.facts()
        found = {**find_conditions(facts), **self.signals.now()}
        if not self.spokesman:
            found = {name: sentence for name, sentence in found.items() if not name.startswith("database-")}
        for telling in await self._ledger.step(found, facts.now):
            self._tell(telling)

    def facts(self) -> ProcessHealth:
        """What is known now."""
        wire = self._wire
        telegram = TelegramHealth(wire.failing_since, wire.refused_since, wire.clock_skew)
        feed = self.feed() if self.feed else None
        return ProcessHealth(
            self._clock.now(), self._started, self._at_work, feed, telegram, self._trouble, _measure_free_disk(self._disk)
        )

    def unready(self) -> tuple[str, ...]:
        """What is not well, a line each: for /readyz."""
        return reasons_not_ready(self.facts())

    def lines(self) -> list[str]:
        """The troubles that last, of all processes: for /status."""
        return [render_open_incident(name, standing) for name, standing in sorted(select_open(self._ledger.standings).items())]

    async def metrics(self) -> bytes:
        """All that is counted, and what is read off now: for /metrics."""
        depth = await self._depth()
        facts = self.facts()
        backlog = self.backlog() if self.backlog else None
        standing = set(select_open(self._ledger.standings))
        return render_metrics(GaugeReading(facts, not reasons_not_ready(facts), self.rules(), standing, depth, backlog))

    def _tell(self, telling: IncidentNotice) -> None:
        say = log.info if telling.what is IncidentEvent.OVER else log.warning
        say("trouble", name=telling.name, what=telling.what.value, reason=telling.detail)
        if telling.what is IncidentEvent.OVER or not INCIDENT_POLICIES[telling.name].cut_off:
            ADMIN_MESSAGES.labels(telling.name).inc()
            self._admins.post(telling.name, render_notice(telling))

    async def _depth(self) -> OutboxDepth | None:
        try:
            async with asyncio.timeout(_DATABASE_TIMEOUT):
                return await measure_depth(self._database, self._clock.now())
        except (StorageError, TimeoutError):
            return None

    async def _look_again(self) -> None:
        while True:
            self.signals.changed.clear()
            try:
                await self.look()
            except Exception as error:  # whoever watches must not be what fails
                log.exception("look_failed", reason=repr(error))
            await asyncio.sleep(_MIN_MONITOR_INTERVAL)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(MONITOR_INTERVAL):
                    await self.signals.changed.wait()

    def _heard(self, sentence: str | None) -> None:
        """The database says how it is."""
        since = self._trouble.since if self._trouble else self._clock.now()
        self._trouble = DatabaseProblem(sentence, since) if sentence else None


def _measure_free_disk(place: Path | None) -> int | None:
    try:
        return shutil.disk_usage(place).free if place else None
    except OSError:
        return None


def find_database_folder(url: str) -> Path | None:
    """Where the file of a database lies; None for one in memory or on a server."""
    place = make_url(url)
    file = place.database if place.get_backend_name() == "sqlite" else None
    return Path(file).absolute().parent if file and file != ":memory:" else None


def render_status(
    statuses: Sequence[ConnectionStatus], match: Callable[[str], Match | None], planned: int, waiting: int, now: dt.datetime
) -> str:
    """Connections with their state, last frame, position, reconnects and lag; what is planned; what waits to be told."""
    head = f"{len(statuses)} connected, {planned} planned, {waiting} waiting to be told"
    return "\n".join([head, *render_connections(statuses, match, now)])


def render_connections(statuses: Sequence[ConnectionStatus], match: Callable[[str], Match | None], now: dt.datetime) -> list[str]:
    """A line for each connection."""
    return [_render_connection(status, match(status.fixture_id), now) for status in statuses]


def render_status_of_processes(processes: Mapping[str, tuple[Sequence[str], Sequence[str]]], waiting: int) -> str:
    """The same for several processes; each has its roles and its lines."""
    connected = sum(len(lines) for _, lines in processes.values())
    told = [f"{len(processes)} processes, {connected} connected, {waiting} waiting to be told"]
    for name, (roles, lines) in sorted(processes.items()):
        told += ["", f"{name} ({', '.join(roles)})", *lines]
    return "\n".join(told)


def _render_connection(status: ConnectionStatus, match: Match | None, now: dt.datetime) -> str:
    title = match.fixture.title if match and match.fixture.title else status.fixture_id
    heard = f"last frame {(now - status.last_frame_at).total_seconds():.0f} s ago" if status.last_frame_at else "no frame yet"
    parts = [f"{title}: {status.state.value}", heard, f"position {status.position}", f"reconnects {status.reconnects}"]
    if status.lag_median is not None and status.lag_p99 is not None:
        parts.append(f"lag {_format_ms(status.lag_median)} median, {_format_ms(status.lag_p99)} p99")
    if status.missing or status.unreadable:
        parts.append(f"{status.missing} never came, {status.unreadable} unreadable")
    return ", ".join(parts)


def _format_ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"
