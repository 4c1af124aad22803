"""The websocket of one fixture: its messages are read in batches, all that have come by the turn of the task that reads them."""

from __future__ import annotations

import asyncio
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.frames import DATA_OPCODES, CloseCode, Frame
from websockets.protocol import Event, State

READ_SIZE = 4096
"""Bytes read from a socket at a time. In a burst on a thousand connections the data then waits in the kernel's socket buffers,
not in this process."""

MAX_FRAME_SIZE = 16 * 1024 * 1024
"""Bytes. websockets' own limit of 1 MiB is too near to a packet with a long list in it."""

_MAX_WAITING = 65_536
"""Bytes of messages that wait for `receive` before nothing more is read from the socket. So many gather only while the task that
handles them is held up, as by a database that does not answer."""

_WHOLE_TEXT = 0x81
"""The first byte of a text frame that is a message by itself: it is the last of its fragments, and its opcode is text."""

_MASKED = 0x80
"""The bit of the second byte that a client sets, and a server must not."""


class FeedSocket(ClientConnection):
    """A websocket whose messages are read with `receive`, and not with `recv`.

    websockets parses each frame in generators and hands it over through a queue and three coroutines, which costs more than all
    that is done with the packet in it. Here the frames that the feed sends, text in one piece, are cut out of the stream as it
    comes in, and `receive` returns all that have come. Whatever else comes is left to websockets, one whole frame at a time: the
    handshake, pings, the close frame, fragments, and what breaks the protocol.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._stream = bytearray()
        """The beginning of a frame that is not whole yet. websockets never has a part of one, but for the handshake's."""
        self._fragments = bytearray()
        self._is_in_fragments = False
        self._messages: list[bytes] = []
        self._waiting = 0
        """Bytes of the messages with their headers: an empty message counts, too."""
        self._is_paused = self._is_lost = False
        self._arrival: asyncio.Future[None] | None = None
        """What `receive` waits for."""

    async def receive(self) -> list[bytes]:
        """Return all messages that have come, in order: at least one. Raise ConnectionClosed if the connection has ended.

        If it is cancelled, the next call returns the messages.
        """
        if not self._messages and not self._is_lost:
            self._arrival = self.loop.create_future()
            try:
                await self._arrival
            finally:
                self._arrival = None
        if not self._messages:
            raise self.close_exc
        messages = self._messages
        self._drop_messages()
        return messages

    async def close(self, code: CloseCode | int = CloseCode.NORMAL_CLOSURE, reason: str = "") -> None:
        """Close the connection in good order. Messages that were not received are dropped."""
        # The peer's close frame may be behind data that waits in the socket for somebody to receive what came before it.
        self._drop_messages()
        await super().close(code, reason)

    def _drop_messages(self) -> None:
        self._messages, self._waiting = [], 0
        if self._is_paused and not self._is_lost:
            self.transport.resume_reading()
        self._is_paused = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Limit how much is read at a time, where the transport allows it: asyncio's does, but not for TLS."""
        super().connection_made(transport)
        if hasattr(transport, "max_size"):
            transport.max_size = READ_SIZE

    def data_received(self, data: bytes) -> None:
        """Take the frames that are whole, and wake `receive` if there is a message among them."""
        if self.protocol.state is State.CONNECTING:
            data = self._pass_on_handshake(data)
        self._stream += data
        self._take_frames()
        if self._messages:
            self._wake()
        if self._waiting > _MAX_WAITING and not self._is_paused:
            self._is_paused = True
            self.transport.pause_reading()

    def _pass_on_handshake(self, data: bytes) -> bytes:
        """Pass the answer to the handshake to websockets; return what follows it."""
        # Line by line: of what comes behind the answer's empty line websockets would keep a frame that is not whole.
        lines = iter(data.splitlines(keepends=True))
        for line in lines:
            super().data_received(line)
            if self.protocol.state is not State.CONNECTING:
                break
        return b"".join(lines)

    def _take_frames(self) -> None:
        stream, start = self._stream, 0
        while start + 2 <= len(stream) and self.protocol.state is State.OPEN:
            begin, end = _find_payload(stream, start)
            is_whole, is_too_long = end <= len(stream), end - begin > MAX_FRAME_SIZE
            if is_whole and stream[start] == _WHOLE_TEXT and stream[start + 1] < _MASKED and not self._is_in_fragments:
                self._messages.append(bytes(stream[begin:end]))
                self._waiting += end - start
            elif is_whole or is_too_long:  # websockets refuses by its header what is too long, and so it is not waited for
                super().data_received(bytes(stream[start:end]))
            else:
                break
            start = end
        del stream[:start]
        # After a close frame, in either direction, what comes is not for us.
        if stream and self.protocol.state is not State.OPEN:
            super().data_received(bytes(stream))
            stream.clear()

    def process_event(self, event: Event) -> None:
        """Take what websockets has parsed. Of data frames these are the binary ones and the fragments."""
        if not isinstance(event, Frame) or event.opcode not in DATA_OPCODES:
            super().process_event(event)
            return
        self._fragments += event.data
        self._is_in_fragments = not event.fin
        if not event.fin:
            return
        # Nobody receives any more from a connection that is being closed, and its reading must not be paused.
        if self.protocol.state is State.OPEN:
            self._messages.append(bytes(self._fragments))
            self._waiting += len(self._fragments) + 2
        self._fragments.clear()

    def connection_lost(self, exc: Exception | None) -> None:
        """Let `receive` raise ConnectionClosed once the messages that have come are received."""
        super().connection_lost(exc)
        self._is_lost = True
        self._wake()

    def _wake(self) -> None:
        if self._arrival is not None and not self._arrival.done():
            self._arrival.set_result(None)


def _find_payload(stream: bytearray, start: int) -> tuple[int, int]:
    """Return where the payload of a frame begins and ends (RFC 6455, section 5.2). Two bytes of the frame are there at least.

    Both lie beyond the end of the stream while the header is not whole.
    """
    length = stream[start + 1] % _MASKED
    if length < 126:
        return start + 2, start + 2 + length
    begin = start + (4 if length == 126 else 10)
    return begin, begin + int.from_bytes(stream[start + 2 : begin], "big")
