"""The simulator behaves as the vendor documents: the real client reads whole matches from it."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from bot.feed.connection import FeedConnection
from bot.feed.session import Ending
from bot.feed.simulator.faults import Faults
from bot.feed.simulator.script import Script, script_from_recording
from bot.feed.simulator.server import HEARTBEAT_INTERVAL, Simulator
from rules.football.action import Packet
from tests.bot.feed.simulator.test_script import script
from tests.fakes.feed import PORT, LoopClock, feed_settings
from tests.laws import choose_seeds
from tests.packets import FIXTURE
from tests.recordings import recording

pytestmark = pytest.mark.virtual_time
PATH = f"ws://127.0.0.1:{PORT}/media/soccer/fixtures/{FIXTURE.id}/actions"


def simulator(*scripts: Script, speed: float = 1.0, faults: Faults | None = None) -> Simulator:
    return Simulator(scripts or [script()], speed, "feed-token", faults=faults, clock=LoopClock())


async def frames(connection: ClientConnection) -> list[dict[str, Any]]:
    """Everything until the server closes."""
    received: list[dict[str, Any]] = []
    try:
        while True:
            received.append(json.loads(await connection.recv()))
    except ConnectionClosed as error:
        assert error.rcvd is None or error.rcvd.code == 1000
        return received


async def receive(query: str = "", message: str = '{"authToken": "feed-token"}', speed: float = 1.0) -> list[dict[str, Any]]:
    async with simulator(speed=speed).serve("127.0.0.1", PORT), connect(PATH + query, proxy=None) as connection:
        await connection.send(message)
        return await frames(connection)


def types(frames: list[dict[str, Any]]) -> list[str]:
    return [frame["fixtureAction"]["fixtureActionType"] for frame in frames if "fixtureAction" in frame]


async def test_a_match_is_accepted_played_and_closed() -> None:
    frames = await receive()

    assert frames[0]["message"] == "Authorisation accepted"
    assert types(frames) == ["Lineups", "Start Match", "Goal", "End Match"]
    assert asyncio.get_running_loop().time() == pytest.approx(6660 + 15, abs=2)


async def test_heartbeats_come_every_ten_real_seconds_at_any_speed() -> None:
    beats = [frame for frame in await receive(speed=60.0) if str(frame.get("message", "")).startswith("Heartbeat")]

    assert len(beats) == (111 + 15) // HEARTBEAT_INTERVAL


async def test_a_start_position_skips_so_many_packets() -> None:
    assert types(await receive("?startPosition=2", speed=0)) == ["Goal", "End Match"]
    assert types(await receive("?startPosition=9", speed=0)) == []


async def receive_when_over(query: str) -> tuple[list[str], float]:
    """The packets of a match that is over, and the seconds until the last of them."""
    async with simulator().serve("127.0.0.1", PORT):
        await asyncio.sleep(7000)
        loop, received, last = asyncio.get_running_loop(), [], 0.0
        async with connect(PATH + query, proxy=None, ping_interval=None) as connection:
            await connection.send('{"authToken": "feed-token"}')
            async for frame in connection:
                if "fixtureAction" in (read := json.loads(frame)):
                    received.append(read)
                    last = loop.time() - 7000
    return types(received), last


@pytest.mark.parametrize(
    ("query", "packets", "seconds"),
    [
        ("?speed=fast", ["Lineups", "Start Match", "Goal", "End Match"], 0),
        ("?speed=normal", ["Lineups", "Start Match", "Goal", "End Match"], 6660),
        ("?speed=fast&startPosition=2", ["Goal", "End Match"], 0),
        ("?startPosition=2&speed=normal", ["Goal", "End Match"], 6000),
        ("?speed=normal&startPosition=9", [], 0),
        ("", ["Lineups", "Start Match", "Goal", "End Match"], 0),
    ],
)
async def test_a_match_that_is_over_comes_at_the_speed_that_is_asked_for(query: str, packets: list[str], seconds: float) -> None:
    received, last = await receive_when_over(query)

    assert (received, last) == (packets, pytest.approx(seconds, abs=1))


async def test_the_speed_changes_nothing_in_a_live_match() -> None:
    await receive("?speed=fast")

    assert asyncio.get_running_loop().time() == pytest.approx(6660 + 15, abs=2)


@pytest.mark.parametrize("query", ["speed=slow", "speed=", "speed=FAST", "startPosition=x", "startPosition=-1"])
async def test_a_parameter_that_is_not_documented_so_is_refused(query: str) -> None:
    async with simulator().serve("127.0.0.1", PORT):
        with pytest.raises(InvalidStatus, match="400"):
            await connect(f"{PATH}?{query}", proxy=None)


@pytest.mark.parametrize(("message", "words"), [('{"authToken": "no"}', "could not be"), ("hello", "incorrect format")])
async def test_a_bad_token_is_refused_in_words(message: str, words: str) -> None:
    frames = await receive(message=message)

    assert [frame["level"] for frame in frames] == ["ERROR"]
    assert words in frames[0]["message"]


async def test_an_unknown_fixture_is_not_found() -> None:
    async with simulator().serve("127.0.0.1", PORT):
        with pytest.raises(InvalidStatus, match="404"):
            await connect(PATH.replace(FIXTURE.id, "other"), proxy=None)


async def test_more_requests_in_a_second_than_the_limit_are_put_off() -> None:
    statuses = []
    async with simulator(faults=Faults(limit=2)).serve("127.0.0.1", PORT):
        for seconds in (0, 0, 0.5, 0.6, 0):
            await asyncio.sleep(seconds)
            with pytest.raises(InvalidStatus) as refused:
                await connect(PATH.replace(FIXTURE.id, "other"), proxy=None)
            statuses.append(refused.value.response.status_code)

    assert statuses == [404, 404, 429, 404, 429]


class MatchListener:
    """Follows one match through the real client."""

    def __init__(self, fixture_id: str) -> None:
        self.packets: list[Packet] = []
        self.connection = FeedConnection(fixture_id, feed_settings, LoopClock(), self._take)

    async def _take(self, packet: Packet, _received: dt.datetime) -> None:
        self.packets.append(packet)

    @property
    def revisions(self) -> list[tuple[str, int | None]]:
        return [(packet.action_id, packet.seq) for packet in self.packets]


@pytest.mark.slow
async def test_a_real_match_reaches_the_client_whole_and_in_order() -> None:
    played = script_from_recording(recording("tottenham-hotspur-leicester-city"))
    listener = MatchListener(played.fixture.id)
    async with simulator(played).serve("127.0.0.1", PORT):
        assert await listener.connection.run() is Ending.COMPLETED

    assert [seq for _, seq in listener.revisions] == list(range(1, 663))
    assert listener.connection.status().reconnects == 0


@pytest.mark.slow
@pytest.mark.parametrize("seed", choose_seeds(usual=2, thorough=4))
async def test_a_real_match_on_a_bad_day_reaches_the_client_whole(seed: int) -> None:
    played = script_from_recording(recording("germany-italy"))
    faults = Faults(0.02, 0.02, 0.01, 30.0, (503, 429), bool(seed % 2), 3, seed)
    listener = MatchListener(played.fixture.id)
    async with simulator(played, faults=faults).serve("127.0.0.1", PORT):
        assert await listener.connection.run() is Ending.COMPLETED

    assert sorted(seq or 0 for _, seq in listener.revisions) == list(range(1, 747))
    assert listener.connection.status().reconnects > 5


async def test_two_clients_receive_the_same() -> None:
    one, other = MatchListener(FIXTURE.id), MatchListener(FIXTURE.id)
    async with simulator(speed=10.0).serve("127.0.0.1", PORT):
        await asyncio.gather(one.connection.run(), other.connection.run())

    assert one.revisions == other.revisions and len(one.revisions) == 4


async def test_a_match_that_waits_for_its_follower_is_listed_as_to_come_and_begins_with_the_first_connection() -> None:
    waiting = Simulator([script()], token="feed-token", clock=LoopClock(), starts_when_followed=True)
    async with waiting.serve("127.0.0.1", PORT):
        await asyncio.sleep(3600)
        before = waiting._fixture_object(FIXTURE.id)
        assert not waiting.has_begun and not waiting.has_ended
        async with connect(PATH, proxy=None) as connection:
            await connection.send('{"authToken": "feed-token"}')
            await connection.recv()
            assert waiting.has_begun and not waiting.has_ended
            begun = asyncio.get_running_loop().time()
            received = types(await frames(connection))
        after = waiting._fixture_object(FIXTURE.id)

    assert received == ["Lineups", "Start Match", "Goal", "End Match"] and waiting.has_ended
    # An hour after the start of the simulator, in its own time, and with the kick-off that was listed.
    assert asyncio.get_running_loop().time() - begun == pytest.approx(6660 + 15, abs=2)
    assert before["startDateUTC"] == after["startDateUTC"]
    assert "status" not in before or before["status"] != after["status"]
