"""What `touchline replay` takes for 200 recordings: copies of the shared ones, or of shipped scenarios, under new ids.

    python -m benchmarks.replaying [--count 200] [--single 200]

With one process (`--single`: of so many copies, for a short run), and with one for each core.
A folder of copies has one list with all of their fixtures, as a season has.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from msgspec.structs import replace

from bot.feed.encode import fixture_to_object
from bot.feed.match_source import MatchSource, ScenarioMatch, open_match, read_packets_of
from bot.feed.recording import LIST_FILE, RecordedFrame, format_line
from bot.replay.parallel import count_cores
from rules.football.action import Fixture
from rules.scenarios.parser import SHIPPED_SCENARIOS, load_scenario
from tests.recordings import MISSING, PATHS

QUIET = 8
"""Seconds between the everyday actions of a shipped scenario: a recorded match sends about as many."""


class Source(NamedTuple):
    """A match to copy."""

    fixture: Fixture
    frames: tuple[RecordedFrame, ...]


def read_sources(paths: Sequence[Path] = PATHS) -> list[Source]:
    """Read the recordings, or the shipped scenarios if there is no recording."""
    matches: list[MatchSource] = [open_match(path) for path in paths] or [
        ScenarioMatch(name, load_scenario(name), QUIET) for name in SHIPPED_SCENARIOS
    ]
    ids = [next(read_packets_of(match)).fixture_id for match in matches]
    return [Source(match.read_fixtures()[id_], tuple(match.read_frames())) for match, id_ in zip(matches, ids, strict=True)]


def write_copies(sources: Sequence[Source], count: int, folder: Path) -> int:
    """Write so many recordings with ids of their own, and the list of their fixtures; return how many packets they have."""
    listed, packets = [], 0
    for number in range(count):
        source = sources[number % len(sources)]
        old, new = source.fixture.id, f"00000000-0000-4000-8000-{number:012}"
        listed.append(fixture_to_object(replace(source.fixture, id=new)))
        lines = [format_line(one.at, one.frame.replace(old.encode(), new.encode())) for one in source.frames]
        (folder / f"{number:04}.jsonl.gz").write_bytes(gzip.compress(b"\n".join(lines) + b"\n", compresslevel=1))
        packets += len(lines)
    (folder / LIST_FILE).write_text(json.dumps(listed), encoding="utf-8")
    return packets


def replay(folder: Path, jobs: int) -> tuple[float, float]:
    """Replay a folder; return the seconds that it took, and those of processor time in all processes."""
    config = folder / "no-rules-of-its-own.yaml"
    config.touch()
    command = [sys.executable, "-m", "bot", "replay", str(folder), "--config", str(config), "--jobs", str(jobs)]
    began = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)  # noqa: S603  # our own
    # The account of a process that ended includes those of its own children that it has waited for.
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"replay ended with {process.returncode}")
    return time.monotonic() - began, usage.ru_utime + usage.ru_stime


def main() -> None:
    """A line for one process, and one for all cores."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--single", type=int)
    given = parser.parse_args()
    runs = {1: given.single or given.count, count_cores(): given.count}
    if not PATHS:
        print(f"{MISSING}; the shipped scenarios are copied instead", file=sys.stderr)
    sources = read_sources()
    for jobs, count in runs.items():
        with tempfile.TemporaryDirectory() as name:
            packets = write_copies(sources, count, Path(name))
            seconds, processor = replay(Path(name), jobs)
        each = processor / packets * 1e6
        print(
            f"{count} copies of {len(sources)} matches, {packets:,} packets, --jobs {jobs}: "
            f"{seconds:.1f} s, processor {processor:.1f} s, {each:.0f} µs a packet",
            flush=True,
        )


if __name__ == "__main__":
    main()
