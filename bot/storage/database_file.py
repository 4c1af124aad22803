"""The file of a SQLite database while a process runs on it: one process at a time, and somebody notices if the file is lost."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import structlog
from sqlalchemy import func, select
from sqlalchemy.engine import URL

from bot.clock import Clock
from bot.errors import StorageError, StorageUnusable
from bot.storage.database import Database
from bot.storage.repair import finish_repair, name_repaired
from bot.storage.schema import chats
from bot.storage.sqlite import SQLiteDriver, refuse_folder

log = structlog.get_logger()

_LOCK_TIMEOUT = 5.0
"""Seconds that a start waits for the lock: a process that was asked to stop a moment ago may need some."""

_LOCK_RETRY_DELAY = 0.1

_MARKER_SIZE = 1000
"""Bytes of the lock file that are read: what is written there is far shorter."""

CHECK_INTERVAL = 20.0
"""Seconds between two looks at the file: what happened to it is noticed within a minute."""

CHECKPOINT_INTERVAL = 300.0
"""Seconds after which what was committed is in the file itself. SQLite alone waits for 4 MB, which is days of a small bot."""

RESCUE_INTERVAL = 600.0
"""Seconds between two copies of a database whose file was lost: the bot goes on and learns more."""


def find_database_file(url: URL) -> Path | None:
    """Return the file of a SQLite database, without links in its path; None for a database in memory or on a server."""
    file = url.database if url.get_backend_name() == "sqlite" else None
    return Path(file).resolve() if file and file != ":memory:" else None


class DatabaseLock:
    """Makes sure that only one `touchline run` works on a database file.

    Two would each send what the other has sent, and each would miss the other's corrections. Commands that only read or copy
    (`backup`, `copy`, `check`) do not take the lock and work beside a running bot.

    The lock file also remembers how many chats the database had, so that a start with an empty database is noticed.
    """

    def __init__(self, database_file: Path) -> None:
        # A file of its own: closing any handle of the database itself would drop the locks that SQLite holds on it, and a
        # database that is replaced while the bot runs is still the same place.
        self._database_file = database_file
        self.path = database_file.with_name(f"{database_file.name}.lock")
        self._descriptor: int | None = None
        self.kept_damaged_file: Path | None = None
        """The damaged file, if a kill interrupted its repair and `acquire` has finished that."""

    async def acquire(self) -> None:
        """Take the lock. Raise StorageUnusable if another process keeps it, or the lock file cannot be written."""
        refuse_folder(self._database_file)
        deadline = asyncio.get_running_loop().time() + _LOCK_TIMEOUT
        try:
            # The file stays when the process ends: deleting it would let two processes lock two files of the same name.
            self._descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            while not self._try_lock(self._descriptor):
                if asyncio.get_running_loop().time() >= deadline:
                    reason = f"another Touchline runs on {self._database_file}"
                    raise StorageUnusable(f"storage.url: {reason}; stop it first, or give this one a file of its own")
                await asyncio.sleep(_LOCK_RETRY_DELAY)
            # A process that was killed during a repair may have left no database in the place, or one without its log.
            if name_repaired(self._database_file).exists():
                self.kept_damaged_file = finish_repair(self._database_file)
                log.error("database_repair_finished", kept=str(self.kept_damaged_file))
        except OSError as error:
            self.release()
            reason = f"{self._database_file} cannot be opened"
            raise StorageUnusable(f"storage.url: {reason}; the directory must exist and be writable") from error
        except BaseException:
            self.release()
            raise

    def read_chat_count(self) -> int:
        """Return how many chats the database had when the last process ran; 0 if that is not known. The lock must be held."""
        if self._descriptor is None:
            raise ValueError("the lock is not held")
        try:
            # By the descriptor of the lock: closing another one of the same file would release the lock.
            return int(json.loads(os.pread(self._descriptor, _MARKER_SIZE, 0))["chats"])
        except (OSError, ValueError, KeyError, TypeError):
            return 0

    def write_chat_count(self, count: int) -> None:
        """Remember how many chats the database has. The lock must be held."""
        if self._descriptor is None:
            raise ValueError("the lock is not held")
        body = json.dumps({"chats": count}).encode()
        os.ftruncate(self._descriptor, os.pwrite(self._descriptor, body, 0))

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


class DatabaseFileGuard:
    """Notices that the file was deleted, renamed, replaced or truncated under the running bot, and saves what can be saved.

    SQLite goes on with the open file, wherever it is, and would lose everything at the next start.
    """

    def __init__(
        self,
        database: Database,
        file: Path,
        lock: DatabaseLock,
        clock: Clock,
        report: Callable[[str, str], None],
        clear: Callable[[str], None],
        post_event: Callable[[str], None],
    ) -> None:
        """While the file is lost, `report` is called with `database-lost` and a sentence; when it is back, `clear`.

        `post_event` is called with a sentence once a damaged file was repaired.
        """
        driver = database.sqlite
        if driver is None:
            raise ValueError("only a SQLite database has a file")
        self._driver: SQLiteDriver = driver
        self._database, self._file, self._lock, self._clock = database, file, lock, clock
        self._report, self._clear, self._post_event = report, clear, post_event
        self._logs = tuple(file.with_name(file.name + suffix) for suffix in ("-wal", "-shm"))
        self._opened_file = _read_inode(file)
        self._opened_logs = dict(zip(self._logs, map(_read_inode, self._logs), strict=True))
        self._largest = 0
        self._rescue_file: Path | None = None
        self._rescued_at, self._checkpoint_at = 0.0, 0.0
        self._repair_at = float("-inf")

    async def run(self) -> None:
        """Look at the file until cancelled."""
        self._checkpoint_at = self._clock.monotonic() + CHECKPOINT_INTERVAL
        while True:
            self._database.damage_met.clear()
            try:
                await self.check()
            except (StorageError, OSError) as error:
                # A failure of the database is reported by the transaction that meets it; this one only looks again.
                log.warning("database_file_check_failed", reason=str(error))
            # What is damaged is repaired at once: no alert leaves meanwhile.
            with suppress(TimeoutError):
                async with asyncio.timeout(CHECK_INTERVAL):
                    await self._database.damage_met.wait()

    async def check(self) -> None:
        """Look at the file once; copy the database where it is lost, else keep the file and what is known of it up to date."""
        loss = await self._find_loss()
        if loss is not None:
            await self._on_lost(loss)
            return
        if (log_file := self._find_lost_log()) is not None:
            await self._on_log_lost(log_file)
            return
        if self._database.is_damaged:
            await self.repair()
            return
        if self._rescue_file is not None:
            log.info("database_file_back", file=str(self._file))
        self._rescue_file = None
        self._clear("database-lost")
        if self._clock.monotonic() >= self._checkpoint_at:
            self._checkpoint_at = self._clock.monotonic() + CHECKPOINT_INTERVAL
            await self._driver.checkpoint()
        # Not while the file is lost: the next start compares its chats with this number.
        self._lock.write_chat_count(await count_stored_chats(self._database))

    async def finish(self) -> None:
        """Copy a lost database a last time, before it is closed: nobody can reach it after that."""
        try:
            if await self._find_loss() is not None or (self._find_lost_log() and not await self._driver.reopen()):
                await self._rescue()
        except (StorageError, OSError) as error:
            log.error("database_not_rescued", reason=str(error))

    async def _find_loss(self) -> str | None:
        """Return what happened to the file, as the end of a sentence; None if it is the one that was opened."""
        try:
            found = self._file.stat()
        except FileNotFoundError:
            return "was deleted or renamed"
        if (found.st_dev, found.st_ino) != self._opened_file:
            return "was replaced by another file"
        # A tool may have made the file smaller by VACUUM. Then the open database knows its new size.
        if found.st_size < self._largest and (not found.st_size or found.st_size < await self._driver.count_bytes()):
            return "was truncated"
        self._largest = found.st_size
        return None

    def _find_lost_log(self) -> Path | None:
        """Return the log with the newest part of the database, or its index, if it is not the one that was opened."""
        for one in self._logs:
            now = _read_inode(one)
            # SQLite creates them at the first write, which may come after the start.
            if self._opened_logs[one] is None:
                self._opened_logs[one] = now
            elif now != self._opened_logs[one]:
                return one
        return None

    async def _on_log_lost(self, log_file: Path) -> None:
        """Make a log anew that was deleted. Nothing is lost as long as the process lives, since it still has the old one open."""
        loss = f"lost its newest part, the log {log_file.name}"
        if not await self._driver.reopen():
            await self._on_lost(loss)
            return
        self._opened_logs = dict(zip(self._logs, map(_read_inode, self._logs), strict=True))
        if self._database.is_damaged:
            # Met with the lost log, maybe: what is damaged in the file itself is met again.
            self._database.on_repaired()
        log.warning("database_log_made_anew", file=str(log_file))
        # A kill before this look would have cost what was in it, so somebody should know. The next look ends it.
        sentence = f"the database {self._file} {loss}, while the bot runs on it. Nothing is lost: the log was made anew."
        self._report("database-lost", f"{sentence} Find out what deletes files there.")

    async def repair(self) -> bool:
        """Go on with what can be read of a damaged database, and tell the admins. Return True if that was done."""
        now = self._clock.monotonic()
        if not self._database.is_damaged or now < self._repair_at:
            return False
        # Seldom, since it reads everything: a disk that fails damages the next file as well.
        self._repair_at = now + RESCUE_INTERVAL
        try:
            kept, incomplete = await self._driver.replace_damaged(self._file)
        except Exception as error:
            # Whatever the copy meets, too little memory for one: the bot goes on with the damaged file as it did before.
            log.error("database_not_repaired", reason=str(error) or type(error).__name__)
            return False
        finally:
            # Of the damaged file too, which may have been closed and opened again.
            self._opened_logs = dict(zip(self._logs, map(_read_inode, self._logs), strict=True))
        self._database.on_repaired()
        self._opened_file, self._largest = _read_inode(self._file), 0
        log.error("database_repaired", kept=str(kept), incomplete=", ".join(incomplete))
        missing = f" Rows are missing in: {', '.join(incomplete)}." if incomplete else ""
        # An event and no incident: it is over.
        self._post_event(
            f"The database {self._file} was damaged. All that could be read is in a new file now, and the bot goes on.{missing} "
            f"The damaged file is {kept}. Check the disk; if chats or their settings are missing, restore your last backup.",
        )
        return True

    async def _on_lost(self, loss: str) -> None:
        now = self._clock.monotonic()
        sentence = f"the database {self._file} {loss} while the bot runs on it, and the next start would not know its chats. "
        if self._rescue_file is None or now >= self._rescued_at + RESCUE_INTERVAL:
            self._rescued_at = now
            try:
                await self._rescue()
            except (StorageError, OSError) as error:
                log.error("database_not_rescued", reason=str(error))
        if self._rescue_file is not None:
            sentence += (
                f"Everything is saved in {self._rescue_file}, and once more at the stop. "
                f"Stop the bot, run `touchline restore {self._rescue_file}`, and start"
            )
        else:
            sentence += "Nothing could be saved: stop the bot, run `touchline restore` with your last backup, and start"
        self._report("database-lost", f"{sentence}.")

    async def _rescue(self) -> None:
        name = f"{self._file.name}.rescued-{self._clock.now():%Y%m%dT%H%M%SZ}"
        # One rescue file for a process: the next rescue replaces it, so that a disk that fails is not filled with copies.
        rescue_file = self._rescue_file or self._file.with_name(name)
        await self._driver.copy_to(rescue_file)
        self._rescue_file = rescue_file
        log.error("database_rescued", file=str(rescue_file))


async def count_stored_chats(database: Database) -> int:
    """Return how many chats the database knows."""
    async with database.transaction() as tx:
        return int((await tx.fetch(select(func.count().label("n")).select_from(chats)))[0]["n"])


def describe_empty_database(file: Path, known_chats: int) -> str:
    """Return the message for the admins when the database is new where there was one with chats before."""
    rescued = sorted(file.parent.glob(f"{file.name}.rescued-*[0-9Z]"))
    backup = f"`touchline restore {rescued[-1]}`" if rescued else "`touchline restore` with your last backup"
    return (
        f"The database {file} is empty, and the last time it knew {known_chats} chats: their subscriptions are gone. "
        f"If that is not meant, stop the bot, run {backup}, and start."
    )


def _read_inode(file: Path) -> tuple[int, int] | None:
    try:
        found = file.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino
