"""A small HTTP proxy on loopback: it opens tunnels (CONNECT) and forwards plain requests, and remembers whom it was asked for."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Self
from urllib.parse import urlsplit


class FakeProxy:
    """`status` other than 200: what every request is answered with; None: nothing.

    `closes`: it closes the connection instead of an answer.
    """

    def __init__(self, status: int | None = 200, *, closes: bool = False) -> None:
        self.status, self.closes = status, closes
        self.asked: list[tuple[str, str]] = []
        """Method and host:port of each request."""
        self.headers: list[str] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                await self._answer(reader, writer)
        finally:
            writer.close()
            self._tasks.discard(task)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        method, target, _ = head.split("\r\n")[0].split(" ")
        parts = urlsplit(target if "://" in target else f"//{target}")
        self.asked.append((method, parts.netloc))
        self.headers.append(head)
        if self.closes:
            return
        if self.status is None:
            await reader.read()
            return
        if self.status != 200:
            writer.write(f"HTTP/1.1 {self.status} No\r\nContent-Length: 0\r\n\r\n".encode())
            await writer.drain()
            return
        there_reader, there_writer = await asyncio.open_connection(parts.hostname, parts.port)
        if method == "CONNECT":
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            # The server is asked for the path alone, and closes, so that the next request comes with an address of its own.
            path = target.partition(parts.netloc)[2] or "/"
            lines = [f"{method} {path} HTTP/1.1", *head.split("\r\n")[1:-2], "Connection: close"]
            there_writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        await asyncio.gather(_copy(reader, there_writer), _copy(there_reader, writer))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()
