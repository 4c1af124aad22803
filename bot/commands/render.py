"""`touchline render`: the picture of a recorded match, at half time, at its end or at any minute."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bot.errors import UserMistake
from bot.feed.recording import fixtures_beside, packets
from bot.pictures.maker import picture
from rules.action import Fixture
from rules.advance import advance
from rules.match import Match, Moment
from rules.minute import Minute, Period
from rules.timeline import Stage, timeline_of

At = Stage | Minute | None
"""Half time, full time, a minute; None: as far as the recording goes."""


def render(recording: Path, out: Path, at: At, *, dark: bool) -> None:
    """Write the picture of the first match in a recording; raise UserMistake where it cannot be read, drawn or written."""
    match = _at(list(_moments(recording)), at, recording)
    stage = at if isinstance(at, Stage) else None
    data = picture(timeline_of(match, stage), dark=dark)
    try:
        out.write_bytes(data)
    except OSError as error:
        raise UserMistake(f"{out}: the picture cannot be written: {(error.strerror or 'unknown trouble').lower()}") from error


def _at(moments: list[Moment], at: At, recording: Path) -> Match:
    """The match as it stood then."""
    if not moments:
        raise UserMistake(f"{recording}: there is no match in this recording")
    last = moments[-1].after
    if at is Stage.HALF_TIME:
        return _half_time(moments, recording)
    if at is Stage.FULL_TIME and not (last.completed or last.ended_by):
        raise UserMistake(f"{recording}: the match is not over in this recording")
    return _minute(moments, at, recording) if isinstance(at, Minute) else last


def _half_time(moments: list[Moment], recording: Path) -> Match:
    """The match as the second half begins: what came pending at the end of the first is settled by then."""
    for moment in moments:
        if moment.after.period not in (Period.BEFORE, Period.FIRST_HALF):
            return moment.before
    last = moments[-1]
    if any(moment.action.type == "End Period" and moment.action.period is Period.FIRST_HALF for moment in moments):
        return last.after
    raise UserMistake(f"{recording}: the match does not come to half time in this recording")


def _minute(moments: list[Moment], minute: Minute, recording: Path) -> Match:
    """The match at the end of a minute."""
    reached = False
    for moment in moments:
        now = moment.after.minute
        reached = reached or bool(now and now.base >= minute.base)
        if reached and (moment.after.period is Period.SHOOTOUT or (now and now > minute)):
            return moment.before
    if not reached:
        raise UserMistake(f"{recording}: the match does not come to minute {minute} in this recording")
    return moments[-1].after


def _moments(recording: Path) -> Iterator[Moment]:
    """Every step of the first match in a recording."""
    match: Match | None = None
    for packet in packets(recording):
        if match is None:
            match = Match(fixtures_beside(recording).get(packet.fixture_id, Fixture(packet.fixture_id)))
        if packet.fixture_id == match.fixture.id:
            moment = advance(match, packet)
            match = moment.after
            yield moment
