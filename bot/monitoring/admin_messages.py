"""Queues messages for the admins in memory and sends them, retrying until Telegram accepts."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial

import structlog

from bot.errors import ChatGone, DeliveryError, RetryAfter, TelegramUnreachable, TokenRefused
from bot.monitoring.conditions import format_utc
from bot.monitoring.incidents import Incident, IncidentEvent, IncidentNotice
from bot.retry import Backoff
from bot.subscribers import ChatRef
from bot.telegram.html import cut
from bot.telegram.messenger import Messenger
from rules.engine.text import escape_html

log = structlog.get_logger()

FIRST_RETRY_DELAY, MAX_RETRY_DELAY = 2.0, 60.0
"""Seconds before unsent messages are tried again."""


_GONE_AFTER = 900.0
"""Seconds for which an admin's chat is refused before its messages are dropped."""


class AdminMessages:
    """A queue for each admin, sent by `run`. A newer message with the same name replaces the unsent one."""

    def __init__(self, messenger: Messenger, user_ids: Callable[[], Iterable[int]]) -> None:
        """`user_ids` is called at each message: a configuration reload may change the admins."""
        self._messenger, self._user_ids = messenger, user_ids
        self._waiting: defaultdict[int, dict[str, str]] = defaultdict(dict)
        self._woken = asyncio.Event()
        self._backoffs = defaultdict[int, Backoff](partial(Backoff, FIRST_RETRY_DELAY, MAX_RETRY_DELAY))
        self._not_before: dict[int, float] = {}
        """By admin whose last attempt failed, when the next is due, by the loop's clock."""
        self._gone_since: dict[int, float] = {}
        """By admin, since when Telegram refuses the chat, by the loop's clock."""

    def post_event(self, sentence: str) -> None:
        """Queue a sentence about something that happened once, such as rules that are no longer in effect."""
        # Its own name: the same sentence twice is one message, two different ones are two.
        self.post(sentence, f"🛠 {escape_html(sentence)}")

    def post(self, name: str, html: str) -> None:
        """Queue a message for every admin; an unsent one with the same name is out of date and dropped."""
        for user_id in self._user_ids():
            # Taken out first, so that the newer message stands at the end: in the order in which things happened.
            self._waiting[user_id].pop(name, None)
            self._waiting[user_id][name] = cut(html)
        self._woken.set()

    async def run(self) -> None:
        """Send queued messages until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            # None of the admins waits for another, whom Telegram may ask to wait for an hour.
            due_at = min(self._not_before.values(), default=None)
            with suppress(TimeoutError):
                async with asyncio.timeout_at(due_at):
                    await self._woken.wait()
            self._woken.clear()
            for user_id in [admin for admin in self._waiting if self._not_before.get(admin, 0.0) <= loop.time()]:
                self._not_before.pop(user_id, None)
                wait = await self._send_to(user_id)
                if self._waiting[user_id]:
                    self._not_before[user_id] = loop.time() + max(self._backoffs[user_id].next(), wait)
                else:
                    # The dictionaries would keep former admins.
                    del self._waiting[user_id]
                    self._backoffs.pop(user_id, None)

    async def _send_to(self, user_id: int) -> float:
        """Send an admin's queue in order; return the seconds that Telegram asks to wait, 0 if it does not."""
        waiting = self._waiting[user_id]
        for name, html in list(waiting.items()):
            try:
                await self._messenger.send(ChatRef(user_id), html, silent=False)
            except (RetryAfter, TelegramUnreachable, TokenRefused) as error:
                log.warning("admin_message_retry_scheduled", admin=user_id, reason=str(error))
                return error.seconds if isinstance(error, RetryAfter) else 0.0
            except DeliveryError as error:
                # One refusal says little: Telegram may refuse every chat for a while.
                now = asyncio.get_running_loop().time()
                if isinstance(error, ChatGone) and now - self._gone_since.setdefault(user_id, now) < _GONE_AFTER:
                    log.warning("admin_message_retry_scheduled", admin=user_id, reason=str(error))
                    return 0.0
                # This admin cannot be reached at all, such as one who has blocked the bot: the message is dropped.
                log.warning("admin_message_not_sent", admin=user_id, reason=str(error))
            else:
                self._gone_since.pop(user_id, None)
            if waiting.get(name) == html:  # a newer message may have replaced it during the request
                del waiting[name]
        return 0.0


def render_notice(notice: IncidentNotice) -> str:
    """Render a notice as a message in HTML."""
    name = f"<b>{notice.name}</b>"
    if notice.event is IncidentEvent.RESOLVED:
        opened_at, until = notice.since, notice.until
        period = f"from {format_utc(opened_at)} to {format_utc(until)}"
        if opened_at.date() == until.date():
            # Nearly always: then the day would be the longest part of the sentence and say nothing.
            period = f"from {opened_at:%H:%M:%S} to {until:%H:%M:%S} UTC"
        return f"✅ {name} is over: it lasted {describe_duration(until - opened_at)}, {period}."
    since = f", since {format_utc(notice.since)}" if notice.event is IncidentEvent.REMINDER else ""
    return f"🛠 {name}{since}: {escape_html(notice.detail)}"


def render_open_incident(name: str, incident: Incident) -> str:
    """Render an open incident as a plain line."""
    return f"🛠 {name}, since {format_utc(incident.opened_at)}: {incident.detail}"


def describe_duration(length: dt.timedelta) -> str:
    """Describe a duration in its largest useful unit."""
    # The clocks of two processes may differ by a moment.
    seconds = max(0, round(length.total_seconds()))
    if seconds < 120:
        return f"{seconds} s"
    minutes = round(seconds / 60)
    if minutes < 120:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours < 48 else f"{hours // 24} days"
