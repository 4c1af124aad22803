"""Looks at every match in play each second, and puts into the outbox how it stands: its card, and its pictures."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable, Iterable

import msgspec
import structlog

from bot.clock import Clock
from bot.errors import StoreError
from bot.extras.alerts import card_of, full_time_of, half_time_picture_of
from bot.outbox.outbox import Outbox
from bot.store.patience import patiently
from rules.alert import Alert
from rules.match import Match
from rules.minute import Minute, Period

log = structlog.get_logger()

LOOK = 1.0
EVERY = 20.0
"""Seconds after which a match is shown again though only its minute has moved, and chats that ask since are looked for."""
LATE = dt.timedelta(minutes=15)
"""So long after its end a match is shown to who was not shown it before; later only what was shown is put right."""
_RESUMED = Minute(50)
"""The minute until which the picture of the first half is no surprise."""


class Seen(msgspec.Struct, frozen=True):
    """A match as it was shown last, and when, in the loop's seconds."""

    match: Match
    at: float


class Extras:
    """Shows matches to those who ask; where nobody does, nothing is made."""

    def __init__(
        self,
        live: Callable[[], Iterable[Match]],
        outbox: Outbox,
        wanted: Callable[[], Awaitable[bool]],
        clock: Clock,
        *,
        pictures: bool,
    ) -> None:
        """`live` gives the matches whose history has been read; `wanted` tells whether some chat asks for card or picture;
        `pictures`: they can be drawn here."""
        self._live, self._outbox, self._wanted, self._clock, self._pictures = live, outbox, wanted, clock, pictures
        self._seen: dict[str, Seen] = {}

    async def run(self) -> None:
        """Look for ever."""
        while True:
            await patiently(self.look)
            await asyncio.sleep(LOOK)

    async def look(self) -> None:
        """Show what has changed since the last time."""
        if not await self._wanted():
            return
        matches = {match.fixture.id: match for match in self._live()}
        self._seen = {name: seen for name, seen in self._seen.items() if name in matches}
        now = self._clock.monotonic()
        for name, match in matches.items():
            seen = self._seen.get(name)
            if seen is None or now >= seen.at + EVERY or differs(seen.match, match):
                await self._shown(match, closed=False)
                self._seen[name] = Seen(match, now)

    async def over(self, match: Match) -> None:
        """Show for the last time a match of which nothing more is heard."""
        self._seen.pop(match.fixture.id, None)
        if await patiently(self._wanted):
            await patiently(lambda: self._shown(match, closed=True))

    async def _shown(self, match: Match, *, closed: bool) -> None:
        """A match that cannot be shown keeps no other from being."""
        try:
            await self._show(match, closed=closed)
        except StoreError:
            raise
        except Exception as error:
            log.error("match_not_shown", fixture=match.fixture.id, reason=repr(error), exc_info=error)

    async def _show(self, match: Match, *, closed: bool) -> None:
        if match.period is Period.BEFORE or not await self._outbox.asked(match.fixture):
            return
        now, begin = self._clock.now(), is_fresh(match, self._clock.now())
        await self._outbox.show(card_of(match, now, closed=closed), begin=begin)
        if not self._pictures:
            return
        await self._picture(half_time_picture_of(match, now), begin=_half_time_is_news(match))
        await self._picture(full_time_of(match, now), begin=begin)

    async def _picture(self, alert: Alert | None, *, begin: bool) -> None:
        if alert is not None:
            await self._outbox.show(alert, begin=begin)


def differs(before: Match, after: Match) -> bool:
    """Tell whether something happened that does not wait: more than a minute went by."""
    return before.records is not after.records or _standing(before) != _standing(after)


def is_fresh(match: Match, now: dt.datetime) -> bool:
    """Tell whether a match is in play, or has ended just now."""
    end = match.records.get(match.ended_by)
    return end is None or now - end.action.at < LATE


def _standing(match: Match) -> tuple[object, ...]:
    return match.score, match.shootout, match.period, match.ended, match.ended_by, match.status, match.fixture


def _half_time_is_news(match: Match) -> bool:
    """At half time; where the feed sends no end of the first half, as the second begins."""
    early = match.period is Period.SECOND_HALF and match.minute is not None and match.minute < _RESUMED
    return match.at_half_time or early
