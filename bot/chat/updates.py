"""Receives updates from Telegram: by long polling that loses none, or by webhook."""

from __future__ import annotations

import asyncio
import hmac
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import msgspec
import structlog
from aiohttp import web
from telegram import Update
from telegram.constants import ChatType
from telegram.error import Conflict, InvalidToken, RetryAfter, TelegramError, TimedOut
from telegram.ext import ExtBot

from bot.chat.reply_retrier import read_retry_after
from bot.config.models import WebhookSettings
from bot.errors import StorageError, UserMistake, explain_bind_error
from bot.retry import Backoff
from bot.web_server import ThrottledLog, serve_application

log = structlog.get_logger()

ALLOWED_UPDATES = ("message", "edited_message", "channel_post", "callback_query", "my_chat_member", "inline_query")

_POLL_TIMEOUT = 25
"""Seconds that Telegram may hold the request while there are no updates."""

_FIRST_POLL_DELAY, _MAX_POLL_DELAY = 1.0, 30.0
"""Seconds between polls that fail."""

_CONFIRM_TIMEOUT = 1.0
"""Seconds that stopping waits for the last request."""

_LOG_REPEAT_INTERVAL = 3600.0
"""Seconds until the same problem is logged again."""

SECOND_PROCESS = "second-process", "another process polls this bot token; stop it, or give each process a token of its own"
"""A condition of the monitoring, and the sentence for admins."""

WEBHOOK_SET = (
    "webhook-set",
    "this bot token has a webhook, so its updates go there; remove it with Telegram's deleteWebhook, or use a token of its own",
)

TOKEN_REFUSED_TEXT = "Telegram refuses the bot token; put the right one at telegram.token"  # noqa: S105  # a sentence


class UpdatePoller:
    """Fetches updates by long polling and hands them over one by one.

    python-telegram-bot's own polling parses a batch as a whole: one update that it cannot parse drops the batch, is never
    confirmed, and comes again at once, for ever. This one takes each update by itself.
    """

    def __init__(
        self,
        bot: ExtBot[Any],
        on_update: Callable[[Update], Awaitable[None]],
        on_conflict: Callable[[str, str], None],
        on_polling: Callable[[], None],
    ) -> None:
        """`on_conflict` is called with a condition and a sentence if somebody else gets the updates, `on_polling` after every
        poll that brings them here."""
        self._bot, self._on_update = bot, on_update
        self._on_conflict, self._on_polling = on_conflict, on_polling
        self._offset = self._confirmed = 0
        self._has_polled = False
        self._logged_at: dict[str, float] = {}

    async def run(self) -> None:
        """Poll until cancelled."""
        delay = 0.0
        try:
            while True:
                delay = await self._poll(delay)
                if delay:
                    await asyncio.sleep(delay)
        finally:
            # Telegram counts updates as taken when the next poll asks for those after them. Without this last request the
            # commands of the last batch would be answered again after a restart.
            await self._confirm()

    async def _poll(self, last_delay: float) -> float:
        """Poll once. Return the seconds to wait before the next poll."""
        # Grows slowly: the usual cause is a short outage, and people wait for their answers.
        longer_delay = min(max(_FIRST_POLL_DELAY, last_delay * 1.6), _MAX_POLL_DELAY)
        try:
            batch = await self._fetch(_POLL_TIMEOUT)
        except TimedOut:
            # A long poll that ends without an answer is usual on a bad line, so this is no reason to wait longer.
            # Not at once: a proxy that closes each request immediately would be asked without end.
            return 0.2
        except RetryAfter as error:
            return read_retry_after(error) + 0.5
        except Conflict as error:
            is_webhook = "webhook" in error.message
            # Removed at the start already, which may have failed. One that is set while updates come is somebody else's.
            if is_webhook and not self._has_polled and await delete_webhook(self._bot):
                return longer_delay
            condition, sentence = WEBHOOK_SET if is_webhook else SECOND_PROCESS
            self._log_throttled(sentence)
            self._on_conflict(condition, sentence)
        except InvalidToken:
            self._log_throttled(TOKEN_REFUSED_TEXT)
        except TelegramError as error:
            log.warning("updates_not_fetched", reason=str(error))
        except Exception as error:
            # JSON that no Bot API answers with: a proxy between us and Telegram.
            log.warning("updates_not_fetched", reason=repr(error))
        else:
            self._has_polled = True
            self._on_polling()
            # An answer that moves nothing on, such as one without readable updates, would come again at once.
            return 0.0 if await self._take_batch(batch) else longer_delay
        return longer_delay

    async def _fetch(self, seconds: int) -> Any:
        # The public `do_api_request` warns at every call that `get_updates` exists; that one parses the batch as a whole.
        offset = self._offset
        batch = await self._bot._post(
            "getUpdates",
            {"offset": offset, "timeout": seconds, "allowed_updates": list(ALLOWED_UPDATES)},
            # Telegram answers after `seconds`; only a dead connection takes longer.
            read_timeout=seconds + 10.0,
        )
        self._confirmed = offset
        return batch

    async def _take_batch(self, batch: Any) -> bool:
        """Hand over each update. Return True if the next poll can bring others."""
        offset, answered = self._offset, Counter[int]()
        for raw in batch if isinstance(batch, list) else ():
            sender = _find_flooder(raw)
            if sender is not None:
                answered[sender] += 1
                # The rate limit would drop it too, but only after it was parsed and queued: others wait behind 18,000 of them.
                if answered[sender] > MAX_ANSWERED_IN_BATCH:
                    self._offset = raw["update_id"] + 1
                    continue
            await self._take_update(raw)
        return batch == [] or self._offset != offset

    async def _take_update(self, raw: Any) -> None:
        update_id = raw.get("update_id") if isinstance(raw, dict) else None
        if not isinstance(update_id, int):
            log.warning("update_unreadable", reason="it has no number")
            return
        # Before it is parsed and handled: an update that makes either fail is not fetched again.
        self._offset = update_id + 1
        try:
            update = Update.de_json(raw, self._bot)
        except Exception as error:
            log.warning("update_unreadable", update=update_id, reason=repr(error))
            return
        await self._on_update(update)

    async def _confirm(self) -> None:
        # Nothing came since the last poll, which has confirmed everything before it.
        if self._confirmed == self._offset:
            return
        try:
            async with asyncio.timeout(_CONFIRM_TIMEOUT):
                await self._fetch(0)
        except (TelegramError, TimeoutError) as error:
            log.warning("updates_not_confirmed", reason=str(error) or "no answer in time")

    def _log_throttled(self, sentence: str) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._logged_at.get(sentence, -_LOG_REPEAT_INTERVAL) >= _LOG_REPEAT_INTERVAL:
            self._logged_at[sentence] = now
            log.error("updates_stopped", reason=sentence)


MAX_ANSWERED_IN_BATCH = 25
"""Texts and presses of one user that are looked at in one batch; of these the rate limit lets 20 through, and one a second."""


def _find_flooder(raw: Any) -> int | None:
    """Return the id of who asks the bot for something that may be dropped; None for what has to be taken.

    That is a press, an inline query, a text in private, or a command in a group. A bot without privacy mode also gets what people
    of a group write to each other, which must not use up what they may ask.
    """
    if not isinstance(raw, dict) or not isinstance(raw.get("update_id"), int):
        return None
    for kind in ("message", "callback_query", "inline_query"):
        found = raw.get(kind)
        # Only texts: a message may also say that a group has migrated.
        if isinstance(found, dict) and (kind != "message" or _is_request(found)) and isinstance(found.get("from"), dict):
            sender = found["from"].get("id")
            # Anonymous administrators of all groups write in one user's name.
            return sender if isinstance(sender, int) and "sender_chat" not in found else None
    return None


def _is_request(message: dict[str, Any]) -> bool:
    text, chat = message.get("text"), message.get("chat")
    is_private = isinstance(chat, dict) and chat.get("type") == ChatType.PRIVATE
    return isinstance(text, str) and (is_private or text.startswith("/"))


_SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105  # a header's name

# An update has a few kilobytes: Telegram's longest text is 4,096 characters.
_MAX_BODY_SIZE = 2**20

_BODY_TIMEOUT = 20.0
"""Seconds in which a request has to be here."""

_FIRST_WEBHOOK_DELAY, _MAX_WEBHOOK_DELAY = 1.0, 30.0
"""Seconds between attempts to register the webhook."""


WEBHOOK_CHECK_INTERVAL = 300.0
"""Seconds between looks at whether Telegram still has the webhook."""


class WebhookServer:
    """Receives updates at an address and answers each when it was handled, so that one cut off by a kill comes again."""

    def __init__(
        self,
        bot: ExtBot[Any],
        settings: WebhookSettings,
        on_update: Callable[[Update], Awaitable[None]],
        on_stop: Callable[[], None] | None = None,
        check_interval: float = WEBHOOK_CHECK_INTERVAL,
    ) -> None:
        """`on_update` raises StorageError if Telegram should bring the update again. `on_stop` makes the updates that are being
        handled end soon: stopping waits for them. `check_interval` is in seconds."""
        self._bot, self._settings, self._on_update, self._on_stop = bot, settings, on_update, on_stop
        self._check_interval = check_interval
        self._refused_log = ThrottledLog()

    async def run(self) -> None:
        """Receive until cancelled. Raise UserMistake if the port cannot be listened on."""
        async with self.serve() as port:
            log.info("webhook_served", port=port)
            while True:
                await self._register()
                await self._wait_until_replaced()

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[int]:
        """Listen while the block runs. Gives the port."""
        app = web.Application(client_max_size=_MAX_BODY_SIZE)
        app.router.add_post(urlsplit(self._settings.url).path or "/", self._on_request)
        host, _, port = self._settings.listen.rpartition(":")
        async with AsyncExitStack() as stack:
            try:
                found = await stack.enter_async_context(serve_application(app, host.strip("[]"), int(port)))
            except (OSError, UnicodeError) as error:
                sentence = f"telegram.webhook.listen: cannot listen on {self._settings.listen}: {explain_bind_error(error)}"
                raise UserMistake(f"{sentence}; choose another") from error
            if self._on_stop is not None:
                # Before the server is closed, which waits for the updates that are being handled.
                stack.callback(self._on_stop)
            # With port 0 the system chooses, and tests ask here which.
            yield found

    async def _register(self) -> None:
        """Tell Telegram the address, again and again until it takes it."""
        backoff = Backoff(_FIRST_WEBHOOK_DELAY, _MAX_WEBHOOK_DELAY)
        secret = self._settings.secret_token.get_secret_value()
        while True:
            try:
                # Repeated at every start: the address or the secret may have changed in the configuration.
                await self._bot.set_webhook(self._settings.url, allowed_updates=list(ALLOWED_UPDATES), secret_token=secret)
            except TelegramError as error:
                delay = backoff.next()
                log.warning("webhook_not_set", reason=str(error), retry_in=delay)
                await asyncio.sleep(delay)
            else:
                # Not the whole address: its path often keeps strangers away, and it may have a password.
                log.info("webhook_set", host=urlsplit(self._settings.url).hostname)
                return

    async def _wait_until_replaced(self) -> None:
        """Return once Telegram has another address, or none: whoever polls with the same token for a moment removes it."""
        while True:
            await asyncio.sleep(self._check_interval)
            try:
                address = (await self._bot.get_webhook_info()).url
            except Exception as error:
                # Also JSON that no Bot API answers with: a proxy between us and Telegram.
                log.info("webhook_not_checked", reason=str(error) if isinstance(error, TelegramError) else repr(error))
                continue
            if address != self._settings.url:
                log.warning("webhook_lost", is_removed=not address)
                return

    async def _on_request(self, request: web.Request) -> web.Response:
        secret = self._settings.secret_token.get_secret_value()
        # compare_digest takes the same time for every wrong secret, so it cannot be guessed letter by letter.
        # A header's bytes that are no UTF-8 come as surrogates, and are compared as the bytes that they were.
        given = request.headers.get(_SECRET_HEADER, "").encode("utf-8", "surrogateescape")
        if not hmac.compare_digest(given, secret.encode()):
            if count := self._refused_log.count_to_log():
                log.warning("webhook_request_refused", reason="the secret is missing or wrong", count=count)
            return web.Response(status=403)
        try:
            async with asyncio.timeout(_BODY_TIMEOUT):
                body = await request.read()
        except TimeoutError:
            return web.Response(status=408)
        try:
            update = Update.de_json(msgspec.json.decode(body), self._bot)
        except Exception as error:
            # Taken all the same: Telegram would bring it again and again, and it would fail each time.
            log.warning("update_unreadable", reason=repr(error))
            return web.Response()
        try:
            await self._on_update(update)
        except StorageError as error:
            # Telegram repeats what is not answered with 200. The database may be back by then.
            log.warning("update_retry_requested", update=update.update_id, reason=str(error))
            return web.Response(status=503)
        return web.Response()


async def delete_webhook(bot: ExtBot[Any]) -> bool:
    """Remove the bot's webhook: while there is one, Telegram refuses polling. Return False if that fails."""
    try:
        await bot.delete_webhook()
    except TelegramError as error:
        log.warning("webhook_not_deleted", reason=str(error))
        return False
    return True
