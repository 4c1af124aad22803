"""Keeps match cards and half-time and full-time pictures up to date."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable, Iterable

import msgspec
import structlog

from bot.clock import Clock
from bot.errors import StorageError
from bot.i18n.language import ENGLISH, in_each_language
from bot.media.card import build_card_timeline, find_announced_stage, is_end_announced, render_caption, render_card
from bot.outbox.outbox import Outbox
from bot.retry import retry_while_database_unavailable
from rules.engine.alert import (
    CARD,
    FULL_TIME_PICTURE,
    HALF_TIME_PICTURE,
    PICTURE,
    Alert,
    AlertKey,
    Facts,
    Importance,
    State,
    scoreline,
)
from rules.football.match import Match
from rules.football.minute import Minute, Period
from rules.football.timeline import Stage, Timeline, build_half_time_timeline, build_timeline

log = structlog.get_logger()

CHECK_INTERVAL = 1.0

REFRESH_INTERVAL = 20.0
"""Seconds after which a match is shown again though only its minute has moved, and chats that ask since are looked for."""

MAX_TIME_SINCE_END = dt.timedelta(minutes=15)
"""So long after its end a match is shown to who was not shown it before; later only what was shown is put right."""

_HALF_TIME_PICTURE_UNTIL = Minute(50)
"""The minute until which the picture of the first half is no surprise."""


class ShownMatch(msgspec.Struct, frozen=True):
    """A match as it was shown last, and when, in the loop's seconds."""

    match: Match
    at: float


class LiveMessageUpdater:
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
        self._shown: dict[str, ShownMatch] = {}

    async def run(self) -> None:
        """Check for changes until cancelled."""
        while True:
            await retry_while_database_unavailable(self.update_all)
            await asyncio.sleep(CHECK_INTERVAL)

    async def update_all(self) -> None:
        """Update the live messages of every match that has changed, or whose last update is REFRESH_INTERVAL ago."""
        if not await self._wanted():
            return
        matches = {match.fixture.id: match for match in self._live()}
        self._shown = {name: seen for name, seen in self._shown.items() if name in matches}
        now = self._clock.monotonic()
        for name, match in matches.items():
            seen = self._shown.get(name)
            if seen is None or now >= seen.at + REFRESH_INTERVAL or has_changed(seen.match, match):
                await self._update_safely(match, closed=False)
                self._shown[name] = ShownMatch(match, now)

    async def on_match_over(self, match: Match) -> None:
        """Show for the last time a match of which nothing more is heard."""
        self._shown.pop(match.fixture.id, None)
        if await retry_while_database_unavailable(self._wanted):
            await retry_while_database_unavailable(lambda: self._update_safely(match, closed=True))

    async def _update_safely(self, match: Match, *, closed: bool) -> None:
        """Update one match. Log an error in it, so that the other matches are still updated."""
        try:
            await self._update(match, closed=closed)
        except StorageError:
            raise
        except Exception as error:
            log.error("live_messages_not_updated", fixture=match.fixture.id, reason=repr(error), exc_info=error)

    async def _update(self, match: Match, *, closed: bool) -> None:
        if match.period is Period.BEFORE or not await self._outbox.is_live_message_wanted(match.fixture):
            return
        now, begin = self._clock.now(), is_recent(match, self._clock.now())
        await self._outbox.put_live(card_alert(match, now, closed=closed), reach_new_chats=begin)
        if not self._pictures:
            return
        await self._picture(half_time_picture_alert(match, now), begin=_is_half_time_recent(match))
        await self._picture(full_time_picture_alert(match, now), begin=begin)

    async def _picture(self, alert: Alert | None, *, begin: bool) -> None:
        if alert is not None:
            await self._outbox.put_live(alert, reach_new_chats=begin)


def has_changed(before: Match, after: Match) -> bool:
    """Tell whether something happened that does not wait: more than a minute went by."""
    return before.records is not after.records or _match_state(before) != _match_state(after)


def is_recent(match: Match, now: dt.datetime) -> bool:
    """Tell whether a match is in play, or has ended just now."""
    end = match.records.get(match.ended_by)
    return end is None or now - end.action.at < MAX_TIME_SINCE_END


def _match_state(match: Match) -> tuple[object, ...]:
    return match.score, match.shootout, match.period, match.last_ended_period, match.ended_by, match.status, match.fixture


def _is_half_time_recent(match: Match) -> bool:
    """At half time; where the feed sends no end of the first half, as the second begins."""
    early = match.period is Period.SECOND_HALF and match.minute is not None and match.minute < _HALF_TIME_PICTURE_UNTIL
    return match.is_half_time or early


_CARD_MAX_AGE = 6 * 3600.0
"""Seconds within which a chat that asks for cards gets that of a match in play."""

_PICTURE_MAX_AGE = 900.0
"""Seconds within which the picture of a half is sent anew."""


def card_alert(match: Match, now: dt.datetime, *, closed: bool) -> Alert:
    """The card of a match; `closed` as for `card_html`."""
    over, timeline = closed or is_end_announced(match), build_card_timeline(match)
    return _make_live_alert(
        match, CARD, CARD, now, lambda: render_card(match, is_closed=closed, timeline=timeline), _CARD_MAX_AGE, over=over
    )


def half_time_picture_alert(match: Match, now: dt.datetime) -> Alert | None:
    """The picture of the first half; None before it is over."""
    timeline = build_half_time_timeline(match)
    return picture_alert(match, HALF_TIME_PICTURE, timeline, now) if timeline else None


def full_time_picture_alert(match: Match, now: dt.datetime) -> Alert | None:
    """The picture of a match that has ended; None for any other."""
    over = find_announced_stage(match) is Stage.FULL_TIME
    return picture_alert(match, FULL_TIME_PICTURE, build_timeline(match, Stage.FULL_TIME), now) if over else None


def picture_alert(match: Match, action: str, timeline: Timeline, now: dt.datetime) -> Alert:
    return _make_live_alert(match, PICTURE, action, now, lambda: render_caption(timeline), _PICTURE_MAX_AGE, timeline=timeline)


def _make_live_alert(
    match: Match,
    kind: str,
    action: str,
    now: dt.datetime,
    say: Callable[[], str],
    max_age: float,
    *,
    timeline: Timeline | None = None,
    over: bool = False,
) -> Alert:
    said = in_each_language(say)
    text = said[ENGLISH]
    return Alert(
        AlertKey(match.fixture.id, action),
        max(match.seq, 1),
        State.CONFIRMED,
        now,
        match.fixture,
        Facts(match=scoreline(match.fixture, match.score, match.shootout), competition=match.fixture.competition.name),
        match.score.home,
        match.score.away,
        rule=kind,
        kind=kind,
        importance=Importance.MINOR,
        max_age=max_age,
        text=text,
        texts={code: other for code, other in said.items() if other != text},
        timeline=timeline,
        is_match_over=over,
    )
