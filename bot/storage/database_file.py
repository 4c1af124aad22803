"""The file of a SQLite database, as the process that runs on it treats it: only one process at a time."""

from __future__ import annotations

import asyncio
import fcntl
import os
from pathlib import Path

from sqlalchemy.engine import URL

from bot.errors import StorageUnusable

_LOCK_TIMEOUT = 5.0
"""Seconds that a start waits for the lock: a process that was asked to stop a moment ago may need some."""

_LOCK_RETRY_DELAY = 0.1


def find_database_file(url: URL) -> Path | None:
    """Return the file of a SQLite database, without links in its path; None for a database in memory or on a server."""
    file = url.database if url.get_backend_name() == "sqlite" else None
    return Path(file).resolve() if file and file != ":memory:" else None


class DatabaseLock:
    """Makes sure that only one `touchline run` works on a database file.

    Two would each send what the other has sent, and each would miss the other's corrections. Commands that only read or copy
    (`backup`, `copy`, `check`) do not take the lock and work beside a running bot.
    """

    def __init__(self, database_file: Path) -> None:
        # A file of its own: closing any handle of the database itself would drop the locks that SQLite holds on it, and a
        # database that is replaced while the bot runs is still the same place.
        self._database_file = database_file
        self.path = database_file.with_name(f"{database_file.name}.lock")
        self._descriptor: int | None = None

    async def acquire(self) -> None:
        """Take the lock. Raise StorageUnusable if another process keeps it, or the lock file cannot be written."""
        deadline = asyncio.get_running_loop().time() + _LOCK_TIMEOUT
        try:
            # The file stays when the process ends: deleting it would let two processes lock two files of the same name.
            self._descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            while not self._try_lock(self._descriptor):
                if asyncio.get_running_loop().time() >= deadline:
                    reason = f"another Touchline runs on {self._database_file}"
                    raise StorageUnusable(f"storage.url: {reason}; stop it first, or give this one a file of its own")
                await asyncio.sleep(_LOCK_RETRY_DELAY)
        except OSError as error:
            self.release()
            reason = f"{self.path} cannot be written: {error.strerror}"
            raise StorageUnusable(f"storage.url: {reason}; the directory must exist and be writable") from error
        except BaseException:
            self.release()
            raise

    def release(self) -> None:
        """Release the lock. The kernel does it too, however the process ends."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    @staticmethod
    def _try_lock(descriptor: int) -> bool:
        try:
            # A lock of the process and not of the open file: a child process that outlives a kill does not keep it.
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            return False
        return True
