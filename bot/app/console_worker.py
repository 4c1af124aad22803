"""The role `console`: what the pages of a running process read and change, tied to the services."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial

import structlog

from bot.app.services import Services
from bot.config.models import ConsoleSettings
from bot.console.alerts import AlertReader
from bot.console.chats import ChatDesk
from bot.console.live import LiveConsole
from bot.console.now import SAMPLE_INTERVAL, NowReader
from bot.console.rules import RulesDesk
from bot.errors import StorageError
from bot.replay.children import LONGEST_WAIT
from bot.replay.dry_run import run_dry_run
from bot.subscribers import ChatRef

log = structlog.get_logger()


class ConsoleWorker:
    """Serves the console, and takes the samples of its charts."""

    def __init__(
        self,
        services: Services,
        settings: ConsoleSettings,
        send_sample: Callable[[ChatRef, str, int], Awaitable[None]],
    ) -> None:
        """`send_sample` sends a chat a test message after so many seconds."""
        self._settings = settings
        clock, database, monitor = services.clock, services.database, services.monitor
        self.live = LiveConsole(
            NowReader(
                clock,
                database,
                monitor.list_processes,
                monitor.open_incidents,
                monitor.reasons_not_ready,
                lambda: float(services.config.telegram.messages_per_second),
                monitor.describe_limits,
            ),
            AlertReader(database),
            ChatDesk(clock, database, services.chats, services.subscriptions, lambda ref, name: send_sample(ref, name, 0)),
            RulesDesk(services.rule_versions),
            lambda: tuple(map(str, services.last_matches.recordings())),
        )

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[int]:
        """Serve the pages while the block runs, and yield the port. Raises UserMistake if they cannot be served."""
        # Only here: the library of the pages takes a second to import, and most bots have no console.
        from bot.console.pages.console import Console
        from bot.console.server import serve_console

        # The address is checked when the configuration is read; an IPv6 one has colons of its own.
        password = self._settings.password.get_secret_value()
        host, _, port = self._settings.listen.rpartition(":")
        Console(partial(run_dry_run, seconds=LONGEST_WAIT), self.live, has_login=bool(password)).add_pages()
        async with serve_console(host, int(port), password) as found:
            yield found

    async def run(self) -> None:
        """Take samples until cancelled."""
        while True:
            try:
                await self.live.now.take_sample()
            except StorageError as error:
                # The monitor reports a database that fails; a missing point of the chart needs no second report.
                log.debug("console_sample_missed", reason=str(error))
            await asyncio.sleep(SAMPLE_INTERVAL)
