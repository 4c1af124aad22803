from bot.clock import ManualClock
from bot.storage.database import Database
from bot.storage.fixtures import FeedPositionRepository, FixtureStatusRepository, ListedStatus, StoredFeedPosition
from tests.bot.news import NOW
from tests.packets import FIXTURE


async def test_a_place_in_a_feed_is_kept_until_the_match_is_over(db: Database) -> None:
    positions = FeedPositionRepository(db, ManualClock(NOW))

    seen = [await positions.get("f")]
    await positions.save("f", StoredFeedPosition(3, 30, b"{}"))
    await positions.save("f", StoredFeedPosition(4, 41, b"[]"))
    seen.append(await positions.get("f"))
    await positions.delete("f")
    seen.append(await positions.get("f"))

    assert seen == [None, StoredFeedPosition(4, 41, b"[]"), None]


async def test_how_a_fixture_was_listed_last_is_kept(db: Database) -> None:
    standings = FixtureStatusRepository(db, ManualClock(NOW))

    await standings.save([])
    await standings.save([FIXTURE])

    assert await standings.get_all() == {FIXTURE.id: ListedStatus("Scheduled", "")}
