"""Recordings: JSON Lines of frames, each with the instant of its arrival.

Written by `recorder.record_matches`, and by `recent_recordings.RecentRecordings` (the last matches, kept for dry runs of rules).
"""

from __future__ import annotations

import datetime as dt
import gzip
import zlib
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

import msgspec

from bot.errors import FrameUnreadable, UserMistake
from bot.feed import lenient
from bot.feed.decode_fixtures import decode_fixtures
from bot.feed.encode import format_timestamp
from rules.football.action import Fixture

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


PRIVATE_MODE = 0o600
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
            self._path.touch(mode=PRIVATE_MODE)
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


def make_recording_path(fixture: Fixture, folder: Path) -> Path:
    """Return the file for a fixture's recording, such as `2018-05-13-arsenal-v-chelsea.jsonl.gz`."""
    # No character that a file system or a shell minds.
    words = "".join(letter if letter.isalnum() else " " for letter in fixture.title.casefold()).split()
    day = fixture.kickoff.date().isoformat() if fixture.kickoff else "undated"
    return folder / f"{day}-{'-'.join(words) or fixture.id}.jsonl.gz"
