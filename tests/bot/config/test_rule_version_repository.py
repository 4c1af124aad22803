"""Versions of the rules are stored in their order, and the oldest deleted."""

from __future__ import annotations

import datetime as dt

import pytest

from bot.config.rule_versions import MAX_RULE_VERSIONS, RuleOrigin, RuleVersion, RuleVersionRepository
from bot.storage.database import Database

NOON = dt.datetime(2026, 11, 22, 12, 0, tzinfo=dt.UTC)


def make_version(name: str = "late.yaml", minutes: int = 0) -> RuleVersion:
    return RuleVersion(NOON + dt.timedelta(minutes=minutes), RuleOrigin.SENT, name, "[]", "base", 7, "Ann")


@pytest.fixture
def repository(db: Database) -> RuleVersionRepository:
    return RuleVersionRepository(db)


async def test_a_version_is_read_as_it_was_stored(repository: RuleVersionRepository) -> None:
    stored = await repository.add(make_version())

    assert stored.id and await repository.get(stored.id) == stored
    assert (stored.at, stored.origin, stored.user_id, stored.user_name, stored.text) == (NOON, RuleOrigin.SENT, 7, "Ann", "[]")


async def test_the_last_version_comes_first(repository: RuleVersionRepository) -> None:
    for name in ("a", "b", "c"):
        await repository.add(make_version(name))

    assert [one.name for one in await repository.recent()] == ["c", "b", "a"]
    assert [one.name for one in await repository.recent(1)] == ["c"]


async def test_the_oldest_are_deleted(repository: RuleVersionRepository) -> None:
    first = await repository.add(make_version())
    for number in range(MAX_RULE_VERSIONS):
        await repository.add(make_version(minutes=number))

    assert len(await repository.recent(1000)) == MAX_RULE_VERSIONS and await repository.get(first.id) is None


async def test_versions_survive_a_restart(database_url: str) -> None:
    before = await Database.open(database_url)
    await RuleVersionRepository(before).add(make_version())
    await before.close()
    after = await Database.open(database_url)

    assert [one.name for one in await RuleVersionRepository(after).recent()] == ["late.yaml"]
    await after.close()
