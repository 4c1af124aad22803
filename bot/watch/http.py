"""Seen from outside: /healthz, /readyz and /metrics."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import structlog
from aiohttp import web

from bot.errors import UserMistake
from bot.metrics import exposition

log = structlog.get_logger()

Troubles = Callable[[], tuple[str, ...]]
"""What is not well now, a sentence each."""


def application(troubles: Troubles) -> web.Application:
    """The three pages."""

    async def healthz(_: web.Request) -> web.Response:
        return web.Response(text="alive\n")

    async def readyz(_: web.Request) -> web.Response:
        lines = troubles()
        return web.Response(text="\n".join(lines or ("ready",)) + "\n", status=503 if lines else 200)

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(body=exposition(), headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})

    app = web.Application()
    app.add_routes([web.get("/healthz", healthz), web.get("/readyz", readyz), web.get("/metrics", metrics)])
    return app


@asynccontextmanager
async def serving(listen: str | None, troubles: Troubles, *, needed: bool = True) -> AsyncIterator[None]:
    """Serve on `host:port` while the block runs; not at all where `listen` is None.

    Raise UserMistake where the port is taken; where the pages are not `needed`, because nobody named the port, only warn.
    """
    if listen is None:
        yield
        return
    runner = web.AppRunner(application(troubles), access_log=None)
    await runner.setup()
    try:
        await _listen(runner, listen, needed=needed)
        yield
    finally:
        await runner.cleanup()


async def _listen(runner: web.AppRunner, listen: str, *, needed: bool) -> None:
    host, _, port = listen.rpartition(":")
    try:
        await web.TCPSite(runner, host.strip("[]"), int(port)).start()
    except OSError as error:
        sentence = f"http.listen: cannot listen on {listen}: {error.strerror or error}; choose another port, or null for none"
        if needed:
            raise UserMistake(sentence) from error
        log.warning("no_health_pages", reason=sentence)
