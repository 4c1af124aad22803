"""The feed's socket over a transport that does nothing by itself, with websockets' own protocol as the server."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.client import ClientProtocol
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode
from websockets.server import ServerProtocol
from websockets.uri import parse_uri

from bot.feed.feed_socket import MAX_FRAME_SIZE, FeedSocket
from tests.laws import try_examples
from tests.waiting import until

pytestmark = pytest.mark.virtual_time

PING = Frame(Opcode.PING, b"are you there")


class Wire(asyncio.Transport):
    """A transport that keeps what is written, and what is asked of it."""

    def __init__(self) -> None:
        super().__init__()
        self.written = bytearray()
        self.is_read = True

    def write(self, data: Any) -> None:
        self.written += data

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def is_closing(self) -> bool:
        return False

    def can_write_eof(self) -> bool:
        return False

    def close(self) -> None:
        pass

    def pause_reading(self) -> None:
        assert self.is_read
        self.is_read = False

    def resume_reading(self) -> None:
        assert not self.is_read
        self.is_read = True


class Connected:
    """A socket, and the server at its other end."""

    def __init__(self) -> None:
        self.wire, self.server = Wire(), ServerProtocol()
        self.socket = FeedSocket(ClientProtocol(parse_uri("ws://feed.example/"), max_size=MAX_FRAME_SIZE), close_timeout=2)
        self.socket.connection_made(self.wire)
        self.socket.protocol.send_request(self.socket.protocol.connect())
        self.socket.send_data()
        self.server.receive_data(self._take_written())
        (request,) = self.server.events_received()
        self.server.send_response(self.server.accept(request))  # type: ignore[arg-type]  (it is a request)
        self.handshake = b"".join(self.server.data_to_send())

    def _take_written(self) -> bytes:
        written = bytes(self.wire.written)
        self.wire.written.clear()
        return written

    def open(self) -> Connected:
        """Let the handshake be answered."""
        self.socket.data_received(self.handshake)
        return self

    def read_answers(self) -> list[Frame]:
        """Return the frames that the socket has sent since the last call."""
        self.server.receive_data(self._take_written())
        return [event for event in self.server.events_received() if isinstance(event, Frame)]

    async def receive_all(self) -> list[bytes]:
        """Lose the connection, and return the messages that had come."""
        self.socket.connection_lost(None)
        messages: list[bytes] = []
        with pytest.raises(ConnectionClosed):
            while True:
                messages += await self.socket.receive()
        return messages


def write(*frames: Frame) -> bytes:
    """Return frames as a server writes them."""
    return b"".join(frame.serialize(mask=False) for frame in frames)


def text(data: bytes) -> Frame:
    return Frame(Opcode.TEXT, data)


def split(message: bytes, opcode: Opcode, cuts: Sequence[int], *, is_pinged: bool) -> list[Frame]:
    """Return a message in fragments, with a ping between them."""
    edges = [0, *sorted(min(cut, len(message)) for cut in cuts), len(message)]
    pieces = [message[a:b] for a, b in itertools.pairwise(edges)]
    frames: list[Frame] = []
    for number, piece in enumerate(pieces):
        frames += [PING] if is_pinged and number else []
        frames.append(Frame(opcode if number == 0 else Opcode.CONT, piece, fin=number == len(pieces) - 1))
    return frames


# Each way to write a length: in the second byte, in two bytes and in eight.
payloads = st.binary(max_size=200) | st.sampled_from([0, 125, 126, 127, 65_535, 65_536, 70_000]).map(bytes)
messages = st.tuples(
    payloads, st.sampled_from([Opcode.TEXT, Opcode.BINARY]), st.lists(st.integers(0, 200), max_size=3), st.booleans()
)


@try_examples(200)
@given(sent=st.lists(messages, max_size=8), cuts=st.lists(st.integers(0, 1000), max_size=40), ends_in_part=st.booleans())
async def test_however_the_stream_is_cut_all_messages_come_once_and_in_order(
    sent: list[tuple[bytes, Opcode, list[int], bool]], cuts: list[int], ends_in_part: bool
) -> None:
    connected = Connected()
    frames = [frame for message, opcode, inner, is_pinged in sent for frame in split(message, opcode, inner, is_pinged=is_pinged)]
    # What follows the handshake's answer may come in the same piece as the answer.
    stream = connected.handshake + write(*frames) + (write(text(b"x" * 150))[:-1] if ends_in_part else b"")
    received: list[bytes] = []
    at = 0
    for cut in cuts:
        connected.socket.data_received(stream[at : at + cut])
        at += cut
        if connected.socket._messages:
            received += await connected.socket.receive()
    connected.socket.data_received(stream[at:])
    answers = connected.read_answers()

    assert received + await connected.receive_all() == [message for message, *_ in sent]
    assert [frame.opcode for frame in answers] == [Opcode.PONG] * frames.count(PING)


async def test_receiving_waits_for_a_message_and_can_be_cancelled() -> None:
    connected = Connected().open()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(5):
            await connected.socket.receive()
    waiting = asyncio.create_task(connected.socket.receive())
    await asyncio.sleep(1)
    connected.socket.data_received(write(text(b"1"), text(b"2")))

    # Cancelled when it was woken already: what came is for the next call.
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert await connected.socket.receive() == [b"1", b"2"]


async def test_nothing_more_is_read_while_much_waits_and_pings_are_answered_until_then() -> None:
    connected = Connected().open()
    sent = 0
    while connected.wire.is_read:
        connected.socket.data_received(write(text(bytes(8000)), PING))
        sent += 1
    assert sent == 9 and len(connected.read_answers()) == 9

    assert len(await connected.socket.receive()) == 9
    assert connected.wire.is_read


async def test_empty_messages_that_wait_are_limited_too() -> None:
    connected = Connected().open()
    binary = split(b"", Opcode.BINARY, [0], is_pinged=False)
    connected.socket.data_received(write(*[text(b"")] * 32_000))
    assert connected.wire.is_read
    connected.socket.data_received(write(*binary * 1000))
    assert not connected.wire.is_read

    assert await connected.socket.receive() == [b""] * 33_000


async def test_a_connection_with_messages_that_nobody_receives_is_closed_in_good_order() -> None:
    connected = Connected().open()
    connected.socket.data_received(write(*[text(bytes(8000))] * 9))
    closing = asyncio.create_task(connected.socket.close())
    await until(lambda: bool(connected.wire.written))

    # What was on its way is read up to the server's answer, however much that is.
    connected.socket.data_received(write(*[text(bytes(8000))] * 20))
    assert connected.wire.is_read
    connected.read_answers()
    connected.socket.data_received(b"".join(connected.server.data_to_send()))
    connected.socket.connection_lost(None)
    await closing
    assert connected.socket.close_code == 1000 and asyncio.get_running_loop().time() < 1


async def test_messages_before_the_servers_close_frame_are_received_and_none_after_it() -> None:
    connected = Connected().open()
    connected.socket.data_received(write(text(b"1"), Frame(Opcode.CLOSE, b"\x03\xe9gone"), text(b"2")))

    assert await connected.receive_all() == [b"1"]
    assert (connected.socket.close_code, connected.socket.close_reason) == (1001, "gone")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\x81\x7f" + (MAX_FRAME_SIZE + 1).to_bytes(8, "big"), 1009),
        (b"\x82\x7f" + (2**63).to_bytes(8, "big"), 1009),
        (text(b"1").serialize(mask=True), 1002),
        (b"\xc1\x01x", 1002),
        (b"\x83\x01x", 1002),
        (b"\x80\x01x", 1002),
        (b"\x01\x01x" + b"\x81\x01x", 1002),
        (b"\x89\x7e\x01\x00" + bytes(256), 1002),
    ],
    ids=["too long", "far too long", "masked", "compressed", "opcode", "continues nothing", "in a fragment", "long ping"],
)
async def test_what_breaks_the_protocol_closes_the_connection_by_its_header(data: bytes, code: int) -> None:
    connected = Connected().open()
    connected.socket.data_received(write(text(b"1")) + data)
    connected.socket.data_received(write(text(b"2")))

    (close,) = connected.read_answers()
    assert close.opcode is Opcode.CLOSE and int.from_bytes(close.data[:2], "big") == code
    assert await connected.receive_all() == [b"1"]


async def test_a_refused_handshake_is_websockets_to_judge() -> None:
    connected = Connected()
    connected.socket.data_received(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 12\r\n\r\n\r\n\r\n{not me}")

    assert connected.socket.response and connected.socket.response.status_code == 401
    assert connected.socket.response.body == b"\r\n\r\n{not me}"
