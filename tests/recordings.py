"""The shared recordings for tests: fourteen real matches. Where the folder is absent, the tests that need it are skipped."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(os.environ.get("TOUCHLINE_RECORDINGS") or Path(__file__).parents[2] / "shared" / "recordings")
PATHS = sorted(FOLDER.glob("*.jsonl.gz"))


def name_of(path: Path) -> str:
    """The name of a recording, such as "2016-07-02-germany-italy"."""
    return path.name.removesuffix(".jsonl.gz")


NAMES = [name_of(path) for path in PATHS]
MISSING = f"there are no recordings in {FOLDER}: set TOUCHLINE_RECORDINGS to their folder"

needs_recordings = pytest.mark.skipif(not PATHS, reason=MISSING)
_each_path = PATHS or [pytest.param(FOLDER, marks=needs_recordings)]
# By this scope a module's tests of one recording come one after the other, and so in one worker, which plays it once for them.
_every = pytest.mark.parametrize("path", _each_path, ids=NAMES or ["none"], scope="module")


def each_recording(test: Callable[..., object]) -> Any:
    """Run a test with `path` for every recording; it is slow."""
    return pytest.mark.slow(_every(test))


def recording(name: str) -> Path:
    """The recording whose name ends so; skips the test where it is absent."""
    found = next((path for path in PATHS if path.name.removesuffix(".jsonl.gz").endswith(name)), None)
    if found is None:
        pytest.skip(f"no recording {name} in the folder of recordings")
    return found


def truth(path: Path) -> dict[str, Any]:
    """What really happened in the match of a recording."""
    read: dict[str, Any] = json.loads(path.with_name(path.name.replace(".jsonl.gz", ".truth.json")).read_text())
    return read
