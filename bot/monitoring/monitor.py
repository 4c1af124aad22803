"""Checks the process every few seconds, notifies admins of incidents, and collects what `/status` and `/metrics` show."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import shutil
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from pathlib import Path

import structlog
from sqlalchemy import make_url

from bot.clock import Clock
from bot.cluster.processes import MAX_HELD_BACK, ConnectionInfo, ProcessInfo
from bot.cluster.roles import Role
from bot.config.models import LimitSettings
from bot.errors import StorageError
from bot.feed.session import SessionState
from bot.metrics import ADMIN_MESSAGES, BOT_API_REQUESTS, DELIVERIES, render_metrics, sum_totals
from bot.monitoring.admin_messages import AdminMessages, render_notice, render_open_incident
from bot.monitoring.conditions import ReportedConditions, describe_database_problem, find_conditions, name_database_condition
from bot.monitoring.gauges import collect_gauges
from bot.monitoring.health import ROLE_ABSENCES, DatabaseProblem, FeedHealth, ProcessHealth, TelegramHealth, reasons_not_ready
from bot.monitoring.incidents import (
    INCIDENT_POLICIES,
    Incident,
    IncidentEvent,
    IncidentLog,
    IncidentNotice,
    IncidentRepository,
    select_open,
)
from bot.monitoring.status import render_chats, render_limits, render_paid_budget, render_status, render_status_of_processes
from bot.monitoring.traffic import HourlyTraffic
from bot.outbox.depth import OutboxDepth, measure_depth
from bot.storage.chats import count_chats
from bot.storage.database import Database
from bot.storage.driver import TROUBLE_CHANNEL
from bot.telegram.http import ApiHealth
from bot.telegram.limits.paid_messages import PaidBudget

log = structlog.get_logger()

MONITOR_INTERVAL = 5.0
"""Seconds between two checks; a reported condition starts the next one at once."""

_MIN_MONITOR_INTERVAL = 0.2
"""The shortest time between two checks, in seconds: a thousand connections may report at once."""

_CHECK_TIMEOUT = 5.0
"""Seconds in which a shared database has to answer a check."""

_FEED_RECOVERY_TIME = dt.timedelta(seconds=30)
"""How long after a database problem a silent feed is not reported: frames that waited are handled first."""

_PROBLEM_ELSEWHERE_LASTS = dt.timedelta(seconds=20)
"""How long a problem that another process has counts: that process reports it again every 5 s while it lasts."""

_DATABASE_CONDITIONS = ("database-away", "database-full", "database-read-only")

_QUERY_TIMEOUT = 2.0
"""Seconds that /metrics, and a notice to the other processes, wait for the database: neither may hang when the database does."""


class Monitor:
    """Checks the health of this process.

    The workers set its callables, each only where a process has the part that it asks: `feed` reads the connections,
    `connection_lines` and `list_connections` describe them for `/status` and the console, `backlog` counts messages in memory,
    `rules` the rules in effect, `read_processes` reads what all processes are doing if there are several, and `name_lines`
    returns what `/status` says of names in the configuration that no fixture has.
    """

    def __init__(
        self, clock: Clock, database: Database, api_health: ApiHealth, admins: AdminMessages, disk: Path | None = None
    ) -> None:
        """`disk` is a folder on the disk whose free space is measured: that of the database file."""
        self._clock, self._database, self._api_health, self._admins, self._disk = clock, database, api_health, admins, disk
        self.reported = ReportedConditions(clock)
        self.traffic = HourlyTraffic(clock)
        self.feed: Callable[[], FeedHealth] | None = None
        self.backlog: Callable[[], int] | None = None
        self.rules: Callable[[], int] = lambda: 0
        self.connection_lines: Callable[[], Sequence[str]] = tuple
        self.name_lines: Callable[[], Awaitable[Sequence[str]]] | None = None
        self.list_connections: Callable[[], tuple[ConnectionInfo, ...]] = tuple
        self.limits: Callable[[], tuple[LimitSettings, Collection[str] | None]] | None = None
        """Returns the limits, and who may use the bot; None: everybody."""
        self.read_paid_budget: Callable[[], Awaitable[PaidBudget]] | None = None
        """Reads how many messages were paid for today, and how many may be; None: none are."""
        self._paid_budget: PaidBudget | None = None
        self.held_back: Callable[[], Collection[str]] | None = None
        """Returns the ids of chosen matches that are held back, in a process that follows matches."""
        self.read_processes: Callable[[], Awaitable[Mapping[str, ProcessInfo]]] | None = None
        self.process_name = ""
        """The name of this process among those of `read_processes`."""
        self.roles: tuple[str, ...] = ()
        self._processes: Mapping[str, ProcessInfo] = {}
        """As the last query found them."""
        self._roles_seen: dict[Role, dt.datetime] = {}
        self._missing_roles: dict[Role, dt.datetime] = {}
        self._query: asyncio.Task[Mapping[str, ProcessInfo]] | None = None
        self._database_hangs_since: dt.datetime | None = None
        self._database_was_in_the_way: dt.datetime | None = None
        self._incidents = IncidentLog(IncidentRepository(database))
        self._started_at, self._is_working = clock.now(), False
        self._database_problem: DatabaseProblem | None = None
        database.on_failure_changed = self._on_database_problem
        database.on_damaged = self.reported.on_damaged_rows

    async def run(self) -> None:
        """Check and notify until cancelled. Called once the start is over: from now on the process counts as working."""
        self._started_at, self._is_working = self._clock.now(), True
        await asyncio.gather(self._admins.run(), self._check_repeatedly())

    async def check(self) -> None:
        """Check once; notices are queued for the admins."""
        # First what waits for the database, so that the health below is of one moment.
        await self._check_database()
        await self._refresh_paid_budget()
        health = self.health()
        reported = self.reported.list_current()
        if health.database or any(name.startswith("database-") for name in reported):
            self._database_was_in_the_way = health.now
        # Both sources: what can be measured now, and what only the part itself can know, such as a refused request. The health is
        # read once more, because what was noted in the lines above already excuses a silent feed.
        found = {**find_conditions(self.health()), **reported}
        # Passed on by every process and before the next line: the one that reports may not have met the problem itself.
        if health.database and self.read_processes is not None:
            await self._pass_on_database_problem(health.database.sentence)
        if not self._is_reporter():
            found = {name: sentence for name, sentence in found.items() if not name.startswith(_DATABASE_CONDITIONS)}
        for notice in await self._incidents.step(found, health.now, alone=self._database_hangs_since is not None):
            self._notify(notice)

    async def _check_database(self) -> None:
        """Find out whether a shared database answers, and which processes are at work."""
        if self.read_processes is None:
            return
        # One query at a time: a server that hangs would otherwise collect one more at each check.
        if self._query is None or self._query.done():
            self._query = asyncio.ensure_future(self.read_processes())
        # `wait` leaves the query running: a query to a server that hangs cannot be cancelled at once.
        await asyncio.wait({self._query}, timeout=_CHECK_TIMEOUT)
        now = self._clock.now()
        if not self._query.done():
            # It hangs since the query left, not since we gave up waiting.
            self._database_hangs_since = self._database_hangs_since or now - dt.timedelta(seconds=_CHECK_TIMEOUT)
            self._excuse_roles(now)
            return
        self._database_hangs_since = None
        try:
            self._processes = self._query.result()
        except StorageError as error:
            # The incident of the database says it. Which processes live is not known meanwhile, so none is reported as missing.
            log.debug("processes_not_read", reason=str(error))
            self._excuse_roles(now)
            self._missing_roles.clear()
            return
        for role in ROLE_ABSENCES:
            if any(role in info.roles for info in self._processes.values()):
                self._roles_seen[role] = now
                self._missing_roles.pop(role, None)
            else:
                # A role that this process never saw counts as missing since its own start: it cannot know of earlier.
                self._missing_roles[role] = self._roles_seen.get(role, self._started_at)

    def _excuse_roles(self, now: dt.datetime) -> None:
        """Count the roles that were there as seen: without the database no process can show that it lives."""
        self._roles_seen |= dict.fromkeys(ROLE_ABSENCES.keys() - self._missing_roles.keys(), now)

    async def _refresh_paid_budget(self) -> None:
        """Read how many messages were paid for today. While the database cannot be used, the last figure stays."""
        if self.read_paid_budget is None or self._database_hangs_since is not None:
            return
        with contextlib.suppress(StorageError, TimeoutError):
            async with asyncio.timeout(_QUERY_TIMEOUT):
                self._paid_budget = await self.read_paid_budget()

    def _is_reporter(self) -> bool:
        """Return True if this process is the one that reports the database to the admins.

        Without the database the processes cannot agree on who does. So each works it out from those that it saw last.
        """
        if not self._processes:
            return True
        # False sorts before True: a process that answers people comes first, then the names decide alike in every process.
        ranks = [(Role.CHAT not in info.roles, name) for name, info in self._processes.items()]
        return min(ranks)[1] == self.process_name

    async def _pass_on_database_problem(self, sentence: str) -> None:
        """Notify the other processes: the one that reports to the admins may not see the problem, such as a full disk."""
        # A server that hangs would hold up this check by another timeout, and the others notice by themselves that it hangs.
        if self._database_hangs_since is not None:
            return
        with contextlib.suppress(StorageError, TimeoutError):
            async with asyncio.timeout(_QUERY_TIMEOUT), self._database.transaction() as tx:
                await tx.notify(TROUBLE_CHANNEL, sentence)

    def on_database_problem_elsewhere(self, sentence: str) -> None:
        """Note that another process cannot use the database. It notifies us at each of its checks while that lasts."""
        if sentence:
            self.reported.report(name_database_condition(sentence), describe_database_problem(sentence), _PROBLEM_ELSEWHERE_LASTS)

    def health(self) -> ProcessHealth:
        """Return the health of this process now."""
        api = self._api_health
        telegram = TelegramHealth(api.failing_since, api.refused_since, api.clock_skew, api.failure)
        feed = self.feed() if self.feed else None
        free_disk = None
        if self._disk is not None:
            # The folder may be on a network disk that is away: the monitor goes on without this figure.
            with contextlib.suppress(OSError):
                free_disk = shutil.disk_usage(self._disk).free
        now, database = self._clock.now(), self._database_problem
        # An error says more than a silence, such as that the disk is full, so it goes first.
        if database is None and (since := self._database_hangs_since) is not None:
            database = DatabaseProblem(f"storage.url: the database has not answered for {_CHECK_TIMEOUT:.0f} s", since)
        in_the_way = self._database_was_in_the_way
        return ProcessHealth(
            now,
            self._started_at,
            self._is_working,
            feed,
            telegram,
            database,
            free_disk,
            dict(self._missing_roles),
            database is not None or (in_the_way is not None and now - in_the_way < _FEED_RECOVERY_TIME),
            self._paid_budget,
        )

    def count_matches(self) -> tuple[int, int]:
        """Return how many matches are live in this process, and how many should be connected in all processes together."""
        feed = self.feed() if self.feed else None
        if feed is None:
            return 0, 0
        return sum(status.state is SessionState.LIVE for status in feed.connections), feed.due_matches

    def describe_process(self) -> ProcessInfo:
        """Return what this process is doing, as the others and the console see it."""
        connected, due = self.count_matches()
        return ProcessInfo(
            self.roles,
            tuple(self.connection_lines()),
            self.traffic.describe(),
            connected,
            due,
            planned=self.feed().planned_connections if self.feed else 0,
            connections=self.list_connections(),
            delivered=int(sum_totals(DELIVERIES)),
            throttled=int(sum_totals(BOT_API_REQUESTS, answer="429")),
            held_back=tuple(self.held_back())[:MAX_HELD_BACK] if self.held_back else (),
        )

    def list_held_back(self) -> Collection[str]:
        """Return the ids of chosen matches that are held back. A process that follows none returns what the others published."""
        if self.held_back:
            return self.held_back()
        return {fixture_id for info in self._processes.values() for fixture_id in info.held_back}

    async def list_processes(self) -> Mapping[str, ProcessInfo]:
        """Return what every living process is doing, by its name; other processes as they last reported. Raises StorageError."""
        return await self.read_processes() if self.read_processes else {self.process_name: self.describe_process()}

    def reasons_not_ready(self) -> tuple[str, ...]:
        """Return why the process is not ready, a line each; for /readyz."""
        return reasons_not_ready(self.health())

    def open_incidents(self) -> tuple[tuple[str, Incident], ...]:
        """Return the open incidents with their names, sorted by name."""
        return tuple(sorted(select_open(self._incidents.incidents).items()))

    async def render_status(self) -> str:
        """Return the text of /status: open incidents, unknown names, chats, then each process, what it sent and its connections.

        Raise StorageError.
        """
        lines = [render_open_incident(name, incident) for name, incident in self.open_incidents()]
        if self.name_lines:
            lines += await self.name_lines()
        depth = await measure_depth(self._database, self._clock.now())
        async with self._database.transaction() as tx:
            chats = await count_chats(tx)
        lines.append(render_chats(chats))
        await self._refresh_paid_budget()
        lines += filter(None, [self.describe_limits()])
        if self.read_processes is not None:
            return "\n".join([*lines, render_status_of_processes(await self.read_processes(), depth)])
        planned = self.feed().planned_connections if self.feed else 0
        status = render_status(self.connection_lines(), *self.count_matches(), planned, depth)
        return "\n".join([*lines, self.traffic.describe(), status])

    def describe_limits(self) -> str:
        """Return the line of /status and of the console about who may use the bot and how much of it; empty without limits."""
        if self.limits is None:
            return ""
        feed = self.feed() if self.feed else None
        followed, held_back = (feed.due_matches, feed.held_back) if feed else (None, 0)
        return f"{render_limits(*self.limits(), followed, held_back)}, {render_paid_budget(self._paid_budget)}"

    async def render_metrics(self) -> bytes:
        """Return the counters and the gauges, which are read now; for /metrics."""
        depth: OutboxDepth | None = None
        with contextlib.suppress(StorageError, TimeoutError):
            async with asyncio.timeout(_QUERY_TIMEOUT):
                depth = await measure_depth(self._database, self._clock.now())
        # Read after the wait for the database: the page shows one moment.
        health = self.health()
        gauges = collect_gauges(
            health,
            is_ready=not reasons_not_ready(health),
            rules=self.rules(),
            open_incidents=set(select_open(self._incidents.incidents)),
            depth=depth,
            backlog=self.backlog() if self.backlog else None,
        )
        return render_metrics(gauges)

    def _notify(self, notice: IncidentNotice) -> None:
        # Every notice is logged, also those that cannot be sent because Telegram itself is the problem.
        write = log.info if notice.event is IncidentEvent.RESOLVED else log.warning
        write("incident", name=notice.name, event_type=notice.event.value, reason=notice.detail)
        if notice.event is IncidentEvent.RESOLVED or not INCIDENT_POLICIES[notice.name].is_unreachable:
            ADMIN_MESSAGES.labels(notice.name).inc()
            self._admins.post(notice.name, render_notice(notice))

    async def _check_repeatedly(self) -> None:
        while True:
            self.reported.changed.clear()
            try:
                await self.check()
            except Exception as error:  # the monitor must go on: it is what reports failures
                log.exception("health_check_failed", reason=repr(error))
            # Before the wait, so that reports that come during the check lead to one more check and not to many.
            await asyncio.sleep(_MIN_MONITOR_INTERVAL)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(MONITOR_INTERVAL):
                    await self.reported.changed.wait()

    def _on_database_problem(self, sentence: str | None) -> None:
        """Remember a database problem and since when it lasts; None means that the database works."""
        # The sentence may change while it lasts (away, then full), but the problem began when the first one came.
        since = self._database_problem.since if self._database_problem else self._clock.now()
        self._database_problem = DatabaseProblem(sentence, since) if sentence else None


def find_database_folder(url: str) -> Path | None:
    """Return the folder of a database file; None for a database in memory or on a server."""
    place = make_url(url)
    file = place.database if place.get_backend_name() == "sqlite" else None
    return Path(file).absolute().parent if file and file != ":memory:" else None
