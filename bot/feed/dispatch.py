"""Dispatches the packets that a session releases, and reports when a connection has caught up and when a match is over."""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable

from bot.feed.session import FeedSession
from bot.feed.source import LagStatistics
from bot.metrics import FEED_LAG
from rules.football.action import Packet

MAX_LIVE_AGE = dt.timedelta(seconds=30)
"""A packet younger than this is live. The first one on a connection shows that the missed packets have been read."""

OnPacket = Callable[[Packet, dt.datetime], Awaitable[None]]


class PacketDispatcher:
    """Calls the handlers of one fixture in turn: one that takes long delays the next packet, which keeps the order."""

    def __init__(
        self,
        session: FeedSession,
        on_packet: OnPacket,
        on_caught_up: Callable[[], Awaitable[None]] | None = None,
        on_frame_done: Callable[[], Awaitable[None]] | None = None,
        on_match_over: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """What each handler is called for is said at `connection.FeedConnection`."""
        self._session, self._on_packet = session, on_packet
        self._on_caught_up, self._on_frame_done, self._on_match_over = on_caught_up, on_frame_done, on_match_over
        self._was_match_over = False
        self.lags = LagStatistics()
        self.is_behind = True
        """True until what the connection missed has been read: up to its first live packet or heartbeat."""
        self.is_dispatching = False
        """True while packets of a frame are dispatched; the session's position is then ahead of what has been processed."""

    async def dispatch(self, packets: tuple[Packet, ...], received: dt.datetime) -> None:
        """Call the handler with each packet, in order, and report it if they have ended the match."""
        if packets:
            # A snapshot taken in the middle would say that all of them were processed.
            self.is_dispatching = True
            for packet in packets:
                # Before the packet that is live: what was missed is summarised first, and the live one is news by itself.
                if self.is_behind and received - packet.at < MAX_LIVE_AGE:
                    await self.report_caught_up()
                if self._session.is_caught_up:  # the age of a replayed packet says nothing about the feed's lag
                    self.lags.add(lag := (received - packet.at).total_seconds())
                    FEED_LAG.observe(lag)
                await self._on_packet(packet, received)
            self.is_dispatching = False
            # Only now is the position that of all packets, so that a snapshot may be taken.
            if self._on_frame_done is not None:
                await self._on_frame_done()
        # Also if no packet is dispatched: after a restart the end may come only as a repetition.
        if self._session.is_match_over is not self._was_match_over:
            await self._report_match_over()

    async def report_caught_up(self) -> None:
        """Report that all that the connection missed has been read."""
        self.is_behind = False
        if self._on_caught_up is not None:
            await self._on_caught_up()

    async def _report_match_over(self) -> None:
        """Report the end of the match once, and again if it was taken back in between."""
        is_over = self._session.is_match_over
        if is_over and self._on_match_over is not None:
            await self._on_match_over()
        self._was_match_over = is_over
