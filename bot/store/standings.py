"""How each fixture was last listed: its status and that of its coverage, so that a change is one also after a restart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import select

from bot.clock import Clock
from bot.store.engine import Database, upsert
from bot.store.schema import seconds, standings
from rules.action import Fixture

Standing = tuple[str, str]


class Standings:
    """The repository of (status, collection status) by fixture."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db, self._clock = db, clock

    async def all(self) -> Mapping[str, Standing]:
        """Every standing that was kept."""
        async with self._db.transaction() as tx:
            rows = await tx.fetch(select(standings))
        return {row["fixture_id"]: (row["status"], row["collection_status"]) for row in rows}

    async def save(self, fixtures: Iterable[Fixture]) -> None:
        """Keep how these fixtures are listed now."""
        now = seconds(self._clock.now())
        rows = [_row(fixture, now) for fixture in fixtures]
        if rows:
            async with self._db.transaction() as tx:
                await tx.execute(upsert(standings), rows)


def _row(fixture: Fixture, now: float) -> dict[str, str | float]:
    found = {"fixture_id": fixture.id, "status": fixture.status, "collection_status": fixture.collection_status}
    return {**found, "updated_at": now}
