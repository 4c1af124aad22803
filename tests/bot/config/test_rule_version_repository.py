"""Rulings are kept in their order, and the oldest forgotten."""

from __future__ import annotations

import datetime as dt

import pytest

from bot.config.rule_versions import MAX_RULE_VERSIONS, RuleOrigin, RuleVersion, RuleVersionRepository
from bot.storage.database import Database

NOON = dt.datetime(2026, 11, 22, 12, 0, tzinfo=dt.UTC)


def ruling(name: str = "late.yaml", minutes: int = 0) -> RuleVersion:
    return RuleVersion(NOON + dt.timedelta(minutes=minutes), RuleOrigin.SENT, name, "[]", "base", 7, "Ann")


@pytest.fixture
def history(db: Database) -> RuleVersionRepository:
    return RuleVersionRepository(db)


async def test_a_ruling_is_read_as_it_was_stored(history: RuleVersionRepository) -> None:
    stored = await history.add(ruling())

    assert stored.id and await history.get(stored.id) == stored
    assert (stored.at, stored.origin, stored.user_id, stored.user_name, stored.text) == (NOON, RuleOrigin.SENT, 7, "Ann", "[]")


async def test_the_last_ruling_comes_first(history: RuleVersionRepository) -> None:
    for name in ("a", "b", "c"):
        await history.add(ruling(name))

    assert [one.name for one in await history.recent()] == ["c", "b", "a"]
    assert [one.name for one in await history.recent(1)] == ["c"]


async def test_the_oldest_are_forgotten(history: RuleVersionRepository) -> None:
    first = await history.add(ruling())
    for number in range(MAX_RULE_VERSIONS):
        await history.add(ruling(minutes=number))

    assert len(await history.recent(1000)) == MAX_RULE_VERSIONS and await history.get(first.id) is None


async def test_rulings_survive_a_restart(database_url: str) -> None:
    before = await Database.open(database_url)
    await RuleVersionRepository(before).add(ruling())
    await before.close()
    after = await Database.open(database_url)

    assert [one.name for one in await RuleVersionRepository(after).recent()] == ["late.yaml"]
    await after.close()
