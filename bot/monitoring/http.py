"""Serves the health pages /healthz, /readyz and /metrics, and calls the dead man's switch."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import aiohttp
import structlog
from aiohttp import web
from pydantic import SecretStr

from bot.config.models import HttpSettings
from bot.errors import UserMistake, explain_bind_error
from bot.metrics import CONTENT_TYPE
from bot.network import find_proxy
from bot.web_server import serve_application


def build_web_application(
    reasons_not_ready: Callable[[], Sequence[str]], render_metrics: Callable[[], Awaitable[bytes]]
) -> web.Application:
    """Build the application with the three pages: a line for each reason not to be ready; metrics in Prometheus' text format."""

    async def healthz(_: web.Request) -> web.Response:
        # Nothing is looked at: it answers as long as the event loop turns. A restart mends neither Telegram nor the database,
        # so their state belongs to /readyz.
        return web.Response(text="alive\n")

    async def readyz(_: web.Request) -> web.Response:
        # 503 is what load balancers and Kubernetes take for "not ready".
        lines = reasons_not_ready()
        return web.Response(text="\n".join(lines or ("ready",)) + "\n", status=503 if lines else 200)

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(body=await render_metrics(), headers={"Content-Type": CONTENT_TYPE})

    app = web.Application()
    app.add_routes([web.get("/healthz", healthz), web.get("/readyz", readyz), web.get("/metrics", metrics)])
    return app


@asynccontextmanager
async def serve(
    listen: str | None,
    reasons_not_ready: Callable[[], Sequence[str]],
    render_metrics: Callable[[], Awaitable[bytes]],
    *,
    is_required: bool = True,
) -> AsyncIterator[int | None]:
    """Serve on `host:port` while the block runs, and yield the port, or None if nothing is served; port 0 means any free one.

    If the port is taken, raise UserMistake if the pages are `is_required`; otherwise, with the default port, only warn.
    """
    if listen is None:
        yield None
        return
    app = build_web_application(reasons_not_ready, render_metrics)
    async with AsyncExitStack() as stack:
        host, _, port = listen.rpartition(":")
        found: int | None = None
        try:
            # IPv6 addresses are written in brackets, because of the colon before the port; the socket takes them without.
            found = await stack.enter_async_context(serve_application(app, host.strip("[]"), int(port)))
        except (OSError, UnicodeError) as error:
            sentence = f"http.listen: cannot listen on {listen}: {explain_bind_error(error)}; choose another, or null for none"
            if is_required:
                raise UserMistake(sentence) from error
            # Nobody asked for the default port: a second process on the same machine must not fail because of it.
            log.warning("health_pages_not_served", reason=sentence)
        else:
            log.info("health_pages_served", port=found)
        yield found


log = structlog.get_logger()

# Shorter than any sensible interval between calls, so that one that hangs does not delay the next.
_CALL_TIMEOUT = aiohttp.ClientTimeout(total=10)

_FIRST_ERROR_STATUS = 400


class DeadMansSwitch:
    """Calls an address while the process is ready, for a service that raises an alarm when the calls stop.

    The address is a secret and never logged: with it anybody can silence the alarm.
    """

    def __init__(
        self,
        settings: Callable[[], HttpSettings],
        http: aiohttp.ClientSession,
        reasons_not_ready: Callable[[], tuple[str, ...]],
    ) -> None:
        """`settings` is called before each request: a reload may change the address."""
        self._settings, self._http, self._reasons_not_ready = settings, http, reasons_not_ready
        self._changed = asyncio.Event()

    def on_settings_changed(self) -> None:
        """Go by the settings of now: a shorter interval may be over already, and a new address is called at once."""
        self._changed.set()

    async def run(self) -> None:
        """Call until cancelled."""
        while True:
            called = self._settings().dead_man_url
            await self.call()
            await self._wait_until_due(called)

    async def _wait_until_due(self, called: SecretStr | None) -> None:
        """Wait until the interval since now is over or another address than the one `called` is set."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        while (settings := self._settings()).dead_man_url == called:
            # The interval is read anew at each change, and counts from the call all the same: changes do not put a call off.
            remaining = began + settings.dead_man_every.total_seconds() - loop.time()
            if remaining <= 0:
                return
            self._changed.clear()
            try:
                # Python 3.11's `wait_for` drops a cancellation that comes together with the event.
                async with asyncio.timeout(remaining):
                    await self._changed.wait()
            except TimeoutError:
                return

    async def call(self) -> None:
        """Call once, unless no address is set or the process is not ready; a failure is only logged, without the address."""
        url = self._settings().dead_man_url
        if url is None:
            return
        # Silence is the signal: the service raises the alarm when no call has come for a while.
        if lines := self._reasons_not_ready():
            log.warning("dead_man_call_skipped", reason="; ".join(lines))
            return
        address = url.get_secret_value()
        try:
            async with self._http.get(address, timeout=_CALL_TIMEOUT, proxy=find_proxy(address, None)) as response:
                if response.status >= _FIRST_ERROR_STATUS:
                    log.warning("dead_man_call_failed", reason=f"HTTP {response.status}")
        # ValueError is what aiohttp raises for an address that it cannot read. The text of any of them may contain the address.
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            log.warning("dead_man_call_failed", reason=type(error).__name__)
