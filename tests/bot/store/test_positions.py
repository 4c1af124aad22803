from bot.clock import ManualClock
from bot.store.engine import Database
from bot.store.positions import Positions
from tests.bot.news import NOW


async def test_a_place_in_a_feed_is_kept_until_the_match_is_over() -> None:
    db = await Database.open("sqlite://")
    positions = Positions(db, ManualClock(NOW))

    seen = [await positions.get("f")]
    await positions.save("f", 3, 30)
    await positions.save("f", 4, 41)
    seen.append(await positions.get("f"))
    await positions.forget("f")
    seen.append(await positions.get("f"))

    assert seen == [(0, None), (4, 41), (0, None)]
    await db.close()
