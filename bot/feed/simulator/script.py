"""What the simulator sends and when. Pure: takes values, does no I/O except reading a recording."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from bot.errors import UserMistake
from bot.feed import lenient
from bot.feed.encode import Dialect, fixture_to_object, format_plain_instant, format_timestamp, packet_to_object
from bot.feed.match_source import QUIET_INTERVAL, MatchSource, RecordedMatch, ScenarioMatch
from rules.football.action import Fixture, Packet, Side, Team

LEAD_TIME = dt.timedelta(seconds=60)
"""How much of a match before the start of play is played in its own time; what is earlier is sent at once."""


class ScriptFrame(msgspec.Struct, frozen=True):
    """One frame of a match and its instant in the original match."""

    at: dt.datetime
    frame: dict[str, Any]


class ScriptListing(msgspec.Struct, frozen=True):
    """How the fixture is listed from an instant in the original match on."""

    at: dt.datetime
    fixture: Fixture


class Script(msgspec.Struct, frozen=True):
    """All frames of a match."""

    fixture: Fixture
    """As it is listed at first."""
    frames: tuple[ScriptFrame, ...]
    lineups: Mapping[str, Any] = {}
    """The line-ups by REST; empty if there are none."""
    listings: tuple[ScriptListing, ...] = ()
    """How the fixture is listed later, in order."""

    @property
    def begins_at(self) -> dt.datetime:
        """The instant of the first thing that happens: a frame, or a change of the listing."""
        # Frames and listings are each in order.
        return min([self.frames[0].at, *(listing.at for listing in self.listings[:1])])

    @property
    def play_started_at(self) -> dt.datetime:
        """The instant at which play began: that of the first frame of a period; if there is none, of the first frame."""
        # Period 0 is before kick-off, and that of Status Updated at any time (section 6.1).
        periods = (entry.at for entry in self.frames if lenient.as_number(entry.frame["fixtureAction"].get("period")))
        return next(periods, self.frames[0].at)

    def move_kickoff(self, kickoff: dt.datetime) -> Script:
        """Return the match with another first kick-off; later ones keep their distance from it."""
        before = self.fixture.kickoff or kickoff

        def move(fixture: Fixture) -> Fixture:
            return msgspec.structs.replace(fixture, kickoff=(fixture.kickoff or before) - before + kickoff)

        listings = tuple(ScriptListing(listing.at, move(listing.fixture)) for listing in self.listings)
        return msgspec.structs.replace(self, fixture=move(self.fixture), listings=listings)


def script_from_packets(fixture: Fixture, packets: Sequence[Packet], dialect: Dialect | None = None) -> Script:
    """Make a script from packets, such as those of a scenario."""
    frames = tuple(ScriptFrame(packet.at, packet_to_object(packet, dialect or Dialect())) for packet in packets)
    if not frames:
        raise UserMistake(f"{fixture.title}: a match without packets cannot be played")
    # The last ones: an earlier packet may announce line-ups that are corrected before kick-off.
    found = [packet.metadata for packet in packets if packet.type == "Lineups" and packet.metadata]
    return Script(fixture, frames, {"fixtureId": fixture.id} | found[-1] if found else {})


def script_from_match(match: MatchSource) -> Script:
    """Make a script from a match. The fixture of a recording without `fixtures.json` is guessed from the packets."""
    if isinstance(match, ScenarioMatch):
        # A match is as heavy a load as a real one, and its clock moves on between the news.
        match = msgspec.structs.replace(match, quiet_interval=QUIET_INTERVAL)
    frames = tuple(
        ScriptFrame(recorded.at, frame) for recorded in match.read_frames() if (frame := _decode_data_frame(recorded.frame))
    )
    if not frames:
        raise UserMistake(f"{match.name}: there is no packet in this recording")
    fixture_id = lenient.as_text(frames[0].frame["fixtureAction"].get("fixtureId"))
    fixture = match.read_fixtures().get(fixture_id) or _guess_fixture(fixture_id, Path(match.name), frames)
    return Script(fixture, frames, listings=tuple(ScriptListing(at, listed) for at, listed in match.read_listings()))


def script_from_recording(path: Path) -> Script:
    """Make a script from a recording."""
    return script_from_match(RecordedMatch(path))


def _decode_data_frame(frame: bytes) -> dict[str, Any] | None:
    """Return the frame if it carries data. Control frames and garbage are not played: the simulator makes its own."""
    try:
        data = msgspec.json.decode(frame)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        try:
            data = lenient.parse_json(frame)  # the client reads it, too
        except (ValueError, RecursionError):
            return None
    return data if isinstance(data, dict) and isinstance(data.get("fixtureAction"), dict) else None


def _guess_fixture(fixture_id: str, path: Path, frames: Sequence[ScriptFrame]) -> Fixture:
    sides: dict[Side, Team] = {}
    for entry in frames:
        team = lenient.as_mapping(entry.frame["fixtureAction"].get("team"))
        # Packets of version 1 do not say it (section 3.2): then the file's name is the match's.
        if isinstance(team.get("homeTeam"), bool):
            side = Side.HOME if team["homeTeam"] else Side.AWAY
            sides.setdefault(side, Team(lenient.as_text(team.get("id")), lenient.as_text(team.get("name"))))
    name = path.name.partition(".")[0]
    found = Fixture(fixture_id, sides.get(Side.HOME, Team()), sides.get(Side.AWAY, Team()), name=name)
    return msgspec.structs.replace(found, name=found.title)


class ScheduledFrame(msgspec.Struct, frozen=True):
    """A frame and when it is due, in seconds after the start. `pause`: seconds of silence before it, without heartbeats."""

    due: float
    frame: bytes
    pause: float = 0.0


def shift_frames(frames: Sequence[ScheduledFrame], seconds: float) -> list[ScheduledFrame]:
    """Return the frames, each due so many seconds later."""
    return [ScheduledFrame(scheduled.due + seconds, scheduled.frame, scheduled.pause) for scheduled in frames]


class PlaybackClock:
    """Places a script on the wall clock: playback starts at `start`, when the match is `lead` before the start of play."""

    def __init__(self, script: Script, start: dt.datetime, speed: float, lead: dt.timedelta = LEAD_TIME) -> None:
        """`speed` is how many times faster than the match; 0 is as fast as possible."""
        self.fixture_id = script.fixture.id
        self._script, self._start, self._speed = script, start, speed
        # By the start of play and not the first packet: line-ups and colours may come long before it.
        self._origin = script.play_started_at - lead
        self.frames = self._schedule_frames()
        self._kickoff = self._to_wall_clock(script.fixture.kickoff or script.play_started_at)
        self.first_due = 0.0
        """When playback begins, in seconds after the simulator's own start."""

    def restart(self, start: dt.datetime, elapsed: float) -> None:
        """Play from the beginning at `start`, which is `elapsed` seconds after the simulator's own start.

        The listed kick-off stays: another one would be news of its own.
        """
        self._start, self.first_due = start, elapsed
        self.frames = shift_frames(self._schedule_frames(), elapsed)

    @property
    def end(self) -> float:
        """The seconds after the start at which the last frame is due."""
        return max(scheduled.due for scheduled in self.frames)

    def fixture_object(self, elapsed: float) -> dict[str, Any]:
        """Return the fixture as the REST side lists it `elapsed` seconds after the start."""
        first = self._script.fixture
        due = (listing for listing in self._script.listings if self.first_due + self._due_after(listing.at) <= elapsed)
        *_, listed = first, *(listing.fixture for listing in due)
        # A kick-off moves by as much as in the match, however fast that is played: by less it would be no news.
        moved = listed.kickoff - first.kickoff if listed.kickoff and first.kickoff else dt.timedelta()
        kickoff = self._kickoff + moved
        if kickoff.strftime("%H%M%S") == "000000":
            kickoff += dt.timedelta(seconds=1)  # midnight would say that the time is not known
        return fixture_to_object(msgspec.structs.replace(listed, kickoff=kickoff)) | self._current_status(elapsed)

    def _schedule_frames(self) -> list[ScheduledFrame]:
        return [ScheduledFrame(self._due_after(entry.at), self._shift_frame(entry)) for entry in self._script.frames]

    def lineups_object(self, elapsed: float) -> Mapping[str, Any]:
        """Return the line-ups as the REST side has them; empty before they are announced, and where the match has none."""
        announced = [
            scheduled.due
            for entry, scheduled in zip(self._script.frames, self.frames, strict=True)
            if lenient.as_text(entry.frame["fixtureAction"].get("fixtureActionType")) == "Lineups"
        ]
        return self._script.lineups if announced and announced[0] <= elapsed else {}

    def _current_status(self, elapsed: float) -> dict[str, Any]:
        # The list of fixtures says what the stream has said by then: clients end a match by it.
        sent = [entry for entry, scheduled in zip(self._script.frames, self.frames, strict=True) if scheduled.due <= elapsed]
        summary = lenient.as_mapping(sent[-1].frame.get("fixtureSummary")) if sent else {}
        found = {"status": summary.get("currentStatus"), "collectionStatus": summary.get("collectionStatus")}
        return {key: value for key, value in found.items() if value}

    def _due_after(self, at: dt.datetime) -> float:
        return max(0.0, (at - self._origin).total_seconds() / self._speed) if self._speed else 0.0

    def _to_wall_clock(self, at: dt.datetime) -> dt.datetime:
        """Return the instant on the wall clock for an instant of the match."""
        return self._start + (at - self._origin) / self._speed if self._speed else self._start

    def _shift_frame(self, entry: ScriptFrame) -> bytes:
        """Return the frame with its instants moved to the wall clock: to a client the match is live."""
        # Its instants alone: the minutes of a match are the same however fast it is played.
        sent = format_timestamp(self._start + dt.timedelta(seconds=self._due_after(entry.at)))
        frame = entry.frame | {"fixtureAction": entry.frame["fixtureAction"] | {"timestamp": sent}}
        summary = frame.get("fixtureSummary")
        if isinstance(summary, dict) and isinstance(summary.get("periods"), list):
            frame["fixtureSummary"] = summary | {"periods": [self._shift_period(item) for item in summary["periods"]]}
        return msgspec.json.encode(frame)

    def _shift_period(self, period: Any) -> Any:
        if not isinstance(period, dict):
            return period
        instants = {key: lenient.as_instant(period.get(key)) for key in ("start", "end")}
        return period | {key: format_plain_instant(self._to_wall_clock(at)) for key, at in instants.items() if at}
