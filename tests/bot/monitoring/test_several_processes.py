"""Several processes: a role that nobody has, and a database that is in the way, are told once and by their names."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import pytest
from msgspec.structs import replace

from bot.cluster.processes import ProcessInfo
from bot.errors import StorageError, StorageUnavailable, StorageUnusable
from bot.feed.session import SessionState
from bot.monitoring.admin_messages import AdminMessages
from bot.monitoring.health import FeedHealth
from bot.monitoring.monitor import Monitor
from bot.outbox.depth import measure_depth
from bot.outbox.outbox import Outbox
from bot.storage.database import Database
from bot.storage.driver import TROUBLE_CHANNEL
from bot.telegram.http import ApiHealth
from tests.bot.monitoring.samples import TITLES, status
from tests.bot.news import alert
from tests.fakes.feed import LoopClock
from tests.fakes.messenger import FakeMessenger
from tests.tasks import cancel_tasks

pytestmark = pytest.mark.virtual_time
ADMIN = 7
ROLES = {"a": ("feed",), "b": ("send",), "c": ("chat",)}


class Cluster:
    """Processes that share a database, each with its monitor; every admin message of all of them."""

    def __init__(self, databases: Mapping[str, Database]) -> None:
        self.clock, self.telegram = LoopClock(), FakeMessenger()
        self.alive = {name: ProcessInfo(ROLES[name], due=2, connected=1) for name in databases}
        self.failure: StorageError | None = None
        self.hangs = False
        self.feed_is_silent_since: dt.datetime | None = None
        self.databases = databases
        self.monitors = {name: self._make_monitor(name, database) for name, database in databases.items()}
        self.monitors["a"].feed = self._feed

    def _make_monitor(self, name: str, database: Database) -> Monitor:
        admins = AdminMessages(self.telegram, lambda: [ADMIN])
        monitor = Monitor(self.clock, database, ApiHealth(self.clock), admins)
        monitor.read_processes, monitor.process_name = self._read_processes, name
        return monitor

    async def _read_processes(self) -> Mapping[str, ProcessInfo]:
        if self.hangs:
            await asyncio.Event().wait()
        if self.failure is not None:
            raise self.failure
        return dict(self.alive)

    def _feed(self) -> FeedHealth:
        now = self.clock.now()
        at = self.feed_is_silent_since or now
        one = replace(status(SessionState.LIVE), last_usable_frame_at=at, wanted_since=now, kickoff=now)
        return FeedHealth((one,), TITLES, now, dt.timedelta(minutes=10), due_matches=2)

    @property
    def admin_messages(self) -> list[str]:
        return [message.text for message in self.telegram.chats[ADMIN]]

    def reasons(self, name: str) -> str:
        return "\n".join(self.monitors[name].reasons_not_ready())


@asynccontextmanager
async def open_cluster(*, separate: bool = False) -> AsyncIterator[Cluster]:
    """`separate`: what fails for one process does not fail for the others; notifications reach all."""
    shared = await Database.open("sqlite://")
    databases = {name: await Database.open("sqlite://") if separate else shared for name in ROLES}
    made = Cluster(databases)
    for monitor in made.monitors.values():
        for database in {id(database): database for database in databases.values()}.values():
            await database.listen(TROUBLE_CHANNEL, monitor.on_database_problem_elsewhere)
    tasks = [asyncio.create_task(monitor.run()) for monitor in made.monitors.values()]
    try:
        await asyncio.sleep(60)
        yield made
    finally:
        await cancel_tasks(*tasks)
        for database in (shared, *(databases.values() if separate else ())):
            await database.close()


async def test_a_role_that_nobody_has_is_told_and_shown_and_so_is_its_return() -> None:
    async with open_cluster() as cluster:
        calm = list(cluster.admin_messages), cluster.reasons("c")
        sender = cluster.alive.pop("b")
        await asyncio.sleep(35)
        notified, reasons = cluster.admin_messages, [cluster.reasons(name) for name in cluster.monitors]
        shown = await cluster.monitors["c"].render_status()
        cluster.alive["b"] = sender
        await asyncio.sleep(60)
        later = cluster.reasons("c")

    assert calm == ([], "") and later == ""
    assert {line.split(" since")[0] for line in reasons} == {"role send: nobody sends"}
    assert len(notified) == 1 and notified[0].startswith("🛠 role-missing: nobody sends since 2026-08-15 14:0")
    assert "touchline run --role send" in notified[0]
    assert "🛠 role-missing, since" in shown and "2 processes, 2 of 2 due matches connected" in shown
    assert len(cluster.admin_messages) == 2 and "role-missing is over" in cluster.admin_messages[1]


@pytest.mark.slow
async def test_a_second_role_that_nobody_has_is_told_too_and_once_by_all_processes() -> None:
    async with open_cluster() as cluster:
        cluster.alive.pop("a")
        await asyncio.sleep(600)
        cluster.alive.pop("b")
        await asyncio.sleep(600)
        both = list(cluster.admin_messages)
        cluster.alive |= {name: ProcessInfo(ROLES[name]) for name in ("a", "b")}
        await asyncio.sleep(300)

    assert [text.split(" since")[0] for text in both] == ["🛠 role-missing: nobody follows matches"] * 2
    assert "nobody sends" not in both[0] and "nobody sends since" in both[1] and "--role send" in both[1]
    assert [text.split(":")[0] for text in cluster.admin_messages[2:]] == ["✅ role-missing is over"]


async def test_a_role_that_is_back_within_seconds_is_not_missed() -> None:
    async with open_cluster() as cluster:
        for name in ("a", "b", "c"):
            process = cluster.alive.pop(name)
            await asyncio.sleep(12)
            cluster.alive[name] = process
        await asyncio.sleep(300)

    assert cluster.admin_messages == []


async def test_a_database_that_hangs_is_noticed_within_ten_seconds_and_told_by_one_process() -> None:
    async with open_cluster() as cluster:
        cluster.feed_is_silent_since, cluster.hangs = cluster.clock.now(), True
        await asyncio.sleep(10.5)
        early = [cluster.reasons(name) for name in cluster.monitors]
        await asyncio.sleep(300)
        notified = cluster.admin_messages

    assert all("database: cannot be used since" in reasons and "has not answered for 5 s" in reasons for reasons in early)
    assert [text.split(":")[0] for text in notified] == ["🛠 database-away"]


@pytest.mark.parametrize("hangs", [True, False])
async def test_after_a_database_that_was_away_the_processes_have_time_to_show_that_they_live(hangs: bool) -> None:
    async with open_cluster() as cluster:
        cluster.hangs, cluster.failure = hangs, None if hangs else StorageUnavailable("away")
        await asyncio.sleep(100)
        living, cluster.alive = cluster.alive, {}  # their leases have ended meanwhile
        cluster.hangs, cluster.failure = False, None
        for monitor in cluster.monitors.values():
            assert monitor._query
            monitor._query.cancel()
            monitor._query = None
        await asyncio.sleep(8)
        cluster.alive = living
        await asyncio.sleep(300)

    assert not any("role-missing" in text for text in cluster.admin_messages)


async def test_a_full_disk_that_only_the_feed_meets_is_told_once_by_its_own_name_and_not_as_a_silent_feed() -> None:
    async with open_cluster(separate=True) as cluster:
        cluster.feed_is_silent_since = cluster.clock.now()
        until = asyncio.get_running_loop().time() + 300
        while asyncio.get_running_loop().time() < until:
            with pytest.raises(StorageUnusable):
                async with cluster.databases["a"].transaction():
                    raise StorageUnusable("storage.url: the disk of db/touchline is full; make room there")
            await asyncio.sleep(1)
        notified = list(cluster.admin_messages)
        cluster.feed_is_silent_since = None
        async with cluster.databases["a"].transaction() as tx:
            await tx.notify("other")
        await asyncio.sleep(120)

    assert [text.split(":")[0] for text in notified] == ["🛠 database-full"]


async def test_a_database_that_no_process_reaches_is_told_by_the_one_that_answers_people() -> None:
    async with open_cluster(separate=True) as cluster:
        cluster.failure = StorageUnavailable("storage.url: db/touchline cannot be reached")
        for monitor in cluster.monitors.values():
            monitor._on_database_problem(str(cluster.failure))
        await asyncio.sleep(300)

    assert [text.split(":")[0] for text in cluster.admin_messages] == ["🛠 database-away"]


async def test_news_that_nobody_spreads_counts_as_waiting() -> None:
    database, clock = await Database.open("sqlite://"), LoopClock()
    await Outbox(database, clock).put([alert()])
    await asyncio.sleep(75)

    depth = await measure_depth(database, clock.now())
    text = await Monitor(clock, database, ApiHealth(clock), AdminMessages(FakeMessenger(), list)).render_status()
    await database.close()

    assert depth.oldest_seconds == pytest.approx(75) and depth.waiting == 0
    assert "0 waiting to be sent, 1 alert whose fan-out is not finished, the oldest for 75 s" in text
