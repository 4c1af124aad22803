"""The database's file under a running bot: what happens to it is noticed, and what can be saved is saved."""

from __future__ import annotations

import asyncio
import datetime as dt
import errno
import os
import re
import shutil
import sqlite3
import stat
import sys
import threading
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path
from typing import NoReturn

import pytest
from sqlalchemy import insert, text

from bot.clock import ManualClock
from bot.errors import StorageUnusable
from bot.storage.chat_rows import chat_to_row
from bot.storage.chats import ChatRepository
from bot.storage.database import Database, read_storage_url
from bot.storage.database_file import (
    CHECKPOINT_INTERVAL,
    RESCUE_INTERVAL,
    DatabaseFileGuard,
    DatabaseLock,
    describe_empty_database,
    find_database_file,
)
from bot.storage.repair import copy_database, copy_readable, finish_repair, name_repaired
from bot.storage.schema import chats
from bot.subscribers import Chat, ChatRef
from tests.packets import KICKOFF
from tests.sqlite import new_sqlite


class GuardedDatabase:
    """An open database with two chats, and its guard."""

    def __init__(self, file: Path, database: Database, lock: DatabaseLock) -> None:
        self.file, self.database, self.lock = file, database, lock
        self.clock, self.reports = ManualClock(KICKOFF), dict[str, str]()
        self.events: list[str] = []
        self.guard = DatabaseFileGuard(
            database, file, lock, self.clock, self.reports.__setitem__, self._clear, self.events.append
        )

    def _clear(self, name: str) -> None:
        self.reports.pop(name, None)

    async def add(self, chat_id: int) -> None:
        await ChatRepository(self.database).save(Chat(ChatRef(chat_id)))

    def rescued(self) -> list[Path]:
        return sorted(self.file.parent.glob("touchline.db.rescued-*"))

    async def wait(self, seconds: float) -> None:
        self.clock.move_to(self.clock.now() + dt.timedelta(seconds=seconds))
        await self.guard.check()


@pytest.fixture
async def guarded(tmp_path: Path) -> AsyncIterator[GuardedDatabase]:
    file, url = tmp_path / "touchline.db", new_sqlite(tmp_path)
    lock = DatabaseLock(file)
    await lock.acquire()
    database = await Database.open(url)
    one = GuardedDatabase(file, database, lock)
    await one.add(1)
    await one.guard.check()
    await one.add(2)
    yield one
    await database.close()
    lock.release()


def read_chat_ids_now(file: Path) -> list[int]:
    connection = sqlite3.connect(file)
    found = [chat_id for (chat_id,) in connection.execute("SELECT chat_id FROM chats ORDER BY chat_id")]
    connection.close()
    return found


async def test_a_file_that_is_as_it_was_is_no_loss(guarded: GuardedDatabase) -> None:
    for _ in range(3):
        await guarded.wait(CHECKPOINT_INTERVAL)

    assert (guarded.reports, guarded.rescued()) == ({}, [])


def delete(file: Path) -> None:
    file.unlink()


def delete_with_its_log(file: Path) -> None:
    for one in file.parent.glob("touchline.db*"):
        if one.suffix != ".lock":
            one.unlink()


def rename(file: Path) -> None:
    file.rename(file.with_name("old.db"))


def replace(file: Path) -> None:
    other = file.with_name("other.db")
    connection = sqlite3.connect(other)
    connection.execute("CREATE TABLE chats (chat_id INTEGER)")
    connection.close()
    other.replace(file)


def delete_the_log(file: Path) -> None:
    file.with_name("touchline.db-wal").unlink()


@pytest.mark.parametrize(
    ("what", "loss"),
    [
        (delete, "was deleted or renamed"),
        (delete_with_its_log, "was deleted or renamed"),
        (rename, "was deleted or renamed"),
        (replace, "was replaced by another file"),
    ],
)
async def test_a_lost_file_is_reported_and_all_that_was_committed_is_written_beside_it(
    guarded: GuardedDatabase, what: Callable[[Path], None], loss: str
) -> None:
    what(guarded.file)

    await guarded.wait(20)
    (rescued,) = guarded.rescued()
    at_once = read_chat_ids_now(rescued)
    await guarded.add(3)
    await guarded.wait(20)
    before = read_chat_ids_now(rescued)
    await guarded.wait(RESCUE_INTERVAL)
    later = read_chat_ids_now(rescued)
    await guarded.add(4)
    await guarded.guard.finish()

    assert guarded.reports["database-lost"].startswith(f"the database {guarded.file} {loss} while the bot runs on it")
    assert f"run `touchline restore {rescued}`" in guarded.reports["database-lost"]
    assert (at_once, before, later, read_chat_ids_now(rescued)) == ([1, 2], [1, 2], [1, 2, 3], [1, 2, 3, 4])
    assert guarded.rescued() == [rescued] and stat.S_IMODE(rescued.stat().st_mode) == 0o600


@pytest.mark.parametrize("names", [["-wal"], ["-shm"], ["-wal", "-shm"]], ids=" ".join)
async def test_a_log_that_is_deleted_is_made_anew_and_nothing_is_lost(guarded: GuardedDatabase, names: list[str]) -> None:
    for name in names:
        guarded.file.with_name(f"touchline.db{name}").unlink()

    await guarded.wait(20)
    told = dict(guarded.reports)
    at_once = read_chat_ids_now(guarded.file)
    await guarded.add(3)
    await guarded.wait(20)

    assert told["database-lost"].startswith(f"the database {guarded.file} lost its newest part, the log touchline.db{names[0]}")
    assert (at_once, read_chat_ids_now(guarded.file)) == ([1, 2], [1, 2, 3])
    assert (guarded.reports, guarded.rescued()) == ({}, [])


async def test_a_log_that_was_deleted_and_does_not_fit_into_the_file_is_saved_beside_it(guarded: GuardedDatabase) -> None:
    reader = sqlite3.connect(guarded.file, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM chats").fetchone()
    await guarded.add(3)
    delete_the_log(guarded.file)

    await guarded.wait(20)
    reader.close()

    (rescued,) = guarded.rescued()
    assert read_chat_ids_now(rescued) == [1, 2, 3] and f"touchline restore {rescued}" in guarded.reports["database-lost"]


async def test_a_truncated_file_is_reported(guarded: GuardedDatabase) -> None:
    os.truncate(guarded.file, 0)

    await guarded.wait(20)

    assert guarded.reports["database-lost"].startswith(f"the database {guarded.file} was truncated while the bot runs on it")


async def test_a_file_that_a_tool_made_smaller_is_not_truncated(guarded: GuardedDatabase) -> None:
    async with guarded.database.transaction() as tx:
        await tx.execute(text("CREATE TABLE filler AS SELECT zeroblob(2000000) AS x"))
    await guarded.wait(CHECKPOINT_INTERVAL)
    large = guarded.file.stat().st_size
    await guarded.wait(20)
    tool = sqlite3.connect(guarded.file)
    tool.execute("DROP TABLE filler")
    tool.execute("VACUUM")
    tool.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    tool.close()
    await guarded.wait(20)

    assert guarded.file.stat().st_size < large
    assert guarded.reports == {}


async def test_a_file_that_comes_back_is_no_loss_any_more(guarded: GuardedDatabase) -> None:
    rename(guarded.file)
    await guarded.wait(20)
    guarded.file.with_name("old.db").rename(guarded.file)
    await guarded.wait(20)

    assert guarded.reports == {}


async def test_what_was_committed_does_not_stay_in_the_log_alone(guarded: GuardedDatabase, tmp_path: Path) -> None:
    await guarded.guard.check()
    alone = tmp_path / "alone.db"
    await guarded.wait(CHECKPOINT_INTERVAL)
    alone.write_bytes(guarded.file.read_bytes())  # without the log beside it

    assert read_chat_ids_now(alone) == [1, 2]


def read_modes(folder: Path) -> dict[str, int]:
    return {file.name: stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()}


async def test_the_database_its_logs_and_backups_belong_to_the_programs_user_alone(tmp_path: Path) -> None:
    file = tmp_path / "touchline.db"
    sqlite3.connect(file).close()
    file.touch()
    file.chmod(0o664)
    database = await Database.open(f"sqlite:///{file}")
    await ChatRepository(database).save(Chat(ChatRef(1)))
    modes = read_modes(tmp_path)
    await database.close()

    assert modes == dict.fromkeys(("touchline.db", "touchline.db-wal", "touchline.db-shm"), 0o600)


async def test_the_lock_remembers_how_many_chats_there_were(guarded: GuardedDatabase) -> None:
    await guarded.wait(20)
    guarded.lock.release()
    again = DatabaseLock(guarded.file)
    await again.acquire()
    known = again.read_chat_count()
    again.write_chat_count(0)
    none = again.read_chat_count()
    again.release()

    assert (known, none) == (2, 0)


async def test_a_start_without_the_chats_names_the_newest_rescued_file_or_the_backup(guarded: GuardedDatabase) -> None:
    without = describe_empty_database(guarded.file, 2)
    delete_with_its_log(guarded.file)
    await guarded.wait(20)
    with_one = describe_empty_database(guarded.file, 2)

    assert "run `touchline restore` with your last backup" in without
    assert f"run `touchline restore {guarded.rescued()[0]}`" in with_one


_HOLDER = """
import asyncio, sys
from pathlib import Path
from bot.storage.database_file import DatabaseLock
asyncio.run(DatabaseLock(Path(sys.argv[1])).acquire())
print("held", flush=True)
sys.stdin.read()
"""


@pytest.mark.whole_process
async def test_a_lock_that_another_process_holds_is_refused_and_is_free_after_a_kill(tmp_path: Path) -> None:
    file = tmp_path / "touchline.db"
    holder = await asyncio.create_subprocess_exec(sys.executable, "-c", _HOLDER, str(file), stdin=PIPE, stdout=PIPE)
    assert holder.stdout and await holder.stdout.readline() == b"held\n"
    lock = DatabaseLock(file)
    with pytest.raises(StorageUnusable, match="another Touchline runs on"):
        await lock.acquire()
    holder.kill()
    await holder.wait()
    await lock.acquire()
    lock.release()


def test_a_database_in_memory_or_on_a_server_has_no_file(tmp_path: Path) -> None:
    urls = ("sqlite://", "sqlite:///:memory:", "postgresql://u@h/n", f"sqlite:///{tmp_path}/t.db")
    assert [find_database_file(read_storage_url(url)) for url in urls] == [None, None, None, tmp_path / "t.db"]


CHATS = 3000


@pytest.fixture(scope="module")
def large_content(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """What the file of a database with many pages has: made once, since the rows take longer than most of these tests."""

    async def make() -> None:
        database = await Database.open(url)
        async with database.transaction() as tx:
            rows = [chat_to_row(Chat(ChatRef(number), title=f"chat number {number} of all")) for number in range(1, CHATS + 1)]
            await tx.execute(insert(chats), rows)
        await database.close()

    folder = tmp_path_factory.mktemp("large")
    url = new_sqlite(folder)
    asyncio.run(make())
    return (folder / "touchline.db").read_bytes()


@pytest.fixture
def large(large_content: bytes, tmp_path: Path) -> Path:
    """A database of many pages that nobody has open."""
    file = tmp_path / "touchline.db"
    file.write_bytes(large_content)
    return file


def damage_page_with(file: Path, words: bytes) -> bytes:
    """Overwrite the page that has these words, as a disk does that fails; what the file has then."""
    content = bytearray(file.read_bytes())
    page_size = int.from_bytes(content[16:18], "big")
    start = content.index(words) // page_size * page_size
    content[start : start + page_size] = b"\xa5" * page_size
    file.write_bytes(content)
    return bytes(content)


def damage_table(file: Path, table: str) -> None:
    """Overwrite the page where a table begins, which is all of a small one."""
    with closing(sqlite3.connect(file)) as connection:
        (root,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", [table]).fetchone()
        (page_size,) = connection.execute("PRAGMA page_size").fetchone()
    with file.open("r+b") as content:
        content.seek((root - 1) * page_size)
        content.write(b"\xa5" * page_size)


def read_privately(file: Path) -> bytes:
    """What a file has that only its owner may read."""
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    return file.read_bytes()


@pytest.mark.slow
async def test_a_damaged_page_costs_the_rows_on_it_and_the_bot_goes_on_with_all_others(
    large: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = GuardedDatabase(large, await Database.open(f"sqlite:///{large}"), DatabaseLock(large))
    await one.lock.acquire()
    await one.add(CHATS + 1)  # in the log alone
    damaged = damage_page_with(large, b"chat number 1500 of all")
    with pytest.raises(StorageUnusable, match="is damaged; "):
        await ChatRepository(one.database).get_all()
    is_awaited, is_copying, may_go_on = one.database.damage_met.is_set(), asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def copy_after_a_while(source: Path, target: Path) -> list[str]:
        loop.call_soon_threadsafe(is_copying.set)
        assert may_go_on.wait(60)
        return copy_database(source, target)

    monkeypatch.setattr("bot.storage.sqlite.copy_database", copy_after_a_while)
    repairing = asyncio.create_task(one.guard.check())
    await is_copying.wait()
    adding = asyncio.create_task(one.add(1500))
    await asyncio.sleep(0.01)
    has_waited = not adding.done()
    may_go_on.set()
    await asyncio.gather(repairing, adding)
    is_well = one.database.failure is None
    known = {chat.ref.chat_id for chat in await ChatRepository(one.database).get_all()}
    await one.guard.check()
    await one.database.close()
    one.lock.release()
    (kept,) = large.parent.glob("touchline.db.damaged-*Z")

    assert is_awaited and has_waited and is_well
    assert 1499 not in known and CHATS - 60 < len(known) < CHATS and {1, 1500, CHATS, CHATS + 1} <= known
    assert "Rows are missing in: chats. The damaged file is" in one.events[0] and str(kept) in one.events[0]
    assert b"\xa5" * 4096 in damaged and b"\xa5" * 4096 in read_privately(kept)
    assert b"\xa5" * 4096 not in read_privately(large)
    assert 1500 in read_chat_ids_now(large) and one.reports == {}


async def test_a_database_whose_log_was_lost_is_not_repaired_for_what_failed_before_the_log_was_made_anew(large: Path) -> None:
    one = GuardedDatabase(large, await Database.open(f"sqlite:///{large}"), DatabaseLock(large))
    await one.lock.acquire()
    await one.add(CHATS + 1)
    shutil.copyfile(large, large.with_name("whole"))
    damage_page_with(large, b"chat number 1500 of all")
    with pytest.raises(StorageUnusable, match="is damaged; "):
        await ChatRepository(one.database).get_all()
    shutil.copyfile(large.with_name("whole"), large)
    delete_the_log(large)
    await one.guard.check()
    failure = one.database.failure
    await one.wait(20)
    known = await ChatRepository(one.database).get_all()
    await one.database.close()
    one.lock.release()

    assert (failure, one.events, list(large.parent.glob("*.damaged-*"))) == (None, [], [])
    assert len(known) == CHATS + 1 and one.reports == {}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("what", "error"),
    [
        ("bot.storage.sqlite.copy_database", OSError(errno.ENOSPC, "No space left on device")),
        ("bot.storage.sqlite.copy_database", MemoryError()),
        ("pathlib.Path.replace", OSError(errno.ENOSPC, "No space left on device")),
        ("pathlib.Path.replace", MemoryError()),
    ],
)
async def test_a_repair_that_fails_leaves_the_damaged_file_in_use_and_nothing_beside_it(
    large: Path, monkeypatch: pytest.MonkeyPatch, what: str, error: Exception
) -> None:
    def fail(*_: object) -> NoReturn:
        raise error

    one = GuardedDatabase(large, await Database.open(f"sqlite:///{large}"), DatabaseLock(large))
    damage_page_with(large, b"chat number 1500 of all")
    with pytest.raises(StorageUnusable, match="is damaged; "):
        await ChatRepository(one.database).get_all()
    monkeypatch.setattr(what, fail)
    await one.guard.check()
    monkeypatch.undo()
    await one.add(CHATS + 1)
    names = {file.name for file in large.parent.iterdir()}
    await one.wait(RESCUE_INTERVAL)
    known = {chat.ref.chat_id for chat in await ChatRepository(one.database).get_all()}
    await one.database.close()

    assert names == {"touchline.db", "touchline.db-wal", "touchline.db-shm"}
    assert CHATS + 1 in known and len(known) > CHATS - 60 and one.reports == {} and len(one.events) == 1


async def test_a_repair_for_which_no_descriptor_is_left_once_the_file_is_in_its_place_is_done(
    large: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = GuardedDatabase(large, await Database.open(f"sqlite:///{large}"), DatabaseLock(large))
    await one.lock.acquire()
    damage_page_with(large, b"chat number 1500 of all")
    with pytest.raises(StorageUnusable, match="is damaged; "):
        await ChatRepository(one.database).get_all()
    put_in_place = Path.replace

    def refuse(*_: object, **__: object) -> NoReturn:
        raise OSError(errno.EMFILE, "Too many open files")

    def refuse_to_connect(_: object) -> NoReturn:
        raise sqlite3.OperationalError("unable to open database file")

    def replace_and_use_up_descriptors(self: Path, target: Path) -> None:
        put_in_place(self, target)
        monkeypatch.setattr("bot.storage.repair.os.open", refuse)
        monkeypatch.setattr(Path, "glob", refuse)
        monkeypatch.setattr("bot.storage.sqlite._connect", refuse_to_connect)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", replace_and_use_up_descriptors)
        await one.guard.check()
    monkeypatch.undo()
    await one.add(CHATS + 1)
    await one.guard.check()
    await one.database.close()
    one.lock.release()

    assert one.reports == {} and len(one.events) == 1
    assert CHATS + 1 in read_chat_ids_now(large)


class Killed(BaseException):
    """Ends the process in the test."""


@pytest.mark.parametrize("renames", [0, 1, 2, 3])
async def test_a_repair_that_a_kill_interrupted_is_finished_by_whoever_takes_the_lock_next(
    guarded: GuardedDatabase, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, renames: int
) -> None:
    file = tmp_path / "other" / "touchline.db"
    file.parent.mkdir()
    # The log has a chat that the copy has as well, and pages that are of the damaged file alone.
    copy_database(guarded.file, name_repaired(file))
    await guarded.add(3)
    for ending in ("", "-wal", "-shm"):
        file.with_name(file.name + ending).write_bytes(guarded.file.with_name(guarded.file.name + ending).read_bytes())
    left, move = [renames], Path.rename

    def rename(self: Path, target: Path) -> None:
        if not left[0]:
            raise Killed
        left[0] -= 1
        move(self, target)

    monkeypatch.setattr(Path, "rename", rename)
    monkeypatch.setattr(Path, "replace", rename)
    with pytest.raises(Killed):
        finish_repair(file)
    monkeypatch.undo()
    lock = DatabaseLock(file)
    await lock.acquire()
    lock.release()
    kept = lock.kept_damaged_file

    assert kept and list(file.parent.glob("*.damaged-*Z")) == [kept]
    assert read_chat_ids_now(file) == [1, 2] and read_chat_ids_now(kept) == [1, 2, 3]
    assert not name_repaired(file).exists()


def test_of_the_damaged_files_the_first_and_the_last_are_kept(tmp_path: Path) -> None:
    file = tmp_path / "touchline.db"
    for day in ("20260101", "20260102", "20260103"):
        for ending in ("", "-wal"):
            tmp_path.joinpath(f"touchline.db.damaged-{day}T000000Z{ending}").touch()
    file.touch()
    name_repaired(file).touch()

    kept = finish_repair(file)

    first = "touchline.db.damaged-20260101T000000Z"
    assert {one.name for one in tmp_path.iterdir()} == {file.name, first, f"{first}-wal", kept.name}


@pytest.mark.slow
async def test_a_repaired_database_can_be_opened_again_if_the_page_with_its_version_was_damaged(large: Path) -> None:
    damage_table(large, "alembic_version")
    repaired = large.with_name("repaired.db")

    incomplete = copy_database(large, repaired)
    database = await Database.open(f"sqlite:///{repaired}")
    known = await ChatRepository(database).get_all()
    await database.close()

    assert (incomplete, len(known)) == ([], CHATS)


def copy_rows_of(file: Path) -> set[int]:
    """The chats that can be read of a damaged file."""
    target = file.with_name("new.db")
    with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(target, isolation_level=None)) as new:
        copy_readable(source, new)
        assert new.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return {chat_id for (chat_id,) in new.execute("SELECT chat_id FROM chats")}


def list_pages(file: Path) -> list[list[int]]:
    """The chats on each page, in their order."""
    content = file.read_bytes()
    size = int.from_bytes(content[16:18], "big")
    pages = (re.findall(rb"chat number (\d+) of all", content[at : at + size]) for at in range(0, len(content), size))
    return sorted(sorted(map(int, found)) for found in pages if found)


# Where the last page is damaged, thousands of ranges behind it are tried in vain, which is slow.
@pytest.mark.parametrize(
    "damaged",
    [
        *([-2], [0], [3, 5], [10, 11, 12, 14, 16, 17], [0, -2]),
        *(pytest.param(pages, marks=pytest.mark.slow) for pages in ([-1], [3, -1], [7, -3, -1])),
    ],
    ids=str,
)
async def test_whichever_pages_are_damaged_only_the_rows_on_them_are_lost(large: Path, damaged: list[int]) -> None:
    pages = list_pages(large)
    lost = [number for page in damaged for number in pages[page]]
    for page in damaged:
        damage_page_with(large, f"chat number {pages[page][0]} of all".encode())

    assert copy_rows_of(large) == set(range(1, CHATS + 1)) - set(lost)


@pytest.mark.slow
def test_a_table_with_two_hundred_damaged_pages_is_read_as_long_as_rows_are_found(tmp_path: Path) -> None:
    file, rows = tmp_path / "touchline.db", 12_000
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE chats (chat_id INTEGER PRIMARY KEY, title TEXT)")
        titles = ((number, f"chat number {number} of all" + 100 * ".") for number in range(1, rows + 1))
        connection.executemany("INSERT INTO chats VALUES (?, ?)", titles)
        connection.commit()
    content = bytearray(file.read_bytes())
    damaged = list_pages(file)[1::2]
    for page in damaged:
        start = content.index(f"chat number {page[0]} of all".encode()) // 4096 * 4096
        content[start : start + 4096] = b"\xa5" * 4096
    file.write_bytes(content)

    readable = set(range(1, rows + 1)) - {number for page in damaged for number in page}
    found = copy_rows_of(file)
    assert found <= readable and len(found) > 0.95 * len(readable), (len(found), len(readable))
