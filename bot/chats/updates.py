"""Long polling that loses no batch: each update is read by itself, so that one that cannot be read does not hold up the rest.

python-telegram-bot's own updater drops and asks again for a whole batch when one of its updates cannot be parsed. An update
is confirmed to Telegram by the next poll, or by a last one at the stop, before its answer may have been sent: a process that
dies in between loses the command, never an alert.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from telegram import Update
from telegram.error import Conflict, InvalidToken, RetryAfter, TelegramError, TimedOut
from telegram.ext import ExtBot

from bot.chats.patience import seconds

log = structlog.get_logger()

ALLOWED = ("message", "edited_message", "channel_post", "callback_query", "my_chat_member", "inline_query")
_POLL = 25
"""Seconds that Telegram may hold an empty answer."""
_LONGEST_PAUSE = 30.0
_CONFIRM_WITHIN = 1.0
"""Seconds that a stop waits for the last poll."""
_REMIND = 3600.0
"""Seconds until the same trouble is logged again."""
SECOND_PROCESS = "second-process", "another process polls this bot token; stop it, or give each process a token of its own"
WEBHOOK = (
    "webhook-set",
    "this bot token has a webhook, so its updates go there; remove it with Telegram's deleteWebhook, or use a token of its own",
)
REFUSED = "Telegram refuses the bot token; put the right one at telegram.token and start again"


class Updates:
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
        longer = min(max(1.0, last_pause * 1.6), _LONGEST_PAUSE)
        try:
            batch = await self._fetch(_POLL)
        except TimedOut:
            return 0.2
        except RetryAfter as error:
            return seconds(error) + 0.5
        except Conflict as error:
            self._name_trouble(*(WEBHOOK if "webhook" in error.message else SECOND_PROCESS))
        except InvalidToken:
            self._log(REFUSED)
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
            {"offset": offset, "timeout": seconds, "allowed_updates": list(ALLOWED)},
            read_timeout=seconds + 10.0,
        )
        self._confirmed = offset
        return batch

    async def _confirm(self) -> None:
        if self._confirmed == self._offset:
            return
        try:
            async with asyncio.timeout(_CONFIRM_WITHIN):
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
        if now - self._logged_at.get(sentence, -_REMIND) >= _REMIND:
            self._logged_at[sentence] = now
            log.error("updates_stopped", reason=sentence)
