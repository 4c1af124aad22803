"""What was notified is known to the next start, to other processes, and while the database is away."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator

import pytest

from bot.errors import StorageUnavailable
from bot.monitoring.incidents import IncidentChange, IncidentEvent, IncidentLog, IncidentRepository
from bot.storage.database import Database
from tests.packets import KICKOFF

DOWN = {"feed-down": "no frame"}


class FailingRepository(IncidentRepository):
    """Incidents in a database that may be away."""

    is_away = False

    async def change(self, decide: IncidentChange) -> None:
        if self.is_away:
            raise StorageUnavailable("the database cannot be reached")
        await super().change(decide)


@pytest.fixture
async def repository(database_url: str) -> AsyncIterator[FailingRepository]:
    database = await Database.open(database_url)
    yield FailingRepository(database)
    await database.close()


async def step_at(incident_log: IncidentLog, conditions: dict[str, str], *seconds: float) -> list[IncidentEvent]:
    """Check at these seconds; return the events of which somebody is notified."""
    notified = [await incident_log.step(conditions, KICKOFF + dt.timedelta(seconds=at)) for at in seconds]
    return [notice.event for notices in notified for notice in notices]


async def test_a_restart_notifies_nobody_again_and_of_the_end_once(repository: FailingRepository) -> None:
    before = await step_at(IncidentLog(repository), DOWN, 0, 5)
    again = IncidentLog(repository)

    assert before == [IncidentEvent.OPENED]
    assert await step_at(again, DOWN, 10, 15) == []
    assert await step_at(again, {}, 20, 50, 55) == [IncidentEvent.RESOLVED]


async def test_of_two_processes_one_notifies(repository: FailingRepository) -> None:
    one, other = IncidentLog(repository), IncidentLog(repository)
    notified = (
        await step_at(one, DOWN, 0) + await step_at(other, DOWN, 1) + await step_at(one, {}, 5) + await step_at(other, DOWN, 40)
    )
    notified += await step_at(one, {}, 45) + await step_at(other, {}, 80) + await step_at(one, {}, 81)

    assert notified == [IncidentEvent.OPENED, IncidentEvent.RESOLVED]


async def test_while_the_database_is_away_it_is_told_all_the_same_and_once(repository: FailingRepository) -> None:
    incident_log = IncidentLog(repository)
    repository.is_away = True
    notified = await step_at(incident_log, {"database-away": "it is away"}, 0, 15, 20)
    repository.is_away = False
    notified += (
        await step_at(incident_log, {}, 25) + await step_at(IncidentLog(repository), {}, 80) + await step_at(incident_log, {}, 81)
    )

    assert notified == [IncidentEvent.OPENED, IncidentEvent.RESOLVED]


async def test_what_another_version_stored_is_deleted(repository: FailingRepository) -> None:
    await repository.change(lambda _: {"feed-down": "[]", "long-gone": "{}"})
    seen = []
    notified = await step_at(IncidentLog(repository), {}, 0)
    await repository.change(lambda bodies: (seen.append(bodies), {})[1])

    assert (notified, seen) == ([], [{}])
