"""Reads the files of the configuration from the disk, without waiting for pipes and devices."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import yaml

from bot.errors import UserMistake, explain_file_error
from bot.installation import find_shipped_file
from rules.engine.rule import SourceLocation
from rules.loading.document import Report, compose

_STREAMS = ("/dev/stdin", "/dev/fd/", "/proc/self/fd/")
"""Where a shell passes what another program writes: `touchline check --config /dev/stdin`."""


def read_file(path: Path) -> bytes:
    """Return the content of a file. Raise OSError if it cannot be read.

    At once for a pipe or a device, which may never end or never begin, and for a name that no file can have.
    """
    # These are pipes as well, but the shell guarantees a writer, so reading them ends.
    if str(path).startswith(_STREAMS):
        return path.read_bytes()
    # Opened without waiting, since a pipe without a writer would hold up every later reload, and the stop of the process.
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except ValueError as error:  # a letter that the system cannot write, as in "a\0b"
        raise OSError(errno.EINVAL, "no file can have this name") from error
    try:
        # Asked of the open file: another one may have taken its name since.
        mode = os.fstat(descriptor).st_mode
        # A folder can be opened, and only reading it would fail. This error has the words that everybody knows for it.
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if not stat.S_ISREG(mode):
            raise OSError(errno.EINVAL, "it is a pipe or a device, and a file is expected")
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read()
    finally:
        os.close(descriptor)


def read_yaml(path: Path, report: Report) -> yaml.Node | None:
    """Read a file as YAML; None after a mistake, which is reported. Raise UserMistake if the file cannot be read."""
    try:
        text = read_file(path).decode("utf-8-sig")  # editors on Windows write a byte order mark
    except FileNotFoundError as error:
        example = find_shipped_file("config.example.yaml") or "config.example.yaml"
        advice = f"copy {example} to this place and change what you need, or run `touchline init` for a small one"
        raise UserMistake(f"{path}: there is no such file; {advice}") from error
    except OSError as error:
        raise UserMistake(f"{path}: it cannot be read: {explain_read_error(error)}") from error
    except UnicodeDecodeError as error:
        # YAML knows no place in what is no text, so line and column are counted in the part that could be read.
        before = error.object[: error.start].decode("utf-8", "replace")
        location = SourceLocation(str(path), before.count("\n") + 1, len(before) - before.rfind("\n"))
        report.add_mistake(location, "this is not text in UTF-8")
        return None
    return compose(text, str(path), report)


def explain_read_error(error: Exception) -> str:
    """Return why a file cannot be read, as a part of a sentence; never what is in it."""
    return explain_file_error(error) if isinstance(error, OSError) else "it is not text"
