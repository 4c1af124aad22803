"""Leases: one holder for a while, in both databases."""

from __future__ import annotations

from sqlalchemy import select

from bot.cluster.leases import Lease, LeaseRepository
from bot.storage.database import Database
from bot.storage.schema import leases

HOUR = 3600.0
"""Seconds for which a lease lasts that is not to end while a test runs."""


async def test_what_one_holds_another_gets_only_when_it_is_released_or_was_not_renewed(db: Database) -> None:
    first, late, second = LeaseRepository(db, "a", HOUR), LeaseRepository(db, "a", duration=-1.0), LeaseRepository(db, "b", HOUR)

    got = [await first.acquire({"f", "g"}), await second.acquire({"f", "g", "h"})]
    await first.release({"f"})
    got.append(await second.acquire({"f", "g"}))
    await late.renew({"g"})
    got.append(await second.acquire({"g"}))

    assert got == [{"f", "g"}, {"h"}, {"f"}, {"g"}]


async def test_a_holder_renews_what_is_still_its_own_and_learns_what_is_not(db: Database) -> None:
    first, second = LeaseRepository(db, "a", HOUR), LeaseRepository(db, "b", HOUR)
    await LeaseRepository(db, "a", duration=-1.0).acquire({"f", "g"})
    await second.acquire({"g"})

    assert await first.renew({"f", "g"}) == {"f"}


async def test_what_is_done_nobody_gets(db: Database) -> None:
    first, second = LeaseRepository(db, "a", HOUR), LeaseRepository(db, "b", HOUR)
    await first.acquire({"f"})
    await first.release({"f"}, is_finished=True)

    assert await second.acquire({"f"}) == frozenset()
    assert [lease.is_finished for lease in await second.get_active()] == [True]


async def test_everybody_sees_who_holds_what_and_old_leases_are_swept_away(db: Database) -> None:
    await LeaseRepository(db, "a", duration=-99.0).acquire({"old"})
    await LeaseRepository(db, "b", HOUR).acquire({"process:b"}, '{"roles": ["feed"]}')
    await LeaseRepository(db, "b").delete_expired(50.0)

    assert await LeaseRepository(db, "c").get_active() == [Lease("process:b", "b", '{"roles": ["feed"]}')]
    async with db.transaction() as tx:
        assert [row["name"] for row in await tx.fetch(select(leases))] == ["process:b"]
