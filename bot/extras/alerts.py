"""A match -> the alerts that show how it stands, each in every language. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from bot.extras.card import caption_html, card_html, is_over, laid_out, stage_told
from bot.languages.speaking import ENGLISH, in_every_language
from rules.alert import CARD, FULL_TIME_PICTURE, HALF_TIME_PICTURE, PICTURE, Alert, AlertKey, Facts, Importance, State
from rules.facts import scoreline
from rules.match import Match
from rules.timeline import Stage, Timeline, half_time_of, timeline_of

_WHILE_IT_LASTS = 6 * 3600.0
"""Seconds within which a chat that asks for cards gets that of a match in play."""
_FRESH = 900.0
"""Seconds within which the picture of a half is sent anew."""


def card_of(match: Match, now: dt.datetime, *, closed: bool) -> Alert:
    """The card of a match; `closed` as for `card_html`."""
    over, timeline = closed or is_over(match), laid_out(match)
    return _alert(match, CARD, CARD, now, lambda: card_html(match, closed=closed, timeline=timeline), _WHILE_IT_LASTS, over=over)


def half_time_picture_of(match: Match, now: dt.datetime) -> Alert | None:
    """The picture of the first half; None before it is over."""
    timeline = half_time_of(match)
    return _picture(match, HALF_TIME_PICTURE, timeline, now) if timeline else None


def full_time_of(match: Match, now: dt.datetime) -> Alert | None:
    """The picture of a match that has ended; None for any other."""
    over = stage_told(match) is Stage.FULL_TIME
    return _picture(match, FULL_TIME_PICTURE, timeline_of(match, Stage.FULL_TIME), now) if over else None


def _picture(match: Match, action: str, timeline: Timeline, now: dt.datetime) -> Alert:
    return _alert(match, PICTURE, action, now, lambda: caption_html(timeline), _FRESH, timeline=timeline)


def _alert(
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
    said = in_every_language(say)
    text = said[ENGLISH]
    return Alert(
        AlertKey(match.fixture.id, action),
        max(match.seq, 1),
        State.CONFIRMED,
        now,
        match.fixture,
        Facts(match=scoreline(match), competition=match.fixture.competition.name),
        match.score.home,
        match.score.away,
        rule=kind,
        kind=kind,
        importance=Importance.MINOR,
        max_age=max_age,
        text=text,
        texts={code: other for code, other in said.items() if other != text},
        timeline=timeline,
        over=over,
    )
