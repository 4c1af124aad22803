"""Keeps match cards and half-time and full-time pictures up to date."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable, Collection, Iterable

import msgspec
import structlog

from bot.clock import Clock
from bot.errors import StorageError
from bot.i18n.language import ENGLISH, in_each_language
from bot.media.card import (
    build_card_timeline,
    find_announced_stage,
    is_end_announced,
    render_caption,
    render_card,
    render_rich_card,
)
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
    format_scoreline,
)
from rules.football.match import Match
from rules.football.minute import Minute, Period
from rules.football.timeline import Stage, Timeline, build_half_time_timeline, build_timeline

log = structlog.get_logger()

CHECK_INTERVAL = 1.0
"""Seconds between two checks: packets within a second are one edit, and Telegram allows one message a second to a chat."""

REFRESH_INTERVAL = 20.0
"""Seconds after which a match is updated although only its minute has moved. New chats that want its card are found then."""

MAX_TIME_SINCE_END = dt.timedelta(minutes=15)
"""How long after the end of a match its card and picture still go to chats that do not have them; later they are only edited."""

_HALF_TIME_PICTURE_UNTIL = Minute(50)
"""The minute until which the picture of the first half is still sent, where the feed does not tell the end of the half."""


class ShownMatch(msgspec.Struct, frozen=True):
    """A match as it was at its last update, and when that was, on the monotonic clock."""

    match: Match
    at: float


class LiveMessageUpdater:
    """Puts match cards and pictures into the outbox as matches change. While no chat wants any, nothing is rendered."""

    def __init__(
        self,
        list_matches: Callable[[], Iterable[Match]],
        outbox: Outbox,
        is_wanted: Callable[[], Awaitable[bool]],
        list_table_languages: Callable[[], Awaitable[frozenset[str]]],
        clock: Clock,
        *,
        can_draw: bool,
    ) -> None:
        """`list_matches` returns the matches whose history has been read; `is_wanted` whether any chat wants cards or pictures;
        `list_table_languages` the languages of the chats whose cards are tables.

        `can_draw` is False where the extra that draws pictures is not installed.
        """
        self._list_matches, self._outbox, self._is_wanted, self._clock = list_matches, outbox, is_wanted, clock
        self._list_table_languages, self._can_draw = list_table_languages, can_draw
        self._shown: dict[str, ShownMatch] = {}
        self._over: dict[str, Match] = {}
        """By fixture the match at its end, while it is read on for corrections."""

    async def run(self) -> None:
        """Check for changes until cancelled."""
        while True:
            await retry_while_database_unavailable(self.update_all)
            await asyncio.sleep(CHECK_INTERVAL)

    async def update_all(self) -> None:
        """Update the live messages of every match that has changed, or whose last update is REFRESH_INTERVAL ago."""
        # Asked of the database each time: the chat that wants the first card may have written to another process.
        if not await self._is_wanted():
            return
        matches = {match.fixture.id: match for match in self._list_matches()}
        self._shown = {fixture_id: shown for fixture_id, shown in self._shown.items() if fixture_id in matches}
        # Without those whose end was taken back, and those that are not read any more.
        self._over = {
            fixture_id: over
            for fixture_id, over in self._over.items()
            if (match := matches.get(fixture_id)) and (match.ended_by or not over.ended_by)
        }
        now = self._clock.monotonic()
        for fixture_id, match in matches.items():
            shown = self._shown.get(fixture_id)
            if shown is None or now >= shown.at + REFRESH_INTERVAL or has_changed(shown.match, match):
                await self._update_safely(match, is_closed=fixture_id in self._over)
                # Not before: what the database refused is put again at the next check.
                self._shown[fixture_id] = ShownMatch(match, now)

    async def on_match_over(self, match: Match) -> None:
        """Update a match at its end. Its card says so if the end was not seen. Corrections that come later are shown as well."""
        self._shown.pop(match.fixture.id, None)
        self._over[match.fixture.id] = match
        # Here and not at the next check: after the last call the pipeline drops the match.
        if await retry_while_database_unavailable(self._is_wanted):
            await retry_while_database_unavailable(lambda: self._update_safely(match, is_closed=True))

    async def _update_safely(self, match: Match, *, is_closed: bool) -> None:
        """Update one match. Log an error in it, so that the other matches are still updated."""
        try:
            await self._update(match, is_closed=is_closed)
        except StorageError:
            raise  # The callers retry while the database is away.
        except Exception as error:
            log.error("live_messages_not_updated", fixture=match.fixture.id, reason=repr(error), exc_info=error)

    async def _update(self, match: Match, *, is_closed: bool) -> None:
        """Put the card and the pictures of a match into the outbox; unchanged ones are not sent again."""
        # Before play there is nothing to show, and what no chat wants is not rendered.
        if match.period is Period.BEFORE or not await self._outbox.is_live_message_wanted(match.fixture):
            return
        now = self._clock.now()
        match_is_recent = is_recent(match, now)
        # Asked each time: a chat that chooses tables gets one with the next update of its card.
        card = make_card_alert(match, now, is_closed=is_closed, table_languages=await self._list_table_languages())
        await self._outbox.put_live(card, reach_new_chats=match_is_recent)
        if not self._can_draw:
            return
        # An old picture is not sent again, but one that was sent is edited if a goal is retracted later.
        if picture := make_half_time_picture(match, now):
            early = match.period is Period.SECOND_HALF and match.minute is not None and match.minute < _HALF_TIME_PICTURE_UNTIL
            await self._outbox.put_live(picture, reach_new_chats=match.is_half_time or early)
        if picture := make_full_time_picture(match, now):
            await self._outbox.put_live(picture, reach_new_chats=match_is_recent)


def has_changed(before: Match, after: Match) -> bool:
    """Return True if more has changed than the minute, which waits for REFRESH_INTERVAL."""
    # By identity: a match gets a new dict of records only when one of them changes.
    return before.records is not after.records or _match_state(before) != _match_state(after)


def is_recent(match: Match, now: dt.datetime) -> bool:
    """Return True if a match is in play or ended less than MAX_TIME_SINCE_END ago."""
    end = match.records.get(match.ended_by)
    return end is None or now - end.action.at < MAX_TIME_SINCE_END


def _match_state(match: Match) -> tuple[object, ...]:
    """Return all that cards and pictures show beside the records and the minute."""
    return match.score, match.shootout, match.period, match.last_ended_period, match.ended_by, match.status, match.fixture


_CARD_MAX_AGE = 6 * 3600.0
"""Seconds after its first revision for which a card still goes to new chats: longer than any match, for it shows the present."""

_PICTURE_MAX_AGE = 900.0
"""Seconds for which the picture of a half waits for a chat that cannot be reached; after that it is no news."""


def make_card_alert(match: Match, now: dt.datetime, *, is_closed: bool, table_languages: Collection[str] = ()) -> Alert:
    """Return the card of a match. `is_closed`: the feed has ended, and what it has not sent will not come.

    As a table it is rendered in `table_languages` only: few chats choose tables, and each language takes as long as the texts
    of several.
    """
    timeline = build_card_timeline(match)  # once for all languages
    alert = _make_live_alert(
        match,
        CARD,
        CARD,
        now,
        lambda: render_card(match, is_closed=is_closed, timeline=timeline),
        _CARD_MAX_AGE,
        # Without the minute, which is in the text: a picture is drawn and uploaded when something happens, and not each minute.
        timeline=msgspec.structs.replace(timeline, minute=None),
        is_over=is_closed or is_end_announced(match),
    )
    rich_texts = in_each_language(lambda: render_rich_card(match, is_closed=is_closed, timeline=timeline), table_languages)
    return msgspec.structs.replace(alert, rich_texts=rich_texts)


def make_half_time_picture(match: Match, now: dt.datetime) -> Alert | None:
    """Return the picture of the first half; None before it is over."""
    timeline = build_half_time_timeline(match)
    return make_picture_alert(match, HALF_TIME_PICTURE, timeline, now) if timeline else None


def make_full_time_picture(match: Match, now: dt.datetime) -> Alert | None:
    """Return the picture of the whole match; None before full time."""
    if find_announced_stage(match) is not Stage.FULL_TIME:
        return None
    return make_picture_alert(match, FULL_TIME_PICTURE, build_timeline(match, Stage.FULL_TIME), now)


def make_picture_alert(match: Match, action: str, timeline: Timeline, now: dt.datetime) -> Alert:
    """Return a picture with its caption. It is drawn when it is sent, in the language of each chat."""
    return _make_live_alert(match, PICTURE, action, now, lambda: render_caption(timeline), _PICTURE_MAX_AGE, timeline=timeline)


def _make_live_alert(
    match: Match,
    kind: str,
    action: str,
    now: dt.datetime,
    render: Callable[[], str],
    max_age: float,
    *,
    timeline: Timeline | None = None,
    is_over: bool = False,
) -> Alert:
    """Make an alert that no rule makes. `action` stands in its key for an action's id: one card is one message in a chat."""
    # In every language before it is stored, as the alerts of rules are: the sender knows no matches.
    texts = in_each_language(render)
    text = texts[ENGLISH]
    return Alert(
        AlertKey(match.fixture.id, action),
        max(match.seq, 1),
        State.CONFIRMED,
        now,
        match.fixture,
        Facts(match=format_scoreline(match.fixture, match.score, match.shootout), competition=match.fixture.competition.name),
        match.score.home,
        match.score.away,
        rule=kind,
        kind=kind,
        importance=Importance.MINOR,
        max_age=max_age,
        text=text,
        texts={code: other for code, other in texts.items() if other != text},
        timeline=timeline,
        is_match_over=is_over,
    )
