"""Calls an address again and again while all is well, for a service that raises an alarm when the calls stop."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable
from typing import Protocol

import aiohttp
import structlog
from pydantic import SecretStr

log = structlog.get_logger()

_WITHIN = aiohttp.ClientTimeout(total=10)
_REFUSED = 400


class Calls(Protocol):
    """The part of the configuration that is read here."""

    @property
    def dead_man_url(self) -> SecretStr | None: ...
    @property
    def dead_man_every(self) -> dt.timedelta: ...


class DeadMan:
    """Leaves the call out while something is not well. The address is a secret: whoever has it can silence the alarm."""

    def __init__(self, calls: Callable[[], Calls], http: aiohttp.ClientSession, unready: Callable[[], tuple[str, ...]]) -> None:
        """`calls` is asked each time."""
        self._calls, self._http, self._unready = calls, http, unready

    async def run(self) -> None:
        """Call until cancelled."""
        while True:
            await self.call()
            await asyncio.sleep(self._calls().dead_man_every.total_seconds())

    async def call(self) -> None:
        """Call once, unless it is switched off or something is not well; a failure is only logged, without the address."""
        url = self._calls().dead_man_url
        if url is None:
            return
        if lines := self._unready():
            log.warning("dead_man_left_out", reason="; ".join(lines))
            return
        try:
            async with self._http.get(url.get_secret_value(), timeout=_WITHIN) as answer:
                if answer.status >= _REFUSED:
                    log.warning("dead_man_not_heard", reason=f"HTTP {answer.status}")
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            log.warning("dead_man_not_heard", reason=type(error).__name__)
