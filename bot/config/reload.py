"""Watches the configuration files and reloads them on a change or SIGHUP."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import structlog

from bot.config.files import read_file
from bot.config.load import Config, load_config
from bot.errors import ConfigInvalid, StorageError, TouchlineError, UserMistake
from bot.logs import mask_also
from bot.metrics import CONFIG_RELOADS
from bot.retry import Backoff, OutageLog
from bot.threads import DaemonThreads

log = structlog.get_logger()

RESTART_REQUIRED = {
    "telegram": (
        "token",
        "api_url",
        "proxy",
        "messages_per_second",
        "allow_paid_broadcast",
        "webhook",
        "privacy_url",
        "nicknames",
    ),
    "schedule": ("refresh_fixtures_every",),
    "storage": ("url", "keep", "keep_suspended", "last_matches", "last_matches_folder"),
    "http": ("listen", "console"),
    "tls": ("ca_file",),
}
"""The settings that are read only at the start; a reload applies all others at once, and a new token of the same bot."""

_MAX_REFUSAL_LENGTH = 3500
"""Characters of mistakes that fit in one message to the admins: Telegram allows 4096, the heading included."""

_MAX_LINE_LENGTH = 500
"""Characters of one mistake that are shown."""

_POLL_INTERVAL = 0.5
"""Seconds between two looks at the files. A look takes some microseconds a file, and works on every file system; notifications
of the system do not, and what reads them takes 5 MB and a tenth of a second at the start."""

_DEBOUNCE_SECONDS = 0.25
"""Seconds without a change after which a file counts as written completely."""


_EXECUTOR = DaemonThreads(1, "configuration")
"""A thread of its own. Those of the event loop may all wait for a name server that hangs, and the way out is a changed file."""


_FIRST_RETRY_DELAY, _LONGEST_RETRY_DELAY = 0.5, 10.0
"""Seconds until a configuration that the database did not take is applied again."""

LoadConfig = Callable[[Path, Mapping[str, str], set[Path]], Config]
"""Reads a configuration and adds the files that it names to a set, as `load_config` does."""


class ConfigReloader:
    """Holds the last valid configuration, and replaces it when its files change to another valid one."""

    def __init__(
        self,
        config: Config,
        env: Mapping[str, str],
        apply: Callable[[Config], Awaitable[None]],
        on_refused: Callable[[str], None],
        on_accepted: Callable[[], None],
        load: LoadConfig = load_config,
    ) -> None:
        """`apply` applies a valid configuration, then `on_accepted` is called. `on_refused` gets a text about an invalid one.

        If `apply` raises StorageError, it is called again until the database takes what has to be stored.
        """
        self.config = config
        # Of the start and not of the last reload: a setting that was changed and changed back needs no restart.
        self._in_use = read_restart_settings(config)
        self._env, self._apply_config, self._load = env, apply, load
        self._on_refused, self._on_accepted = on_refused, on_accepted
        self._sources = set(config.sources)
        self._file_states: FileStates = read_file_states(self._sources)
        self._requested = asyncio.Event()
        self._lock = asyncio.Lock()
        self._pending: Config | None = None
        """What has to be applied again, because the database failed; a part of it may be stored."""
        self._retry_at, self._retry_delays = 0.0, Backoff(_FIRST_RETRY_DELAY, _LONGEST_RETRY_DELAY)

    def request_reload(self) -> None:
        """Ask for a reload; for SIGHUP."""
        self._requested.set()

    async def run(self) -> None:
        """Watch the files and reload, until cancelled."""
        await asyncio.gather(self._watch(), self._reload_on_request())

    async def reload_if_changed(self) -> None:
        """Reload if a file changed since it was read, once it is no longer being written."""
        if await self._wait_until_written():
            await self.reload()

    async def _wait_until_written(self) -> bool:
        """Wait until no file is being written any more. Return True if one has changed since they were read."""
        previous, now = self._file_states, await self._read_states()
        has_changed = now != previous
        # An editor may write a file in several steps, and a deployment several files. Half of a file may be valid: without its
        # end, nobody follows anything.
        while now != previous:
            await asyncio.sleep(_DEBOUNCE_SECONDS)
            previous, now = now, await self._read_states()
        return has_changed

    async def _read_states(self) -> FileStates:
        """Read the states in a thread: a mounted volume that hangs must not hold back alerts."""
        return await asyncio.get_running_loop().run_in_executor(_EXECUTOR, read_file_states, frozenset(self._sources))

    async def reload(self) -> bool:
        """Read the files and apply them. Return False if they are refused, or wait for the database.

        The last valid configuration stays in effect until then.
        """
        # One after the other: SIGHUP and a changed file may come together.
        async with self._lock:
            before, sources = read_file_states(self._sources), set[Path]()
            try:
                loop = asyncio.get_running_loop()
                config = await loop.run_in_executor(_EXECUTOR, self._load, self.config.path, self._env, sources)
                # After the load, which accepts such a file: at a start it means the defaults.
                if _is_blank(config.path):
                    sentence = "nothing is written in the file now; start again if that is meant"
                    raise UserMistake(f"{config.path}: {sentence}")
                # Before anything else is done with it, as what fails may quote its tokens and passwords.
                mask_also(config.secrets)
                # As at the start; only the demo runs without tokens of the file, which it replaces by its own.
                if config.missing_tokens.keys() - self.config.missing_tokens.keys():
                    config.require_tokens()
            except TouchlineError as error:
                self._report_refusal(error)
                if self._pending is not None:
                    # The one that waited is no longer wanted, and its chats may be stored: those in effect take their place.
                    await self._apply(self.config)
                return False
            finally:
                # The states from before the files were read: one that was written meanwhile is then read again.
                now = read_file_states(sources)
                self._sources = sources
                self._file_states = {**now, **{file: state for file, state in before.items() if file in now}}
            return await self._apply(config)

    async def _apply(self, config: Config) -> bool:
        """Apply a valid configuration. Return False if the database fails: `_watch` tries it again, or the next reload does."""
        try:
            await self._apply_config(config)
        except StorageError as error:
            if self._pending is None:
                self._retry_delays.reset()
                log.warning("configuration_waits_for_database", reason=str(error))
            self._pending = config
            self._retry_at = asyncio.get_running_loop().time() + self._retry_delays.next()
            return False
        self._pending = None
        if config is self.config:
            return True  # nothing changed: what is in effect was only stored again after a configuration that was refused
        # Only after the configuration took effect: it ends the incident of a refused one.
        self._on_accepted()
        CONFIG_RELOADS.labels("accepted").inc()
        for warning in config.warnings:
            log.warning("configuration_warning", reason=warning)
        for setting in find_restart_required(self._in_use, config):
            log.warning("restart_required", setting=setting)
        log.info("configuration_reloaded", rules=len(config.rules.rules))
        self.config = config
        return True

    async def _retry_pending(self) -> None:
        """Apply what the database did not take, if it is time."""
        async with self._lock:
            if self._pending is not None and asyncio.get_running_loop().time() >= self._retry_at:
                await self._apply(self._pending)

    def _report_refusal(self, error: TouchlineError) -> None:
        lines = error.mistakes if isinstance(error, ConfigInvalid) else (str(error),)
        for line in lines:
            log.error("configuration_refused", reason=line)
        CONFIG_RELOADS.labels("refused").inc()
        self._on_refused(format_refusal(lines))

    async def _watch(self) -> None:
        outage = OutageLog()
        while True:
            await asyncio.sleep(_POLL_INTERVAL)
            try:
                await self.reload_if_changed()
                await self._retry_pending()
                outage.on_success()
            # A folder that went away between two steps, or a mounted volume that hangs; the system allows no further thread; or
            # a mistake of ours. None of them may end the watching, which is the way out of a wrong configuration.
            except Exception as error:
                if outage.on_failure():
                    log.warning(
                        "files_not_watched",
                        reason=str(error),
                        poll_seconds=_POLL_INTERVAL,
                        exc_info=not isinstance(error, OSError),
                    )

    async def _reload_on_request(self) -> None:
        while True:
            await self._requested.wait()
            self._requested.clear()
            try:
                await self._wait_until_written()
                await self.reload()
            except Exception as error:  # as in `_watch`
                log.warning("configuration_not_read", reason=str(error), exc_info=not isinstance(error, OSError))


def _is_blank(path: Path) -> bool:
    """Return True if a file has only comments: more likely it is half written than meant to select the shipped rules."""
    lines = read_file(path).decode("utf-8-sig", "replace").splitlines()
    return all(not line.strip() or line.lstrip().startswith("#") for line in lines)


def format_refusal(lines: Sequence[str]) -> str:
    """Format the mistakes for the admins, cut to fit one message."""
    shown: list[str] = []
    for whole_line in lines:
        # A mistake may repeat a value as long as the file: the first ones must be shown all the same.
        line = whole_line if len(whole_line) <= _MAX_LINE_LENGTH else f"{whole_line[:_MAX_LINE_LENGTH]}…"
        if sum(map(len, shown)) + len(line) > _MAX_REFUSAL_LENGTH:
            break
        shown.append(line)
    rest = [f"… and {len(lines) - len(shown)} more"] if len(shown) < len(lines) else []
    return "\n".join(["The changed configuration is refused; the last good one stays.", *shown, *rest])


def read_restart_settings(config: Config) -> dict[str, object]:
    """Return the values of the settings that are read only at the start; of the bot's token its id, as the rest may change."""
    values: dict[str, object] = {
        f"{section}.{key}": getattr(getattr(config, section), key) for section, keys in RESTART_REQUIRED.items() for key in keys
    }
    return values | {"telegram.token": read_bot_id(config.telegram.token.get_secret_value())}


def find_restart_required(in_use: Mapping[str, object], config: Config) -> tuple[str, ...]:
    """Return the settings that take effect only at the next start, by the values that this process started with."""
    return tuple(setting for setting, value in read_restart_settings(config).items() if value != in_use[setting])


def read_bot_id(token: str) -> str:
    """Return the id of the bot that a token belongs to: it stands before the colon, and stays if the token is revoked."""
    return token.partition(":")[0]


FileStates = Mapping[Path, tuple[int, int, int]]
"""Modification time, size and inode by file: one of them changes when it is written or replaced. Missing files are left out."""

_WILDCARDS = frozenset("*?[")


def read_file_states(sources: Iterable[Path]) -> FileStates:
    """Return the states of all files that these paths and patterns match."""
    files: list[Path] = []
    for source in sources:
        # A pattern is split into its fixed folder and the rest, which begins at the first part with a wildcard.
        wild = next((at for at, part in enumerate(source.parts) if _WILDCARDS & set(part)), None)
        if wild is None:
            files.append(source)
        else:
            # A pattern that Python does not take matches nothing; the configuration that has it was refused with its place.
            with suppress(ValueError, NotImplementedError):
                files += sorted(Path(*source.parts[:wild]).glob(str(Path(*source.parts[wild:]))))
    return {file: state for file in files if (state := _read_file_state(file)) is not None}


def _read_file_state(file: Path) -> tuple[int, int, int] | None:
    try:
        stat = file.stat()
    except (OSError, ValueError):
        # Gone for a moment, as while an editor replaces it, which is a change when it comes back; or no name for a file.
        return None
    return stat.st_mtime_ns, stat.st_size, stat.st_ino
