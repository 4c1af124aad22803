"""Updates from Telegram: long polling that loses none, or webhook."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import msgspec
import structlog
from aiohttp import web
from telegram import Update
from telegram.error import Conflict, InvalidToken, RetryAfter, TelegramError, TimedOut
from telegram.ext import ExtBot

from bot.chat.replies import read_retry_after
from bot.config.models import WebhookSettings
from bot.errors import StorageError, UserMistake, explain_bind_error

log = structlog.get_logger()

ALLOWED_UPDATES = ("message", "edited_message", "channel_post", "callback_query", "my_chat_member", "inline_query")

_POLL_TIMEOUT = 25
"""Seconds that Telegram may hold an empty answer."""

_MAX_POLL_DELAY = 30.0

_CONFIRM_TIMEOUT = 1.0
"""Seconds that a stop waits for the last poll."""

_LOG_REPEAT_INTERVAL = 3600.0
"""Seconds until the same trouble is logged again."""

SECOND_PROCESS = "second-process", "another process polls this bot token; stop it, or give each process a token of its own"

WEBHOOK_SET = (
    "webhook-set",
    "this bot token has a webhook, so its updates go there; remove it with Telegram's deleteWebhook, or use a token of its own",
)

TOKEN_REFUSED_TEXT = "Telegram refuses the bot token; put the right one at telegram.token and start again"  # noqa: S105  # a sentence


class UpdatePoller:
    """Fetches updates for ever and hands each to `take`."""

    def __init__(
        self,
        bot: ExtBot[Any],
        take: Callable[[Update], Awaitable[None]],
        on_trouble: Callable[[str, str], None],
        on_fine: Callable[[], None],
    ) -> None:
        """`on_trouble` hears the name of a trouble and a sentence where somebody else gets the updates; `on_fine`, when we do."""
        self._bot, self._take = bot, take
        self._on_trouble, self._on_fine = on_trouble, on_fine
        self._offset = self._confirmed = 0
        self._logged_at: dict[str, float] = {}

    async def run(self) -> None:
        """Poll until cancelled; then confirm what was taken, so that no command is answered again after a restart."""
        pause = 0.0
        try:
            while True:
                pause = await self._poll(pause)
                if pause:
                    await asyncio.sleep(pause)
        finally:
            await self._confirm()

    async def _poll(self, last_pause: float) -> float:
        """One request; the seconds to wait before the next."""
        longer = min(max(1.0, last_pause * 1.6), _MAX_POLL_DELAY)
        try:
            batch = await self._fetch(_POLL_TIMEOUT)
        except TimedOut:
            return 0.2
        except RetryAfter as error:
            return read_retry_after(error) + 0.5
        except Conflict as error:
            self._name_trouble(*(WEBHOOK_SET if "webhook" in error.message else SECOND_PROCESS))
        except InvalidToken:
            self._log(TOKEN_REFUSED_TEXT)
        except TelegramError as error:
            log.warning("updates_not_fetched", reason=str(error))
        except Exception as error:  # an answer in JSON that no Bot API gives: something stands in between
            log.warning("updates_not_fetched", reason=repr(error))
        else:
            self._on_fine()
            return 0.0 if await self._all(batch) else longer
        return longer

    async def _fetch(self, seconds: int) -> Any:
        # The public `do_api_request` warns at every call that `get_updates` exists; that one reads the batch as a whole.
        offset = self._offset
        batch = await self._bot._post(
            "getUpdates",
            {"offset": offset, "timeout": seconds, "allowed_updates": list(ALLOWED_UPDATES)},
            read_timeout=seconds + 10.0,
        )
        self._confirmed = offset
        return batch

    async def _confirm(self) -> None:
        if self._confirmed == self._offset:
            return
        try:
            async with asyncio.timeout(_CONFIRM_TIMEOUT):
                await self._fetch(0)
        except (TelegramError, TimeoutError) as error:
            log.warning("updates_not_confirmed", reason=str(error) or "no answer in time")

    async def _all(self, batch: Any) -> bool:
        """Take each update; tell whether the next poll will bring others."""
        offset = self._offset
        for raw in batch if isinstance(batch, list) else ():
            await self._one(raw)
        return batch == [] or self._offset != offset

    async def _one(self, raw: Any) -> None:
        number = raw.get("update_id") if isinstance(raw, dict) else None
        if not isinstance(number, int):
            log.warning("update_unreadable", reason="it has no number")
            return
        self._offset = number + 1
        try:
            update = Update.de_json(raw, self._bot)
        except Exception as error:
            log.warning("update_unreadable", update=number, reason=repr(error))
            return
        await self._take(update)

    def _name_trouble(self, name: str, sentence: str) -> None:
        self._log(sentence)
        self._on_trouble(name, sentence)

    def _log(self, sentence: str) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._logged_at.get(sentence, -_LOG_REPEAT_INTERVAL) >= _LOG_REPEAT_INTERVAL:
            self._logged_at[sentence] = now
            log.error("updates_stopped", reason=sentence)


_SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105  # a header's name

_MAX_BODY_SIZE = 2**20

_MAX_WEBHOOK_DELAY = 30.0


class WebhookServer:
    """Hears Telegram at an address and hands each update to `take`, which deals with it before it returns."""

    def __init__(
        self,
        bot: ExtBot[Any],
        settings: WebhookSettings,
        on_update: Callable[[Update], Awaitable[None]],
        on_stop: Callable[[], None] | None = None,
    ) -> None:
        """`on_update` raises StorageError if Telegram should bring the update again. `on_stop` makes the updates that are being
        handled end soon: stopping waits for them."""
        self._bot, self._settings, self._on_update, self._on_stop = bot, settings, on_update, on_stop

    async def run(self) -> None:
        """Hear until cancelled. Raise UserMistake where the port cannot be listened on."""
        async with self.serving():
            await self._announce()
            await asyncio.Event().wait()

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[int]:
        """Listen while the block runs; the port."""
        app = web.Application(client_max_size=_MAX_BODY_SIZE)
        app.router.add_post(urlsplit(self._settings.url).path or "/", self._hear)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        try:
            host, _, port = self._settings.listen.rpartition(":")
            try:
                await web.TCPSite(runner, host.strip("[]"), int(port)).start()
            except OSError as error:
                sentence = f"telegram.webhook.listen: cannot listen on {self._settings.listen}: {explain_bind_error(error)}"
                raise UserMistake(f"{sentence}; choose another") from error
            yield runner.addresses[0][1]
        finally:
            if self._on_stop is not None:
                self._on_stop()
            await runner.cleanup()

    async def _announce(self) -> None:
        """Tell Telegram where to bring updates, again and again until it has heard."""
        pause, secret = 1.0, self._settings.secret_token.get_secret_value()
        while True:
            try:
                await self._bot.set_webhook(self._settings.url, allowed_updates=list(ALLOWED_UPDATES), secret_token=secret)
            except TelegramError as error:
                log.warning("webhook_not_set", reason=str(error), retry_in=pause)
                await asyncio.sleep(pause)
                pause = min(pause * 2, _MAX_WEBHOOK_DELAY)
            else:
                log.info("webhook_set", url=self._settings.url)
                return

    async def _hear(self, request: web.Request) -> web.Response:
        secret = self._settings.secret_token.get_secret_value()
        if not hmac.compare_digest(request.headers.get(_SECRET_HEADER, "").encode(), secret.encode()):
            log.warning("webhook_refused", reason="the secret is missing or wrong")
            return web.Response(status=403)
        update = self._read(await request.read())
        if update is not None:
            try:
                await self._on_update(update)
            except StorageError as error:
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


async def delete_webhook(bot: ExtBot[Any]) -> None:
    """Fetched updates and brought ones exclude each other: let Telegram bring none."""
    try:
        await bot.delete_webhook()
    except TelegramError as error:
        log.warning("webhook_not_deleted", reason=str(error))
