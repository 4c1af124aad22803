"""What the simulator sends and when, with seeded faults. Pure: takes values, does no I/O except reading a recording."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from zlib import crc32

import msgspec

from bot.errors import UserMistake
from bot.feed import lenient
from bot.feed.encode import Dialect, fixture_to_object, format_plain_instant, format_timestamp, packet_to_object
from bot.feed.match_source import QUIET_INTERVAL, MatchSource, RecordedMatch, ScenarioMatch
from rules.football.action import Fixture, Packet, Side, Team

LEAD_TIME = dt.timedelta(seconds=60)
"""How much of a match before the start of play is played in its own time; what is earlier is sent at once."""

_STALL_CHANCE = 0.5

_REFUSE_CHANCE = 0.3

OVERSIZE = 17 * 1024 * 1024
"""Bytes of padding in a frame that is too large: more than the 16 MiB that Touchline reads."""

_GARBAGE = (b"{", b"[]", b"null", b"\xff\xfe", b'{"fixtureAction":7}', b'{"fixtureAction":{}}', b'{"hello":"world"}', b"<html>")


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
        return min([self.frames[0].at, *(listing.at for listing in self.listings[:1])])

    @property
    def play_started_at(self) -> dt.datetime:
        """The instant at which play began: that of the first frame of a period; if there is none, of the first frame."""
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


class Faults(msgspec.Struct, frozen=True):
    """How often the simulator misbehaves, and how; chances are from 0 to 1. The fields are options of the command line."""

    drop: float = 0.0
    """The chance that a frame is not sent on a connection."""
    duplicate: float = 0.0
    garbage: float = 0.0
    """The chance that a frame is preceded by one that cannot be read."""
    stall: float = 0.0
    """Seconds for which half of the connections, at some frame, send nothing at all."""
    refuse: tuple[int, ...] = ()
    """HTTP statuses, one of which answers three in ten connections."""
    ignore_start_position: bool = False
    reorder: int = 0
    """How many places late a frame may come."""
    seed: int = 1
    spoil: float = 0.0
    """The chance that a frame begins with a mark of byte order and has half a surrogate pair in each name."""
    oversize: float = 0.0
    """The chance that a frame is larger than clients read. It is the same frames on every connection."""
    limit: int = 0
    """Requests in a second that are answered, REST calls and connections together; more get HTTP 429. 0: all."""

    def for_connection(self, fixture_id: str, connection: int) -> ConnectionFaults:
        """Return the faults of one connection, counted from 0; the same for the same seed."""
        return ConnectionFaults(self, random.Random(f"{self.seed} {fixture_id} {connection}"))


class ConnectionFaults:
    """The faults of one connection. Drawn from its own generator, so that they do not depend on what other connections do."""

    def __init__(self, faults: Faults, rng: random.Random) -> None:
        self._faults, self._rng = faults, rng

    def choose_refusal(self) -> int | None:
        """Return the HTTP status to refuse the handshake with; None to accept it."""
        refused = self._faults.refuse and self._rng.random() < _REFUSE_CHANCE
        return self._rng.choice(self._faults.refuse) if refused else None

    def choose_start(self, requested: int) -> int:
        """Return the position from which to send."""
        return 0 if self._faults.ignore_start_position else requested

    def apply(self, frames: Sequence[ScheduledFrame]) -> list[ScheduledFrame]:
        """Return what this connection sends in place of these frames."""
        return self._stall(self._drop_and_add(self._reorder(self._blow_up(frames))))

    def _blow_up(self, frames: Sequence[ScheduledFrame]) -> Sequence[ScheduledFrame]:
        chance = self._faults.oversize
        if not chance:
            return frames
        blown_up = []
        for scheduled in frames:
            # Drawn by the frame itself and not by the connection: a client that reconnects meets the same frame again.
            if random.Random(f"{self._faults.seed} {crc32(scheduled.frame)}").random() < chance:
                padding = b'{"padding":"' + b"x" * OVERSIZE + b'",'
                scheduled = msgspec.structs.replace(scheduled, frame=padding + scheduled.frame[1:])
            blown_up.append(scheduled)
        return blown_up

    def _reorder(self, frames: Sequence[ScheduledFrame]) -> Iterable[ScheduledFrame]:
        reach = self._faults.reorder
        if not reach:
            return frames
        order = sorted(range(len(frames)), key=lambda i: i + self._rng.uniform(0, reach))
        latest, moved = 0.0, []
        for index in order:
            # A frame that comes late is due when the one before it is: time never runs back on a connection.
            latest = max(latest, frames[index].due)
            moved.append(ScheduledFrame(latest, frames[index].frame))
        return moved

    def _drop_and_add(self, frames: Iterable[ScheduledFrame]) -> Iterable[ScheduledFrame]:
        for scheduled in frames:
            if self._rng.random() < self._faults.garbage:
                yield ScheduledFrame(scheduled.due, self._rng.choice(_GARBAGE))
            if self._rng.random() < self._faults.drop:
                continue
            if self._faults.spoil and self._rng.random() < self._faults.spoil:
                spoilt = b"\xef\xbb\xbf" + scheduled.frame.replace(b'"name":"', b'"name":"\\ud83d')
                scheduled = msgspec.structs.replace(scheduled, frame=spoilt)
            yield scheduled
            if self._rng.random() < self._faults.duplicate:
                yield scheduled

    def _stall(self, frames: Iterable[ScheduledFrame]) -> list[ScheduledFrame]:
        sent = list(frames)
        if self._faults.stall and sent and self._rng.random() < _STALL_CHANCE:
            at = self._rng.randrange(len(sent))
            sent[at] = ScheduledFrame(sent[at].due, sent[at].frame, self._faults.stall)
        return sent
