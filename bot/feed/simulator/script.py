"""What it sends and when, with seeded faults; pure."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from bot.errors import UserMistake
from bot.feed import lenient
from bot.feed.encode import Dialect, fixture_to_object, format_plain_instant, format_timestamp, packet_to_object
from bot.feed.recording import read_fixtures_beside, read_recording
from rules.football.action import Fixture, Packet, Side, Team

LEAD_TIME = dt.timedelta(seconds=60)


class ScriptFrame(msgspec.Struct, frozen=True):
    """One frame of a match, at the match's own time."""

    at: dt.datetime
    frame: dict[str, Any]


class Script(msgspec.Struct, frozen=True):
    """A whole match as the feed tells it."""

    fixture: Fixture
    frames: tuple[ScriptFrame, ...]

    @property
    def play_started_at(self) -> dt.datetime:
        """When play began: the first frame of a period; where there is none, the first frame."""
        periods = (told.at for told in self.frames if lenient.as_number(told.frame["fixtureAction"].get("period")))
        return next(periods, self.frames[0].at)


def script_from_packets(fixture: Fixture, packets: Iterable[Packet], dialect: Dialect | None = None) -> Script:
    """A script from packets, such as a scenario's."""
    frames = tuple(ScriptFrame(packet.at, packet_to_object(packet, dialect or Dialect())) for packet in packets)
    if not frames:
        raise UserMistake(f"{fixture.title}: a match without packets cannot be played")
    return Script(fixture, frames)


def script_from_recording(path: Path) -> Script:
    """A script from a recording; the fixture is that of `fixtures.json` beside it, or what its packets tell."""
    frames = tuple(
        ScriptFrame(recorded.at, frame) for recorded in read_recording(path) if (frame := _decode_data_frame(recorded.frame))
    )
    if not frames:
        raise UserMistake(f"{path}: there is no packet in this recording")
    fixture_id = lenient.as_text(frames[0].frame["fixtureAction"].get("fixtureId"))
    return Script(read_fixtures_beside(path).get(fixture_id) or _guess_fixture(fixture_id, path, frames), frames)


def _decode_data_frame(frame: bytes) -> dict[str, Any] | None:
    """The frame where it is of data; control frames and garbage are not played."""
    try:
        data = msgspec.json.decode(frame)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    return data if isinstance(data, dict) and isinstance(data.get("fixtureAction"), dict) else None


def _guess_fixture(fixture_id: str, path: Path, frames: Sequence[ScriptFrame]) -> Fixture:
    sides: dict[Side, Team] = {}
    for told in frames:
        team = lenient.as_mapping(told.frame["fixtureAction"].get("team"))
        if isinstance(team.get("homeTeam"), bool):
            side = Side.HOME if team["homeTeam"] else Side.AWAY
            sides.setdefault(side, Team(lenient.as_text(team.get("id")), lenient.as_text(team.get("name"))))
    name = path.name.partition(".")[0]
    found = Fixture(fixture_id, sides.get(Side.HOME, Team()), sides.get(Side.AWAY, Team()), name=name)
    return msgspec.structs.replace(found, name=found.title)


class PlaybackClock:
    """A script on the wall clock: it starts at `start`, with the match `lead` before the beginning of play."""

    def __init__(self, script: Script, start: dt.datetime, speed: float, lead: dt.timedelta = LEAD_TIME) -> None:
        """`speed` is how many times faster than life; 0 is as fast as possible."""
        self.fixture_id = script.fixture.id
        self._script, self._start, self._speed = script, start, speed
        self._origin = script.play_started_at - lead
        self.frames = [ScheduledFrame(self._due_after(told.at), self._shift_frame(told)) for told in script.frames]
        self._kickoff = self._to_wall_clock(script.fixture.kickoff or script.play_started_at)

    @property
    def end(self) -> float:
        """Seconds after the start at which the last frame is due."""
        return max(timed.due for timed in self.frames)

    def fixture_object(self, elapsed: float) -> dict[str, Any]:
        """The fixture as the REST side lists it so many seconds after the start."""
        kickoff = self._kickoff
        if kickoff.strftime("%H%M%S") == "000000":
            kickoff += dt.timedelta(seconds=1)  # midnight would say that the time is not known
        listed = fixture_to_object(msgspec.structs.replace(self._script.fixture, kickoff=kickoff))
        return listed | self._current_status(elapsed)

    def _current_status(self, elapsed: float) -> dict[str, Any]:
        sent = [told for told, timed in zip(self._script.frames, self.frames, strict=True) if timed.due <= elapsed]
        summary = lenient.as_mapping(sent[-1].frame.get("fixtureSummary")) if sent else {}
        found = {"status": summary.get("currentStatus"), "collectionStatus": summary.get("collectionStatus")}
        return {key: value for key, value in found.items() if value}

    def _due_after(self, at: dt.datetime) -> float:
        return max(0.0, (at - self._origin).total_seconds() / self._speed) if self._speed else 0.0

    def _to_wall_clock(self, at: dt.datetime) -> dt.datetime:
        """The wall clock's instant for an instant of the match."""
        return self._start + (at - self._origin) / self._speed if self._speed else self._start

    def _shift_frame(self, told: ScriptFrame) -> bytes:
        """The frame with its instants moved: the packet's is when it is sent, those of periods are moved alike."""
        sent = format_timestamp(self._start + dt.timedelta(seconds=self._due_after(told.at)))
        frame = told.frame | {"fixtureAction": told.frame["fixtureAction"] | {"timestamp": sent}}
        summary = frame.get("fixtureSummary")
        if isinstance(summary, dict) and isinstance(summary.get("periods"), list):
            frame["fixtureSummary"] = summary | {"periods": [self._period(item) for item in summary["periods"]]}
        return msgspec.json.encode(frame)

    def _period(self, period: Any) -> Any:
        if not isinstance(period, dict):
            return period
        instants = {key: lenient.as_instant(period.get(key)) for key in ("start", "end")}
        return period | {key: format_plain_instant(self._to_wall_clock(at)) for key, at in instants.items() if at}


_STALL_CHANCE = 0.5

_REFUSE_CHANCE = 0.3

_GARBAGE = (b"{", b"[]", b"null", b"\xff\xfe", b'{"fixtureAction":7}', b'{"fixtureAction":{}}', b'{"hello":"world"}', b"<html>")


class Faults(msgspec.Struct, frozen=True):
    """How often and in which ways; chances are from 0 to 1."""

    drop: float = 0.0
    """The chance of a frame not to be sent on a connection."""
    duplicate: float = 0.0
    garbage: float = 0.0
    """The chance of a frame to be preceded by one that cannot be read."""
    stall: float = 0.0
    """Seconds for which every second connection, at some frame, sends nothing at all."""
    refuse: tuple[int, ...] = ()
    """HTTP statuses, one of which answers three connections of ten."""
    ignore_start_position: bool = False
    reorder: int = 0
    """How many places a frame may come too late."""
    seed: int = 1

    def for_connection(self, fixture_id: str, connection: int) -> ConnectionFaults:
        """The chances of one connection, counted from 0; the same for the same seed."""
        return ConnectionFaults(self, random.Random(f"{self.seed} {fixture_id} {connection}"))


class ScheduledFrame(msgspec.Struct, frozen=True):
    """A frame and when it is due, in seconds after the simulator's start. `pause`: silence before it, heartbeats too."""

    due: float
    frame: bytes
    pause: float = 0.0


class ConnectionFaults:
    """How one connection misbehaves."""

    def __init__(self, way: Faults, chance: random.Random) -> None:
        self._faults, self._chance = way, chance

    def choose_refusal(self) -> int | None:
        """The HTTP status to answer with; None to let the client in."""
        refused = self._faults.refuse and self._chance.random() < _REFUSE_CHANCE
        return self._chance.choice(self._faults.refuse) if refused else None

    def choose_start(self, asked: int) -> int:
        """The position from which to send."""
        return 0 if self._faults.ignore_start_position else asked

    def apply(self, frames: Sequence[ScheduledFrame]) -> list[ScheduledFrame]:
        """What this connection sends in place of these frames."""
        return self._stall(self._drop_and_add(self._reorder(frames)))

    def _reorder(self, frames: Sequence[ScheduledFrame]) -> Iterable[ScheduledFrame]:
        reach = self._faults.reorder
        if not reach:
            return frames
        places = sorted(range(len(frames)), key=lambda i: i + self._chance.uniform(0, reach))
        latest, moved = 0.0, []
        for place in places:
            latest = max(latest, frames[place].due)
            moved.append(ScheduledFrame(latest, frames[place].frame))
        return moved

    def _drop_and_add(self, frames: Iterable[ScheduledFrame]) -> Iterable[ScheduledFrame]:
        for timed in frames:
            if self._chance.random() < self._faults.garbage:
                yield ScheduledFrame(timed.due, self._chance.choice(_GARBAGE))
            if self._chance.random() < self._faults.drop:
                continue
            yield timed
            if self._chance.random() < self._faults.duplicate:
                yield timed

    def _stall(self, frames: Iterable[ScheduledFrame]) -> list[ScheduledFrame]:
        sent = list(frames)
        if self._faults.stall and sent and self._chance.random() < _STALL_CHANCE:
            at = self._chance.randrange(len(sent))
            sent[at] = ScheduledFrame(sent[at].due, sent[at].frame, self._faults.stall)
        return sent
