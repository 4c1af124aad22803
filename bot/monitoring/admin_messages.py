"""Messages for the admins, kept until sent."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections import defaultdict
from collections.abc import Iterable

import structlog

from bot.errors import DeliveryError, RetryAfter, TelegramUnreachable, TokenRefused
from bot.monitoring.conditions import format_utc
from bot.monitoring.incidents import Incident, IncidentEvent, IncidentNotice
from bot.retry import Backoff
from bot.subscribers import ChatRef
from bot.telegram.messenger import Messenger
from rules.engine.text import escape_html

log = structlog.get_logger()

FIRST_RETRY_DELAY, MAX_RETRY_DELAY = 2.0, 60.0
"""Seconds until what could not be brought is tried again."""


class AdminMessages:
    """Keeps for each admin what is still to be said, and says it."""

    def __init__(self, messenger: Messenger, user_ids: Iterable[int]) -> None:
        """`user_ids` are looked at anew each time."""
        self._messenger, self._user_ids = messenger, user_ids
        self._waiting: defaultdict[int, dict[str, str]] = defaultdict(dict)
        self._woken = asyncio.Event()

    async def tell(self, sentence: str) -> None:
        """Something happened that every admin who has started the bot should know."""
        self.post(sentence, render_event(sentence))

    def post(self, name: str, html: str) -> None:
        """Say something to everybody soon; what waits under the same name is out of date and not said."""
        for user_id in self._user_ids:
            self._waiting[user_id].pop(name, None)
            self._waiting[user_id][name] = html
        self._woken.set()

    async def run(self) -> None:
        """Bring what waits, for ever."""
        backoff = Backoff(FIRST_RETRY_DELAY, MAX_RETRY_DELAY)
        while True:
            await self._woken.wait()
            self._woken.clear()
            longer = await self._bring()
            if self._waiting:
                await asyncio.sleep(max(backoff.next(), longer))
                self._woken.set()
            else:
                backoff.reset()

    async def _bring(self) -> float:
        """Try all once; the seconds that Telegram asks to wait."""
        waits = [await self._bring_to(user_id) for user_id in list(self._waiting)]
        self._waiting = defaultdict(dict, {user_id: left for user_id, left in self._waiting.items() if left})
        return max(waits, default=0.0)

    async def _bring_to(self, user_id: int) -> float:
        waiting = self._waiting[user_id]
        for name, html in list(waiting.items()):
            try:
                await self._messenger.send(ChatRef(user_id), html, silent=False)
            except (RetryAfter, TelegramUnreachable, TokenRefused) as error:
                log.warning("admin_not_reached", admin=user_id, reason=str(error))
                return error.seconds if isinstance(error, RetryAfter) else 0.0
            except DeliveryError as error:
                log.warning("admin_not_told", admin=user_id, reason=str(error))
            if waiting.get(name) == html:  # else there was news of it meanwhile
                del waiting[name]
        return 0.0


def render_notice(telling: IncidentNotice) -> str:
    """A telling as a message."""
    name = f"<b>{telling.name}</b>"
    if telling.what is IncidentEvent.OVER:
        lasted = describe_duration(telling.until - telling.since)
        return f"✅ {name} is over: it lasted {lasted}, {_describe_period(telling.since, telling.until)}."
    since = f", since {format_utc(telling.since)}" if telling.what is IncidentEvent.LASTS else ""
    return f"🛠 {name}{since}: {escape_html(telling.detail)}"


def render_open_incident(name: str, standing: Incident) -> str:
    """A trouble that lasts, in plain words."""
    return f"🛠 {name}, since {format_utc(standing.since)}: {standing.detail}"


def render_event(sentence: str) -> str:
    """Something that happened, and is no trouble that lasts."""
    return f"🛠 {escape_html(sentence)}"


def describe_duration(length: dt.timedelta) -> str:
    """A length of time, as exact as is of use."""
    seconds = max(0, round(length.total_seconds()))
    if seconds < 120:
        return f"{seconds} s"
    minutes = round(seconds / 60)
    if minutes < 120:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours < 48 else f"{hours // 24} days"


def _describe_period(since: dt.datetime, until: dt.datetime) -> str:
    same_day = since.date() == until.date()
    return f"from {since:%H:%M:%S} to {until:%H:%M:%S} UTC" if same_day else f"from {format_utc(since)} to {format_utc(until)}"
