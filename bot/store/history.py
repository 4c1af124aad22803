"""Which rules were in effect from when on, and by whom: the last ruling is the one that holds."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy import delete, insert, select

from bot.store.channels import RULES
from bot.store.engine import Database
from bot.store.schema import instant, rule_history, seconds

KEPT = 50
"""Rulings that are remembered."""


class How(enum.StrEnum):
    """How rules came into effect."""

    SENT = "sent"
    ROLLED_BACK = "rolled back"
    FILES = "files"
    """The files' own rules changed, or those from Telegram could not be read any more."""


class Ruling(msgspec.Struct, frozen=True):
    """Rules that came into effect. `text` is their YAML, empty for those of the files; `base` the files' fingerprint then."""

    at: dt.datetime
    how: How
    name: str
    text: str = ""
    base: str = ""
    user_id: int | None = None
    user_name: str = ""
    id: int = 0


class History:
    """The repository of rulings."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def add(self, ruling: Ruling) -> Ruling:
        """Store a ruling; the same with its id. The oldest are forgotten."""
        row = msgspec.structs.asdict(ruling) | {"at": seconds(ruling.at), "how": ruling.how.value}
        del row["id"]
        async with self._db.transaction() as tx:
            await tx.execute(insert(rule_history), row)
            newest = (await tx.fetch(_newest_first().limit(1)))[0]
            await tx.execute(delete(rule_history).where(rule_history.c.id <= newest["id"] - KEPT))
            await tx.notify(RULES)
        return _ruling(newest)

    async def recent(self, limit: int = KEPT) -> tuple[Ruling, ...]:
        """The last rulings, the one that holds first."""
        async with self._db.transaction() as tx:
            rows = await tx.fetch(_newest_first().limit(limit))
        return tuple(map(_ruling, rows))

    async def get(self, ruling_id: int) -> Ruling | None:
        """One ruling; None where it is forgotten."""
        async with self._db.transaction() as tx:
            rows = await tx.fetch(select(rule_history).where(rule_history.c.id == ruling_id))
        return _ruling(rows[0]) if rows else None


def _newest_first() -> Any:
    return select(rule_history).order_by(rule_history.c.id.desc())


def _ruling(row: Mapping[Any, Any]) -> Ruling:
    return Ruling(
        instant(row["at"]), How(row["how"]), row["name"], row["text"], row["base"], row["user_id"], row["user_name"], row["id"]
    )
