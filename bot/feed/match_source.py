"""Finds matches by what a person names: a recording, a folder, a scenario file, or a match that ships.

Every command that plays a match opens it here, so that all of them take the same names.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from bot.errors import FrameUnreadable, UserMistake, explain_file_error
from bot.feed.decode import decode_frame
from bot.feed.encode import Dialect, packet_to_object
from bot.feed.recording import RecordedFrame, read_fixtures_beside, read_recording
from rules.football.action import Fixture, Packet
from rules.loading.values import suggest
from rules.scenarios.builder import build_packets
from rules.scenarios.parser import SHIPPED_SCENARIOS, ScenarioInvalid, load_scenario, parse_scenario
from rules.scenarios.scenario import Scenario

QUIET_INTERVAL = 60
"""Seconds of match time between two packets without news, where a scenario is played as the feed would send it."""

_SCENARIO_ENDINGS = (".yaml", ".yml")

_RECORDING_ENDINGS = (".jsonl", ".jsonl.gz")


class RecordedMatch(msgspec.Struct, frozen=True):
    """A recording of the feed, with `fixtures.json` beside it where there is one."""

    path: Path

    @property
    def name(self) -> str:
        """What mistakes call it."""
        return str(self.path)

    def read_frames(self) -> Iterator[RecordedFrame]:
        """Yield the frames in order; raise UserMistake where one cannot be read."""
        return read_recording(self.path)

    def read_fixtures(self) -> dict[str, Fixture]:
        """Return what is known of the fixtures, by id."""
        return read_fixtures_beside(self.path)

    def read_listings(self) -> tuple[tuple[dt.datetime, Fixture], ...]:
        """Return nothing: a recording has the packets of the feed, and not its list of fixtures."""
        return ()


class ScenarioMatch(msgspec.Struct, frozen=True):
    """A match written in a few lines of YAML."""

    name: str
    scenario: Scenario
    quiet_interval: int | None = None
    """Adds everyday actions of play, one in so many seconds."""

    def read_frames(self) -> Iterator[RecordedFrame]:
        """Yield the frames that the feed would send."""
        for packet in build_packets(self.scenario, quiet_interval=self.quiet_interval):
            yield RecordedFrame(packet.at, msgspec.json.encode(packet_to_object(packet, Dialect())))

    def read_fixtures(self) -> dict[str, Fixture]:
        """Return the fixture as it is listed at first, by id."""
        return {self.scenario.fixture.id: self.scenario.fixture}

    def read_listings(self) -> tuple[tuple[dt.datetime, Fixture], ...]:
        """Return the fixture as it is listed after each change, with the instant of the change, in order."""
        return self.scenario.relisted_fixtures


MatchSource = RecordedMatch | ScenarioMatch


def open_matches(names: Iterable[str | Path]) -> tuple[MatchSource, ...]:
    """Return the matches of all names, in order. Raises UserMistake with a sentence if there is no such match."""
    return tuple(match for name in names for match in _open(str(name)))


def open_match(name: str | Path) -> MatchSource:
    """Return the one match of a name. Raises UserMistake, also where a folder holds several."""
    found = open_matches([name])
    if len(found) > 1:
        raise UserMistake(f"{name}: there are {len(found)} matches in this folder; name one of them, such as {found[0].name}")
    return found[0]


def read_packets_of(match: MatchSource) -> Iterator[Packet]:
    """Yield the packets in order; skip control frames and what cannot be read."""
    for recorded in match.read_frames():
        try:
            packet = decode_frame(recorded.frame, received=recorded.at)
        except FrameUnreadable:
            continue  # the live connection steps over it, too
        if isinstance(packet, Packet):
            yield packet


def _open(name: str) -> tuple[MatchSource, ...]:
    # A file of the same name can still be named: ./final
    if name in (*SHIPPED_SCENARIOS, *SHIPPED_SCENARIOS.values()):
        return (ScenarioMatch(name, load_scenario(name)),)
    path = Path(name)
    if path.is_dir():
        return _open_folder(path)
    if path.exists():
        return (_open_file(path),)
    # A near name is most likely the one that was meant: then the others are left out.
    if near := suggest(name, SHIPPED_SCENARIOS):
        raise UserMistake(f'there is no match "{name}": did you mean "{near}"?')
    shipped = ", ".join(SHIPPED_SCENARIOS)
    forms = "name a recording, a folder of them, a scenario file, or a match that ships"
    raise UserMistake(f'there is no match "{name}": {forms}: {shipped}')


def _open_folder(folder: Path) -> tuple[MatchSource, ...]:
    """Open every recording in a folder, such as `touchline record` writes it, and every scenario; by name."""
    files = sorted(file for file in folder.iterdir() if file.is_file())
    recordings = [file for file in files if file.name.endswith(_RECORDING_ENDINGS)]
    # Tests of rules and configurations are YAML too.
    scenarios = [file for file in files if file.suffix in _SCENARIO_ENDINGS and _looks_like_scenario(file)]
    if not recordings and not scenarios:
        raise UserMistake(f"{folder}: there is no recording (*.jsonl, *.jsonl.gz) and no scenario in this folder")
    return tuple(map(_open_file, sorted([*recordings, *scenarios])))


def _looks_like_scenario(file: Path) -> bool:
    # A key that every scenario has. The file is not parsed: a mistake in it is reported when it is opened, and must not hide it.
    return any(line.startswith("match:") for line in file.read_text(encoding="utf-8-sig", errors="replace").splitlines())


def _open_file(path: Path) -> MatchSource:
    # Whatever its ending: recordings get unpacked and renamed, and reading one says in which line it is none.
    if path.suffix not in _SCENARIO_ENDINGS:
        return RecordedMatch(path)
    try:
        # Editors on Windows begin a file with a byte order mark.
        return ScenarioMatch(str(path), parse_scenario(path.read_text(encoding="utf-8-sig"), str(path)))
    except ScenarioInvalid as error:
        raise UserMistake(str(error)) from error
    except UnicodeDecodeError as error:
        raise UserMistake(f"{path}: this is not text in UTF-8") from error
    except OSError as error:
        raise UserMistake(f"{path}: it cannot be read: {explain_file_error(error)}") from error
