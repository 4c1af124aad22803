"""Rows to values and back, and the two statements of the sender's hot path: one reads a batch of deliveries, one writes it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any

import msgspec
from sqlalchemy import BigInteger, Boolean, Float, Integer, String, Text, and_, bindparam, select, true, update

from bot.outbox.delivery import Delivery, DeliveryStatus, PinState, QueueItem
from bot.outbox.news import NewsItem
from bot.storage.chat_rows import values_to_chat, values_to_readable_chat
from bot.storage.damage import UNREADABLE, note_damage
from bot.storage.driver import PostgresBatch, PreparedStatement, Row, Transaction
from bot.storage.schema import chats, entries
from bot.subscribers import Chat, ChatRef
from rules.engine.alert import Alert, AlertKey, State

_ALERTS_DECODER = msgspec.json.Decoder(tuple[Alert, ...])

_FIRST_FIRED_DECODER = msgspec.json.Decoder(dict[str, float])

_LINES_DECODER = msgspec.json.Decoder(tuple[str, ...])

ResultRow = Mapping[Any, Any]

COLUMN_BY_FIELD = {
    "status": "status",
    "reason": "reason",
    "due_at": "due_at",
    "message_id": "message_id",
    "rule": "rule",
    "kind": "kind",
    "is_loud": "rings",
    "state": "state",
    "severity": "gravity",
    "seq": "seq",
    "body": "body",
    "is_restored": "restored",
    "pending_reply": "reply",
    "reply_is_loud": "reply_rings",
    "history": "history",
    "pin": "pin",
    "times_sent": "sent",
    "is_uncertain": "unsure",
    "next_is_loud": "next_rings",
    "subject": "subject",
    "earlier_copies": "copies",
}
"""The column of each field of a Delivery, its key and chat apart. Columns keep the names of the first version."""
# In the order of the struct's fields: a row is turned into a Delivery by position, which costs half as much as by name.

DELIVERY_COLUMNS = ("fixture_id", "action_id", "chat_id", "topic", *COLUMN_BY_FIELD.values())
"""The columns of a delivery in the order of `delivery_to_values`."""

_get_values = attrgetter(*COLUMN_BY_FIELD)

_STATUS_BY_VALUE = {status.value: status for status in DeliveryStatus}

_STATE_BY_VALUE = {state.value: state for state in State}

_PIN_STATE_BY_VALUE = {pin.value: pin for pin in PinState}

_STATUS_INDEX, _STATE_INDEX, _REASON_INDEX, _PIN_INDEX = (
    DELIVERY_COLUMNS.index(name) for name in ("status", "state", "reason", "pin")
)

_BOOLEAN_INDEXES = tuple(DELIVERY_COLUMNS.index(name) for name in ("rings", "restored", "reply_rings", "unsure", "next_rings"))


# As many as the sender begins in one batch.
_CHATS_PER_QUERY = 32
"""Chats that one call of the statement reads. A fixed number, so that it is prepared once."""

_CHAT_PARAMETERS = tuple(f"place_{number}" for number in range(_CHATS_PER_QUERY))

_KEY_COLUMNS = DELIVERY_COLUMNS[:4]

DeliveriesWithChats = dict[tuple[AlertKey, ChatRef], tuple[Delivery, Chat]]


def news_to_row(news: NewsItem) -> dict[str, Any]:
    """Return the columns that a revision sets. Columns and JSON keys keep the names of the first version."""
    return {
        "fixture_id": news.key.fixture_id,
        "action_id": news.key.action_id,
        "seq": news.seq,
        "state": news.state.value,
        "candidates": msgspec.json.encode(news.alternatives).decode(),
        "born": msgspec.json.encode(news.first_fired_at).decode(),
        "lines": msgspec.json.encode(news.line_ids).decode() if news.line_ids else "",
        "missed": news.is_missed,
        "summary": news.digest_id,
        "rank": news.priority,
    }


def row_to_news(row: ResultRow) -> NewsItem:
    """Return a row of the table `alerts` as news."""
    return NewsItem(
        row_to_key(row),
        row["seq"],
        State(row["state"]),
        _ALERTS_DECODER.decode(row["candidates"]),
        _FIRST_FIRED_DECODER.decode(row["born"]),
        _LINES_DECODER.decode(row["lines"]) if row["lines"] else (),
        row["missed"],
        row["summary"],
        row["rank"],
        row["updated_at"],
    )


def delivery_to_values(delivery: Delivery) -> list[Any]:
    """Return a delivery as the values of `DELIVERY_COLUMNS`."""
    values = [delivery.key.fixture_id, delivery.key.action_id, delivery.chat.chat_id, delivery.chat.topic, *_get_values(delivery)]
    # An enum's `value` is a descriptor that takes longer than the rest of this; `_value_` is what it returns.
    values[_STATUS_INDEX], values[_STATE_INDEX], values[_REASON_INDEX] = (
        delivery.status._value_,
        delivery.state._value_,
        str(delivery.reason),
    )
    values[_PIN_INDEX] = delivery.pin._value_
    return values


def to_rows(deliveries: Iterable[Delivery]) -> list[list[Any]]:
    """Return deliveries as rows to store; of several of one news item to one chat the last one."""
    # PostgreSQL refuses to write the same row twice in one statement.
    return [delivery_to_values(one) for one in {(one.key, one.chat): one for one in deliveries}.values()]


def values_to_delivery(values: Sequence[Any]) -> Delivery:
    """Return the delivery that the values of `DELIVERY_COLUMNS` are."""
    # By position and with tables of enum values: this runs for every message, and Enum(value) takes longer than all the rest.
    own = list(values)
    own[_STATUS_INDEX], own[_STATE_INDEX], own[_PIN_INDEX] = (
        _STATUS_BY_VALUE[own[_STATUS_INDEX]],
        _STATE_BY_VALUE[own[_STATE_INDEX]],
        _PIN_STATE_BY_VALUE[own[_PIN_INDEX]],
    )
    # The driver is called without SQLAlchemy's types here: SQLite's booleans are 0 and 1.
    for place in _BOOLEAN_INDEXES:
        own[place] = own[place] == 1
    return Delivery(AlertKey(own[0], own[1]), ChatRef(own[2], own[3]), *own[4:])


def row_to_delivery(row: ResultRow) -> Delivery:
    """Return a row of the table `entries` as a delivery."""
    named = {field: row[column] for field, column in COLUMN_BY_FIELD.items()}
    named |= {"status": DeliveryStatus(row["status"]), "state": State(row["state"]), "pin": PinState(row["pin"])}
    return Delivery(row_to_key(row), ChatRef(row["chat_id"], row["topic"]), **named)


def row_to_key(row: ResultRow) -> AlertKey:
    """Return the key in a row of news or of a delivery."""
    return AlertKey(row["fixture_id"], row["action_id"])


# PostgreSQL has no statistics of news that is a second old, takes it for one row, and would read the deliveries of all chats
# at each call to pick 32 of them. OFFSET 0 keeps it from joining in another order or way than this: a look into an index for
# each chat.
_SELECT_DELIVERIES_ON_POSTGRES = f"""
SELECT {", ".join([*(f"delivery.{name}" for name in DELIVERY_COLUMNS), *(f"chats.{column.name}" for column in chats.columns)])}
FROM unnest($3::bigint[]) AS wanted (chat_id)
CROSS JOIN LATERAL (
    SELECT * FROM entries
    WHERE entries.fixture_id = $1 AND entries.action_id = $2 AND entries.chat_id = wanted.chat_id OFFSET 0
) AS delivery
CROSS JOIN LATERAL (
    SELECT * FROM chats WHERE chats.chat_id = delivery.chat_id AND chats.topic = delivery.topic AND chats.active OFFSET 0
) AS chats
"""  # noqa: S608  # the names are those of our own columns


def _select_deliveries() -> PreparedStatement:
    """Select the deliveries of one news item to up to 32 chats, each with its chat. The caller drops those not waiting."""
    # No "status = 'waiting'" in the WHERE clause: without statistics the planner takes the index on status for the narrowest
    # one, and scans every waiting delivery at each call.
    here = and_(chats.c.chat_id == entries.c.chat_id, chats.c.topic == entries.c.topic)
    query = select(*(entries.c[name] for name in DELIVERY_COLUMNS), *chats.columns).join(chats, here)
    query = query.where(chats.c.active == true())
    this = [entries.c[name] == bindparam(name) for name in ("fixture_id", "action_id")]
    query = query.where(*this, entries.c.chat_id.in_([bindparam(place) for place in _CHAT_PARAMETERS]))
    return PreparedStatement(
        query,
        ("fixture_id", "action_id", *_CHAT_PARAMETERS),
        for_postgres=(_SELECT_DELIVERIES_ON_POSTGRES, lambda values: (values[0], values[1], list(dict.fromkeys(values[2:])))),
    )


_PLACE_COLUMNS = ("status", "due_at")
"""The columns of the index by which what waits is found."""


_STATUSES_AT_REST = tuple(status.value for status in DeliveryStatus if status is not DeliveryStatus.WAITING)

# PostgreSQL's statistics are of a time when next to nothing waited. With "status = 'waiting'" it takes the index on the status
# for the narrowest, and each of a batch's updates reads all that waits. "status <> …" has no use for an index.
STILL_WAITS = [entries.c.status != status for status in _STATUSES_AT_REST]
"""The conditions that a delivery waits, for statements that find it by its primary key."""

_STILL_WAITS_ON_POSTGRES = " AND ".join(f"entries.status <> '{status}'" for status in _STATUSES_AT_REST)

_TYPES_ON_POSTGRES = {BigInteger: "bigint", Boolean: "boolean", Float: "float8", Integer: "integer", String: "text", Text: "text"}

_RECORDS = ", ".join(f"{name} {_TYPES_ON_POSTGRES[type(entries.c[name].type)]}" for name in DELIVERY_COLUMNS)


def write_on_postgres(*, only: str = "", keep_existing: bool = False, keep: Collection[str] = _KEY_COLUMNS) -> PostgresBatch:
    """Return the statement by which PostgreSQL stores deliveries, as many as there are at once, in their order.

    `only`: update the stored rows that meet this condition, and insert none. `keep`: the columns that a stored delivery keeps.
    """
    columns = ", ".join(DELIVERY_COLUMNS)
    # An insert also where deliveries are replaced. An "UPDATE … FROM" is a join, which the server may run in any order: two
    # senders that lock the same rows in different orders end in a deadlock. It may also read the whole table for it, by a plan
    # from when that was small. This locks one row after the other, each found by the primary key.
    stored = f"""
CROSS JOIN LATERAL (
    SELECT FROM entries WHERE {" AND ".join(f"entries.{name} = new.{name}" for name in _KEY_COLUMNS)} AND {only}
    OFFSET 0 FOR NO KEY UPDATE
) AS stored
"""
    changes = ", ".join(f"{name} = excluded.{name}" for name in DELIVERY_COLUMNS if name not in keep)
    sql = f"""
INSERT INTO entries ({columns})
SELECT new.* FROM json_to_recordset($1::json) AS new ({_RECORDS}) {stored if only else ""}
ON CONFLICT ({", ".join(_KEY_COLUMNS)}) DO {"NOTHING" if keep_existing else f"UPDATE SET {changes}"}
"""  # noqa: S608  # the names are those of our own columns
    return PostgresBatch(sql, DELIVERY_COLUMNS)


def _update_deliveries(*, keep_place: bool = False) -> PreparedStatement:
    """Replace deliveries; with `keep_place`, those that wait, which keep their place among what waits.

    An update that leaves the index unchanged costs either database a third less.
    """
    kept = (*_KEY_COLUMNS, *(_PLACE_COLUMNS if keep_place else ()))
    # A parameter with the name of a column would be set to it.
    names = [f"of_{name}" if name in kept else name for name in DELIVERY_COLUMNS]
    query = update(entries).where(*(entries.c[name] == bindparam(f"of_{name}") for name in _KEY_COLUMNS))
    if keep_place:
        query = query.where(*STILL_WAITS)
    return PreparedStatement(
        query.values({name: bindparam(name) for name in DELIVERY_COLUMNS if name not in kept}),
        names,
        postgres_batch=write_on_postgres(only=_STILL_WAITS_ON_POSTGRES if keep_place else "true", keep=kept),
    )


def _lock_order(delivery: Delivery) -> tuple[str, str, int, int]:
    """Return the order in which the fan-out locks the same rows: any other order could end in a deadlock."""
    return delivery.key.fixture_id, delivery.key.action_id, delivery.chat.chat_id, delivery.chat.topic


_SELECT_DELIVERIES, _UPDATE_DELIVERIES, _OVERWRITE_DELIVERIES = (
    _select_deliveries(),
    _update_deliveries(),
    _update_deliveries(keep_place=True),
)


async def read_contexts(
    tx: Transaction, items: Sequence[QueueItem], chats_per_query: int = _CHATS_PER_QUERY
) -> DeliveriesWithChats:
    """Return the deliveries of these items that wait, each with its chat. Those of suspended chats are left out.

    `chats_per_query` may be higher on PostgreSQL alone, where the statement takes any number.
    """
    by_key: defaultdict[AlertKey, list[int]] = defaultdict(list)
    for item in items:
        by_key[item.key].append(item.chat.chat_id)
    found: DeliveriesWithChats = {}
    for key, ids in by_key.items():
        for start in range(0, len(ids), chats_per_query):
            batch = ids[start : start + chats_per_query]
            batch += batch[-1:] * (_CHATS_PER_QUERY - len(batch))  # a short batch repeats its last chat
            for row in await tx.fetch_prepared(_SELECT_DELIVERIES, (key.fixture_id, key.action_id, *batch)):
                own, of_chat = row[: len(DELIVERY_COLUMNS)], row[len(DELIVERY_COLUMNS) :]
                try:
                    delivery = values_to_delivery(own)
                except UNREADABLE as error:
                    await drop_unreadable_delivery(tx, dict(zip(DELIVERY_COLUMNS, own, strict=True)), error)
                    continue
                if delivery.status is DeliveryStatus.WAITING:
                    try:
                        found[key, delivery.chat] = delivery, values_to_chat(of_chat)
                    except UNREADABLE as error:
                        note_damage(tx, chats, {"chat_id": delivery.chat.chat_id, "topic": delivery.chat.topic}, error)
                        found[key, delivery.chat] = delivery, values_to_readable_chat(of_chat)
    return found


async def drop_unreadable_delivery(tx: Transaction, row: Row, error: Exception) -> None:
    """Note that a delivery cannot be read, and let it wait no longer: it would be taken again and again."""
    note_damage(tx, entries, row, error)
    dropped = update(entries).where(*(entries.c[name] == row[name] for name in _KEY_COLUMNS))
    await tx.execute(dropped.values(status=DeliveryStatus.DROPPED.value))


async def write_deliveries(tx: Transaction, deliveries: Sequence[Delivery]) -> set[tuple[AlertKey, ChatRef]]:
    """Store deliveries. Return the keys of those that are still there: the chat of another one was deleted or moved."""
    written = await tx.execute_prepared(_UPDATE_DELIVERIES, to_rows(sorted(deliveries, key=_lock_order)))
    if written == len(deliveries):
        return {(delivery.key, delivery.chat) for delivery in deliveries}
    return {(delivery.key, delivery.chat) for delivery in deliveries if await _delivery_exists(tx, delivery)}


async def overwrite_deliveries(tx: Transaction, deliveries: Sequence[Delivery]) -> None:
    """Store deliveries that go on waiting, as far as they are still there and wait."""
    if deliveries:
        await tx.execute_prepared(_OVERWRITE_DELIVERIES, to_rows(sorted(deliveries, key=_lock_order)))


async def _delivery_exists(tx: Transaction, delivery: Delivery) -> bool:
    values = (delivery.key.fixture_id, delivery.key.action_id, delivery.chat.chat_id, delivery.chat.topic)
    this = [entries.c[name] == value for name, value in zip(_KEY_COLUMNS, values, strict=True)]
    return bool(await tx.fetch(select(entries.c.chat_id).where(*this)))
