"""The real websockets client against a scripted server, on a virtual loop."""

from __future__ import annotations

import asyncio
import datetime as dt
import random
from itertools import pairwise
from typing import Any

import pytest
from pydantic import SecretStr
from websockets.asyncio.server import ServerConnection

from bot.errors import FeedError, FeedNotOpen, FeedRefused, FeedUnreachable
from bot.feed.connection import FeedConnection
from bot.feed.encode import encode_heartbeat, encode_packet
from bot.feed.sequence import FeedPosition
from bot.feed.session import Ending, SessionState
from bot.feed.source import ConnectionStatus, StreamSpeed
from bot.feed.websocket import MAX_FRAME_SIZE
from rules.football.action import Packet
from tests.fakes.feed import LoopClock, ScriptedFeed, Step, accept, beat, close, drop, feed_settings, refuse, send, wait
from tests.fakes.metric_changes import MetricChanges
from tests.packets import FIXTURE, Story
from tests.rates import count_busiest
from tests.tasks import cancel_tasks
from tests.waiting import until

pytestmark = pytest.mark.virtual_time


class Listener:
    """Keeps what a connection reports."""

    def __init__(self, speed: StreamSpeed | None = None, **settings: Any) -> None:
        self.packets: list[Packet] = []
        self.refusals: list[str] = []
        self.acceptances = 0
        self.caught_up = 0
        self.settings = feed_settings(**settings)
        self.resume_positions: list[FeedPosition | None] = []
        """Where another process could have resumed while a packet was being handed on."""
        self.connection = FeedConnection(
            FIXTURE.id,
            lambda: self.settings,
            LoopClock(),
            self._take,
            on_caught_up=self._catch_up,
            on_refused=self._refused,
            on_accepted=self._accepted,
            speed=speed,
            rng=random.Random(1),
        )

    @property
    def seqs(self) -> list[int | None]:
        return [packet.seq for packet in self.packets]

    async def _take(self, packet: Packet, _received: dt.datetime) -> None:
        self.packets.append(packet)
        self.resume_positions.append(self.connection.resume_position)

    async def _catch_up(self) -> None:
        self.caught_up += 1

    async def _refused(self, reason: str) -> None:
        self.refusals.append(reason)

    async def _accepted(self) -> None:
        self.acceptances += 1


def fouls(first: int, last: int) -> Step:
    return send(*(Story().packet("Foul", action=f"a{n}", seq=n) for n in range(first, last + 1)))


def end(seq: int) -> Step:
    return send(Story().packet("End Match", action="end", seq=seq, status="Completed"))


async def run(feed: ScriptedFeed, listener: Listener, *, seconds: float = 600.0) -> Ending | None:
    """Serve and listen until the match is over or the time is up."""
    async with feed.serve():
        try:
            async with asyncio.timeout(seconds):
                return await listener.connection.run()
        except TimeoutError:
            return None


async def test_a_match_is_read_to_its_end() -> None:
    feed, listener = ScriptedFeed([accept, fouls(1, 3), beat(), end(4)]), Listener()

    assert await run(feed, listener) is Ending.COMPLETED
    assert (listener.seqs, listener.caught_up) == ([1, 2, 3, 4], 2)
    assert feed.first_messages == [{"authToken": "feed-token"}]
    assert feed.paths == [f"/media/soccer/fixtures/{FIXTURE.id}/actions"]
    assert feed.requests[0].headers["Accept"] == "application/vnd.imggaming.dde.api+json;version=1"
    assert "Authorization" not in feed.requests[0].headers


async def test_a_dropped_connection_is_resumed_by_position() -> None:
    feed = ScriptedFeed([accept, fouls(1, 20), drop], [accept, fouls(13, 21), end(22)])
    listener = Listener()

    assert await run(feed, listener) is Ending.COMPLETED
    assert listener.seqs == list(range(1, 23))
    assert feed.paths[1].endswith("?startPosition=12")


async def test_a_server_that_replays_everything_tells_nothing_twice() -> None:
    feed, listener = ScriptedFeed([accept, fouls(1, 20), drop], [accept, fouls(1, 20), end(21)]), Listener()
    await run(feed, listener)

    assert listener.seqs == list(range(1, 22))
    assert listener.connection.status().duplicates == 20


async def test_a_silent_peer_is_left_after_25_seconds() -> None:
    feed, listener = ScriptedFeed([accept, fouls(1, 1), wait(1000)], [accept, end(2)]), Listener()
    await run(feed, listener)

    assert 25 < feed.at[1] < 28
    assert listener.seqs == [1, 2]


async def test_a_process_that_stood_still_reads_what_came_meanwhile_before_it_gives_a_connection_up() -> None:
    async def stand_still(_connection: ServerConnection) -> None:
        # As a stopped process sees it: all timers are late, and what the server sent meanwhile waits in the socket.
        asyncio.get_running_loop()._selector.clock.advance(40.0)  # type: ignore[attr-defined]

    heartbeat = send(encode_heartbeat(LoopClock.START))
    script = [accept, fouls(1, 1), beat(2), stand_still, heartbeat, beat(3), fouls(2, 2), wait(500)]
    feed, listener = ScriptedFeed(script), Listener()
    await run(feed, listener, seconds=100)

    assert len(feed.at) == 1 and listener.seqs == [1, 2]


async def test_eleven_seconds_of_patience_are_allowed_and_heartbeats_keep_a_quiet_match() -> None:
    feed = ScriptedFeed([accept, fouls(1, 1), beat(60), wait(500)], [accept, end(2)])
    await run(feed, Listener(stale_after=11.0), seconds=700)

    assert 611 < feed.at[1] < 614


async def test_a_server_that_accepts_and_closes_sees_ten_connections_a_minute_at_most() -> None:
    feed = ScriptedFeed([accept, close()])
    await run(feed, Listener(), seconds=60)

    assert 4 <= len(feed.at) <= 10


async def test_a_token_that_a_reload_brings_is_used_at_the_next_handshake() -> None:
    feed = ScriptedFeed([accept, fouls(1, 1), drop], [accept, beat(9)])
    listener = Listener()
    async with feed.serve():
        following = asyncio.create_task(listener.connection.run())
        await until(lambda: listener.seqs == [1])
        listener.settings = listener.settings.model_copy(update={"token": SecretStr("new-token")})
        await until(lambda: len(feed.first_messages) > 1)
        await cancel_tasks(following)

    assert feed.first_messages == [{"authToken": "feed-token"}, {"authToken": "new-token"}]


async def test_a_refused_token_is_told_once_and_retried_every_five_minutes() -> None:
    feed, listener = ScriptedFeed([refuse]), Listener()
    await run(feed, listener, seconds=1000)

    assert listener.refusals == ["Supplied token could not be authenticated"]
    assert [round(at / 300) for at in feed.at] == [0, 1, 2, 3]
    assert listener.connection.status().state is SessionState.REFUSED


@pytest.mark.parametrize("status", [401, 403])
async def test_a_refused_handshake_is_a_refusal(status: int) -> None:
    listener = Listener()
    await run(ScriptedFeed(status), listener, seconds=100)

    assert listener.refusals == [f"HTTP {status}"]


async def test_a_reload_tries_a_refused_connection_at_once() -> None:
    feed, listener = ScriptedFeed([refuse], [accept, end(1)]), Listener()
    asyncio.get_running_loop().call_later(5, listener.connection.reload)

    assert await run(feed, listener) is Ending.COMPLETED
    assert feed.at[1] < 6


@pytest.mark.parametrize("first", [accept, beat(), fouls(1, 1)])
async def test_whatever_a_mended_token_is_answered_with_ends_the_refusal(first: Step) -> None:
    feed, listener = ScriptedFeed([refuse], [first, beat(), fouls(1, 2), wait(9000)]), Listener()
    await run(feed, listener, seconds=400)

    assert (listener.connection.status().refusal, listener.acceptances) == ("", 1)


async def test_a_notice_in_unknown_words_ends_no_refusal() -> None:
    async def notify(socket: ServerConnection) -> None:
        await socket.send('{"message": "Welcome", "level": "INFO"}')

    listener = Listener()
    await run(ScriptedFeed([refuse], [notify, wait(9000)]), listener, seconds=310)

    assert (listener.connection.status().refusal != "", listener.acceptances) == (True, 0)


@pytest.mark.parametrize("location", ["/again", "ws://elsewhere.example/x", "ws://[", "ws://127.0.0.1:99999/"])
async def test_a_redirect_is_not_followed_and_is_one_request_each_time(location: str) -> None:
    feed, listener = ScriptedFeed(301, headers={"Location": location}), Listener()
    await run(feed, listener, seconds=60.0)

    assert 2 <= len(feed.at) <= 10 and min(b - a for a, b in pairwise(feed.at)) >= 1.0
    assert listener.connection.status().connect_failure.startswith("HTTP 301")


async def test_a_stream_that_is_not_open_is_tried_every_half_minute() -> None:
    feed, listener = ScriptedFeed(404, 404, 404, [accept, end(1)]), Listener()
    await run(feed, listener)

    assert [round(at) for at in feed.at] == [0, 30, 60, 90]
    assert listener.refusals == []


async def test_a_busy_server_is_given_the_time_it_asks_for() -> None:
    feed = ScriptedFeed(429, [accept, end(1)], headers={"Retry-After": "77"})
    await run(feed, Listener())

    assert 77 <= feed.at[1] < 78


async def test_a_missing_packet_is_fetched_by_reading_again() -> None:
    feed = ScriptedFeed([accept, fouls(1, 9), fouls(11, 12), beat(9)], [accept, fouls(3, 12), end(13)])
    listener = Listener()
    await run(feed, listener)

    assert sorted(seq or 0 for seq in listener.seqs) == list(range(1, 14))
    assert feed.at[1] < 2


async def test_frames_that_cannot_be_read_are_skipped_and_counted() -> None:
    junk = send("{", b"[]", "{}", b'{"fixtureAction":{}}', "\x00", b"null")
    listener = Listener()
    await run(ScriptedFeed([accept, junk, fouls(1, 1), junk, end(2)]), listener)

    assert listener.seqs == [1, 2]
    assert listener.connection.status().unreadable == 12


async def test_a_position_beyond_the_list_is_given_up_for_the_beginning() -> None:
    feed = ScriptedFeed([accept, fouls(1, 20), drop], [accept, beat(9)], [accept, fouls(1, 20), end(21)])
    listener = Listener()
    await run(feed, listener)

    assert "startPosition" not in feed.paths[2]
    assert listener.seqs == list(range(1, 22))


async def test_completed_without_an_end_match_ends_when_the_server_closes() -> None:
    over = send(Story().packet("End Period", status="Completed"))

    assert await run(ScriptedFeed([accept, over, close()]), Listener()) is Ending.COMPLETED


async def test_a_finished_match_that_is_not_completed_is_kept() -> None:
    dropped = send(Story().packet("Status Updated", status="Suspended"))
    listener = Listener()

    assert await run(ScriptedFeed([accept, dropped, beat(100)]), listener, seconds=500) is None
    assert listener.connection.status().state is SessionState.LIVE


async def test_the_status_tells_where_a_connection_stands() -> None:
    listener = Listener()
    async with ScriptedFeed([accept, beat(), fouls(1, 5), beat(9)]).serve():
        task = asyncio.create_task(listener.connection.run())
        await asyncio.sleep(15)
        status = listener.connection.status()
        await cancel_tasks(task)

    assert (status.state, status.position, status.reconnects) == (SessionState.LIVE, 5, 0)
    assert status.last_frame_at == LoopClock.START + dt.timedelta(seconds=10)
    assert status.lag_median is not None


async def watch_status(feed: ScriptedFeed, *seconds: float) -> list[ConnectionStatus]:
    """Return the status of a connection at these seconds."""
    listener, seen = Listener(), []
    async with feed.serve():
        task = asyncio.create_task(listener.connection.run())
        for at in seconds:
            await asyncio.sleep(at - asyncio.get_running_loop().time())
            seen.append(listener.connection.status())
        await cancel_tasks(task)
    return seen


async def test_a_machine_whose_clock_is_set_has_missed_no_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    listener = Listener()
    async with ScriptedFeed([accept, beat(), fouls(1, 5), beat(9)]).serve():
        task = asyncio.create_task(listener.connection.run())
        await asyncio.sleep(15)
        monkeypatch.setattr(LoopClock, "START", LoopClock.START + dt.timedelta(hours=1))
        status, silence = listener.connection.status(), listener.connection.silence
        await cancel_tasks(task)

    assert status.last_frame_at == LoopClock.START + dt.timedelta(seconds=10) and silence == 5.0


async def test_only_frames_that_can_be_used_are_the_last_usable_one() -> None:
    junk = [wait(10), send("{")]
    (status,) = await watch_status(ScriptedFeed([accept, *junk, *junk, beat(9)]), 25)

    assert status.last_frame_at and status.last_frame_at >= LoopClock.START + dt.timedelta(seconds=20)
    assert (status.last_usable_frame_at, status.wanted_since) == (LoopClock.START, LoopClock.START)


async def test_a_stream_that_is_not_open_says_so_until_it_opens() -> None:
    before, after = await watch_status(ScriptedFeed(404, 404, [accept, beat(99)]), 45, 65)

    assert (before.is_not_open, before.last_usable_frame_at, after.is_not_open, after.is_ended) == (True, None, False, False)


async def test_a_match_that_has_ended_says_so_while_the_server_holds_on() -> None:
    over = send(Story().packet("End Match", action="end", seq=2, status="Live"))
    (status,) = await watch_status(ScriptedFeed([accept, fouls(1, 1), over, beat(99)]), 15)

    assert status.is_ended and status.state is SessionState.LIVE


async def test_frames_and_losses_are_counted_by_what_they_are() -> None:
    changes = MetricChanges()
    await run(ScriptedFeed(404, 503, [accept, beat(2), send("{"), fouls(1, 3), drop], [accept, end(4)]), Listener())

    kinds = {kind: changes("touchline_frames_total", kind=kind) for kind in ("accepted", "heartbeat", "packet", "unreadable")}
    causes = {cause: changes("touchline_feed_lost_total", cause=cause) for cause in ("not-open", "server-error", "network")}
    assert kinds == {"accepted": 2, "heartbeat": 2, "packet": 4, "unreadable": 1}
    assert causes == {"not-open": 1, "server-error": 1, "network": 1}
    assert changes("touchline_feed_connected_total") == 2
    assert changes("touchline_frames_unreadable_total", kind="not-json") == 1
    assert changes("touchline_feed_lag_seconds_count") > 0


async def test_a_packet_that_is_being_handed_on_does_not_count_as_read() -> None:
    listener = Listener()
    await run(ScriptedFeed([accept, fouls(1, 3), beat(99)]), listener, seconds=5.0)

    assert listener.resume_positions == [None] * 3
    assert listener.connection.resume_position and listener.connection.resume_position.position == 3


async def test_a_match_that_is_over_is_read_at_the_speed_that_is_asked_for_and_beyond_its_end() -> None:
    late = send(Story().packet("Goal", "Deleted", action="a3", seq=22, status="Completed"))
    feed = ScriptedFeed([accept, fouls(1, 20), drop], [accept, fouls(13, 20), end(21), late, beat(99)])
    listener = Listener(StreamSpeed.FAST)

    assert await run(feed, listener, seconds=5) is Ending.COMPLETED  # not held up by a server that stays
    assert listener.seqs == list(range(1, 23))
    assert [path.rpartition("/")[2] for path in feed.paths] == ["actions?speed=fast", "actions?startPosition=12&speed=fast"]


@pytest.mark.parametrize("last", [wait(100), close()], ids=["heartbeats", "closed"])
async def test_a_match_that_was_abandoned_is_read_to_the_last_packet(last: Step) -> None:
    listener = Listener(StreamSpeed.FAST)

    assert await run(ScriptedFeed([accept, fouls(1, 3), last]), listener) is Ending.LOST
    assert listener.seqs == [1, 2, 3]


async def test_a_match_that_is_over_comes_slowly_at_normal_speed() -> None:
    feed, listener = ScriptedFeed([accept, fouls(1, 1), beat(9), end(2)]), Listener(StreamSpeed.NORMAL)

    assert await run(feed, listener) is Ending.COMPLETED
    assert listener.seqs == [1, 2]
    assert feed.paths[0].endswith("?speed=normal")


@pytest.mark.parametrize(
    ("answer", "error", "attempts"),
    [
        (401, FeedRefused, 1),
        ([refuse], FeedRefused, 1),
        (404, FeedNotOpen, 1),
        (400, FeedUnreachable, 1),
        (503, FeedUnreachable, 5),
        ([accept, drop], FeedUnreachable, 5),
    ],
)
async def test_a_match_that_is_over_is_not_waited_for(answer: int | list[Step], error: type[FeedError], attempts: int) -> None:
    feed, listener = ScriptedFeed(answer), Listener(StreamSpeed.FAST)
    async with feed.serve():
        with pytest.raises(error):
            await listener.connection.run()

    assert len(feed.paths) == attempts


OVERSIZE_FRAME = b'{"padding":"' + b"x" * (MAX_FRAME_SIZE + 1) + b'"}'


async def test_a_frame_larger_than_a_mebibyte_is_read() -> None:
    padded = b'{"padding":"' + b"x" * 2**21 + b'",' + encode_packet(Story().packet("Goal", seq=2))[1:]
    listener = Listener()

    assert await run(ScriptedFeed([accept, fouls(1, 1), send(padded), end(3)]), listener) is Ending.COMPLETED
    assert (listener.seqs, listener.connection.status().reconnects) == ([1, 2, 3], 0)


async def test_a_first_frame_that_is_too_large_is_why_the_connection_could_not_be_made() -> None:
    (status,) = await watch_status(ScriptedFeed([send(OVERSIZE_FRAME)], 503), 0.5)

    assert "exceeds limit" in status.connect_failure


@pytest.mark.slow
async def test_a_frame_that_is_too_large_is_named_counted_and_stepped_over() -> None:
    changes, listener = MetricChanges(), Listener()
    begin = [accept, fouls(1, 12), send(OVERSIZE_FRAME)]
    again = [accept, fouls(5, 12), send(OVERSIZE_FRAME)]
    feed = ScriptedFeed(begin, again, again, [accept, send(OVERSIZE_FRAME)], [accept, fouls(14, 15), end(16)])

    assert await run(feed, listener) is Ending.COMPLETED
    assert listener.seqs == [*range(1, 13), 14, 15, 16]
    assert [path.rpartition("=")[2] for path in feed.paths[1:]] == ["4", "4", "12", "13"]
    assert changes("touchline_frames_unreadable_total", kind="too-big") == 4
    assert changes("touchline_feed_lost_total", cause="unreadable") == 4
    assert listener.connection.status().unreadable == 4


@pytest.mark.parametrize("step", [beat(2), fouls], ids=["stayed", "brought data"])
async def test_the_back_off_begins_anew_after_a_good_connection(step: Any) -> None:
    scripts = [[accept, fouls(number, number) if step is fouls else step, close()] for number in range(1, 20)]
    feed = ScriptedFeed(*scripts)
    await run(feed, Listener(), seconds=200 if step is not fouls else 10)

    pauses = [later - earlier for earlier, later in zip(feed.at, feed.at[1:], strict=False)]
    assert len(pauses) > 4
    assert max(pauses) < (22.1 if step is not fouls else 2.1)


@pytest.mark.slow
async def test_a_server_that_sends_one_packet_and_closes_is_not_stormed() -> None:
    feed = ScriptedFeed(*([accept, fouls(number, number), close()] for number in range(1, 500)))
    await run(feed, Listener(), seconds=600)

    assert count_busiest(feed.at, seconds=60) <= 20
