"""Recordings: JSON Lines of frames, each with the instant of its arrival.

Read and written here, by `recorder.record_matches`, and by RecentRecordings (the last matches, kept for dry runs of rules).
"""

from __future__ import annotations

import datetime as dt
import gzip
import json
import os
import zlib
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

import msgspec
import structlog

from bot.errors import FrameUnreadable, UserMistake
from bot.feed import lenient
from bot.feed.decode_fixtures import decode_fixtures
from bot.feed.encode import fixture_to_object, format_timestamp
from rules.football.action import Fixture

log = structlog.get_logger()

RecordingFile = gzip.GzipFile | BinaryIO

WriteFrame = Callable[[dt.datetime, bytes], None]

DATA_MARK = b'"fixtureAction"'
"""What only data frames contain: heartbeats and the answer to the token are not recorded."""

LIST_FILE = "fixtures.json"


class RecordedFrame(msgspec.Struct, frozen=True):
    """One frame as it came, and the instant of its arrival."""

    at: dt.datetime
    frame: bytes


class _LineJson(msgspec.Struct):
    at: str
    frame: msgspec.Raw = msgspec.Raw()
    text: str = ""
    """A frame that is not JSON, in place of `frame`."""


_LINE_DECODER = msgspec.json.Decoder(_LineJson)


def read_recording(path: Path) -> Iterator[RecordedFrame]:
    """Yield the frames of a recording, in order; raise UserMistake if the file or one of its lines cannot be read."""
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
    # By its first two bytes rather than its name, since files get unpacked and renamed.
    with path.open("rb") as file:
        is_gzip = file.read(2) == b"\x1f\x8b"
    return gzip.open(path, "rb") if is_gzip else path.open("rb")


def _parse_line(line: bytes, path: Path, number: int) -> RecordedFrame:
    try:
        # Strict, unlike the feed itself: a recording is ours, and a damaged line should be found and not skipped.
        parsed = _LINE_DECODER.decode(line)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise UserMistake(f"{path}:{number}: this line is not of a recording: {error}") from error
    at = lenient.as_instant(parsed.at)
    if at is None:
        raise UserMistake(f"{path}:{number}: {parsed.at!r} is not an instant such as 2018-05-13T14:00:00Z")
    return RecordedFrame(at, bytes(parsed.frame) or parsed.text.encode())


_PRIVATE = 0o600
"""Only the program's user reads a recording: the feed's data is not for everybody on the machine."""


class RecordingWriter:
    """Writes a recording, gzipped if the file's name ends in `.gz`. A context manager."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: RecordingFile | None = None
        self.frames_written = 0

    def __enter__(self) -> RecordingWriter:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.unlink(missing_ok=True)
            self._path.touch(mode=_PRIVATE)
            self._file = gzip.open(self._path, "wb") if self._path.suffix == ".gz" else self._path.open("wb")
        except OSError as error:
            raise UserMistake(f"{self._path}: the recording cannot be written: {error.strerror or error}") from error
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._file is not None:
            self._file.close()

    def write(self, at: dt.datetime, frame: str | bytes) -> None:
        """Add one frame, whatever is in it, and flush: a recording that is interrupted keeps what it has."""
        if self._file is None:
            raise ValueError("the recording is not open")
        self._file.write(format_line(at, frame) + b"\n")
        # Recordings are made for hours and ended with Ctrl-C.
        self._file.flush()
        self.frames_written += 1


def format_line(at: dt.datetime, frame: str | bytes) -> bytes:
    """Return one line of a recording, without its end. A frame that is JSON stays byte for byte, except for line breaks."""
    data = frame.encode(errors="replace") if isinstance(frame, str) else frame
    try:
        msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return msgspec.json.encode({"at": format_timestamp(at), "text": data.decode(errors="replace")})
    # JSON has no line breaks inside strings, so that replacing them does not change the frame.
    one_line = b" ".join(data.splitlines())
    return msgspec.json.encode({"at": format_timestamp(at), "frame": msgspec.Raw(one_line)})


def read_fixtures_beside(path: Path) -> dict[str, Fixture]:
    """Return the fixtures of `fixtures.json` in the recording's folder, by id; empty if there is no such file."""
    beside = path.parent / LIST_FILE
    if not beside.is_file():
        return {}
    try:
        status = beside.stat()
        return _read_fixture_list(beside, (status.st_mtime_ns, status.st_size))
    except (OSError, FrameUnreadable) as error:
        raise UserMistake(f"{beside}: this is not a list of fixtures: {error}") from error


# Kept: a folder of a thousand recordings has one list of a thousand fixtures, and each recording asks for it.
@lru_cache(maxsize=4)
def _read_fixture_list(path: Path, _version: tuple[int, int]) -> dict[str, Fixture]:
    return {fixture.id: fixture for fixture in decode_fixtures(path.read_bytes()).fixtures}


def recording_path(fixture: Fixture, folder: Path) -> Path:
    """Return the file for a fixture's recording, such as `2018-05-13-arsenal-v-chelsea.jsonl.gz`."""
    # No character that a file system or a shell minds.
    words = "".join(letter if letter.isalnum() else " " for letter in fixture.title.casefold()).split()
    day = fixture.kickoff.date().isoformat() if fixture.kickoff else "undated"
    return folder / f"{day}-{'-'.join(words) or fixture.id}.jsonl.gz"


class RecentRecordings:
    """A folder of the recordings of the last matches, at most `keep`; no more than that are written at the same time.

    A failed write gives the recording up, never the match: recordings are a convenience, alerts are not.
    """

    def __init__(self, folder: Path, keep: int) -> None:
        self._folder, self._max_recordings = folder, keep
        self._open: dict[str, Path] = {}
        self._ended: set[str] = set()
        """Those of the open ones whose match has ended: they only wait for corrections, and take no other match's place."""

    def recordings(self) -> tuple[Path, ...]:
        """Return the recordings of matches that are over, the latest first."""
        return tuple(self._folder / str(one["recording"]) for one in self._read_list()[: self._max_recordings])

    def start(self, fixture: Fixture, *, from_start: bool) -> WriteFrame | None:
        """Begin a recording; return the function that writes its frames, or None if this match is not recorded.

        `from_start`: the feed is read from the start of the match, so that an earlier attempt is overwritten.
        """
        # Each open recording grows by some megabytes: a Saturday with forty matches would fill the disk.
        if len(self._open) - len(self._ended) >= self._max_recordings or fixture.id in self._open:
            return None
        path = self._folder / f"{_make_file_name(fixture.id)}.part"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            _prepare_file(path, from_start=from_start)
            # Recordings of earlier versions too.
            for recording in (path, *self.recordings()):
                recording.chmod(_PRIVATE)
        except OSError as error:
            _log_write_failure(fixture.id, error)
            return None
        self._open[fixture.id] = path
        return lambda received, frame: self._write(fixture.id, received, frame)

    def list_ended(self, fixture: Fixture) -> None:
        """List the recording of a match that has ended, and delete the oldest one. What still comes is recorded too."""
        if (path := self._open.get(fixture.id)) is not None:
            self._ended.add(fixture.id)
            self._list(fixture, path)

    def finish(self, fixture: Fixture) -> None:
        """Finish the recording of a match of which nothing more comes, and list it unless it is listed."""
        path = self._open.get(fixture.id)
        self.abandon(fixture.id)
        if path is not None and self._list(fixture, path):
            # Last: after a kill before it the next `start` finds the frames and goes on.
            path.unlink(missing_ok=True)

    def abandon(self, fixture_id: str) -> None:
        """Stop recording a match that is no longer followed. What was written stays, and `start` can continue it."""
        self._open.pop(fixture_id, None)
        self._ended.discard(fixture_id)

    def _write(self, fixture_id: str, received: dt.datetime, frame: bytes) -> None:
        path = self._open.get(fixture_id)
        if path is None or DATA_MARK not in frame:
            return
        try:
            # Opened for each frame, so that no match holds a file open and no line waits in a buffer.
            with path.open("ab") as file:
                file.write(format_line(received, frame) + b"\n")
        # Not tried again for each frame: the disk is full, or the folder is gone.
        except OSError as error:
            self.abandon(fixture_id)
            _log_write_failure(fixture_id, error)

    def _list(self, fixture: Fixture, part: Path) -> bool:
        """Compress what was written and put it at the head of the list. Return False if it could not be written."""
        path = part.with_suffix(".jsonl.gz")
        try:
            if part.stat().st_size:
                # Compressed all at once: gzip would hardly compress lines that are appended one by one.
                path.touch(mode=_PRIVATE)
                path.write_bytes(gzip.compress(part.read_bytes(), 6))
                kept = [one for one in self._read_list() if one["id"] != fixture.id]
                self._write_list([fixture_to_object(fixture) | {"recording": path.name}, *kept])
        except OSError as error:
            _log_write_failure(fixture.id, error)
            return False
        return True

    def _write_list(self, listed: list[dict[str, Any]]) -> None:
        """Write the list and delete the recordings that fall off its end; files that are not in the list are never touched."""
        # Written beside and renamed: a reader, or a kill in between, never finds half a list.
        beside = self._folder / f"{LIST_FILE}.new"
        beside.write_text(json.dumps(listed[: self._max_recordings], ensure_ascii=False, indent=1), encoding="utf-8")
        beside.replace(self._folder / LIST_FILE)
        for one in listed[self._max_recordings :]:
            (self._folder / str(one["recording"])).unlink(missing_ok=True)

    def _read_list(self) -> list[dict[str, Any]]:
        try:
            listed = json.loads((self._folder / LIST_FILE).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return []
        there = [one for one in listed if isinstance(one, dict) and _is_own_recording(one)] if isinstance(listed, list) else []
        return [one for one in there if (self._folder / str(one["recording"])).is_file()]


def _is_own_recording(one: dict[str, Any]) -> bool:
    # The list can be edited by hand: a name with a folder in it must not reach, or delete, a file elsewhere.
    name = one.get("recording")
    return isinstance(name, str) and name == Path(name).name and "id" in one


def _prepare_file(path: Path, *, from_start: bool) -> None:
    """Make the file empty, or cut off a last line that a kill left unfinished."""
    if from_start or not path.exists():
        path.write_bytes(b"")
        return
    with path.open("rb+") as file:
        whole = file.read().rfind(b"\n") + 1
        os.ftruncate(file.fileno(), whole)


def _make_file_name(fixture_id: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in fixture_id)


def _log_write_failure(fixture_id: str, error: OSError) -> None:
    log.warning("recording_not_written", fixture=fixture_id, reason=error.strerror or str(error))
