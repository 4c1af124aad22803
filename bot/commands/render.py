"""The command `render`: draws a match as a picture."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from bot.commands.common import read_minute
from bot.errors import UserMistake, explain_file_error
from bot.feed.match_source import MatchSource, open_match, read_packets_of
from bot.media.renderer import render_picture
from rules.football.action import Fixture
from rules.football.advance import advance
from rules.football.match import Match, Moment
from rules.football.minute import Minute, Period
from rules.football.timeline import Stage, build_timeline


@click.command()
@click.option("--at", "moment", help="half-time, full-time, or a minute such as 67 or 45+2; as far as it goes, unless told.")
@click.option("--dark", is_flag=True, help="Light words on a dark ground.")
@click.argument("match")
@click.argument("picture", metavar="OUT.png", type=click.Path(path_type=Path))
def render_command(match: str, picture: Path, moment: str | None, dark: bool) -> None:
    """Draw a MATCH along a time line: score, scorers, cards and substitutions.

    MATCH is a recording, a scenario file, or a match that ships, such as opener.
    """
    stages = {"half-time": Stage.HALF_TIME, "full-time": Stage.FULL_TIME}
    at = stages.get((moment or "").lower()) or read_minute(moment, "--at")
    # Refused before anything is drawn: a PNG under another ending could not be opened.
    if picture.suffix.lower() != ".png":
        raise UserMistake(f"{picture}: only PNG pictures are drawn; name a file that ends in .png")
    render_match_source(open_match(match), picture, at, dark=dark)


PictureTime = Stage | Minute | None
"""Half time, full time, a minute; None: as far as the recording goes."""


def render_match_source(source: MatchSource, out: Path, at: PictureTime, *, dark: bool) -> None:
    """Write the picture of the first match in a recording; raise UserMistake where it cannot be read, drawn or written."""
    match = _select_match(list(_play_match(source)), at, source.name)
    stage = at if isinstance(at, Stage) else None
    data = render_picture(build_timeline(match, stage), dark=dark)
    try:
        out.write_bytes(data)
    except OSError as error:
        raise UserMistake(f"{out}: the picture cannot be written: {explain_file_error(error)}") from error


def _select_match(moments: list[Moment], at: PictureTime, recording: str) -> Match:
    """Return the match at that time."""
    if not moments:
        raise UserMistake(f"{recording}: there is no match in this recording")
    # A recording may end in the middle of a match: then there is no half time or full time to draw.
    last = moments[-1].after
    if at is Stage.HALF_TIME:
        return _find_half_time(moments, recording)
    if at is Stage.FULL_TIME and not (last.is_completed or last.ended_by):
        raise UserMistake(f"{recording}: the match is not over in this recording")
    return _find_minute(moments, at, recording) if isinstance(at, Minute) else last


def _find_half_time(moments: list[Moment], recording: str) -> Match:
    """Return the match as the second half begins: what came pending at the end of the first is settled by then."""
    for moment in moments:
        if moment.after.period not in (Period.BEFORE, Period.FIRST_HALF):
            return moment.before
    last = moments[-1]
    if any(moment.action.type == "End Period" and moment.action.period is Period.FIRST_HALF for moment in moments):
        return last.after
    raise UserMistake(f"{recording}: the match does not come to half time in this recording")


def _find_minute(moments: list[Moment], minute: Minute, recording: str) -> Match:
    """Return the match at the end of a minute."""
    reached = False
    for moment in moments:
        now = moment.after.minute
        reached = reached or bool(now and now.base >= minute.base)
        # The packet that opens the next minute is not drawn: a minute is shown with all that happened in it. The clock stands
        # still in a shootout, so its first kick ends the last minute.
        if reached and (moment.after.period is Period.SHOOTOUT or (now and now > minute)):
            return moment.before
    if not reached:
        raise UserMistake(f"{recording}: the match does not come to minute {minute} in this recording")
    return moments[-1].after


def _play_match(source: MatchSource) -> Iterator[Moment]:
    """Yield every step of the first match in a recording."""
    match: Match | None = None
    for packet in read_packets_of(source):
        if match is None:
            # Only the first fixture: a picture shows one match, and a recording may have several.
            match = Match(source.read_fixtures().get(packet.fixture_id, Fixture(packet.fixture_id)))
        if packet.fixture_id == match.fixture.id:
            moment = advance(match, packet)
            match = moment.after
            yield moment
