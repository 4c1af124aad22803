"""Seen from outside: /healthz, /readyz and /metrics."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

import structlog
from aiohttp import web

from bot.errors import UserMistake
from bot.metrics import CONTENT_TYPE
from bot.ports import why_not

log = structlog.get_logger()


class Seen(Protocol):
    """What is looked at from outside."""

    def unready(self) -> tuple[str, ...]:
        """What is not well now, a line each."""
        ...

    async def metrics(self) -> bytes:
        """What is counted, in Prometheus' text format."""
        ...


def application(seen: Seen) -> web.Application:
    """The three pages."""

    async def healthz(_: web.Request) -> web.Response:
        return web.Response(text="alive\n")

    async def readyz(_: web.Request) -> web.Response:
        lines = seen.unready()
        return web.Response(text="\n".join(lines or ("ready",)) + "\n", status=503 if lines else 200)

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(body=await seen.metrics(), headers={"Content-Type": CONTENT_TYPE})

    app = web.Application()
    app.add_routes([web.get("/healthz", healthz), web.get("/readyz", readyz), web.get("/metrics", metrics)])
    return app


@asynccontextmanager
async def serving(listen: str | None, seen: Seen, *, needed: bool = True) -> AsyncIterator[int | None]:
    """Serve on `host:port` while the block runs, and give the port: any free one where 0 is named; None where nothing is served.

    Raise UserMistake where the port is taken; where the pages are not `needed`, because nobody named the port, only warn.
    """
    if listen is None:
        yield None
        return
    runner = web.AppRunner(application(seen), access_log=None)
    await runner.setup()
    try:
        yield await _listen(runner, listen, needed=needed)
    finally:
        await runner.cleanup()


async def _listen(runner: web.AppRunner, listen: str, *, needed: bool) -> int | None:
    host, _, port = listen.rpartition(":")
    try:
        await web.TCPSite(runner, host.strip("[]"), int(port)).start()
    except OSError as error:
        sentence = f"http.listen: cannot listen on {listen}: {why_not(error)}; choose another, or null for none"
        if needed:
            raise UserMistake(sentence) from error
        log.warning("no_health_pages", reason=sentence)
        return None
    found: int = runner.addresses[0][1]
    log.info("health_pages_served", port=found)
    return found
