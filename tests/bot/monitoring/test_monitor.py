"""The monitor with everything real but the feed and Telegram: of what admins are notified, and what can be seen from outside."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from msgspec.structs import replace
from sqlalchemy import text
from structlog.testing import capture_logs

from bot.cluster.processes import MAX_HELD_BACK
from bot.config.models import LimitSettings
from bot.errors import StorageUnusable, TelegramUnreachable
from bot.feed.session import SessionState
from bot.monitoring.admin_messages import AdminMessages
from bot.monitoring.health import FeedHealth
from bot.monitoring.incidents import IncidentRepository
from bot.monitoring.monitor import MONITOR_INTERVAL, Monitor, find_database_folder
from bot.storage.database import Database
from bot.storage.sqlite import SQLiteDriver
from bot.telegram.http import ApiHealth
from bot.telegram.limits.paid_messages import PaidBudget, PaidUse
from tests.bot.monitoring.samples import TITLES, status
from tests.fakes.feed import LoopClock
from tests.fakes.messenger import FakeMessenger
from tests.fakes.metric_changes import read_samples
from tests.sqlite import new_sqlite
from tests.tasks import cancel_tasks

pytestmark = pytest.mark.virtual_time
ADMIN = 7


class World:
    """A process that follows one match; `set_silent` begins and ends a gap in its frames."""

    def __init__(self, database: Database) -> None:
        self.clock, self.telegram, self.database = LoopClock(), FakeMessenger(), database
        self.api_health = ApiHealth(self.clock)
        self.monitor = Monitor(self.clock, database, self.api_health, AdminMessages(self.telegram, lambda: [ADMIN]), Path.cwd())
        self.monitor.feed, self.monitor.backlog = self._feed, lambda: 3
        self.started = self.clock.now()
        self.silent_since: dt.datetime | None = None

    def _feed(self) -> FeedHealth:
        now = self.clock.now()
        state = SessionState.WAITING if self.silent_since else SessionState.LIVE
        one = replace(status(state), last_usable_frame_at=self.silent_since or now, wanted_since=self.started, kickoff=now)
        return FeedHealth((one,), TITLES, now, dt.timedelta(minutes=10), planned_connections=2)

    def set_silent(self, is_silent: bool) -> None:
        self.silent_since = self.clock.now() if is_silent else None

    @property
    def admin_messages(self) -> list[str]:
        return [message.text for message in self.telegram.chats[ADMIN]]


@asynccontextmanager
async def open_world(url: str = "sqlite://") -> AsyncIterator[World]:
    database = await Database.open(url)
    made = World(database)
    watching = asyncio.create_task(made.monitor.run())
    try:
        yield made
    finally:
        await cancel_tasks(watching)
        await database.close()


async def test_a_feed_that_is_down_is_told_once_and_so_is_its_end() -> None:
    async with open_world() as world:
        await asyncio.sleep(600)
        world.set_silent(True)
        await asyncio.sleep(50)
        early = list(world.admin_messages)
        await asyncio.sleep(600)
        world.set_silent(False)
        await asyncio.sleep(600)

    assert early == []
    assert len(world.admin_messages) == 2
    assert world.admin_messages[0].startswith(
        "🛠 feed-down: no frame for over a minute from 1 of 1 connections: Arsenal v Chelsea."
    )
    assert world.admin_messages[1].startswith("✅ feed-down is over: it lasted 10 min, from ")


async def test_it_is_ready_when_all_is_at_work_and_not_before() -> None:
    database = await Database.open("sqlite://")
    before = World(database).monitor.reasons_not_ready()
    await database.close()
    async with open_world() as world:
        await asyncio.sleep(1)

        assert ([line.split(" since ")[0] for line in before], world.monitor.reasons_not_ready()) == (
            ["start: Telegram has not let the bot in"],
            (),
        )


async def test_what_parts_report_is_told_at_once() -> None:
    async with open_world() as world:
        await asyncio.sleep(1)
        await world.monitor.reported.on_feed_refused("HTTP 401")
        await asyncio.sleep(1)
        soon, lines = list(world.admin_messages), (await world.monitor.render_status()).splitlines()
        for _ in range(1000):
            await world.monitor.reported.on_feed_refused("HTTP 401")
        await world.monitor.reported.on_feed_accepted()
        await asyncio.sleep(120)
        after = await world.monitor.render_status()

    assert len(lines) == 4 and lines[0].startswith("🛠 feed-refused, since 20")
    assert after.splitlines()[0].startswith("0 chats")
    assert after.splitlines()[2:] == ["1 of 1 due matches connected, 2 planned, 0 waiting to be sent"]
    assert soon == ["🛠 feed-refused: the feed refuses us: HTTP 401. Check feed.token; it is tried again every few minutes."]
    assert [sentence[:21] for sentence in world.admin_messages[1:]] == ["✅ feed-refused is ove"]


@pytest.mark.slow
async def test_a_refused_text_is_over_when_none_was_refused_for_long() -> None:
    async with open_world() as world:
        world.monitor.reported.on_text_refused("goals", "can't parse entities")
        await asyncio.sleep(7200)

    assert [sentence.split(":")[0] for sentence in world.admin_messages] == ["🛠 texts-refused", "✅ texts-refused is over"]
    assert 'the text of the rule "goals" (can\'t parse entities)' in world.admin_messages[0]


async def test_telegrams_own_trouble_is_told_when_it_is_over() -> None:
    async with open_world() as world:
        world.telegram.failure = TelegramUnreachable("down", maybe_sent=False)
        world.api_health.on_failure()
        await asyncio.sleep(900)
        not_ready = world.monitor.reasons_not_ready()
        world.telegram.failure = None
        world.api_health.on_response(200, None)
        await asyncio.sleep(300)

    assert [line.split(" since ")[0] for line in not_ready] == ["telegram: no request got through"]
    assert [sentence.split(":")[0] for sentence in world.admin_messages] == ["✅ telegram-away is over"]


async def test_the_databases_trouble_is_dated() -> None:
    async with open_world() as world:
        await asyncio.sleep(60)
        since = world.clock.now()
        world.database.on_failure_changed("storage.url: h/db cannot be reached")
        not_ready = world.monitor.reasons_not_ready()
        await asyncio.sleep(60)

    assert not_ready == (f"database: cannot be used since {since:%Y-%m-%dT%H:%M:%SZ}: storage.url: h/db cannot be reached",)
    assert [sentence.split(":")[0] for sentence in world.admin_messages] == ["🛠 database-away"]


async def test_what_cannot_be_written_is_told_though_nothing_can_be_kept_and_so_is_its_end(tmp_path: Path) -> None:
    def set_read_only(is_read_only: bool) -> None:
        assert isinstance(world.database._driver, SQLiteDriver)
        world.database._driver._connection.connection.cursor().execute(f"PRAGMA query_only = {int(is_read_only)}")

    async with open_world(new_sqlite(tmp_path)) as world:
        set_read_only(True)
        with pytest.raises(StorageUnusable):
            await IncidentRepository(world.database).change(lambda _: {"disk-low": "{}"})
        await asyncio.sleep(60)
        not_ready, notified = world.monitor.reasons_not_ready(), list(world.admin_messages)
        set_read_only(False)
        await asyncio.sleep(60)
        ready = world.monitor.reasons_not_ready()

    assert [line.split(" since ")[0] for line in not_ready] == ["database: cannot be used"] and "read-only" in not_ready[0]
    assert [sentence.split(":")[0] for sentence in notified] == ["🛠 database-read-only"]
    assert ([sentence.split(":")[0] for sentence in world.admin_messages[1:]], ready) == (["✅ database-read-only is over"], ())


async def test_a_restart_in_the_middle_of_a_trouble_tells_nothing_twice(tmp_path: Path) -> None:
    url, notified = new_sqlite(tmp_path), []
    for refused in (True, True, False):
        async with open_world(url) as world:
            if refused:
                await world.monitor.reported.on_feed_refused("HTTP 401")
            await asyncio.sleep(90)
        notified += [sentence.split(":")[0] for sentence in world.admin_messages]

    assert notified == ["🛠 feed-refused", "✅ feed-refused is over"]


async def test_a_look_that_fails_is_logged_and_the_next_one_works() -> None:
    async with open_world() as world:
        feed, world.monitor.feed = world.monitor.feed, lambda: dict[str, FeedHealth]()["nothing"]
        with capture_logs() as logged:
            await asyncio.sleep(MONITOR_INTERVAL * 2)
        world.monitor.feed = feed
        await world.monitor.reported.on_feed_refused("HTTP 401")
        await asyncio.sleep(MONITOR_INTERVAL * 2)

    assert {entry["event"] for entry in logged} == {"health_check_failed"}
    assert [sentence.split(":")[0] for sentence in world.admin_messages] == ["🛠 feed-refused"]


async def test_what_is_read_off_is_what_holds() -> None:
    async with open_world() as world:
        world.set_silent(True)
        await asyncio.sleep(90)
        page = read_samples((await world.monitor.render_metrics()).decode())

    def read(name: str, **labels: str) -> float:
        return page[name, frozenset(labels.items())]

    assert (read("touchline_ready"), read("touchline_database_up")) == (0, 1)
    assert (read("touchline_connections", state="waiting"), read("touchline_connections", state="live")) == (1, 0)
    assert (read("touchline_connections_planned"), read("touchline_fixtures_age_seconds")) == (2, 0)
    assert (read("touchline_incident_open", incident="feed-down"), read("touchline_incident_open", incident="disk-low")) == (1, 0)
    assert (read("touchline_outbox_waiting"), read("touchline_sender_backlog")) == (0, 3)


async def test_metrics_come_also_while_the_database_cannot_be_used() -> None:
    async with open_world() as world:
        async with world.database.transaction() as tx:
            await tx.execute(text("DROP TABLE entries"))
        page = read_samples((await world.monitor.render_metrics()).decode())

    assert ("touchline_outbox_waiting", frozenset()) not in page
    assert page["touchline_database_up", frozenset()] == 0


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("sqlite:////data/touchline.db", Path("/data")),
        ("sqlite:///touchline.db", Path.cwd()),
        ("sqlite://", None),
        ("postgresql://you@host/name", None),
    ],
)
def test_the_disk_is_that_of_the_databases_file(url: str, place: Path | None) -> None:
    assert find_database_folder(url) == place


async def test_a_budget_of_paid_messages_that_is_spent_is_told_once_that_day_and_shown_in_status_and_metrics() -> None:
    async with open_world() as world:
        budget = PaidBudget(PaidUse(1200), 5000)

        async def read() -> PaidBudget:
            return budget

        world.monitor.limits = lambda: (LimitSettings(), None)
        unpaid = world.monitor.describe_limits()
        world.monitor.read_paid_budget = read
        await asyncio.sleep(10)
        early, line = list(world.admin_messages), world.monitor.describe_limits()
        budget = PaidBudget(PaidUse(5000, spent_limit=5000), 5000)
        await asyncio.sleep(10)
        spent_line = next(line for line in (await world.monitor.render_status()).splitlines() if line.startswith("limits: "))
        page = read_samples((await world.monitor.render_metrics()).decode())
        for used in (4990, 5000) * 3:  # what was reserved is returned, and is sent later
            budget = PaidBudget(PaidUse(used, spent_limit=5000), 5000)
            await asyncio.sleep(70)
        that_day = list(world.admin_messages)
        budget = PaidBudget(PaidUse(0), 5000)
        await asyncio.sleep(120)
        next_day = list(world.admin_messages)
        budget = PaidBudget(PaidUse(5000, spent_limit=5000), 5000)
        await asyncio.sleep(120)

    assert early == []
    assert unpaid.endswith("all matches, no paid messages")
    assert line == "limits: every chat, 200 subscriptions per chat, all matches, 1,200 of 5,000 paid messages today"
    assert spent_line.endswith("5,000 of 5,000 paid messages today (spent until 00:00 UTC)")
    assert (page["touchline_paid_messages_used", frozenset()], page["touchline_paid_messages_limit", frozenset()]) == (5000, 5000)
    assert [text.split(":")[0] for text in that_day] == ["🛠 paid-messages-spent"]
    assert "the 5,000 paid messages of today are sent (telegram.paid_messages_per_day)" in that_day[0]
    assert [text.split(" is over")[0] for text in next_day[1:]] == ["✅ paid-messages-spent"]
    assert [text.split(":")[0] for text in world.admin_messages[2:]] == ["🛠 paid-messages-spent"]


async def test_a_process_names_a_limited_number_of_the_matches_that_are_held_back() -> None:
    async with open_world() as world:
        world.monitor.held_back = lambda: [f"f{number}" for number in range(10_000)]

        assert world.monitor.describe_process().held_back == tuple(f"f{number}" for number in range(MAX_HELD_BACK))
