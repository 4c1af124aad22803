"""A full disk or a read-only file is reported in a sentence, and the database works again as soon as that is over."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import structlog
from sqlalchemy import text

from bot.errors import StorageUnavailable, StorageUnusable
from bot.storage.chats import ChatRepository
from bot.storage.database import Database
from bot.subscribers import Chat, ChatRef
from tests.fakes.storage import Disk


@pytest.fixture
async def disk(tmp_path: Path) -> AsyncIterator[Disk]:
    made = await Disk.open(f"sqlite:///{tmp_path}/touchline.db")
    yield made
    await made.db.close()


async def fill(db: Database, first: int = 1) -> None:
    chats = ChatRepository(db)
    for number in range(first, first + 200):
        await chats.save(Chat(ChatRef(number), title="x" * 2000))


async def test_a_full_disk_is_a_sentence_and_what_was_committed_stays(disk: Disk) -> None:
    await ChatRepository(disk.db).save(Chat(ChatRef(5)))
    disk.fill_up()

    with pytest.raises(StorageUnusable, match=r"storage\.url: the disk is full; make room where .*touchline\.db lies"):
        await fill(disk.db)

    assert Chat(ChatRef(5)) in await ChatRepository(disk.db).get_all()


async def test_trouble_ends_when_something_can_be_written_again_and_not_when_it_is_read(disk: Disk) -> None:
    failures: list[str | None] = []
    disk.db.on_failure_changed = failures.append
    disk.fill_up()
    for first in (1, 1001):
        with pytest.raises(StorageUnusable):
            await fill(disk.db, first)
        await ChatRepository(disk.db).get_all()
    standing = disk.db.failure
    disk.make_room()
    await fill(disk.db)

    assert standing is not None and failures == [standing, None] and disk.db.failure is None


async def test_a_read_only_file_is_a_sentence(disk: Disk) -> None:
    disk.protect()
    with pytest.raises(StorageUnusable, match=r"touchline\.db is read-only; let the bot write"):
        await ChatRepository(disk.db).save(Chat(ChatRef(5)))
    disk.make_room()

    await ChatRepository(disk.db).save(Chat(ChatRef(5)))
    assert disk.db.failure is None


async def test_a_damaged_text_is_read_as_far_as_it_can_be_and_logged_once(disk: Disk) -> None:
    reported: list[dict[str, str]] = []
    disk.db.on_damaged = lambda rows: reported.append(dict(rows))
    await ChatRepository(disk.db).save(Chat(ChatRef(5), title="a"))
    async with disk.db.transaction() as tx:
        await tx.execute(text("UPDATE chats SET title = CAST(x'41ff42' AS TEXT)"))
    with structlog.testing.capture_logs() as logged:
        titles = [chat.title for _ in range(3) for chat in await ChatRepository(disk.db).get_all()]

    assert titles == ["A\N{REPLACEMENT CHARACTER}B"] * 3 and disk.db.failure is None
    assert reported == [{"the row with chat_id 5, topic 0": "no text in title"}] * 3
    assert [line["event"] for line in logged] == ["damaged_row_left_out"]


@pytest.mark.virtual_time
async def test_a_file_that_another_process_holds_is_tried_again_later(disk: Disk, tmp_path: Path) -> None:
    other = await Database.open(f"sqlite:///{tmp_path}/touchline.db")
    async with other.transaction() as tx:
        await tx.execute(text("DELETE FROM chats"))
        with pytest.raises(StorageUnavailable, match="locked by another process"):
            await ChatRepository(disk.db).get_all()

    assert await ChatRepository(disk.db).get_all() == () and disk.db.failure is None
    await other.close()


@pytest.mark.virtual_time
async def test_while_another_process_holds_the_file_other_work_goes_on(disk: Disk, tmp_path: Path) -> None:
    other = await Database.open(f"sqlite:///{tmp_path}/touchline.db")
    async with other.transaction() as tx:
        await tx.execute(text("DELETE FROM chats"))
        reading = asyncio.create_task(ChatRepository(disk.db).get_all())
        await asyncio.sleep(4)
        assert not reading.done()

    assert await reading == () and disk.db.failure is None
    await other.close()
