"""Reads lines that are typed or piped, without holding up the event loop."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import threading
from collections.abc import Iterator
from typing import Any


class LineInput:
    """Reads standard input line by line, in a thread that is left behind when the process ends in the middle of a line."""

    _readline: Any = None

    def __init__(self) -> None:
        self.is_terminal = sys.stdin.isatty() and sys.stdout.isatty()
        if self.is_terminal:
            # Importing it is what gives `input` its editing and history, and knows what was typed so far.
            with contextlib.suppress(ImportError):
                import readline

                self._readline = readline
        self._is_reading = False
        self._prompt = ""
        self._buffer = b""

    async def read(self, prompt: str) -> str | None:
        """Return the next line without its end; None at the end of the input. The prompt is for a terminal only."""
        self._prompt, self._is_reading = prompt, True
        loop = asyncio.get_running_loop()
        line: asyncio.Future[str | None] = loop.create_future()

        def deliver(found: str | None) -> None:
            if not line.done():
                line.set_result(found)

        def work() -> None:
            found = self._read_typed(prompt) if self.is_terminal else self._read_piped()
            # The loop is closed if the process ends while somebody types.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(deliver, found)

        # A daemon: a read that waits for a person must not keep the process alive. The pool of asyncio would.
        threading.Thread(target=work, daemon=True).start()
        try:
            return await line
        except asyncio.CancelledError:
            if self.is_terminal:
                # Ctrl-C, or the end of the match: what comes next, such as the shell's prompt, gets a line of its own.
                sys.stdout.write("\n")
                sys.stdout.flush()
            raise
        finally:
            self._is_reading = False

    def redraw_prompt(self) -> None:
        """Draw the prompt again, with what was typed so far, after other lines were printed; nothing while nobody is asked."""
        if self._is_reading:
            typed = self._readline.get_line_buffer() if self._readline else ""
            sys.stdout.write(self._prompt + typed)
            sys.stdout.flush()

    @staticmethod
    def _read_typed(prompt: str) -> str | None:
        try:
            return input(prompt)
        except EOFError:
            sys.stdout.write("\n")  # Ctrl-D leaves the cursor behind the prompt
            return None

    def _read_piped(self) -> str | None:
        # Not through sys.stdin: a thread that waits in its buffer would abort the interpreter's shutdown.
        while b"\n" not in self._buffer:
            block = os.read(0, 65536)
            if not block:
                line, self._buffer = self._buffer, b""
                return line.decode(errors="replace") if line else None
            self._buffer += block
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line.decode(errors="replace")


@contextlib.contextmanager
def keep_terminal_mode() -> Iterator[None]:
    """Restore the mode of the terminal at the end: a thread that still waits in readline has changed it."""
    # There is no termios, and nothing to restore, on Windows.
    if not sys.stdin.isatty() or sys.platform == "win32":
        yield
        return
    import termios

    attributes = termios.tcgetattr(0)
    try:
        yield
    finally:
        termios.tcsetattr(0, termios.TCSADRAIN, attributes)
