"""The console of a running process: what the pages read and change, tied to the services."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import structlog

from bot.app.services import Services
from bot.chat.services import FixtureLookup
from bot.config.models import ConsoleSettings
from bot.console.live import SAMPLE_INTERVAL, LiveConsole
from bot.errors import StorageError
from bot.replay.dry_run import run_dry_run
from bot.subscribers import ChatRef

log = structlog.get_logger()


class ConsoleWorker:
    """Serves the console, and takes the samples of its charts."""

    def __init__(
        self,
        services: Services,
        settings: ConsoleSettings,
        directory: FixtureLookup,
        send_sample: Callable[[ChatRef, str, int], Awaitable[None]],
    ) -> None:
        """`directory` knows the matches, `send_sample` sends a chat a test message after so many seconds."""
        self._settings = settings
        self.live = LiveConsole(
            services.clock,
            services.database,
            services.monitor,
            services.rule_versions,
            (services.chats, services.subscriptions),
            directory.match,
            lambda: float(services.config.telegram.messages_per_second),
            lambda: tuple(map(str, services.last_matches.recordings())),
            lambda ref, name: send_sample(ref, name, 0),
        )

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[int]:
        """Serve the pages while the block runs, and yield the port. Raises UserMistake if they cannot be served."""
        # Only here: the library of the pages takes a second to import, and most bots have no console.
        from bot.console.pages.console import Console
        from bot.console.server import serve_console

        password = self._settings.password.get_secret_value()
        host, _, port = self._settings.listen.rpartition(":")
        Console(run_dry_run, self.live, has_login=bool(password)).add_pages()
        async with serve_console(host, int(port), password) as found:
            yield found

    async def run(self) -> None:
        """Take samples until cancelled."""
        while True:
            try:
                await self.live.take_sample()
            except StorageError as error:
                # The monitor reports a database that fails; a missing point of the chart needs no second report.
                log.debug("console_sample_missed", reason=str(error))
            await asyncio.sleep(SAMPLE_INTERVAL)
