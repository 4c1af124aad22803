"""Rows that cannot be read: each is left out by itself and noted with its transaction, and everything else goes on."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, TypeVar

import msgspec
from sqlalchemy.sql.schema import Table

from bot.storage.driver import DamagedRow, Row, Transaction

T = TypeVar("T")

# What decoders raise at values that are none of theirs. Errors of the database itself are not among them: those are waited for.
UNREADABLE = (msgspec.MsgspecError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError)
"""The errors by which a row shows that it cannot be read."""


def read_rows(
    tx: Transaction,
    table: Table,
    rows: Iterable[Mapping[Any, Any]],
    read: Callable[[Mapping[Any, Any]], T],
    read_partly: Callable[[Mapping[Any, Any]], T] | None = None,
) -> list[T]:
    """Return what `read` makes of each row. A row at which it fails is noted with the transaction.

    With `read_partly`, what that makes of it takes its place; without, it is left out.
    """
    found = []
    for row in rows:
        try:
            found.append(read(row))
        except UNREADABLE as error:
            note_damage(tx, table, row, error)
            if read_partly:
                found.append(read_partly(row))
    return found


def note_damage(tx: Transaction, table: Table, row: Row, error: Exception) -> None:
    """Note that a row cannot be read. `Database` reports it, once for each row, when the transaction ends."""
    names = [column.name for column in table.primary_key]
    place = f"the row of {table.name} with {describe_key(row, names)}"
    # A text in it that is none was noted by the driver, which did not know the table: one report of a row is enough.
    tx.damaged[:] = [one for one in tx.damaged if one.table or any(one.values.get(name) != row.get(name) for name in names)]
    tx.damaged.append(DamagedRow(place, str(error) or repr(error), table.name, dict(row)))


def describe_key(row: Row, names: Collection[str]) -> str:
    """Return those of these columns that a row has, as in `chat_id 5, topic 0`."""
    return ", ".join(f"{name} {row[name]}" for name in names if name in row)
