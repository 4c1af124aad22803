"""An open connection to a match that another process still follows, so that this one can go on with it without a gap."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, cast

from bot.feed.connection import FeedConnection
from bot.feed.sequence import FeedPosition
from bot.feed.session import Ending

CallbackT = TypeVar("CallbackT", bound=Callable[..., Awaitable[None]])


class Standby:
    """Holds back what a connection hands on until this process follows the match.

    The connection waits at its first packet that nobody has read yet, or at its first heartbeat. What comes after that waits in
    the socket, in order.
    """

    def __init__(self, position: FeedPosition | None) -> None:
        self.position = position
        """From where the match is read, as the other process had stored it; None: from its start."""
        self.connection: FeedConnection | None = None
        self.running: asyncio.Task[Ending] | None = None
        self.on_frame: Callable[[dt.datetime, bytes], None] | None = None
        """Records a frame; None until the match is followed."""
        self._frames: list[tuple[dt.datetime, bytes]] = []
        self._is_ready, self._is_followed = asyncio.Event(), asyncio.Event()

    def start(self, connection: FeedConnection) -> None:
        """Open the connection."""
        self.connection, self.running = connection, asyncio.create_task(connection.run())

    async def wait_until_ready(self) -> bool:
        """Wait until the connection has something to hand on. Return False if it ended before."""
        # The match may end, or the feed may refuse the connection, before it has anything to hand on.
        ready = asyncio.create_task(self._is_ready.wait())
        try:
            await asyncio.wait({ready, *((self.running,) if self.running else ())}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ready.cancel()
        return self._is_ready.is_set()

    def guard(self, callback: CallbackT) -> CallbackT:
        """Return a callback of the connection that waits until this process follows the match."""

        async def wait_and_call(*values: Any) -> None:
            # The first call shows that the connection has read what was read before, and has something new.
            self._is_ready.set()
            await self._is_followed.wait()
            await callback(*values)

        return cast(CallbackT, wait_and_call)

    def write_frame(self, received: dt.datetime, frame: bytes) -> None:
        """Record a frame, or keep it until the match is followed."""
        if self._is_followed.is_set():
            if self.on_frame:
                self.on_frame(received, frame)
        else:
            self._frames.append((received, frame))

    def follow(self) -> None:
        """Let everything through from now on."""
        # First the frames that were kept. None comes in between: nothing here waits.
        self._is_followed.set()
        for received, frame in self._frames:
            self.write_frame(received, frame)
        self._frames.clear()

    async def close(self) -> None:
        """Close the connection; what it holds back is dropped."""
        if self.running:
            self.running.cancel()
            await asyncio.gather(self.running, return_exceptions=True)
