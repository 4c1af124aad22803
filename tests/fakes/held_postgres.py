"""What lies between the bot and a PostgreSQL server, and holds back one answer of the server."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Self
from urllib.parse import quote

from tests.tasks import cancel_tasks

_SOCKET = ".s.PGSQL.5432"


class HeldPostgres:
    """Passes everything on, in both directions. From a message with `word` on, what the server answers to it waits."""

    def __init__(self, server: Path, folder: Path) -> None:
        """`server` and `folder` are where the sockets are: the server's, and the one that takes its place."""
        self._server, self._folder = server, folder
        self._word = b""
        self._held, self._released = asyncio.Event(), asyncio.Event()
        self._copying: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._listener = await asyncio.start_unix_server(self._serve, self._folder / _SOCKET)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._listener.close()
        await cancel_tasks(*self._copying)

    def url(self, url: str) -> str:
        """The address of a database of the server, by this way."""
        return url.replace(str(self._server), str(self._folder)).replace(quote(str(self._server)), quote(str(self._folder)))

    def hold_answer(self, word: str) -> None:
        """Hold back what the server answers to the next message with a word in it."""
        self._word = word.encode()
        self._held.clear()
        self._released.clear()

    async def until_held(self) -> None:
        """Wait until the message was sent."""
        await self._held.wait()

    def release(self) -> None:
        """Let the answer go."""
        self._word = b""
        self._released.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_unix_connection(self._server / _SOCKET)
        may_answer = asyncio.Event()
        may_answer.set()

        async def ask() -> None:
            with suppress(ConnectionError):
                while data := await reader.read(65536):
                    if self._word and self._word in data:
                        self._word = b""
                        may_answer.clear()
                        self._held.set()
                    there_writer.write(data)
            there_writer.close()

        async def answer() -> None:
            with suppress(ConnectionError):  # the client may be gone by then
                while data := await there_reader.read(65536):
                    if not may_answer.is_set():
                        await self._released.wait()
                        may_answer.set()
                    writer.write(data)
            writer.close()

        both = {asyncio.create_task(ask()), asyncio.create_task(answer())}
        self._copying |= both
