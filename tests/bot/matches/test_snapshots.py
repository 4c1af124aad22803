"""What a process without the feed's role knows of fixtures and matches."""

from __future__ import annotations

import asyncio
import datetime as dt

import pytest
from structlog.testing import capture_logs

from bot.config.models import ScheduleSettings
from bot.errors import FeedUnreachable, StorageUnavailable
from bot.feed.sequence import FeedPosition
from bot.matches.match_directory import MatchDirectory
from bot.matches.snapshots import SnapshotStore
from bot.storage.database import Database
from bot.storage.fixtures import FeedPositionRepository
from rules.football.action import Fixture
from rules.football.match import Match
from tests.fakes.feed import LoopClock
from tests.packets import FIXTURE
from tests.tasks import cancel_tasks

pytestmark = pytest.mark.virtual_time


class Source:
    """The feed's list; the first times it cannot be had."""

    def __init__(self, failures: int) -> None:
        self.failures = failures

    async def fetch_fixtures(self, date_from: dt.date, date_to: dt.date) -> tuple[Fixture, ...]:
        self.failures -= 1
        if self.failures >= 0:
            raise FeedUnreachable("away")
        return (FIXTURE,)

    async def fetch_fixture(self, fixture_id: str) -> Fixture:
        return FIXTURE


async def test_the_list_is_fetched_until_it_comes() -> None:
    database = await Database.open("sqlite://")
    listing = MatchDirectory(Source(3), FeedPositionRepository(database, LoopClock()), ScheduleSettings, LoopClock())
    looking = asyncio.create_task(listing.run())
    await asyncio.sleep(10)
    await cancel_tasks(looking)
    await database.close()

    assert listing.fixtures() == (FIXTURE,)


async def test_a_match_stands_as_another_process_kept_it_until_it_is_over() -> None:
    database = await Database.open("sqlite://")
    positions = FeedPositionRepository(database, LoopClock())
    listing, feed = MatchDirectory(Source(0), positions, ScheduleSettings, LoopClock()), SnapshotStore(positions)
    stands = Match(FIXTURE, status="Live")
    await feed.save(stands, FeedPosition(3, 3))
    await listing.refresh_matches()
    seen = listing.match(FIXTURE.id)
    await feed.delete(FIXTURE.id)
    await listing.refresh_matches()
    await database.close()

    assert (seen, listing.match(FIXTURE.id)) == (stands, None)


class AwayForAMinute(FeedPositionRepository):
    """Those of a database that comes back."""

    async def get_update_times(self) -> dict[str, float]:
        if asyncio.get_running_loop().time() < self.back:
            raise StorageUnavailable("away")
        return {}

    back = 0.0


async def test_a_database_that_is_away_for_a_minute_is_logged_now_and_then_and_when_it_is_back() -> None:
    database = await Database.open("sqlite://")
    positions = AwayForAMinute(database, LoopClock())
    positions.back = asyncio.get_running_loop().time() + 60
    with capture_logs() as logs:
        looking = asyncio.create_task(MatchDirectory(Source(0), positions, ScheduleSettings, LoopClock()).run())
        await asyncio.sleep(100)
        await cancel_tasks(looking)
    await database.close()

    events = [line["event"] for line in logs if line["event"].startswith("matches_")]
    assert events == ["matches_not_read", "matches_not_read", "matches_read_again"]
