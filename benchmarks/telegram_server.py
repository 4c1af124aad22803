"""A lean Bot API in a process of its own: it counts, enforces one limit over all, and answers as fast as Python can.

`python -m benchmarks.telegram_server` prints its port. `GET /reset?limit=N` begins anew, 0 for no limit; `GET /stats` counts.
"""

from __future__ import annotations

import asyncio
import re
import sys
import time
from collections import deque

import msgspec

_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_MESSAGE = b'{"ok":true,"result":{"message_id":%d,"date":1790000000,"chat":{"id":7,"type":"private"},"text":"goal"}}'
_ME = b'{"ok":true,"result":{"id":7,"is_bot":true,"first_name":"Touchline","username":"touchline_bot"}}'
_TRUE = b'{"ok":true,"result":true}'
_TEXTS = b'{"ok":true,"result":{"name":"","description":"","short_description":""}}'
_SLOWER = b'{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 1","parameters":{"retry_after":1}}'


class Stats(msgspec.Struct):
    """What came in since the last reset; instants are seconds of the monotonic clock, which processes share."""

    taken: int = 0
    refused: int = 0
    first: float = 0.0
    last: float = 0.0
    seconds: list[int] = []
    """How many were taken in each second after the first."""


class State:
    """The counts, and the arrivals of the last second."""

    def __init__(self) -> None:
        self.reset(0)

    def reset(self, limit: int) -> None:
        """Begin anew."""
        self.limit, self.stats = limit, Stats()
        self._second: deque[float] = deque()

    def message(self) -> bytes:
        """One message came in: its answer."""
        now, stats = time.monotonic(), self.stats
        if self.limit and not self._allowed(now):
            stats.refused += 1
            return _SLOWER
        stats.first = stats.first or now
        stats.taken, stats.last = stats.taken + 1, now
        second = int(now - stats.first)
        stats.seconds += [0] * (second + 1 - len(stats.seconds))
        stats.seconds[second] += 1
        return _MESSAGE % stats.taken

    def _allowed(self, now: float) -> bool:
        while self._second and self._second[0] <= now - 1.0:
            self._second.popleft()
        if len(self._second) >= self.limit:
            return False
        self._second.append(now)
        return True


class Server(asyncio.Protocol):
    """One connection: requests one after the other, as pools of connections send them."""

    def __init__(self, state: State) -> None:
        self._state, self._buffer = state, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client is there."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer every whole request."""
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            length = _LENGTH.search(self._buffer, 0, end)
            whole = end + 4 + (int(length[1]) if length else 0)
            if len(self._buffer) < whole:
                return
            line, self._buffer = self._buffer[: self._buffer.index(b"\r\n")], self._buffer[whole:]
            # Nobody writes to the bot: who asks for updates waits, as at Telegram.
            if b"/getUpdates" not in line:
                self._answer(self._body(line))

    def _body(self, line: bytes) -> bytes:
        if b"/sendMessage" in line or b"/editMessageText" in line:
            return self._state.message()
        if b"/reset" in line:
            self._state.reset(int(line.split(b"limit=")[1].split()[0]))
        if b"/set" in line or b"/delete" in line:
            return _TRUE
        if b"/getMy" in line:
            return _TEXTS
        return msgspec.json.encode(self._state.stats) if b"/stats" in line or b"/reset" in line else _ME

    def _answer(self, body: bytes) -> None:
        status = b"429 Too Many Requests" if body is _SLOWER else b"200 OK"
        head = b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % (status, len(body))
        assert isinstance(self._transport, asyncio.WriteTransport)  # noqa: S101  # a TCP connection's always is
        self._transport.write(head + body)


async def main() -> None:
    """Serve until the standard input ends."""
    loop, state = asyncio.get_running_loop(), State()
    server = await loop.create_server(lambda: Server(state), "127.0.0.1", 0, backlog=2000)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
