"""Leases: one holder for a while, in both databases."""

from __future__ import annotations

from contextlib import AsyncExitStack

from sqlalchemy import select, text

from bot.cluster.leases import Lease, LeaseRepository, name_process_lease
from bot.storage.database import Database
from bot.storage.schema import leases
from tests.waiting import until

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


async def test_of_work_that_goes_on_after_its_end_the_lease_is_free_for_whoever_knows_it(db: Database) -> None:
    first, second = LeaseRepository(db, "a", HOUR), LeaseRepository(db, "b", HOUR)
    await first.acquire({"f", "g"})
    await first.release({"f"}, is_finished=True)

    assert await second.acquire({"f", "g"}, reopened={"f", "g"}) == {"f"}


async def test_a_lease_that_is_handed_over_is_never_free(db: Database) -> None:
    first, second, third = (LeaseRepository(db, name, HOUR) for name in "abc")
    await first.acquire({"f"})
    await second.acquire({"handover:f"})
    await second.announce("handover:f", "ready")
    await first.transfer("f", "b")
    await first.transfer("f", "c")  # it is not its own any more

    assert await third.acquire({"f"}) == frozenset()
    assert await second.get_active() == [Lease("f", "b"), Lease("handover:f", "b", "ready")]


async def test_a_process_whose_session_ends_loses_its_leases_at_once_and_one_with_a_session_keeps_them(postgres_url: str) -> None:
    async with AsyncExitStack() as stack, AsyncExitStack() as ends:
        repositories = []
        for name in "abc":
            database = await Database.open(postgres_url)
            (ends if name == "b" else stack).push_async_callback(database.close)
            repositories.append(LeaseRepository(database, name, HOUR))
            await repositories[-1].open_session()
            await repositories[-1].acquire({name_process_lease(name), f"fixture:{name}"})
        a = repositories[0]
        before = await a.find_gone({"a", "b", "c", "unknown"})
        await ends.aclose()  # all of a process ends together; only its rows stay
        await until(lambda: a.find_gone({"b"}))

        assert before == {"unknown"}
        assert await a.end_leases({"b", "c"}) == {"b"}
        assert [lease.name for lease in await a.get_active()] == ["fixture:a", "fixture:c", "process:a", "process:c"]


async def test_a_session_that_is_cut_off_is_opened_again(postgres_url: str) -> None:
    cut_off = text(
        "SELECT pg_terminate_backend(pid) FROM pg_locks JOIN pg_stat_activity USING (pid)"
        " WHERE locktype = 'advisory' AND mode = 'ShareLock' AND datname = current_database()"
    )
    async with AsyncExitStack() as stack:
        database = await Database.open(postgres_url)
        stack.push_async_callback(database.close)
        leases_of_a = LeaseRepository(database, "a", HOUR)
        await leases_of_a.open_session()
        since = leases_of_a.session_since
        async with database.transaction() as tx:
            await tx.fetch(cut_off)
        await until(lambda: leases_of_a.session_since not in (None, since))

        assert await leases_of_a.find_gone({"a"}) == frozenset()


async def test_everybody_sees_who_holds_what_and_old_leases_are_swept_away(db: Database) -> None:
    await LeaseRepository(db, "a", duration=-99.0).acquire({"old"})
    await LeaseRepository(db, "b", HOUR).acquire({"process:b"}, '{"roles": ["feed"]}')
    await LeaseRepository(db, "b").delete_expired(50.0)

    assert await LeaseRepository(db, "c").get_active() == [Lease("process:b", "b", '{"roles": ["feed"]}')]
    async with db.transaction() as tx:
        assert [row["name"] for row in await tx.fetch(select(leases))] == ["process:b"]
