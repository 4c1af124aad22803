"""Databases for the length of a block, rows for every table of any version of the schema, and many chats that are alike."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Float, Integer, LargeBinary, Table, insert, select

from bot.storage.database import Database
from bot.storage.schema import chats, subscriptions

_WORDS = {
    "scope": "all",
    "state": "confirmed",
    "status": "done",
    "how": "sent",
    "timezone": "Europe/London",
    "quiet": "23:00-07:00 hold",
    "candidates": '[{"key":{"fixture_id":"f1","action_id":"a1"},"seq":1,"state":"confirmed","at":"2026-08-15T14:30:00Z",'
    '"fixture":{"id":"f1"},"facts":{},"text":"Tor! ⚽ <b>Müller</b>"}]',
    "born": '{"goals":1786804200.5}',
    "lines": "",
    "body": "{}",
    "pin": "",
    "taste": "{}",
}
"""What a repository can read; any other text is made up."""


def make_row(table: Table, number: int) -> dict[str, Any]:
    """The row with this number, from 1, of a table; what may be empty is, in every other row."""
    return {column.name: _value(column, number) for column in table.columns}


@asynccontextmanager
async def open_database(url: str) -> AsyncIterator[Database]:
    """Open a database, and close it after the block."""
    db = await Database.open(url)
    try:
        yield db
    finally:
        await db.close()


async def copy_chat(db: Database, chat_id: int, others: Iterable[int]) -> None:
    """Store other chats with the settings and subscriptions of one, in one transaction: by commands each would take two."""
    ids = list(others)
    async with db.transaction() as tx:
        for table in (chats, subscriptions):
            for row in await tx.fetch(select(table).where(table.c.chat_id == chat_id)):
                if ids:
                    await tx.execute(insert(table), [{**dict(row), "chat_id": other} for other in ids])


def _value(column: Column[Any], number: int) -> Any:
    if column.nullable and number % 2 == 0:
        return None
    if isinstance(column.type, Boolean):
        return number % 2 == 1
    if isinstance(column.type, (BigInteger, Integer)):
        return number if isinstance(column.type, Integer) and not isinstance(column.type, BigInteger) else number + 2**40
    if isinstance(column.type, Float):
        return 1786804200.25 + number
    if isinstance(column.type, LargeBinary):
        return b'{"seq":%d}' % number
    return _WORDS.get(column.name, f"{column.name} {number} – ⚽ ' \\ %s")
