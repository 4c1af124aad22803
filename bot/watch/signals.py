"""Conditions that parts report by themselves, when they begin and when they are over."""

from __future__ import annotations

import asyncio
import datetime as dt

import structlog

from bot.clock import Clock
from bot.watch import words

log = structlog.get_logger()

REFUSED_TEXT_LASTS = dt.timedelta(minutes=10)
"""So long after a text was refused it is taken to be so still: only the next alert would tell."""


class Signals:
    """What is reported to hold now, a sentence by its name in bot/watch/troubles.py."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._held: dict[str, str] = {}
        self._until: dict[str, dt.datetime] = {}
        self.changed = asyncio.Event()
        """Set when something is other than before."""

    def now(self) -> dict[str, str]:
        """All that holds."""
        over = [name for name, until in self._until.items() if until <= self._clock.now()]
        for name in over:
            self.end(name)
        return dict(self._held)

    def begin(self, name: str, sentence: str, lasts: dt.timedelta | None = None) -> None:
        """A condition holds: until it ends, or for so long."""
        if self._held.get(name) != sentence:
            self.changed.set()
        self._held[name] = sentence
        self._until.pop(name, None)
        if lasts is not None:
            self._until[name] = self._clock.now() + lasts

    def end(self, name: str) -> None:
        """A condition holds no longer."""
        if self._held.pop(name, None) is not None:
            self.changed.set()
        self._until.pop(name, None)

    async def feed_refused(self, reason: str) -> None:
        """The feed's REST side does not let us in."""
        if "feed-refused" not in self._held:
            log.error("feed_refused", reason=reason)
        self.begin("feed-refused", words.feed_refused(reason))

    async def feed_accepted(self) -> None:
        """The feed's REST side lets us in."""
        self.end("feed-refused")

    async def look_soon(self, _reason: str = "") -> None:
        """Something may be other than before, and will be found by a look."""
        self.changed.set()

    def rules_refused(self, sentence: str) -> None:
        """A changed configuration is refused."""
        self.begin("rules-refused", sentence)

    def rules_accepted(self) -> None:
        """A configuration was taken over."""
        self.end("rules-refused")

    def updates_taken(self) -> None:
        """The updates of people come to us."""
        self.end("second-process")
        self.end("webhook-set")

    def text_refused(self, rule: str, reason: str) -> None:
        """Telegram takes an alert in no form."""
        self.begin("texts-refused", words.text_refused(rule, reason), REFUSED_TEXT_LASTS)
