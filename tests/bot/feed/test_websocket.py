"""What the library's errors mean, whichever side closed a connection."""

from __future__ import annotations

import datetime as dt
import socket
import ssl

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosedError, InvalidHandshake, InvalidStatus
from websockets.frames import Close
from websockets.http11 import Response

from bot.feed.reconnect import FailureCause
from bot.feed.websocket import Failure, explain_close, explain_handshake_error, open_connection

NOW = dt.datetime(2026, 8, 15, 14, 0, tzinfo=dt.UTC)
TOO_BIG = Close(1009, "frame of 20 MiB")


def test_a_frame_that_this_side_cannot_take_ends_the_connection_and_one_that_the_server_refuses_does_not_count_as_such() -> None:
    ours = ConnectionClosedError(None, TOO_BIG)
    the_servers = ConnectionClosedError(TOO_BIG, TOO_BIG, rcvd_then_sent=True)

    assert explain_close(ours, is_authorised=True) == Failure(FailureCause.UNREADABLE, "frame of 20 MiB", unreadable="too-big")
    assert explain_close(the_servers, is_authorised=True) == Failure(FailureCause.NETWORK, "close code 1009")


def test_a_connection_that_breaks_off_has_no_close_code() -> None:
    broken_off = explain_close(ConnectionClosedError(None, None), is_authorised=True)

    assert broken_off == Failure(FailureCause.NETWORK, "the connection was lost without a close frame")


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (socket.gaierror(), FailureCause.DNS),
        (ssl.SSLError(), FailureCause.TLS),
        (TimeoutError(), FailureCause.NETWORK),
        (InvalidHandshake(), FailureCause.NETWORK),
    ],
)
def test_a_handshake_fails_for_reasons_of_the_network(error: Exception, cause: FailureCause) -> None:
    assert explain_handshake_error(error, NOW).cause is cause


def test_an_answer_without_a_websocket_says_its_status_and_when_to_come_back() -> None:
    answer = Response(429, "Too Many Requests", Headers({"Retry-After": "7"}), b"a long page")

    assert explain_handshake_error(InvalidStatus(answer), NOW) == Failure(FailureCause.BUSY, "HTTP 429", 7.0)


def test_a_page_in_place_of_a_stream_is_told_as_one() -> None:
    page = Response(200, "OK", Headers({"Content-Type": "text/html"}), b"<html>Log in</html>")

    assert "a page where the stream should be" in explain_handshake_error(InvalidStatus(page), NOW).reason


async def test_an_open_connection_keeps_nothing_of_its_handshake_and_reads_on() -> None:
    async def send_two(server: ServerConnection) -> None:
        await server.send("one")
        await server.send("two")
        await server.wait_closed()

    async with serve(send_two, "127.0.0.1", 0) as serving:
        host, port = next(iter(serving.sockets)).getsockname()[:2]
        connection = await open_connection(f"ws://{host}:{port}/")
        try:
            assert [await connection.recv(decode=False) for _ in range(2)] == [b"one", b"two"]
            assert connection.request is None
            assert connection.response is not None and not connection.response.headers
        finally:
            await connection.close()
