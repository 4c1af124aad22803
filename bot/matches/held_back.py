"""Notifies chats, once, that a match which they chose is held back: `limits.matches` others are being followed."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from functools import partial

import structlog

from bot.clock import Clock
from bot.i18n.football import format_title
from bot.i18n.language import in_each_language
from bot.i18n.language import translate as _
from bot.matches.connection_plan import LONGEST_MATCH
from bot.outbox.outbox import Outbox, make_notice
from bot.retry import retry_while_database_unavailable
from bot.sharing import share_event_loop
from bot.storage.subscriptions import SubscriptionRepository
from bot.subscribers import ChatRef
from rules.engine.alert import Alert
from rules.engine.text import escape_html
from rules.football.action import Fixture

log = structlog.get_logger()


def held_back_text(fixture: Fixture) -> str:
    """Return the message about a match that is held back, as HTML in the current language."""
    return _(
        "⏳ No alerts for {match} yet: the bot is already following as many matches as it can. "
        "They start as soon as one of those ends."
    ).format(match=f"<b>{escape_html(format_title(fixture))}</b>")


class HeldBackNotices:
    """Puts the notices into the outbox, which sends each of them once, whichever process puts it and however often."""

    def __init__(self, outbox: Outbox, subscriptions: SubscriptionRepository, clock: Clock) -> None:
        self._outbox, self._subscriptions, self._clock = outbox, subscriptions, clock
        # The scheduler asks in the middle of its plan, and must not wait for the database.
        self._waiting: asyncio.Queue[Fixture] = asyncio.Queue()

    def request(self, fixtures: Collection[Fixture]) -> None:
        """Notify the chats that chose these matches, soon."""
        for fixture in fixtures:
            self._waiting.put_nowait(fixture)

    async def run(self) -> None:
        """Notify until cancelled."""
        while True:
            fixture = await self._waiting.get()
            await retry_while_database_unavailable(partial(self._notify, fixture))

    async def mark_as_known(self, ref: ChatRef, fixture: Fixture) -> None:
        """Note that an answer to the chat said it, so that no message follows."""
        await self._outbox.put_for_chat(ref, self._make_notice(ref, fixture), is_known=True)

    async def _notify(self, fixture: Fixture) -> None:
        refs = await self._subscriptions.get_chats_that_chose(fixture)
        # A transaction on SQLite does not wait, and a team may have tens of thousands of chats.
        async for ref in share_event_loop(refs):
            await self._outbox.put_for_chat(ref, self._make_notice(ref, fixture))
        log.info("match_held_back", fixture=fixture.id, match=fixture.title, chats=len(refs))

    def _make_notice(self, ref: ChatRef, fixture: Fixture) -> Alert:
        texts = in_each_language(lambda: held_back_text(fixture))
        # In a chat that was muted or unreachable it would be of no use after the match.
        return make_notice(ref, f"held-back:{fixture.id}", texts, self._clock.now(), LONGEST_MATCH.total_seconds())
