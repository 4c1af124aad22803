"""Runs `touchline` and notes which lines of the code are executed between two signals; benchmarks/walk_files.py starts it.

    PYTHONPATH=CHECKOUT python -m benchmarks.line_tracer CHECKOUT OUTPUT run --config config.yaml

SIGUSR1 begins a recording and writes an empty object to OUTPUT. SIGUSR2 ends it and writes the numbers of the lines by file.
"""

from __future__ import annotations

import json
import runpy
import signal
import sys
import threading
from collections import defaultdict
from pathlib import Path
from types import FrameType
from typing import Any


class LineTracer:
    """Notes the lines of `bot` and `rules` that run, in all threads, while it is recording."""

    def __init__(self, checkout: Path, output: Path) -> None:
        self._checkout, self._output = checkout, output
        self._folders = tuple(f"{checkout / name}/" for name in ("bot", "rules"))
        self._lines: dict[str, set[int]] = defaultdict(set)
        self._is_recording = False

    def begin(self, *_: object) -> None:
        """Forget what was recorded and begin."""
        self._lines.clear()
        self._is_recording = True
        self._write()

    def end(self, *_: object) -> None:
        """Stop recording and write the lines."""
        self._is_recording = False
        self._write()

    def trace(self, frame: FrameType, event: str, argument: Any) -> Any:
        """Trace a function that is entered, or a coroutine that goes on. What a module does when it is imported is left out."""
        code = frame.f_code
        if not self._is_recording or code.co_name == "<module>" or not code.co_filename.startswith(self._folders):
            return None
        return self._trace_line

    def _trace_line(self, frame: FrameType, event: str, argument: Any) -> Any:
        if event == "line" and self._is_recording:
            self._lines[frame.f_code.co_filename].add(frame.f_lineno)
        return self._trace_line

    def _write(self) -> None:
        lines = {str(Path(file).relative_to(self._checkout)): sorted(numbers) for file, numbers in self._lines.items()}
        unfinished = self._output.with_suffix(".part")
        unfinished.write_text(json.dumps(lines), encoding="utf-8")
        unfinished.replace(self._output)  # so that nobody reads half of it


def main() -> None:
    """Run the command of which the lines are traced."""
    checkout, output, *words = sys.argv[1:]
    tracer = LineTracer(Path(checkout), Path(output))
    signal.signal(signal.SIGUSR1, tracer.begin)
    signal.signal(signal.SIGUSR2, tracer.end)
    threading.settrace(tracer.trace)
    sys.settrace(tracer.trace)
    sys.argv = ["touchline", *words]
    runpy.run_module("bot", run_name="__main__")


if __name__ == "__main__":
    main()
