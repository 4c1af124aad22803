"""Recordings: read, write, record until over, keep those of the last matches."""

from __future__ import annotations

import asyncio
import datetime as dt
import gzip
import json
import os
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

import msgspec
import structlog

from bot.clock import Clock
from bot.errors import FrameUnreadable, UserMistake
from bot.feed import lenient
from bot.feed.connection import FeedConnection, StreamSettings
from bot.feed.decode import decode_frame
from bot.feed.encode import fixture_to_object, format_timestamp
from bot.feed.reconnect import FeedRequestLimiter
from bot.feed.rest import decode_fixtures
from bot.feed.session import Ending
from rules.football.action import Fixture, Packet

RecordingFile = gzip.GzipFile | BinaryIO


class RecordedFrame(msgspec.Struct, frozen=True):
    """One frame as it came, and when."""

    at: dt.datetime
    frame: bytes


class _LineJson(msgspec.Struct):
    at: str
    frame: msgspec.Raw = msgspec.Raw()
    text: str = ""
    """A frame that is not JSON."""


_LINE_DECODER = msgspec.json.Decoder(_LineJson)


def read_recording(path: Path) -> Iterator[RecordedFrame]:
    """The frames of a recording, in order; raise UserMistake where the file cannot be read or a line is none of its kind."""
    try:
        with _open_recording(path) as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    yield _parse_line(line, path, number)
    except OSError as error:
        raise UserMistake(f"{path}: the recording cannot be read: {error.strerror or error}") from error
    except (EOFError, zlib.error) as error:
        raise UserMistake(f"{path}: the recording is cut off or damaged: {error}") from error


def _open_recording(path: Path) -> RecordingFile:
    """Gzip is known by its first two bytes, not by the file's name."""
    with path.open("rb") as file:
        zipped = file.read(2) == b"\x1f\x8b"
    return gzip.open(path, "rb") if zipped else path.open("rb")


def _parse_line(line: bytes, path: Path, number: int) -> RecordedFrame:
    try:
        parsed = _LINE_DECODER.decode(line)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise UserMistake(f"{path}:{number}: this line is not of a recording: {error}") from error
    at = lenient.as_instant(parsed.at)
    if at is None:
        raise UserMistake(f"{path}:{number}: {parsed.at!r} is not an instant such as 2018-05-13T14:00:00Z")
    return RecordedFrame(at, bytes(parsed.frame) or parsed.text.encode())


def read_packets(path: Path) -> Iterator[Packet]:
    """The packets of a recording, in order; control frames and what cannot be read are passed over."""
    for recorded in read_recording(path):
        try:
            packet = decode_frame(recorded.frame, received=recorded.at)
        except FrameUnreadable:
            continue
        if isinstance(packet, Packet):
            yield packet


class RecordingWriter:
    """Writes a recording; gzipped where the file's name ends in `.gz`. A context manager."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: RecordingFile | None = None
        self.frames_written = 0

    def __enter__(self) -> RecordingWriter:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = gzip.open(self._path, "wb") if self._path.suffix == ".gz" else self._path.open("wb")
        except OSError as error:
            raise UserMistake(f"{self._path}: the recording cannot be written: {error.strerror or error}") from error
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._file is not None:
            self._file.close()

    def write(self, at: dt.datetime, frame: str | bytes) -> None:
        """Add one frame, whatever is in it."""
        if self._file is None:
            raise ValueError("the recording is not open")
        self._file.write(format_line(at, frame) + b"\n")
        self._file.flush()
        self.frames_written += 1


def format_line(at: dt.datetime, frame: str | bytes) -> bytes:
    """One line of a recording, without its end."""
    data = frame.encode(errors="replace") if isinstance(frame, str) else frame
    try:
        msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return msgspec.json.encode({"at": format_timestamp(at), "text": data.decode(errors="replace")})
    one_line = b" ".join(data.splitlines())
    return msgspec.json.encode({"at": format_timestamp(at), "frame": msgspec.Raw(one_line)})


def read_fixtures_beside(path: Path) -> dict[str, Fixture]:
    """By id, the fixtures of `fixtures.json` in the recording's folder; empty where there is none."""
    beside = path.parent / "fixtures.json"
    if not beside.is_file():
        return {}
    try:
        return {fixture.id: fixture for fixture in decode_fixtures(beside.read_bytes()).fixtures}
    except (OSError, FrameUnreadable) as error:
        raise UserMistake(f"{beside}: this is not a list of fixtures: {error}") from error


_DATA_MARK = b'"fixtureAction"'


def recording_path(fixture: Fixture, folder: Path) -> Path:
    """Where a fixture's recording is written: `2018-05-13-arsenal-v-chelsea.jsonl.gz`."""
    words = "".join(letter if letter.isalnum() else " " for letter in fixture.title.casefold()).split()
    day = fixture.kickoff.date().isoformat() if fixture.kickoff else "undated"
    return folder / f"{day}-{'-'.join(words) or fixture.id}.jsonl.gz"


async def record_matches(fixtures: Sequence[Fixture], settings: StreamSettings, clock: Clock, folder: Path) -> dict[str, Path]:
    """Record matches until all are over; return the file of each fixture. The fixtures are written beside."""
    gate = FeedRequestLimiter(clock)
    paths = {fixture.id: recording_path(fixture, folder) for fixture in fixtures}
    await asyncio.gather(*(_record_match(fixture, settings, clock, gate, paths[fixture.id]) for fixture in fixtures))
    listed = [fixture_to_object(fixture) | {"recording": paths[fixture.id].name} for fixture in fixtures]
    (folder / "fixtures.json").write_text(json.dumps(listed, ensure_ascii=False, indent=1), encoding="utf-8")
    return paths


async def _record_match(fixture: Fixture, settings: StreamSettings, clock: Clock, gate: FeedRequestLimiter, path: Path) -> Ending:
    async def ignore(_packet: Packet, _received: dt.datetime) -> None:
        """The frame itself is written."""

    with RecordingWriter(path) as writer:

        def keep(received: dt.datetime, frame: bytes) -> None:
            """Frames of data, however strange; neither heartbeats nor the answer to the token."""
            if _DATA_MARK in frame:
                writer.write(received, frame)

        return await FeedConnection(fixture.id, settings, clock, ignore, on_frame=keep, gate=gate, kickoff=fixture.kickoff).run()


log = structlog.get_logger()

WriteFrame = Callable[[dt.datetime, bytes], None]

_ACTION_MARK = b'"fixtureAction"'

_LIST_FILE = "fixtures.json"


class RecentRecordings:
    """A folder of so many recordings; of matches at the same time, so many are written."""

    def __init__(self, folder: Path, keep: int) -> None:
        self._folder, self._max_recordings = folder, keep
        self._open: dict[str, Path] = {}

    def recordings(self) -> tuple[Path, ...]:
        """The matches that are over, the last first."""
        return tuple(self._folder / str(one["recording"]) for one in self._read_list()[: self._max_recordings])

    def start(self, fixture: Fixture, *, anew: bool) -> WriteFrame | None:
        """Where the match's frames go; `anew` where its feed is read from the start. None: this match is not kept."""
        if len(self._open) >= self._max_recordings or fixture.id in self._open:
            return None
        path = self._folder / f"{_make_file_name(fixture.id)}.part"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            _prepare_file(path, anew=anew)
        except OSError as error:
            _log_write_failure(fixture.id, error)
            return None
        self._open[fixture.id] = path
        return lambda received, frame: self._write(fixture.id, received, frame)

    def finish(self, fixture: Fixture) -> None:
        """The match is over: its recording counts from now on, and the oldest goes."""
        path = self._open.pop(fixture.id, None)
        if path is None:
            return
        try:
            self._finish(fixture, path)
        except OSError as error:
            _log_write_failure(fixture.id, error)

    def abandon(self, fixture_id: str) -> None:
        """The match is followed no longer, or not now: what was written stays and may be gone on with."""
        self._open.pop(fixture_id, None)

    def _write(self, fixture_id: str, received: dt.datetime, frame: bytes) -> None:
        path = self._open.get(fixture_id)
        if path is None or _ACTION_MARK not in frame:
            return
        try:
            with path.open("ab") as file:
                file.write(format_line(received, frame) + b"\n")
        except OSError as error:
            del self._open[fixture_id]
            _log_write_failure(fixture_id, error)

    def _finish(self, fixture: Fixture, part: Path) -> None:
        path = part.with_suffix(".jsonl.gz")
        if part.stat().st_size:
            path.write_bytes(gzip.compress(part.read_bytes(), 6))
            kept = [one for one in self._read_list() if one["id"] != fixture.id]
            self._write_list([fixture_to_object(fixture) | {"recording": path.name}, *kept])
        part.unlink()

    def _write_list(self, listed: list[dict[str, Any]]) -> None:
        """Write the list and drop the recordings that fall off its end: none but those that were kept here."""
        beside = self._folder / f"{_LIST_FILE}.new"
        beside.write_text(json.dumps(listed[: self._max_recordings], ensure_ascii=False, indent=1), encoding="utf-8")
        beside.replace(self._folder / _LIST_FILE)
        for one in listed[self._max_recordings :]:
            (self._folder / str(one["recording"])).unlink(missing_ok=True)

    def _read_list(self) -> list[dict[str, Any]]:
        try:
            listed = json.loads((self._folder / _LIST_FILE).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return []
        there = [one for one in listed if isinstance(one, dict) and _is_own_recording(one)] if isinstance(listed, list) else []
        return [one for one in there if (self._folder / str(one["recording"])).is_file()]


def _is_own_recording(one: dict[str, Any]) -> bool:
    name = one.get("recording")
    return isinstance(name, str) and name == Path(name).name and "id" in one


def _prepare_file(path: Path, *, anew: bool) -> None:
    """An empty file, or one that ends with a whole line."""
    if anew or not path.exists():
        path.write_bytes(b"")
        return
    with path.open("rb+") as file:
        whole = file.read().rfind(b"\n") + 1
        os.ftruncate(file.fileno(), whole)


def _make_file_name(fixture_id: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in fixture_id)


def _log_write_failure(fixture_id: str, error: OSError) -> None:
    log.warning("match_not_kept", fixture=fixture_id, reason=error.strerror or str(error))
