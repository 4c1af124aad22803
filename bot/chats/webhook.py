"""Updates that Telegram brings, in place of those that are fetched: several processes may take them at once.

An update is answered with 200 when it was dealt with and not before: one that a process dies over, or for which the database was
away, Telegram brings again.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Protocol
from urllib.parse import urlsplit

import msgspec
import structlog
from aiohttp import web
from pydantic import SecretStr
from telegram import Update
from telegram.error import TelegramError
from telegram.ext import ExtBot

from bot.chats.speak import give_up
from bot.chats.updates import ALLOWED
from bot.errors import StoreError, UserMistake
from bot.ports import why_not

log = structlog.get_logger()

_SECRET = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105  # a header's name
_LARGEST = 2**20
_LONGEST_PAUSE = 30.0


class Settings(Protocol):
    """The part of the configuration that is read here."""

    @property
    def url(self) -> str: ...
    @property
    def listen(self) -> str: ...
    @property
    def secret_token(self) -> SecretStr: ...


class Webhook:
    """Hears Telegram at an address and hands each update to `take`, which deals with it before it returns."""

    def __init__(self, bot: ExtBot[Any], settings: Settings, take: Callable[[Update], Awaitable[None]]) -> None:
        """`take` raises StoreError where the update should come again."""
        self._bot, self._settings, self._take = bot, settings, take

    async def run(self) -> None:
        """Hear until cancelled. Raise UserMistake where the port cannot be listened on."""
        async with self.serving():
            await self._announce()
            await asyncio.Event().wait()

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[int]:
        """Listen while the block runs; the port."""
        app = web.Application(client_max_size=_LARGEST)
        app.router.add_post(urlsplit(self._settings.url).path or "/", self._hear)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        try:
            host, _, port = self._settings.listen.rpartition(":")
            try:
                await web.TCPSite(runner, host.strip("[]"), int(port)).start()
            except OSError as error:
                sentence = f"telegram.webhook.listen: cannot listen on {self._settings.listen}: {why_not(error)}"
                raise UserMistake(f"{sentence}; choose another") from error
            yield runner.addresses[0][1]
        finally:
            give_up()  # the cleanup waits for the updates that are being dealt with
            await runner.cleanup()

    async def _announce(self) -> None:
        """Tell Telegram where to bring updates, again and again until it has heard."""
        pause, secret = 1.0, self._settings.secret_token.get_secret_value()
        while True:
            try:
                await self._bot.set_webhook(self._settings.url, allowed_updates=list(ALLOWED), secret_token=secret)
            except TelegramError as error:
                log.warning("webhook_not_set", reason=str(error), retry_in=pause)
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
            else:
                log.info("webhook_set", url=self._settings.url)
                return

    async def _hear(self, request: web.Request) -> web.Response:
        secret = self._settings.secret_token.get_secret_value()
        if not hmac.compare_digest(request.headers.get(_SECRET, "").encode(), secret.encode()):
            log.warning("webhook_refused", reason="the secret is missing or wrong")
            return web.Response(status=403)
        update = self._read(await request.read())
        if update is not None:
            try:
                await self._take(update)
            except StoreError as error:
                log.warning("update_put_off", update=update.update_id, reason=str(error))
                return web.Response(status=503)
        return web.Response()

    def _read(self, body: bytes) -> Update | None:
        """One update; None where it cannot be read, now or later."""
        try:
            return Update.de_json(msgspec.json.decode(body), self._bot)
        except Exception as error:  # whatever it is, it would be the same the next time
            log.warning("update_unreadable", reason=repr(error))
            return None


async def forget(bot: ExtBot[Any]) -> None:
    """Fetched updates and brought ones exclude each other: let Telegram bring none."""
    try:
        await bot.delete_webhook()
    except TelegramError as error:
        log.warning("webhook_not_deleted", reason=str(error))
