"""Alerts as the pages show them, between a real outbox and a fake Telegram on a virtual clock."""

from __future__ import annotations

import asyncio
import datetime as dt

import pytest
from msgspec.structs import replace
from sqlalchemy import update

from bot.console import alerts as view
from bot.console.alerts import AlertQuery, AlertReader, read_query
from bot.storage.frames import FrameRepository, StoredFrame
from bot.storage.schema import alerts
from rules.engine.alert import ConditionResult, Facts
from rules.football.action import Team
from tests.bot.news import KEY, NOW, alert, pending, retracted
from tests.bot.telegram.conftest import World
from tests.packets import FIXTURE

pytestmark = pytest.mark.virtual_time

OTHER = replace(FIXTURE, id="f2", home=Team("m", "Bayern München"), away=Team("d", "Dortmund"))


async def test_an_alert_leads_to_each_of_its_revisions_with_the_times_of_its_way(world: World) -> None:
    await world.follow(1, 2)
    frame_at = NOW.timestamp() - 0.25
    await FrameRepository(world.db).add([StoredFrame(KEY, 1, frame_at, b'{"a":1}')])
    await world.send(pending(1, received_at=frame_at), alert(2))

    first, second = await AlertReader(world.db).read_trace(KEY)

    assert (first.seq, first.state, first.chats, first.reasons) == (1, "pending", 2, ("first",))
    assert (first.received_at, first.frame) == (NOW - dt.timedelta(seconds=0.25), '{\n  "a": 1\n}')
    assert first.decided_ms == pytest.approx(250, abs=1)
    assert first.first_ms is not None and first.last_ms is not None and 250 <= first.first_ms <= first.last_ms
    assert (second.seq, second.state, second.chats, second.frame) == (2, "confirmed", 2, "")


async def test_a_trace_reads_an_alert_of_many_chats_page_by_page(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(view, "_TRACE_PAGE", 3)
    await world.follow(*range(1, 8))
    await world.send(alert(1))

    (trace,) = await AlertReader(world.db).read_trace(KEY)

    assert trace.chats == 7


async def test_the_alerts_of_a_match_say_which_rules_made_them_and_where_they_are(world: World) -> None:
    await world.follow(1, 2)
    await world.send(alert(1, "<b>1–0</b> Saka", conditions={"goals": (ConditionResult("minute", "from 80", "88"),)}))
    await world.send(retracted(2))

    reader = AlertReader(world.db)
    (row,) = await reader.list_alerts(FIXTURE.id)

    assert (row.match, row.rules, row.state, row.reached, row.waiting) == (FIXTURE.title, ("goals",), "retracted", 2, 0)
    assert (row.text, row.conditions) == ("1–0 Saka", ("goals: minute from 80 (was 88)",))
    assert [(match.title, match.alerts) for match in await reader.list_matches()] == [(FIXTURE.title, 1)]
    assert (await reader.read_title(FIXTURE.id), await reader.read_title("f9")) == (FIXTURE.title, "f9")


async def test_all_open_pages_of_a_match_share_one_look_at_it(world: World) -> None:
    await world.outbox.put([alert(1)])
    reader = AlertReader(world.db)

    first = await reader.list_alerts(FIXTURE.id)
    await world.outbox.put([alert(1, action="h")])
    second = await reader.list_alerts(FIXTURE.id)
    await asyncio.sleep(5)

    assert second is first
    assert len(await reader.list_alerts(FIXTURE.id)) == 2


async def test_alerts_are_found_by_team_rule_chat_and_time(world: World) -> None:
    await world.follow(1)
    await world.send(alert(1, "first"))
    await world.follow(2, muted_until=NOW + dt.timedelta(days=1))
    await world.send(alert(1, "second", action="h", rule="reds", kind="red_card", facts=Facts(player="Palmer")))
    away = replace(alert(1, "third", action="m"), fixture=OTHER, key=replace(KEY, fixture_id="f2", action_id="m"))
    await world.send(away)

    async def find(**fields: str) -> list[str]:
        found = await AlertReader(world.db).find_alerts(read_query(**fields))
        assert found.is_complete
        return [row.text for row in found.rows]

    assert await find() == ["third", "second", "first"]
    assert await find(words="munchen DORT") == ["third"]
    assert await find(words="palmer") == ["second"]
    assert await find(rule="reds") == ["second"]
    assert await find(rule="red") == []
    assert await find(chat="2") == ["third", "second"]
    assert await find(chat="nobody") == []
    assert await find(since="2026-08-15T14:31") == ["third", "second"]
    assert await find(until="2026-08-15T14:31") == ["first"]
    assert await find(since="2026-") == ["third", "second", "first"]


async def test_a_search_for_a_chat_says_what_became_of_an_alert_there(world: World) -> None:
    await world.follow(1)
    await world.follow(2, muted_until=NOW + dt.timedelta(days=1))
    await world.send(alert(1))

    async def describe_chat(chat: str) -> str:
        return (await AlertReader(world.db).find_alerts(AlertQuery(chat=chat))).rows[0].in_chat

    assert await describe_chat("1") == "sent"
    assert await describe_chat("2") == "not sent: the chat, or this match in it, was muted"


async def test_a_long_search_says_that_there_is_more(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(view, "PAGE_SIZE", 2)
    for number in range(3):
        await world.outbox.put([alert(1, str(number), action=f"a{number}")])

    found = await AlertReader(world.db).find_alerts(AlertQuery())

    assert (len(found.rows), found.is_complete) == (2, False)


async def test_rules_are_counted_by_the_day_on_which_they_first_fired(world: World) -> None:
    await world.outbox.put([alert(1)])
    await world.outbox.put([alert(2)])
    await world.outbox.put([alert(1, action="h"), alert(1, action="h", rule="everything")])
    await world.outbox.put([alert(1, action="old", at=NOW - dt.timedelta(days=1))])

    assert await AlertReader(world.db).count_fired(NOW.replace(hour=0)) == {"goals": 2, "everything": 1}


async def test_rules_are_counted_without_an_alert_that_cannot_be_read(world: World) -> None:
    await world.outbox.put([alert(1)])
    await world.outbox.put([alert(1, action="h")])
    async with world.db.transaction() as tx:
        await tx.execute(update(alerts).where(alerts.c.action_id == "h").values(born="{"))

    assert await AlertReader(world.db).count_fired(NOW.replace(hour=0)) == {"goals": 1}


async def test_the_frames_of_old_alerts_are_deleted_with_them(world: World) -> None:
    frames = FrameRepository(world.db)
    await frames.add(
        [StoredFrame(KEY, 1, (NOW - dt.timedelta(days=20)).timestamp(), b"old"), StoredFrame(KEY, 2, NOW.timestamp(), b"new")]
    )
    await frames.add([StoredFrame(KEY, 2, NOW.timestamp(), b"read again")])

    await world.outbox.prune(dt.timedelta(days=14))

    assert [(one.seq, one.frame) for one in await frames.get_all(KEY)] == [(2, b"new")]
