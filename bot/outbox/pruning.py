"""Deletes what is too old to be corrected, in portions that hold up no alert."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import bindparam, delete, false, select

from bot.outbox.news import BURSTS
from bot.outbox.news_store import IS_DELIVERY_OF_NEWS, IS_NEWS, of_news
from bot.outbox.statements import row_to_key
from bot.storage.driver import Transaction
from bot.storage.schema import alerts, entries, frames, grouped, match_states, positions, standings, to_timestamp

_SELECT_OLD_NEWS = (
    select(alerts.c.fixture_id, alerts.c.action_id)
    # News whose fan-out is not complete stays, however old: its walk needs the row.
    .where(alerts.c.updated_at < bindparam("before"), alerts.c.spreading == false())
    .order_by(alerts.c.updated_at)
    .limit(100)
)

# Finds the last chat of a batch, because a DELETE has no LIMIT.
_SELECT_NTH_CHAT = (
    select(entries.c.chat_id).where(*IS_DELIVERY_OF_NEWS).order_by(entries.c.chat_id).limit(1).offset(bindparam("skipped"))
)

_DELETE_DELIVERIES_UP_TO = delete(entries).where(*IS_DELIVERY_OF_NEWS, entries.c.chat_id <= bindparam("last_chat"))

_DELETE_DELIVERIES, _DELETE_NEWS = delete(entries).where(*IS_DELIVERY_OF_NEWS), delete(alerts).where(*IS_NEWS)


KEEP_LISTINGS = dt.timedelta(days=30)
"""How long a listing is kept at least: the feed lists fixtures two weeks ahead, and only a change writes one again."""


async def delete_batch_before(tx: Transaction, instant: dt.datetime, max_deliveries: int) -> tuple[int, bool]:
    """Delete some of the news that was not revised since, with its deliveries.

    Return how many deliveries were deleted, about `max_deliveries` at most, and if older news is left.
    """
    old = await tx.fetch(_SELECT_OLD_NEWS, {"before": to_timestamp(instant)})
    deleted = 0
    for row in old:
        key = row_to_key(row)
        room = max_deliveries - deleted
        if room <= 0:
            return deleted, True
        # Deliveries first: without their news nothing could ever delete them.
        if left := await tx.fetch(_SELECT_NTH_CHAT, of_news(key) | {"skipped": room - 1}):
            values = of_news(key) | {"last_chat": left[0]["chat_id"]}
            return deleted + await tx.execute(_DELETE_DELIVERIES_UP_TO, values), True
        deleted += await tx.execute(_DELETE_DELIVERIES, of_news(key))
        await tx.execute(_DELETE_NEWS, of_news(key))
        if key.fixture_id == BURSTS:
            # Nothing else refers to its lines.
            await tx.execute(delete(grouped).where(grouped.c.burst == key.action_id))
    return deleted, bool(old)


async def delete_matches_before(tx: Transaction, instant: dt.datetime, now: dt.datetime) -> None:
    """Delete positions, listings and states of matches that have not changed since, and old frames."""
    for table in (positions, match_states):
        await tx.execute(delete(table).where(table.c.updated_at < to_timestamp(instant)))
    # What chats know of a match that is still to come: without it a change that was made while nothing ran is never reported.
    await tx.execute(delete(standings).where(standings.c.updated_at < to_timestamp(min(instant, now - KEEP_LISTINGS))))
    await tx.execute(delete(frames).where(frames.c.received_at < to_timestamp(instant)))
