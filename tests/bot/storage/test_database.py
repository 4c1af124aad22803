from pathlib import Path

import pytest
from sqlalchemy import create_engine, select, text

from bot.errors import StorageTooNew, StorageUnavailable, StorageUnusable
from bot.storage.chats import ChatRepository
from bot.storage.database import Database
from bot.storage.migrate import apply_migrations, migrate
from bot.storage.schema import chats
from bot.subscribers import Chat, ChatRef
from tests.sqlite import new_sqlite


async def test_what_was_committed_is_there_after_a_restart(database_url: str) -> None:
    db = await Database.open(database_url)
    await ChatRepository(db).save(Chat(ChatRef(5, 2), "group", "Friends"))
    await db.close()

    again = await Database.open(database_url)

    assert [chat.title for chat in await ChatRepository(again).get_all()] == ["Friends"]
    await again.close()


async def test_a_transaction_that_fails_leaves_nothing_behind(db: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        async with db.transaction() as tx:
            await tx.execute(text("INSERT INTO positions (fixture_id, position, snapshot, updated_at) VALUES ('f', 1, '', 0)"))
            raise ZeroDivisionError

    async with db.transaction() as tx:
        assert await tx.fetch(text("SELECT * FROM positions")) == []


async def test_what_ends_a_transaction_is_raised_though_its_database_was_closed_meanwhile(tmp_path: Path) -> None:
    db = await Database.open(new_sqlite(tmp_path))

    with pytest.raises(ZeroDivisionError):
        async with db.transaction() as tx:
            await tx.execute(text("INSERT INTO positions (fixture_id, position, snapshot, updated_at) VALUES ('f', 1, '', 0)"))
            await db.close()
            raise ZeroDivisionError


async def test_a_database_from_a_newer_version_is_refused_with_a_sentence(new_database_url: str) -> None:
    db = await Database.open(new_database_url)
    async with db.transaction() as tx:
        await tx.execute(text("UPDATE alembic_version SET version_num = 'from the future'"))
    await db.close()

    with pytest.raises(StorageTooNew, match="newer Touchline"):
        await Database.open(new_database_url)


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("sqlite:////nowhere/at/all.db", "cannot be opened; the directory must exist"),
        ("nonsense", "not a database's address"),
        ("postgresql://you:secret@host:no/db", "not a database's address"),
        ("postgresql://you:secret@[host/db", "not a database's address"),
        ("postgresql://you:secret@localhost/db?sslmode=often", "sslmode is one of disable, .*verify-full"),
        ("postgresql://you:secret@localhost:1/db", "localhost:1/db cannot be reached: .+"),
        ("postgresql://you:secret@localhost:1,127.0.0.1:2/db", "localhost:1,127.0.0.1:2/db cannot be reached: .+"),
        ("postgresql://you:secret@localhost:no,127.0.0.1/db", "not a database's address"),
        ("mysql://you:secret@host/db", "mysql is no database that can be used"),
    ],
)
async def test_an_unusable_address_gets_a_sentence(url: str, sentence: str) -> None:
    with pytest.raises(StorageUnusable if "reached" not in sentence else StorageUnavailable, match=sentence) as refused:
        await Database.open(url)

    assert "secret" not in str(refused.value)


async def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("dear diary, " * 1000)

    with pytest.raises(StorageUnusable, match=r"notes\.txt is not a database"):
        await Database.open(f"sqlite:///{tmp_path}/notes.txt")


async def test_each_database_in_memory_is_one_of_its_own_with_the_schema_of_a_file(tmp_path: Path) -> None:
    schemas = []
    for url in ("sqlite://", "sqlite://", new_sqlite(tmp_path)):
        db = await Database.open(url)
        await ChatRepository(db).save(Chat(ChatRef(5)))
        async with db.transaction() as tx:
            assert len(await tx.fetch(select(chats))) == 1
            names = await tx.fetch(text("SELECT name, sql FROM sqlite_master ORDER BY name"))
            version = await tx.fetch(text("SELECT version_num FROM alembic_version"))
        schemas.append((list(names), list(version)))
        await db.close()

    assert schemas[0] == schemas[1] == schemas[2]


def test_the_migrations_make_exactly_the_tables_of_the_schema() -> None:
    engines = [create_engine("sqlite://") for _ in range(2)]
    seen = []
    for engine, make in zip(engines, (apply_migrations, migrate), strict=True):
        with engine.connect() as connection:
            make(connection)
            rows = connection.execute(text("SELECT name, sql FROM sqlite_master"))
            tables = {name: sql and "".join(sql.split()) for name, sql in rows}
            seen.append((tables, list(connection.scalars(text("SELECT version_num FROM alembic_version")))))
        engine.dispose()

    assert seen[0] == seen[1]
