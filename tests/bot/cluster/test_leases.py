"""Leases: one holder for a while, in both databases."""

from __future__ import annotations

from sqlalchemy import select

from bot.cluster.leases import Lease, LeaseRepository
from bot.storage.database import Database
from bot.storage.schema import leases

HOUR = 3600.0
"""Seconds for which a lease lasts that is not to end while a test runs."""


async def test_what_one_holds_another_gets_only_when_it_is_released_or_was_not_renewed(db: Database) -> None:
    first, late, second = LeaseRepository(db, "a", HOUR), LeaseRepository(db, "a", lasts=-1.0), LeaseRepository(db, "b", HOUR)

    got = [await first.take({"f", "g"}), await second.take({"f", "g", "h"})]
    await first.release({"f"})
    got.append(await second.take({"f", "g"}))
    await late.renew({"g"})
    got.append(await second.take({"g"}))

    assert got == [{"f", "g"}, {"h"}, {"f"}, {"g"}]


async def test_a_holder_renews_what_is_still_its_own_and_hears_what_is_not(db: Database) -> None:
    first, second = LeaseRepository(db, "a", HOUR), LeaseRepository(db, "b", HOUR)
    await LeaseRepository(db, "a", lasts=-1.0).take({"f", "g"})
    await second.take({"g"})

    assert await first.renew({"f", "g"}) == {"f"}


async def test_what_is_done_nobody_gets(db: Database) -> None:
    first, second = LeaseRepository(db, "a", HOUR), LeaseRepository(db, "b", HOUR)
    await first.take({"f"})
    await first.release({"f"}, done=True)

    assert await second.take({"f"}) == frozenset()
    assert [lease.retired for lease in await second.all()] == [True]


async def test_everybody_sees_who_holds_what_and_old_leases_are_swept_away(db: Database) -> None:
    await LeaseRepository(db, "a", lasts=-99.0).take({"old"})
    await LeaseRepository(db, "b", HOUR).take({"process:b"}, '{"roles": ["feed"]}')
    await LeaseRepository(db, "b").sweep(50.0)

    assert await LeaseRepository(db, "c").all() == [Lease("process:b", "b", '{"roles": ["feed"]}')]
    async with db.transaction() as tx:
        assert [row["name"] for row in await tx.fetch(select(leases))] == ["process:b"]
