"""Long polling that loses no batch: each update is read by itself, so that one that cannot be read does not hold up the rest.

python-telegram-bot's own updater drops and asks again for a whole batch when one of its updates cannot be parsed. An update
is confirmed to Telegram by the next poll, before its answer may have been sent: a process that dies in between loses the
command, never an alert.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from telegram import Update
from telegram.error import Conflict, InvalidToken, RetryAfter, TelegramError, TimedOut
from telegram.ext import ExtBot

log = structlog.get_logger()

ALLOWED = ("message", "edited_message", "channel_post", "callback_query", "my_chat_member", "inline_query")
_POLL = 25
"""Seconds that Telegram may hold an empty answer."""
_LONGEST_PAUSE = 30.0
SECOND_PROCESS = "another process polls this bot token; stop it, or give each process a token of its own"


class Updates:
    """Fetches updates for ever and hands each to `take`."""

    def __init__(
        self, bot: ExtBot[Any], take: Callable[[Update], Awaitable[None]], on_trouble: Callable[[str], Awaitable[None]]
    ) -> None:
        """`on_trouble` hears a sentence when a person is needed: a refused token, a second process."""
        self._bot, self._take, self._on_trouble = bot, take, on_trouble
        self._offset = 0
        self._trouble = ""

    async def run(self) -> None:
        """Poll until cancelled."""
        pause = 0.0
        while True:
            pause = await self._poll(pause)
            if pause:
                await asyncio.sleep(pause)

    async def _poll(self, last_pause: float) -> float:
        """One request; the seconds to wait before the next."""
        try:
            batch = await self._fetch()
        except TimedOut:
            return 0.2
        except RetryAfter as error:
            return _seconds(error) + 0.5
        except Conflict:
            await self._tell(SECOND_PROCESS)
        except InvalidToken:
            await self._tell("Telegram refuses the bot token; put the right one at telegram.token and start again")
        except TelegramError as error:
            log.warning("updates_not_fetched", reason=str(error))
        else:
            self._trouble = ""
            for raw in batch:
                await self._one(raw)
            return 0.0
        return min(max(1.0, last_pause * 1.6), _LONGEST_PAUSE)

    async def _fetch(self) -> list[dict[str, Any]]:
        # The public `do_api_request` warns at every call that `get_updates` exists; that one reads the batch as a whole.
        batch: list[dict[str, Any]] = await self._bot._post(
            "getUpdates",
            {"offset": self._offset, "timeout": _POLL, "allowed_updates": list(ALLOWED)},
            read_timeout=_POLL + 10.0,
        )
        return batch

    async def _one(self, raw: dict[str, Any]) -> None:
        self._offset = max(self._offset, int(raw.get("update_id", -1)) + 1)
        try:
            update = Update.de_json(raw, self._bot)
        except Exception as error:
            log.warning("update_unreadable", update=raw.get("update_id"), reason=repr(error))
            return
        await self._take(update)

    async def _tell(self, sentence: str) -> None:
        if sentence != self._trouble:
            self._trouble = sentence
            log.error("updates_stopped", reason=sentence)
            await self._on_trouble(sentence)


def _seconds(error: RetryAfter) -> float:
    after = error.retry_after
    return after if isinstance(after, int | float) else after.total_seconds()
