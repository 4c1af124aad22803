from bot.clock import ManualClock
from bot.store.engine import Database
from bot.store.positions import Position, Positions
from bot.store.standings import Standings
from tests.bot.news import NOW
from tests.packets import FIXTURE


async def test_a_place_in_a_feed_is_kept_until_the_match_is_over(db: Database) -> None:
    positions = Positions(db, ManualClock(NOW))

    seen = [await positions.get("f")]
    await positions.save("f", Position(3, 30, b"{}"))
    await positions.save("f", Position(4, 41, b"[]"))
    seen.append(await positions.get("f"))
    await positions.forget("f")
    seen.append(await positions.get("f"))

    assert seen == [None, Position(4, 41, b"[]"), None]


async def test_how_a_fixture_was_listed_last_is_kept(db: Database) -> None:
    standings = Standings(db, ManualClock(NOW))

    await standings.save([])
    await standings.save([FIXTURE])

    assert await standings.all() == {FIXTURE.id: ("Scheduled", "")}
