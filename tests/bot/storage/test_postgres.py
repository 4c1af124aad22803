"""What only PostgreSQL does: transactions beside each other, a server that goes away, processes that notify each other."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import insert, select, text, update
from sqlalchemy.ext.asyncio import create_async_engine

from bot.errors import StorageConflict, StorageUnavailable, StorageUnusable, UserMistake
from bot.outbox.news_store import read_fanout_progress
from bot.storage.chats import ChatRepository
from bot.storage.database import Database
from bot.storage.driver import Transaction
from bot.storage.moved_chats import move_chat
from bot.storage.schema import alerts, chats, entries, metadata
from bot.subscribers import Chat, ChatRef
from rules.engine.alert import AlertKey
from tests.fakes.held_postgres import HeldPostgres
from tests.postgres import COUNT_BLOCKED, Server, running
from tests.rows import make_row
from tests.tasks import cancel_tasks
from tests.waiting import until

REF = ChatRef(5)


@pytest.fixture
async def two(postgres_url: str) -> AsyncIterator[tuple[Database, Database]]:
    """Two processes on one database, as far as the database can tell."""
    both = await Database.open(postgres_url), await Database.open(postgres_url)
    yield both
    for db in both:
        await db.close()


@pytest.fixture(scope="module")
def server(postgres: Server) -> Iterator[Server]:
    """A server that may be stopped without harm to other tests."""
    with running() as own:
        yield own


async def add_to_title(db: Database, word: str) -> None:
    async with db.transaction() as tx:
        (row,) = await tx.fetch(select(chats.c.title).with_for_update())
        await tx.execute(update(chats).values(title=row["title"] + word))


async def evaluate(tx: Transaction, expression: str) -> Any:
    """Return the value of an expression."""
    (row,) = await tx.fetch(text(f"SELECT {expression} AS value"))
    return row["value"]


async def is_count_blocked(db: Database, count: int) -> bool:
    """Return True if so many transactions of this database wait for what others hold."""
    async with db.transaction() as tx:
        return bool(await evaluate(tx, f"({COUNT_BLOCKED})") == count)


async def test_processes_that_start_at_once_migrate_one_after_the_other(new_postgres_url: str) -> None:
    opened = await asyncio.gather(*(Database.open(new_postgres_url) for _ in range(3)))
    await ChatRepository(opened[0]).save(Chat(REF))

    assert [await ChatRepository(db).get(REF) for db in opened] == [Chat(REF)] * 3
    for db in opened:
        await db.close()


async def test_the_next_host_is_used_where_the_first_is_away(postgres: Server, postgres_url: str) -> None:
    name = postgres_url.partition("@/")[2].partition("?")[0]
    folder = quote(str(postgres.folder), safe="")

    db = await Database.open(f"postgresql://touchline@127.0.0.1:1,{folder}/{name}")

    assert await ChatRepository(db).get_all() == ()
    await db.close()


async def test_a_row_that_is_read_to_be_written_is_written_by_one_at_a_time(two: tuple[Database, Database]) -> None:
    await ChatRepository(two[0]).save(Chat(REF))

    await asyncio.gather(*(add_to_title(db, word) for word in "abcdefgh" for db in two))

    chat = await ChatRepository(two[0]).get(REF)
    assert chat is not None and sorted(chat.title) == sorted("abcdefgh" * 2)


async def test_a_name_is_held_by_one_transaction_at_a_time(two: tuple[Database, Database]) -> None:
    order = []

    async def hold(db: Database) -> None:
        async with db.transaction() as tx:
            await tx.lock("news of f")
            order.append("in")

    async with two[0].transaction() as tx:
        await tx.lock("news of f")
        others = [asyncio.create_task(hold(db)) for db in two * 2]
        await until(lambda: is_count_blocked(two[1], 4))
        order.append("out")
    await asyncio.gather(*others)

    assert order == ["out"] + ["in"] * 4


async def test_more_transactions_than_connections_wait_for_their_turn(two: tuple[Database, Database]) -> None:
    await ChatRepository(two[0]).save(Chat(REF))

    found = await asyncio.gather(*(ChatRepository(two[0]).get(REF) for _ in range(50)))

    assert found == [Chat(REF)] * 50


async def test_every_process_gets_a_notification_once_it_is_committed(two: tuple[Database, Database]) -> None:
    received: asyncio.Queue[str] = asyncio.Queue()
    await two[1].listen("news", received.put_nowait)
    with pytest.raises(ZeroDivisionError):
        async with two[0].transaction() as tx:
            await tx.notify("news", "undone")
            raise ZeroDivisionError
    async with two[0].transaction() as tx:
        await tx.notify("news", "f/1")

    assert [await received.get(), await received.get()] == ["", "f/1"]


async def test_the_clock_is_the_databases_own(two: tuple[Database, Database]) -> None:
    seen = []
    for db in (two[0], two[1], two[0]):
        async with db.transaction() as tx:
            clock = "extract(epoch FROM clock_timestamp())"
            seen += [await evaluate(tx, clock), await tx.now(), await evaluate(tx, clock)]

    assert seen == sorted(set(seen))


async def test_a_server_that_goes_away_is_trouble_until_it_is_back(server: Server) -> None:
    with server.database() as url:
        db = await Database.open(url)
        failures: list[str | None] = []
        db.on_failure_changed = failures.append
        received: asyncio.Queue[str] = asyncio.Queue()
        await db.listen("news", received.put_nowait)
        server.stop()
        with pytest.raises(StorageUnavailable):
            await ChatRepository(db).get_all()
        server.start()
        await ChatRepository(db).get_all()
        waking = [await received.get(), await received.get()]

        assert len(failures) == 2 and failures[0] and "cannot be reached" in failures[0] and failures[1] is None
        assert waking == ["", ""]
        await db.close()


async def test_a_transaction_that_is_cut_off_is_not_taken_for_one_that_is_wrong(two: tuple[Database, Database]) -> None:
    with pytest.raises(StorageUnavailable):
        async with two[0].transaction() as tx:
            (row,) = await tx.fetch(text("SELECT pg_backend_pid() AS pid"))
            async with two[1].transaction() as other:
                await other.fetch(text(f"SELECT pg_terminate_backend({row['pid']})"))
            await tx.fetch(text("SELECT 1"))
    with pytest.raises(StorageUnusable, match="failed"):
        async with two[0].transaction() as tx:
            await tx.fetch(text("SELECT 1 / 0"))

    assert await ChatRepository(two[0]).get_all() == ()


async def test_of_two_that_wait_for_each_other_one_is_undone_and_nothing_is_wrong_with_the_database(
    two: tuple[Database, Database],
) -> None:
    met = asyncio.Barrier(2)

    async def hold_both(db: Database, names: str) -> None:
        async with db.transaction() as tx:
            await tx.lock(names[0])
            await met.wait()
            await tx.lock(names[1])

    ended = await asyncio.gather(hold_both(two[0], "ab"), hold_both(two[1], "ba"), return_exceptions=True)

    assert [type(one) for one in ended if one] == [StorageConflict] and {db.failure for db in two} == {None}


READ_ONLY = "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY"
"""As a session behaves whose server became a replica in a failover."""


async def test_after_a_failover_sessions_that_became_read_only_are_given_up(postgres_url: str) -> None:
    db = await Database.open(postgres_url)
    repository = ChatRepository(db)
    together = asyncio.Barrier(5)

    async def become_read_only() -> None:
        async with db.transaction() as tx:
            await tx.execute(text(READ_ONLY))
            await together.wait()

    await asyncio.gather(*(become_read_only() for _ in range(5)))
    with pytest.raises(StorageUnavailable, match="is read-only; name a server that takes writes"):
        await repository.save(Chat(REF))
    failure = db.failure
    for number in range(1, 11):
        await repository.save(Chat(ChatRef(number)))
    found = len(await repository.get_all())
    await db.close()

    assert failure is not None and "read-only" in failure
    assert found == 10 and db.failure is None


@contextmanager
def database_of_role(postgres: Server, role: str, options: str) -> Iterator[str]:
    """The address of a database of its own for a role with some options."""
    postgres.run("psql", "-c", f"CREATE ROLE {role} LOGIN {options}", "postgres")
    with postgres.database() as url:
        name = url.partition("@/")[2].partition("?")[0]
        postgres.run("psql", "-c", f"ALTER DATABASE {name} OWNER TO {role}", "postgres")
        postgres.run("psql", "-c", f"ALTER SCHEMA public OWNER TO {role}", name)
        yield url.replace("touchline@", f"{role}@")


async def test_a_server_that_takes_no_changes_is_refused_at_the_start(postgres: Server) -> None:
    with database_of_role(postgres, "reader", "") as url:
        postgres.run("psql", "-c", "ALTER ROLE reader SET default_transaction_read_only = on", "postgres")
        with pytest.raises(StorageUnavailable, match="is read-only; name a server that takes writes"):
            await Database.open(url)


async def test_where_the_server_has_no_connection_left_transactions_wait_for_the_pool(postgres: Server) -> None:
    with database_of_role(postgres, "limited", "CONNECTION LIMIT 3") as url:
        db = await Database.open(url)
        repository = ChatRepository(db)
        await asyncio.gather(*(repository.save(Chat(ChatRef(number))) for number in range(1, 31)))
        found, failure = len(await repository.get_all()), db.failure
        await db.close()

    assert found == 30 and failure is None


@pytest.mark.parametrize("statement", ["BEGIN", "clock_timestamp", "COMMIT"])
async def test_what_is_stored_after_a_transaction_was_cancelled_while_it_began_is_committed(
    postgres: Server, postgres_url: str, tmp_path: Path, statement: str
) -> None:
    async with HeldPostgres(postgres.folder, tmp_path) as held:
        one, other = await Database.open(held.url(postgres_url)), await Database.open(postgres_url)

        async def read() -> None:
            async with one.transaction() as tx:
                await tx.now()

        held.hold_answer(statement)
        reading = asyncio.create_task(read())
        await held.until_held()
        reading.cancel()
        held.release()
        await cancel_tasks(reading)
        for number in range(3):
            await ChatRepository(one).save(Chat(ChatRef(number + 1)))
        found = len(await ChatRepository(other).get_all())
        for db in (one, other):
            await db.close()

    assert found == 3


async def test_a_transaction_that_is_cancelled_gives_its_connection_back(two: tuple[Database, Database]) -> None:
    async def wait() -> None:
        async with two[0].transaction() as tx:
            await tx.lock("news of f")

    async with two[1].transaction() as holding:
        await holding.lock("news of f")
        for _ in range(12):
            waits = asyncio.create_task(wait())
            await until(lambda: is_count_blocked(two[1], 1))
            waits.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waits

    assert await ChatRepository(two[0]).get_all() == ()


async def test_the_migrations_make_the_tables_of_the_schema(two: tuple[Database, Database], postgres_url: str) -> None:
    engine = create_async_engine(postgres_url.replace("postgresql", "postgresql+asyncpg", 1))
    async with engine.connect() as connection:
        differences = await connection.run_sync(lambda c: compare_metadata(MigrationContext.configure(c), metadata))
    await engine.dispose()

    assert differences == []


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("nowhere", "does not exist; make it with: createdb"), ("latin", "is kept in LATIN1; make it with ENCODING 'UTF8'")],
)
async def test_a_database_that_cannot_serve_is_a_sentence(postgres: Server, name: str, sentence: str) -> None:
    if name == "latin":
        postgres.run("createdb", "--template=template0", "--encoding=LATIN1", name)

    with pytest.raises(StorageUnusable, match=sentence):
        await Database.open(postgres.url(name))


@pytest.mark.parametrize("password", ["p@ss/w#rd:%? &'$", "plain"])
async def test_a_password_beside_the_address_may_have_any_sign(
    server: Server, monkeypatch: pytest.MonkeyPatch, password: str
) -> None:
    """As compose.scale.yaml gives it: in PGPASSWORD."""
    access = server.folder / "data" / "pg_hba.conf"
    access.write_text(f"local all keeper scram-sha-256\n{access.read_text()}")
    quoted = password.replace("'", "''")
    server.run("psql", "-c", "SELECT pg_reload_conf()", "postgres")
    server.run("psql", "-c", f"CREATE ROLE keeper LOGIN PASSWORD '{quoted}'", "postgres")
    try:
        with server.database() as url:
            name = url.partition("@/")[2].partition("?")[0]
            server.run("psql", "-c", f"ALTER DATABASE {name} OWNER TO keeper", "postgres")
            keeper = url.replace("touchline@", "keeper@")
            monkeypatch.setenv("PGPASSWORD", password)
            await (await Database.open(keeper)).close()
            monkeypatch.setenv("PGPASSWORD", "another")
            with pytest.raises(StorageUnusable, match="refuses the user or the password"):
                await Database.open(keeper)
    finally:
        server.run("psql", "-c", "DROP ROLE keeper", "postgres")


async def test_without_the_driver_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "bot.storage.postgres", raising=False)
    monkeypatch.setitem(sys.modules, "asyncpg", None)

    with pytest.raises(UserMistake, match=r"pip install (--editable )?'\.\[postgres\]'"):
        await Database.open("postgresql://host/db")


async def test_a_group_moves_beside_a_fan_out_of_news_to_it(two: tuple[Database, Database]) -> None:
    key, old, new = AlertKey("f", "a"), -5, -1005
    alert = {"fixture_id": key.fixture_id, "action_id": key.action_id, "spreading": True, "told_done": False, "told_chat": -500}
    delivery = {"fixture_id": key.fixture_id, "action_id": key.action_id, "chat_id": old, "topic": 0, "status": "done"}
    async with two[0].transaction() as tx:
        await tx.execute(insert(alerts).values(make_row(alerts, 1) | alert | {"first_done": True}))
        await tx.execute(insert(chats).values(make_row(chats, 1) | {"chat_id": old, "topic": 0}))
        await tx.execute(insert(entries).values(make_row(entries, 1) | delivery | {"message_id": 7}))

    async def move() -> list[ChatRef]:
        async with two[1].transaction() as tx:
            return await move_chat(tx, old, new)

    async with two[0].transaction() as tx:
        await read_fanout_progress(tx, key, for_fanout=True)
        moving = asyncio.create_task(move())
        await until(lambda: is_count_blocked(two[1], 1))
        # It waits for the alert, and has not locked the delivery.
        await tx.execute(update(entries).where(entries.c.chat_id == old).values(status="waiting"))

    assert await moving == [ChatRef(new)]
