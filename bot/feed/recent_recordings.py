"""Keeps recordings of the last matches, on which changed rules are tried (dry runs)."""

from __future__ import annotations

import datetime as dt
import gzip
import json
import os
from pathlib import Path
from typing import Any
from urllib.parse import quote

import structlog

from bot.feed.encode import fixture_to_object
from bot.feed.recording import DATA_MARK, LIST_FILE, PRIVATE_MODE, WriteFrame, format_line
from bot.sharing import Steps, finish_in_turns
from rules.football.action import Fixture

log = structlog.get_logger()

_PIECE_SIZE = 64 * 1024
"""Bytes that are compressed without a break: about a millisecond."""


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
        # Two ids never share a file, and none leaves the folder: the dots of `.` and `..` are replaced, too.
        path = self._folder / f"{quote(fixture.id, safe='', errors='replace').replace('.', '%2E')}.part"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            _prepare_file(path, from_start=from_start)
            # Recordings of earlier versions too.
            for recording in (path, *self.recordings()):
                recording.chmod(PRIVATE_MODE)
        except OSError as error:
            _log_write_failure(fixture.id, error)
            return None
        self._open[fixture.id] = path
        return lambda received, frame: self._write(fixture.id, received, frame)

    async def list_ended(self, fixture: Fixture) -> None:
        """List the recording of a match that has ended, and delete the oldest one. What still comes is recorded too."""
        if (path := self._open.get(fixture.id)) is not None:
            self._ended.add(fixture.id)
            await finish_in_turns(self._list(fixture, path))

    async def finish(self, fixture: Fixture) -> None:
        """Finish the recording of a match of which nothing more comes, and list it unless it is listed."""
        path = self._open.get(fixture.id)
        self.abandon(fixture.id)
        if path is not None:
            await finish_in_turns(self._list(fixture, path, is_last=True))

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

    def _list(self, fixture: Fixture, part: Path, *, is_last: bool = False) -> Steps[None]:
        """Compress what was written and put it at the head of the list. `is_last`: nothing more is written."""
        path = part.with_suffix(".jsonl.gz")
        try:
            if part.stat().st_size:
                yield from _compress(part, path)
                kept = [one for one in self._read_list() if one["id"] != fixture.id]
                self._write_list([fixture_to_object(fixture) | {"recording": path.name}, *kept])
            if is_last:
                # Last: after a kill before it the next `start` finds the frames and goes on.
                part.unlink(missing_ok=True)
        except OSError as error:
            _log_write_failure(fixture.id, error)

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


def _compress(part: Path, path: Path) -> Steps[None]:
    """Compress a file as a whole: gzip would hardly compress lines that are appended one by one."""
    # Written beside and renamed: it may be listed already, and a dry run, or a kill in between, never finds half of it.
    beside = path.with_name(f"{path.name}.new")
    try:
        beside.touch(mode=PRIVATE_MODE)
        with part.open("rb") as lines, gzip.open(beside, "wb", compresslevel=6) as file:
            while piece := lines.read(_PIECE_SIZE):
                file.write(piece)
                yield
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def _log_write_failure(fixture_id: str, error: OSError) -> None:
    log.warning("recording_not_written", fixture=fixture_id, reason=error.strerror or str(error))
