"""The stepped feed behaves as the vendor's does, and sends nothing by itself but heartbeats."""

from __future__ import annotations

import datetime as dt
from typing import Any

import aiohttp
import msgspec
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from bot.feed.simulator.script import Script, script_from_packets
from tests.fakes.stepped_feed import SteppedFeed
from tests.packets import FIXTURE, Story


def match() -> Script:
    story = Story()
    story.add("Start Match", minute=1)
    story.goal("g1", minute=10, score=(1, 0))
    story.goal("g1", send="Deleted", minute=12, score=(0, 0))
    story.add("End Match", minute=90, status="Completed")
    return script_from_packets(FIXTURE, story.packets)


async def let_in(feed: SteppedFeed, start: int = 0) -> ClientConnection:
    """A client whose token was accepted."""
    socket = await connect(f"{feed.urls.stream}/media/soccer/fixtures/{FIXTURE.id}/actions?startPosition={start}")
    await socket.send('{"authToken": "secret"}')
    assert "accepted" in msgspec.json.decode(await socket.recv())["message"]
    return socket


async def packets(socket: ClientConnection, count: int) -> list[dict[str, Any]]:
    """The next data packets' actions; heartbeats are left out."""
    found: list[dict[str, Any]] = []
    while len(found) < count:
        frame = msgspec.json.decode(await socket.recv())
        found += [frame["fixtureAction"]] if "fixtureAction" in frame else []
    return found


async def ask_rest(feed: SteppedFeed, path: str = "") -> tuple[int, Any]:
    headers = {"Authorization": "Bearer secret", "Accept": "*/*"}
    async with (
        aiohttp.ClientSession() as http,
        http.get(f"{feed.urls.api}/soccer/fixtures/{FIXTURE.id}{path}", headers=headers) as answer,
    ):
        return answer.status, await answer.json()


async def test_packets_come_when_the_test_sends_them_stamped_with_that_time() -> None:
    async with SteppedFeed([match()], "secret") as feed:
        socket = await let_in(feed)
        await feed.until_connected()
        assert "Heartbeat" in msgspec.json.decode(await socket.recv())["message"]
        before = dt.datetime.now(dt.UTC)
        await feed.send_next()
        await feed.send_until("Goal", send="Deleted")
        sent = await packets(socket, 3)
        await feed.send_rest()
        sent += await packets(socket, 1)
        after = dt.datetime.now(dt.UTC)
        await socket.close()

    assert [(one["fixtureActionType"], one["sendType"]) for one in sent[1:]] == [
        *[("Goal", "Confirmed"), ("Goal", "Deleted")],
        ("End Match", "Confirmed"),
    ]
    assert all(before <= dt.datetime.fromisoformat(one["timestamp"]) <= after for one in sent)


async def test_who_comes_later_gets_what_was_sent_from_its_start_position_on_with_the_times_of_then() -> None:
    async with SteppedFeed([match()], "secret") as feed:
        first = await let_in(feed)
        await feed.send_next(2)
        known = await packets(first, 2)
        second, third = await let_in(feed), await let_in(feed, start=1)

        assert await packets(second, 2) == known
        assert await packets(third, 1) == known[1:]
        for socket in (first, second, third):
            await socket.close()


async def test_the_fixture_stands_as_the_last_packet_has_it_and_the_archive_opens_at_the_end() -> None:
    async with SteppedFeed([match()], "secret") as feed:
        before = await ask_rest(feed)
        await feed.send_next()
        live, closed = await ask_rest(feed), await ask_rest(feed, "/actions")
        await feed.send_rest()
        over, (_, archive) = await ask_rest(feed), await ask_rest(feed, "/actions")

    assert [answer[1]["status"] for answer in (before, live, over)] == [FIXTURE.status, "Live", "Completed"]
    assert closed[0] == 404 and len(archive) == 4


async def test_a_feed_that_is_away_drops_everybody_and_comes_back_on_the_same_port() -> None:
    async with SteppedFeed([match()], "secret") as feed:
        socket = await let_in(feed)
        await feed.send_next()
        await packets(socket, 1)
        await feed.go_away()
        with pytest.raises(ConnectionClosed):
            await packets(socket, 1)
        with pytest.raises((OSError, InvalidHandshake)):
            await let_in(feed)
        with pytest.raises(aiohttp.ClientError):
            await ask_rest(feed)
        feed.come_back()
        socket = await let_in(feed)
        assert len(await packets(socket, 1)) == 1
        await socket.close()


async def test_its_report_names_the_step() -> None:
    async with SteppedFeed([match()], "secret") as feed:
        await feed.send_until("Goal")

    assert "Arsenal v Chelsea: sent 2 of 4 (last: Goal g1 Confirmed 09:05); positions of clients: none" in feed.report()
