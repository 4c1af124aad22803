"""Strangers at a port: how many may connect, and how long they may take."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
from aiohttp import web
from structlog.testing import capture_logs

import bot.web_server
from bot.web_server import MAX_CONNECTIONS, serve_application
from tests.waiting import until

REQUEST = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n"
Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def served() -> AsyncIterator[int]:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(text="alive")

    app = web.Application()
    app.add_routes([web.get("/", answer)])
    async with serve_application(app, "127.0.0.1", 0) as port:
        yield port


async def connect(port: int) -> Connection:
    return await asyncio.open_connection("127.0.0.1", port)


async def ask(connection: Connection, request: bytes = REQUEST) -> bytes:
    reader, writer = connection
    writer.write(request)
    return await reader.readline()


async def is_closed(connection: Connection) -> bool:
    try:
        return await connection[0].read(1) == b""
    except ConnectionError:
        return True


async def close(*connections: Connection) -> None:
    for _, writer in connections:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


async def test_a_connection_that_sends_no_headers_in_time_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    async with served() as port:
        quick = await connect(port)
        first = await ask(quick)
        # For those that connect from now on: the quick one must not be closed where the machine is slow.
        monkeypatch.setattr(bot.web_server, "HEADER_TIMEOUT", 0.1)
        silent, slow = await connect(port), await connect(port)
        slow[1].write(b"GET / HTTP/1.1\r\nX-Slow: ")
        closed = [await is_closed(silent), await is_closed(slow)]
        await quick[0].readuntil(b"alive")
        second = await ask(quick)  # one that has sent its headers stays open
        await close(silent, slow, quick)

    assert (first, second, closed) == (b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\n", [True, True])


async def test_silent_connections_make_room_for_one_that_asks_and_the_log_has_one_line() -> None:
    with capture_logs() as lines:
        async with served() as port:
            silent = [await connect(port) for _ in range(MAX_CONNECTIONS + 50)]
            asking = await connect(port)
            answer = await ask(asking)
            oldest_is_closed = await is_closed(silent[0])
            await close(*silent, asking)

    assert (answer, oldest_is_closed) == (b"HTTP/1.1 200 OK\r\n", True)
    assert [line["event"] for line in lines] == ["connections_refused"]


async def test_connections_that_have_asked_are_not_closed_for_others() -> None:
    async with served() as port:
        busy = [await connect(port) for _ in range(MAX_CONNECTIONS)]
        for connection in busy:
            await ask(connection)
        refused = await connect(port)
        is_refused = await is_closed(refused)
        await close(busy[0])

        async def answered() -> bytes:
            again = await connect(port)
            try:
                return await ask(again)
            except ConnectionError:
                return b""
            finally:
                await close(again)

        answer = await until(answered)
        await close(*busy[1:], refused)

    assert (is_refused, answer) == (True, b"HTTP/1.1 200 OK\r\n")


async def test_what_is_no_http_leaves_no_traceback() -> None:
    with capture_logs() as lines:
        async with served() as port:
            for _ in range(20):
                connection = await connect(port)
                await ask(connection, b"\xff\xfe nonsense \r\n\r\n")
                await close(connection)

    assert len(lines) <= 1 and not any("exc_info" in line for line in lines)


async def test_a_process_without_descriptors_says_so_in_one_line(caplog: pytest.LogCaptureFixture) -> None:
    loop = asyncio.get_running_loop()
    with capture_logs() as lines:
        async with serve_application(web.Application(), "127.0.0.1", 0):
            failed = {
                "message": "socket.accept() out of system resource",
                "exception": OSError(errno.EMFILE, "Too many open files"),
            }
            for _ in range(100):
                loop.call_exception_handler(failed)
            loop.call_exception_handler({"message": "something else"})

    (refused,) = [line for line in lines if line["event"] == "connections_refused"]
    assert "ulimit -n" in refused["reason"]
    assert [record.getMessage() for record in caplog.records] == ["something else"]
