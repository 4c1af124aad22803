"""What was told is known to the next start, to other processes, and while the database is away."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator

import pytest

from bot.errors import StorageUnavailable
from bot.monitoring.incidents import IncidentChange, IncidentEvent, IncidentLog, IncidentRepository
from bot.storage.database import Database
from tests.packets import KICKOFF

DOWN = {"feed-down": "no frame"}


class Kept(IncidentRepository):
    """A store that may be away."""

    away = False

    async def change(self, decide: IncidentChange) -> None:
        if self.away:
            raise StorageUnavailable("the database cannot be reached")
        await super().change(decide)


@pytest.fixture
async def kept(database_url: str) -> AsyncIterator[Kept]:
    database = await Database.open(database_url)
    yield Kept(database)
    await database.close()


async def looks(ledger: IncidentLog, conditions: dict[str, str], *seconds: float) -> list[IncidentEvent]:
    """What is told by looks at these seconds."""
    told = [await ledger.step(conditions, KICKOFF + dt.timedelta(seconds=at)) for at in seconds]
    return [telling.event for tellings in told for telling in tellings]


async def test_a_restart_does_not_tell_again_and_tells_the_end(kept: Kept) -> None:
    before = await looks(IncidentLog(kept), DOWN, 0, 5)
    again = IncidentLog(kept)

    assert before == [IncidentEvent.OPENED]
    assert await looks(again, DOWN, 10, 15) == []
    assert await looks(again, {}, 20, 50, 55) == [IncidentEvent.RESOLVED]


async def test_of_two_processes_one_tells(kept: Kept) -> None:
    one, other = IncidentLog(kept), IncidentLog(kept)
    told = await looks(one, DOWN, 0) + await looks(other, DOWN, 1) + await looks(one, {}, 5) + await looks(other, DOWN, 40)
    told += await looks(one, {}, 45) + await looks(other, {}, 80) + await looks(one, {}, 81)

    assert told == [IncidentEvent.OPENED, IncidentEvent.RESOLVED]


async def test_while_the_database_is_away_it_is_told_all_the_same_and_once(kept: Kept) -> None:
    ledger = IncidentLog(kept)
    kept.away = True
    told = await looks(ledger, {"database-away": "it is away"}, 0, 15, 20)
    kept.away = False
    told += await looks(ledger, {}, 25) + await looks(IncidentLog(kept), {}, 80) + await looks(ledger, {}, 81)

    assert told == [IncidentEvent.OPENED, IncidentEvent.RESOLVED]


async def test_what_another_version_kept_is_forgotten(kept: Kept) -> None:
    await kept.change(lambda _: {"feed-down": "[]", "long-gone": "{}"})
    seen = []
    told = await looks(IncidentLog(kept), {}, 0)
    await kept.change(lambda bodies: (seen.append(bodies), {})[1])

    assert (told, seen) == ([], [{}])
