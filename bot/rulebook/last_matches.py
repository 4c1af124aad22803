"""Keeps the frames of the last matches in a folder, as recordings on which changed rules are tried.

Keeping them is a help and never a hindrance: what cannot be written is logged once, and the match goes on.
"""

from __future__ import annotations

import datetime as dt
import gzip
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import structlog

from bot.feed.encode import fixture_object
from bot.feed.recording import as_line
from rules.action import Fixture

log = structlog.get_logger()

OnFrame = Callable[[dt.datetime, bytes], None]

_DATA = b'"fixtureAction"'
_LISTED = "fixtures.json"


class LastMatches:
    """A folder of so many recordings; of matches at the same time, so many are written."""

    def __init__(self, folder: Path, keep: int) -> None:
        self._folder, self._keep = folder, keep
        self._open: dict[str, Path] = {}

    def recordings(self) -> tuple[Path, ...]:
        """The matches that are over, the last first."""
        return tuple(self._folder / str(one["recording"]) for one in self._listed()[: self._keep])

    def begin(self, fixture: Fixture, *, anew: bool) -> OnFrame | None:
        """Where the match's frames go; `anew` where its feed is read from the start. None: this match is not kept."""
        if len(self._open) >= self._keep or fixture.id in self._open:
            return None
        path = self._folder / f"{_safe(fixture.id)}.part"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            _prepare(path, anew=anew)
        except OSError as error:
            _failed(fixture.id, error)
            return None
        self._open[fixture.id] = path
        return lambda received, frame: self._write(fixture.id, received, frame)

    def over(self, fixture: Fixture) -> None:
        """The match is over: its recording counts from now on, and the oldest goes."""
        path = self._open.pop(fixture.id, None)
        if path is None:
            return
        try:
            self._finish(fixture, path)
        except OSError as error:
            _failed(fixture.id, error)

    def leave(self, fixture_id: str) -> None:
        """The match is followed no longer, or not now: what was written stays and may be gone on with."""
        self._open.pop(fixture_id, None)

    def _write(self, fixture_id: str, received: dt.datetime, frame: bytes) -> None:
        path = self._open.get(fixture_id)
        if path is None or _DATA not in frame:
            return
        try:
            with path.open("ab") as file:
                file.write(as_line(received, frame) + b"\n")
        except OSError as error:
            del self._open[fixture_id]
            _failed(fixture_id, error)

    def _finish(self, fixture: Fixture, part: Path) -> None:
        path = part.with_suffix(".jsonl.gz")
        if part.stat().st_size:
            path.write_bytes(gzip.compress(part.read_bytes(), 6))
            kept = [one for one in self._listed() if one["id"] != fixture.id]
            self._list([fixture_object(fixture) | {"recording": path.name}, *kept])
        part.unlink()

    def _list(self, listed: list[dict[str, Any]]) -> None:
        """Write the list and drop the recordings that fall off its end: none but those that were kept here."""
        beside = self._folder / f"{_LISTED}.new"
        beside.write_text(json.dumps(listed[: self._keep], ensure_ascii=False, indent=1), encoding="utf-8")
        beside.replace(self._folder / _LISTED)
        for one in listed[self._keep :]:
            (self._folder / str(one["recording"])).unlink(missing_ok=True)

    def _listed(self) -> list[dict[str, Any]]:
        try:
            listed = json.loads((self._folder / _LISTED).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return []
        there = [one for one in listed if isinstance(one, dict) and _named_here(one)] if isinstance(listed, list) else []
        return [one for one in there if (self._folder / str(one["recording"])).is_file()]


def _named_here(one: dict[str, Any]) -> bool:
    name = one.get("recording")
    return isinstance(name, str) and name == Path(name).name and "id" in one


def _prepare(path: Path, *, anew: bool) -> None:
    """An empty file, or one that ends with a whole line."""
    if anew or not path.exists():
        path.write_bytes(b"")
        return
    with path.open("rb+") as file:
        whole = file.read().rfind(b"\n") + 1
        os.ftruncate(file.fileno(), whole)


def _safe(fixture_id: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in fixture_id)


def _failed(fixture_id: str, error: OSError) -> None:
    log.warning("match_not_kept", fixture=fixture_id, reason=error.strerror or str(error))
