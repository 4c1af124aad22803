from collections.abc import Mapping

from bot.monitoring.incidents import IncidentRepository
from bot.storage.database import Database


async def test_what_is_decided_is_kept_and_what_is_over_is_erased(db: Database) -> None:
    kept = IncidentRepository(db)
    seen: list[Mapping[str, str]] = []

    async def change(changes: Mapping[str, str | None]) -> None:
        await kept.change(lambda bodies: (seen.append(bodies), changes)[1])

    await change({"feed-down": "{}", "disk-low": "{1}"})
    await change({"feed-down": "{2}", "disk-low": None})
    await change({})

    assert seen == [{}, {"feed-down": "{}", "disk-low": "{1}"}, {"feed-down": "{2}"}]
