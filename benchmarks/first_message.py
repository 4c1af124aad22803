"""Seconds from `make demo` to its first message: on a fresh clone, with no cache of packages, and the second time.

    python -m benchmarks.first_message

A fresh clone installs packages, so it needs the package index; where that cannot be reached, the line says so. The second time
nothing is installed.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

TREE = Path.cwd()
"""The version that is measured: `benchmarks.summary` runs this in the folder of another one, too."""

MESSAGE_MARK = "✉"
"""In the line of a new message, where the output is no terminal."""

NO_INDEX = "not measured: the package index cannot be reached"


class DemoFailed(Exception):
    """`make demo` ended without a message; the text says why."""


def clone(tree: Path, to: Path) -> None:
    """Copy what a person gets who clones a version, without an environment of earlier runs."""
    if (tree / ".git").exists():
        subprocess.run(["git", "clone", "--quiet", str(tree), str(to)], check=True)  # noqa: S603, S607
    else:
        shutil.copytree(tree, to)


def wait_for_message(folder: Path) -> float:
    """Run `make demo` until its first message and stop it; return the seconds. Raises DemoFailed if it ends without one."""
    # Index and proxies are those of the machine. Packages are downloaded, as by somebody who has none of them.
    environment = os.environ | {"PIP_NO_CACHE_DIR": "1"}
    began = time.monotonic()
    with subprocess.Popen(
        ["make", "demo"],  # noqa: S607
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        start_new_session=True,
    ) as process:
        assert process.stdout  # noqa: S101  # it is a pipe
        lines: list[str] = []
        try:
            for line in process.stdout:
                if MESSAGE_MARK in line:
                    return time.monotonic() - began
                lines.append(line)
        finally:
            # Make and what it started: nobody waits for the end of the match.
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
    raise DemoFailed("".join(lines))


def main() -> None:
    """A line for the first time, and one for the second."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "touchline"
        clone(TREE, folder)
        for when in ("on a fresh clone", "the second time"):
            try:
                print(f"{when}: {wait_for_message(folder):.1f} s", flush=True)
            except DemoFailed as failure:
                output = str(failure)
                if "No matching distribution" in output or "Failed to establish" in output or "Connection" in output:
                    print(f"{when}: {NO_INDEX}")
                    return
                raise SystemExit((output.strip().splitlines() or ["make demo said nothing"])[-1]) from failure


if __name__ == "__main__":
    main()
