"""Rows that cannot be read, one in each column of a table: each is left out and told, and everything else goes on."""

from __future__ import annotations

import pytest
from sqlalchemy import String, Table, text

from bot.outbox.decide import make_burst_line
from bot.outbox.queue import DeliveryQueue
from bot.storage.schema import alerts, chats, entries, subscriptions
from bot.telegram.limits.rate_limits import RateLimiter
from bot.telegram.shared_plans import SharedPlans
from rules.engine.alert import Alert
from tests.bot.news import alert, minor, pending, retracted
from tests.bot.telegram.conftest import World
from tests.packets import FIXTURE

pytestmark = pytest.mark.virtual_time

DAMAGES = {"no text": "CAST(x'7bff' AS TEXT)", "other JSON": "'{'"}
HEALTHY = 1000


async def damage(world: World, table: Table, column: str, how: str, where: str) -> None:
    async with world.db.transaction() as tx:
        await tx.execute(text(f"UPDATE {table.name} SET {column} = {how} WHERE {where}"))  # noqa: S608  # of this test alone


def list_texts(table: Table, *, keys: bool = False) -> list[str]:
    return [str(column.name) for column in table.columns if isinstance(column.type, String) and (keys or not column.primary_key)]


def kick_offs(count: int) -> list[Alert]:
    """Return silent news, of which the limits of a chat keep back all but the first few."""
    return [minor(n, f"kick-off {n}", action=f"k{n}", kind="kick_off") for n in range(1, count + 1)]


def note_reports(world: World) -> dict[str, str]:
    """Return what will be reported of damaged rows."""
    reports: dict[str, str] = {}
    world.db.on_damaged = reports.update
    return reports


@pytest.mark.parametrize("how", DAMAGES.values(), ids=DAMAGES)
@pytest.mark.parametrize("table", [chats, subscriptions, entries], ids=lambda table: table.name)
async def test_damaged_rows_of_chats_keep_nothing_from_the_others(world: World, table: Table, how: str) -> None:
    columns = list_texts(table, keys=table is subscriptions)
    ids = range(1, len(columns) + 1)
    await world.follow(*ids, HEALTHY)
    await world.send(alert(1, "first"), seconds=5)
    for number, column in zip(ids, columns, strict=True):
        await damage(world, table, column, how, f"chat_id = {number}")
    await world.restart()
    await world.subscriptions.get_active()
    await world.chats.get_all()
    await world.send(alert(2, "first, revised"), alert(1, "second", action="h"), seconds=5)

    assert [message.html for message in world.shown(HEALTHY)] == ["first, revised", "second"]


async def test_a_chat_with_a_setting_that_cannot_be_read_gets_alerts_by_its_other_settings(world: World) -> None:
    await world.follow(1, 2)
    await world.follow(3, spoilers=True)
    await damage(world, chats, "muted_until", "1e20", "chat_id <> 2")
    reports = note_reports(world)
    await world.send(alert(1, "goal"), seconds=5)

    assert [message.html for chat in (1, 2) for message in world.shown(chat)] == ["goal", "goal"]
    assert ["tg-spoiler" in message.html for message in world.shown(3)] == [True]
    assert {f"the row of chats with chat_id {chat}, topic 0" for chat in (1, 3)} == reports.keys()


@pytest.mark.parametrize("how", DAMAGES.values(), ids=DAMAGES)
async def test_damaged_news_keeps_nothing_from_other_news_and_is_named(world: World, how: str) -> None:
    columns = list_texts(alerts)
    await world.follow(1)
    for column in columns:
        await world.outbox.put([minor(1, column, action=column)])
    for column in columns:
        await damage(world, alerts, column, how, f"action_id = '{column}'")
    await world.restart()
    reports = note_reports(world)
    await world.send(alert(1, "goal"), seconds=60)

    assert "goal" in [message.html for message in world.shown()]
    assert [place for place in reports if "action_id candidates" in place] == [
        f"the row of alerts with fixture_id {FIXTURE.id}, action_id candidates"
    ]
    assert await world.outbox.count_waiting() == 0


async def test_the_next_revision_of_damaged_news_reaches_who_has_its_message_and_who_has_not(world: World) -> None:
    await world.follow(1)
    await world.send(pending(1, "goal?"), seconds=5)
    await damage(world, alerts, "candidates", "'{'", "action_id = 'g'")
    await world.follow(2)
    await world.restart()
    await world.send(alert(2, "goal!"), seconds=5)
    revised = [[message.html for message in world.shown(chat)] for chat in (1, 2)]
    await damage(world, alerts, "candidates", "'{'", "action_id = 'g'")
    await world.restart()
    await world.send(retracted(3), seconds=5)

    assert revised == [["goal!"], ["goal!"]]
    assert all("<s>" in world.shown(chat)[0].html for chat in (1, 2))


async def test_a_message_that_cannot_be_planned_holds_up_no_other(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = SharedPlans.plan

    def fail_for_one(plans, context, **more):  # type: ignore[no-untyped-def]
        if context.delivery.chat.chat_id == 1:
            raise KeyError("something unforeseen")
        return plan(plans, context, **more)

    monkeypatch.setattr(SharedPlans, "plan", fail_for_one)
    await world.follow(1, 2)
    await world.send(alert(1, "goal"), seconds=5)

    assert ([message.html for message in world.shown(2)], await world.outbox.count_waiting()) == (["goal"], 0)


async def test_a_message_that_cannot_be_merged_is_sent_by_itself(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail_for_one(context, now):  # type: ignore[no-untyped-def]
        if context.delivery.key.action_id == "k6":
            raise KeyError("something unforeseen")
        return make_burst_line(context, now)

    monkeypatch.setattr("bot.outbox.queue.make_burst_line", fail_for_one)
    world.limits = RateLimiter()
    await world.restart()
    await world.follow(1)
    await world.send(*kick_offs(10), seconds=60)

    texts = [message.text for message in world.shown()]
    assert ("kick-off 6" in texts, sum(text.count("kick-off") for text in texts), len(texts) < 10) == (True, 10, True)
    assert await world.outbox.count_waiting() == 0


async def test_a_message_that_can_be_neither_merged_nor_planned_holds_up_no_other(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    load_context = DeliveryQueue._load_context

    async def fail_for_one(queue, tx, delivery, *more):  # type: ignore[no-untyped-def]
        if delivery.key.action_id == "k6":
            raise KeyError("something unforeseen")
        return await load_context(queue, tx, delivery, *more)

    monkeypatch.setattr(DeliveryQueue, "_load_context", fail_for_one)
    world.limits = RateLimiter()
    await world.restart()
    await world.follow(1)
    await world.send(*kick_offs(10), seconds=60)

    sent = "\n".join(message.text for message in world.shown())
    assert (sent.count("kick-off"), "kick-off 6" in sent, await world.outbox.count_waiting()) == (9, False, 0)
