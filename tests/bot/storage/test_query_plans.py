"""No query that an alert takes, of a start or of the clean-up reads a whole table, however large it has grown."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event

from bot.clock import ManualClock
from bot.outbox.depth import measure_depth
from bot.outbox.outbox import Outbox
from bot.storage.chats import ChatRepository
from bot.storage.database import Database
from bot.storage.driver import PreparedStatement
from bot.storage.sqlite import SQLiteTransaction
from bot.storage.subscriptions import SubscriptionRepository
from bot.subscribers import AlertFilter, Chat, ChatRef, Scope, Subscription
from bot.telegram.limits.rate_limits import Unlimited
from bot.telegram.sender import Sender
from rules.engine.alert import CARD, Alert
from tests.bot.news import NOW, alert, retracted
from tests.fakes.messenger import FakeMessenger

_GROWING = ("entries", "alerts", "grouped", "subscriptions", "chats", "updates")
"""The tables that grow with chats and matches."""


@contextmanager
def _recorded_plans(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, list[str]]]:
    """Record the plan of every statement, by its text."""
    plans: dict[str, list[str]] = {}

    def explain(connection: Connection, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:
        if statement.split(None, 1)[0] in ("SELECT", "UPDATE", "DELETE") and statement not in plans:
            cursor.execute(f"EXPLAIN QUERY PLAN {statement}", parameters[0] if many else parameters)
            plans[statement] = [row[3] for row in cursor.fetchall()]

    fetch = SQLiteTransaction.fetch_prepared

    async def explain_prepared(tx: SQLiteTransaction, query: PreparedStatement, values: Sequence[Any]) -> Sequence[Sequence[Any]]:
        statement, arrange = query.sqlite
        if statement not in plans:
            rows = tx._raw.execute(f"EXPLAIN QUERY PLAN {statement}", arrange(values)).fetchall()
            plans[statement] = [row[3] for row in rows]
        return await fetch(tx, query, values)

    event.listen(Engine, "before_cursor_execute", explain)
    monkeypatch.setattr(SQLiteTransaction, "fetch_prepared", explain_prepared)
    try:
        yield plans
    finally:
        event.remove(Engine, "before_cursor_execute", explain)


def _card() -> Alert:
    return alert(1, "card", kind=CARD, action=CARD)


@pytest.mark.virtual_time
async def test_no_table_that_grows_is_read_whole_for_an_alert_at_a_start_or_by_the_clean_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = ManualClock(NOW)
    database = await Database.open("sqlite://")
    chats, subscriptions = ChatRepository(database), SubscriptionRepository(database)
    for number in (1, 2):
        await chats.save(Chat(ChatRef(number), filter=AlertFilter(all_kinds=True, kinds_on=frozenset({CARD}))))
        await subscriptions.add(ChatRef(number), Subscription(Scope.ALL))
    with _recorded_plans(monkeypatch) as plans:
        for _ in ("first process", "after a restart"):
            outbox = Outbox(database, clock)
            sender = Sender(outbox.queue, FakeMessenger(), Unlimited(), clock, None, chats)
            await outbox.queue.read_recent_sends(60.0)
            for news in (alert(1, "goal"), _card(), retracted(2), alert(1, "other", action="other")):
                if news.kind == CARD:
                    await outbox.put_live(news)
                else:
                    await outbox.put([news])
                await sender.send_all_due()
            await outbox.summarise_missed(alert().key.fixture_id)
            await measure_depth(database, clock.now())
        clock.move_to(NOW + dt.timedelta(days=30))
        await outbox.prune(dt.timedelta(days=14))
    await database.close()

    whole = re.compile(rf"SCAN ({'|'.join(_GROWING)})\b")
    assert len(plans) > 25
    assert {text: plan for text, plan in plans.items() if any(map(whole.match, plan))} == {}
