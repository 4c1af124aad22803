"""Runs the main benchmarks, each short, and prints their figures in one table.

    python -m benchmarks.summary [--before COMMIT] [--only sending latency …]

Ends with 1 if a benchmark of this version failed, and says which; the others' figures are printed all the same.

With `--before`, the benchmarks of another commit run too, in turn with these and on the same machine; their figures have a column
of their own, in which what that commit cannot measure is left empty. The table says how busy the machine was: figures of two runs
compare only where that was alike.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import NamedTuple

from benchmarks.code_figures import extract_revision

ROOT = Path(__file__).parent.parent

TIMEOUT = 900.0
"""Seconds after which a benchmark is given up."""

Figures = dict[str, str]


def read_sending(output: str) -> Figures:
    """Messages a second and the processor's milliseconds of each, without a limit; the share used and the refusals with one."""
    found, limit = {}, ""
    for line in output.splitlines():
        if heading := re.match(r"(?:([\d,]+) a second allowed(?: beside \d+ busy loops)?|without a limit) ", line):
            limit = f"{heading[1]} a second allowed{', busy cores' if 'busy' in line else ''}" if heading[1] else ""
        elif row := re.fullmatch(r"(\S.*?) +([\d,.]+) +([\d.]+) +([\d,.]+)(?: +([\d.]+))?", line):
            if limit:
                found[f"{row[1]}, {limit}: share, 429s"] = f"{row[3]}, {row[4]}"
            else:
                found[f"{row[1]}: messages a second, ms each"] = f"{row[2]}, {row[5]}"
    return found


def read_latency(output: str) -> Figures:
    """From a frame's arrival, in milliseconds."""
    rows = re.findall(r"to (the [^:,]+): median ([\d.]+) ms, p99 ([\d.]+) ms", output)
    return {f"frame to {name}: ms, median and p99": f"{median}, {worst}" for name, median, worst in rows}


def read_feed(output: str) -> Figures:
    """Microseconds of processor a packet, and KiB a connection."""
    names = {"bare": "websockets alone", "connections": "decoded, in order", "line": "all the way to the outbox"}
    return {
        f"packets, {names[role]}: {name}": value
        for role, facts in re.findall(r"^(bare|connections|line) \{(.*)\}$", output, re.MULTILINE)
        for name, value in re.findall(r"'([^']*)': ([\d.]+)", facts)
        if "µs" in name or "KiB" in name
    }


def read_starting(output: str) -> Figures:
    """Seconds of processor and megabytes."""
    rows = re.findall(r"^(\S.*?) {2,}([\d.]+) +(\d+)$", output, re.MULTILINE)
    return {f"{name}: processor s, MB": f"{seconds}, {megabytes}" for name, seconds, megabytes in rows}


def read_replaying(output: str) -> Figures:
    """Seconds, and microseconds of processor time for each packet."""
    rows = re.findall(r"^(\d+) copies of .* --jobs (\d+): ([\d.]+) s, .*?(\d+) µs a packet$", output, re.MULTILINE)
    return {f"replay of {count} recordings, --jobs {jobs}: s, µs a packet": f"{s}, {each}" for count, jobs, s, each in rows}


def read_first_message(output: str) -> Figures:
    """Seconds, or why they are not known."""
    rows = re.findall(r"^(on a fresh clone|the second time): (?:([\d.]+) s|(not measured: .*))$", output, re.MULTILINE)
    return {f"make demo to its first message, {when}: s": seconds or reason for when, seconds, reason in rows}


class Benchmark(NamedTuple):
    """A module of this folder with the arguments of a short run, and what reads its output."""

    module: str
    arguments: tuple[str, ...]
    read: Callable[[str], Figures]


BENCHMARKS = {
    "sending": Benchmark("fanout", ("--messages", "4000", "--rounds", "2", "--seconds", "6"), read_sending),
    "busy": Benchmark("fanout", ("--busy", "--limits", "30", "1000", "--seconds", "8"), read_sending),
    "latency": Benchmark("latency", ("--settle", "10", "--seconds", "40"), read_latency),
    "packets": Benchmark("connections", ("--fixtures", "200", "--packets", "100", "--live", "20", "--seconds", "5"), read_feed),
    "starting": Benchmark("starting", ("--times", "3"), read_starting),
    "replaying": Benchmark("replaying", ("--single", "25"), read_replaying),
    "demo": Benchmark("first_message", (), read_first_message),
}


@contextmanager
def extracted(commit: str) -> Iterator[Path]:
    """Another commit's files in a folder of their own, with those of these benchmarks that it does not have."""
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder)
        try:
            extract_revision(commit, tree)
        except subprocess.CalledProcessError as error:
            raise SystemExit(f"commit {commit} is not in this clone, or cannot be compiled") from error
        for benchmark in BENCHMARKS.values():
            script = Path("benchmarks", f"{benchmark.module}.py")
            # A benchmark that is newer than the commit may work with it all the same.
            if not (tree / script).exists():
                shutil.copy(ROOT / script, tree / script)
        yield tree


def run(benchmark: Benchmark, tree: Path) -> Figures:
    """Run a benchmark of one tree. Empty if it failed, or printed nothing that is a figure; standard error then says why."""
    command = [sys.executable, "-m", f"benchmarks.{benchmark.module}", *benchmark.arguments]
    try:
        done = subprocess.run(command, cwd=tree, capture_output=True, text=True, timeout=TIMEOUT, check=False)  # noqa: S603
    except subprocess.TimeoutExpired:
        print(f"benchmarks.{benchmark.module} of {tree} took too long", file=sys.stderr)
        return {}
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or [f"it ended with {done.returncode}"])[-1]
        print(f"benchmarks.{benchmark.module} of {tree}: {reason}", file=sys.stderr)
        return {}
    figures = benchmark.read(done.stdout)
    if not figures:
        print(f"benchmarks.{benchmark.module} of {tree} printed no figures", file=sys.stderr)
    return figures


def describe_machine() -> str:
    """How many cores, which Python, and how busy the machine was over the last five minutes."""
    load = os.getloadavg()[1]
    return f"{os.cpu_count()} cores, Python {sys.version.split()[0]}, load {load:.1f}"


def print_table(rows: list[tuple[str, str, str]], *, has_before: bool) -> None:
    """Print the table as it can stand in docs/benchmarks.md."""
    print("| figure | before | now |" if has_before else "| figure | now |")
    print("| --- | ---: | ---: |" if has_before else "| --- | ---: |")
    for name, before, now in rows:
        print(f"| {name} | {before} | {now} |" if has_before else f"| {name} | {now} |")


def main() -> None:
    """Run everything that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--before", metavar="COMMIT", help="a commit, branch or tag to compare with")
    parser.add_argument("--only", nargs="+", choices=BENCHMARKS, default=list(BENCHMARKS))
    given = parser.parse_args()
    began, machine = time.monotonic(), describe_machine()
    rows: list[tuple[str, str, str]] = []
    failed: list[str] = []
    with extracted(given.before) if given.before else nullcontext() as tree:
        for name in given.only:
            print(f"{name} …", file=sys.stderr, flush=True)
            before = run(BENCHMARKS[name], tree) if tree else {}
            now = run(BENCHMARKS[name], ROOT)
            # Only of this version: what an older commit cannot measure is left empty.
            failed += [] if now else [name]
            rows += [(figure, before.get(figure, ""), value) for figure, value in now.items()]
    print_table(rows, has_before=bool(given.before))
    print(f"\n{machine} at the start, {describe_machine().rpartition(', ')[2]} at the end, {time.monotonic() - began:.0f} s.")
    if failed:
        raise SystemExit(f"failed, with the reasons above: {', '.join(failed)}")


if __name__ == "__main__":
    main()
