"""Recordings: JSON Lines, one frame a line with the instant at which it came, gzipped or plain."""

from __future__ import annotations

import datetime as dt
import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

import msgspec

from bot.errors import FrameUnreadable, UserMistake
from bot.feed import loose
from bot.feed.decode import decode
from bot.feed.decode_fixtures import decode_fixtures
from bot.feed.encode import timestamp
from rules.action import Fixture, Packet

Lines = gzip.GzipFile | BinaryIO


class Recorded(msgspec.Struct, frozen=True):
    """One frame as it came, and when."""

    at: dt.datetime
    frame: bytes


class _Line(msgspec.Struct):
    at: str
    frame: msgspec.Raw = msgspec.Raw()
    text: str = ""
    """A frame that is not JSON."""


_LINE = msgspec.json.Decoder(_Line)


def read(path: Path) -> Iterator[Recorded]:
    """The frames of a recording, in order; raise UserMistake where the file cannot be read or a line is none of its kind."""
    try:
        with _open(path) as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    yield _recorded(line, path, number)
    except OSError as error:
        raise UserMistake(f"{path}: the recording cannot be read: {error.strerror or error}") from error
    except (EOFError, zlib.error) as error:
        raise UserMistake(f"{path}: the recording is cut off or damaged: {error}") from error


def _open(path: Path) -> Lines:
    """Gzip is known by its first two bytes, not by the file's name."""
    with path.open("rb") as file:
        zipped = file.read(2) == b"\x1f\x8b"
    return gzip.open(path, "rb") if zipped else path.open("rb")


def _recorded(line: bytes, path: Path, number: int) -> Recorded:
    try:
        parsed = _LINE.decode(line)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise UserMistake(f"{path}:{number}: this line is not of a recording: {error}") from error
    at = loose.instant(parsed.at)
    if at is None:
        raise UserMistake(f"{path}:{number}: {parsed.at!r} is not an instant such as 2018-05-13T14:00:00Z")
    return Recorded(at, bytes(parsed.frame) or parsed.text.encode())


def packets(path: Path) -> Iterator[Packet]:
    """The packets of a recording, in order; control frames and what cannot be read are passed over."""
    for recorded in read(path):
        try:
            packet = decode(recorded.frame, received=recorded.at)
        except FrameUnreadable:
            continue
        if isinstance(packet, Packet):
            yield packet


class Writer:
    """Writes a recording; gzipped where the file's name ends in `.gz`. A context manager."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: Lines | None = None
        self.count = 0

    def __enter__(self) -> Writer:
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
        self._file.write(as_line(at, frame) + b"\n")
        self._file.flush()
        self.count += 1


def as_line(at: dt.datetime, frame: str | bytes) -> bytes:
    """One line of a recording, without its end."""
    data = frame.encode(errors="replace") if isinstance(frame, str) else frame
    try:
        msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return msgspec.json.encode({"at": timestamp(at), "text": data.decode(errors="replace")})
    one_line = b" ".join(data.splitlines())
    return msgspec.json.encode({"at": timestamp(at), "frame": msgspec.Raw(one_line)})


def fixtures_beside(path: Path) -> dict[str, Fixture]:
    """By id, the fixtures of `fixtures.json` in the recording's folder; empty where there is none."""
    beside = path.parent / "fixtures.json"
    if not beside.is_file():
        return {}
    try:
        return {fixture.id: fixture for fixture in decode_fixtures(beside.read_bytes()).fixtures}
    except (OSError, FrameUnreadable) as error:
        raise UserMistake(f"{beside}: this is not a list of fixtures: {error}") from error
