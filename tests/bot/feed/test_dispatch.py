"""In which order the handlers of a fixture are called, and what they find."""

from __future__ import annotations

import datetime as dt

import pytest

from bot.feed.decode import Control, ControlKind
from bot.feed.dispatch import MAX_LIVE_AGE, PacketDispatcher
from bot.feed.session import FeedSession
from rules.football.action import Packet
from tests.packets import Story

pytestmark = pytest.mark.virtual_time


class Handled:
    """A session that is live, its dispatcher, and what the handlers were called for."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.session = FeedSession(25.0, reads_post_match=True)
        self.session.on_connecting()
        self.session.on_opened(0.0)
        self.session.on_control(Control(ControlKind.ACCEPTED), 0.0)
        self.dispatcher = PacketDispatcher(
            self.session, self._on_packet, self._on_caught_up, self._on_frame_done, self._on_match_over
        )

    async def _on_packet(self, packet: Packet, _received: dt.datetime) -> None:
        assert self.dispatcher.is_dispatching
        self.calls.append(packet.action_id)

    async def _on_caught_up(self) -> None:
        self.calls.append("caught up")

    async def _on_frame_done(self) -> None:
        assert not self.dispatcher.is_dispatching
        self.calls.append("done")

    async def _on_match_over(self) -> None:
        self.calls.append("over")

    async def bring(self, packet: Packet, age: dt.timedelta = 2 * MAX_LIVE_AGE) -> list[str]:
        """Let a packet of this age come; return what it led to."""
        received = packet.at + age
        self.calls.clear()
        await self.dispatcher.dispatch(self.session.on_packet(packet, 0.0, received), received)
        return self.calls.copy()


def foul(seq: int) -> Packet:
    return Story().packet("Foul", action=f"a{seq}", seq=seq)


def end(seq: int, send: str = "Confirmed") -> Packet:
    return Story().packet("End Match", send, action="end", seq=seq, status="Completed" if send != "Deleted" else "Live")


async def test_what_was_missed_is_summarised_before_the_first_live_packet() -> None:
    handled = Handled()

    assert await handled.bring(foul(1)) == ["a1", "done"]
    assert await handled.bring(foul(2), dt.timedelta(seconds=1)) == ["caught up", "a2", "done"]
    assert await handled.bring(foul(3), dt.timedelta(seconds=1)) == ["a3", "done"]


async def test_packets_that_one_frame_releases_are_handed_on_together_and_one_that_waits_is_not() -> None:
    handled = Handled()
    await handled.bring(foul(1))

    assert await handled.bring(foul(3)) == []
    assert await handled.bring(foul(2)) == ["a2", "a3", "done"]


async def test_the_end_is_reported_after_its_packet_and_again_once_it_was_taken_back() -> None:
    handled = Handled()

    assert await handled.bring(end(1)) == ["end", "done", "over"]
    assert await handled.bring(foul(2)) == ["a2", "done"]
    assert await handled.bring(end(3, "Deleted")) == ["end", "done"]
    assert await handled.bring(end(4)) == ["end", "done", "over"]


async def test_lags_are_those_of_packets_after_the_replay() -> None:
    handled = Handled()
    await handled.bring(foul(1), dt.timedelta(minutes=5))
    await handled.dispatcher.dispatch(handled.session.on_control(Control(ControlKind.HEARTBEAT), 0.0), foul(1).at)
    await handled.bring(foul(2), dt.timedelta(seconds=2))

    assert handled.dispatcher.lags.quantiles() == (2.0, 2.0)
