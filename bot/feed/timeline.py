"""A match moved to the wall clock, at any speed: what the simulator sends, and when. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from bot.errors import UserMistake
from bot.feed import loose
from bot.feed.encode import Dialect, fixture_object, packet_object, plain_instant, timestamp
from bot.feed.misbehave import Timed
from bot.feed.recording import fixtures_beside, read
from rules.action import Fixture, Packet, Side, Team

LEAD = dt.timedelta(seconds=60)


class Told(msgspec.Struct, frozen=True):
    """One frame of a match, at the match's own time."""

    at: dt.datetime
    frame: dict[str, Any]


class Script(msgspec.Struct, frozen=True):
    """A whole match as the feed tells it."""

    fixture: Fixture
    frames: tuple[Told, ...]

    @property
    def started(self) -> dt.datetime:
        """When play began: the first frame of a period; where there is none, the first frame."""
        periods = (told.at for told in self.frames if loose.number(told.frame["fixtureAction"].get("period")))
        return next(periods, self.frames[0].at)


def from_packets(fixture: Fixture, packets: Iterable[Packet], dialect: Dialect | None = None) -> Script:
    """A script from packets, such as a scenario's."""
    frames = tuple(Told(packet.at, packet_object(packet, dialect or Dialect())) for packet in packets)
    if not frames:
        raise UserMistake(f"{fixture.title}: a match without packets cannot be played")
    return Script(fixture, frames)


def from_recording(path: Path) -> Script:
    """A script from a recording; the fixture is that of `fixtures.json` beside it, or what its packets tell."""
    frames = tuple(Told(recorded.at, frame) for recorded in read(path) if (frame := _data(recorded.frame)))
    if not frames:
        raise UserMistake(f"{path}: there is no packet in this recording")
    fixture_id = loose.text(frames[0].frame["fixtureAction"].get("fixtureId"))
    return Script(fixtures_beside(path).get(fixture_id) or _fixture(fixture_id, path, frames), frames)


def _data(frame: bytes) -> dict[str, Any] | None:
    """The frame where it is of data; control frames and garbage are not played."""
    try:
        data = msgspec.json.decode(frame)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    return data if isinstance(data, dict) and isinstance(data.get("fixtureAction"), dict) else None


def _fixture(fixture_id: str, path: Path, frames: Sequence[Told]) -> Fixture:
    sides: dict[Side, Team] = {}
    for told in frames:
        team = loose.mapping(told.frame["fixtureAction"].get("team"))
        if isinstance(team.get("homeTeam"), bool):
            side = Side.HOME if team["homeTeam"] else Side.AWAY
            sides.setdefault(side, Team(loose.text(team.get("id")), loose.text(team.get("name"))))
    name = path.name.partition(".")[0]
    found = Fixture(fixture_id, sides.get(Side.HOME, Team()), sides.get(Side.AWAY, Team()), name=name)
    return msgspec.structs.replace(found, name=found.title)


class Timeline:
    """A script on the wall clock: it starts at `start`, with the match `lead` before the beginning of play."""

    def __init__(self, script: Script, start: dt.datetime, speed: float, lead: dt.timedelta = LEAD) -> None:
        """`speed` is how many times faster than life; 0 is as fast as possible."""
        self.fixture_id = script.fixture.id
        self._script, self._start, self._speed = script, start, speed
        self._origin = script.started - lead
        self.frames = [Timed(self._due(told.at), self._moved(told)) for told in script.frames]
        self._kickoff = self._wall(script.fixture.kickoff or script.started)

    @property
    def end(self) -> float:
        """Seconds after the start at which the last frame is due."""
        return max(timed.due for timed in self.frames)

    def fixture(self, elapsed: float) -> dict[str, Any]:
        """The fixture as the REST side lists it so many seconds after the start."""
        kickoff = self._kickoff
        if kickoff.strftime("%H%M%S") == "000000":
            kickoff += dt.timedelta(seconds=1)  # midnight would say that the time is not known
        listed = fixture_object(msgspec.structs.replace(self._script.fixture, kickoff=kickoff))
        return listed | self._standing(elapsed)

    def _standing(self, elapsed: float) -> dict[str, Any]:
        sent = [told for told, timed in zip(self._script.frames, self.frames, strict=True) if timed.due <= elapsed]
        summary = loose.mapping(sent[-1].frame.get("fixtureSummary")) if sent else {}
        found = {"status": summary.get("currentStatus"), "collectionStatus": summary.get("collectionStatus")}
        return {key: value for key, value in found.items() if value}

    def _due(self, at: dt.datetime) -> float:
        return max(0.0, (at - self._origin).total_seconds() / self._speed) if self._speed else 0.0

    def _wall(self, at: dt.datetime) -> dt.datetime:
        """The wall clock's instant for an instant of the match."""
        return self._start + (at - self._origin) / self._speed if self._speed else self._start

    def _moved(self, told: Told) -> bytes:
        """The frame with its instants moved: the packet's is when it is sent, those of periods are moved alike."""
        sent = timestamp(self._start + dt.timedelta(seconds=self._due(told.at)))
        frame = told.frame | {"fixtureAction": told.frame["fixtureAction"] | {"timestamp": sent}}
        summary = frame.get("fixtureSummary")
        if isinstance(summary, dict) and isinstance(summary.get("periods"), list):
            frame["fixtureSummary"] = summary | {"periods": [self._period(item) for item in summary["periods"]]}
        return msgspec.json.encode(frame)

    def _period(self, period: Any) -> Any:
        if not isinstance(period, dict):
            return period
        instants = {key: loose.instant(period.get(key)) for key in ("start", "end")}
        return period | {key: plain_instant(self._wall(at)) for key, at in instants.items() if at}
