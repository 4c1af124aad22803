"""Watches the files and SIGHUP; holds the configuration in effect."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import structlog
from pydantic import SecretStr
from watchfiles import awatch

from bot.config.load import Config, load_config
from bot.errors import ConfigInvalid, TouchlineError, UserMistake
from bot.metrics import CONFIG_RELOADS

log = structlog.get_logger()

RESTART_REQUIRED = {
    "telegram": ("token", "api_url", "messages_per_second", "allow_paid_broadcast", "webhook"),
    "schedule": ("refresh_fixtures_every",),
    "storage": ("url", "keep", "last_matches", "last_matches_folder"),
    "http": ("listen",),
}
"""What is read once, at the start; everything else is taken over at once."""

_MAX_REFUSAL_LENGTH = 3500
"""Letters of the sentences that the admins get in one message."""

_POLL_INTERVAL_MS = 1_000
"""Milliseconds after which the files are looked at though nothing was heard: not every file system tells of changes."""

_DEBOUNCE_SECONDS = 0.25
"""Seconds without a change after which a file is taken to be written whole."""


class ConfigReloader:
    """Holds the last good configuration, and replaces it when its files change to another good one."""

    def __init__(
        self,
        config: Config,
        env: Mapping[str, str],
        apply: Callable[[Config], Awaitable[None]],
        on_refused: Callable[[str], None],
        on_accepted: Callable[[], None],
    ) -> None:
        """`apply` takes a good configuration over, `on_accepted` hears of it, `on_refused` gets the sentences of a bad one."""
        self.config = config
        self._env, self._apply_config = env, apply
        self._on_refused, self._on_accepted = on_refused, on_accepted
        self._sources: set[Path] = set()
        with contextlib.suppress(UserMistake):
            load_config(config.path, env, self._sources)
        self._file_states: FileStates = read_file_states(self._sources)
        self._requested = asyncio.Event()
        self._lock = asyncio.Lock()

    def request_reload(self) -> None:
        """Reload as soon as possible: for SIGHUP."""
        self._requested.set()

    async def run(self) -> None:
        """Watch until cancelled."""
        await asyncio.gather(self._watch(), self._reload_on_request())

    async def reload_if_changed(self) -> None:
        """Reload if a file is another than when it was last read, once it is no longer being written."""
        seen, now = self._file_states, read_file_states(self._sources)
        if now == seen:
            return
        while now != seen:
            await asyncio.sleep(_DEBOUNCE_SECONDS)
            seen, now = now, read_file_states(self._sources)
        await self.reload()

    async def reload(self) -> bool:
        """Read everything anew and take it over; false where it is refused and the last good configuration stays."""
        async with self._lock:
            before, sources = read_file_states(self._sources), set[Path]()
            try:
                config = self._read(sources)
                await self._apply_config(config)
            except TouchlineError as error:
                self._report_refusal(error)
                return False
            finally:
                self._store_file_states(sources, before)
            self._on_accepted()
            CONFIG_RELOADS.labels("accepted").inc()
            _log_reload(self.config, config)
            self.config = config
            return True

    def _read(self, sources: set[Path]) -> Config:
        config = load_config(self.config.path, self._env, sources)
        if _is_blank(config.path):
            raise UserMistake(f"{config.path}: nothing is written in the file now; start again if that is meant")
        return config

    def _store_file_states(self, sources: set[Path], before: FileStates) -> None:
        """A file that changed while it was read is read again."""
        now = read_file_states(sources)
        self._sources, self._file_states = sources, {**now, **{file: stat for file, stat in before.items() if file in now}}

    def _report_refusal(self, error: TouchlineError) -> None:
        lines = error.mistakes if isinstance(error, ConfigInvalid) else (str(error),)
        for line in lines:
            log.error("configuration_refused", reason=line)
        CONFIG_RELOADS.labels("refused").inc()
        self._on_refused(format_refusal(lines))

    async def _watch(self) -> None:
        while True:
            watched = find_watched_folders(self._sources)
            try:
                await self._watch_folders(watched)
            except (OSError, RuntimeError) as error:  # no such folder any more, or the system's watches are used up
                log.warning("files_not_watched", reason=str(error), looked_at_every=_POLL_INTERVAL_MS // 1000)
                await asyncio.sleep(_POLL_INTERVAL_MS / 1000)
                await self.reload_if_changed()

    async def _watch_folders(self, watched: frozenset[Path]) -> None:
        """Until other folders have to be watched."""
        changes = awatch(
            *watched,
            watch_filter=lambda _, path: may_concern_config(path, self._sources),
            step=int(_DEBOUNCE_SECONDS * 1000),
            rust_timeout=_POLL_INTERVAL_MS,
            yield_on_timeout=True,
            recursive=False,
            ignore_permission_denied=True,
        )
        async with contextlib.aclosing(changes):
            async for _ in changes:
                await self.reload_if_changed()
                if find_watched_folders(self._sources) != watched:
                    return

    async def _reload_on_request(self) -> None:
        while True:
            await self._requested.wait()
            self._requested.clear()
            await self.reload()


def _is_blank(path: Path) -> bool:
    """Tell whether only remarks are left: more likely half a file than a wish for the shipped rules."""
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    return all(not line.strip() or line.lstrip().startswith("#") for line in lines)


def format_refusal(lines: Sequence[str]) -> str:
    """What the admins read, cut to fit one message."""
    shown: list[str] = []
    for line in lines:
        if sum(map(len, shown)) + len(line) > _MAX_REFUSAL_LENGTH:
            break
        shown.append(line)
    rest = [f"… and {len(lines) - len(shown)} more"] if len(shown) < len(lines) else []
    return "\n".join(["The changed configuration is refused; the last good one stays.", *shown, *rest])


def find_restart_required(before: Config, after: Config) -> tuple[str, ...]:
    """The settings that differ and take effect only at the next start."""
    return tuple(
        f"{section}.{key}"
        for section, keys in RESTART_REQUIRED.items()
        for key in keys
        if getattr(getattr(before, section), key) != getattr(getattr(after, section), key)
    )


def _log_reload(before: Config, after: Config) -> None:
    for warning in after.warnings:
        log.warning("configuration", reason=warning)
    for setting in find_restart_required(before, after):
        log.warning("takes_effect_at_the_next_start", setting=setting)
    log.info("configuration_reloaded", rules=len(after.rules.rules))


FileStates = Mapping[Path, tuple[int, int, int]]
"""By file, what changes when it is written or replaced; a file that is not there is not in it."""

_CONFIG_SUFFIXES = frozenset({".yaml", ".yml"})

_WILDCARDS = frozenset("*?[")


def read_file_states(sources: Iterable[Path]) -> FileStates:
    """How all files stand that these paths and patterns name."""
    found = ((file, _read_file_state(file)) for source in sources for file in _expand_pattern(source))
    return {file: stat for file, stat in found if stat is not None}


def find_watched_folders(sources: Iterable[Path]) -> frozenset[Path]:
    """The folders in which these files are, or would be; where a file is a link, also the one that it leads to."""
    found: set[Path] = set()
    for source in sources:
        anchor, pattern = _split_pattern(source)
        found |= {anchor} if pattern else {source.parent, source.resolve().parent}
    return frozenset(folder for folder in found if folder.is_dir())


def may_concern_config(path: str, sources: Iterable[Path]) -> bool:
    """Tell whether a change of this file can be one of the configuration: a database beside it is written all the time."""
    changed = Path(path)
    named = changed.name in {source.name for source in sources}
    return named or changed.suffix in _CONFIG_SUFFIXES or changed.name.startswith("..")  # mounted volumes swap a link `..data`


def _expand_pattern(source: Path) -> list[Path]:
    anchor, pattern = _split_pattern(source)
    return sorted(anchor.glob(pattern)) if pattern else [source]


def _split_pattern(source: Path) -> tuple[Path, str]:
    """A pattern's fixed folder and the rest; no rest for a path without wildcards."""
    wild = next((at for at, part in enumerate(source.parts) if _WILDCARDS & set(part)), None)
    return (source, "") if wild is None else (Path(*source.parts[:wild]), str(Path(*source.parts[wild:])))


def _read_file_state(file: Path) -> tuple[int, int, int] | None:
    try:
        stat = file.stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size, stat.st_ino


class CurrentConfig:
    """What `feed:`, `schedule:` and `telegram.admins` say now. `config` is replaced by a reload."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.feed = CurrentFeedSettings(self)
        self.schedule = CurrentScheduleSettings(self)
        self.admins = CurrentAdmins(self)


class CurrentFeedSettings:
    """The feed's settings: a token counts from the next handshake, all else from the next connection or request."""

    def __init__(self, current: CurrentConfig) -> None:
        self._current = current

    @property
    def token(self) -> SecretStr:
        """The token."""
        return self._current.config.feed.token

    @property
    def stream_url(self) -> tuple[str, ...]:
        """The hosts of the streams."""
        return self._current.config.feed.stream_url

    @property
    def api_url(self) -> tuple[str, ...]:
        """The hosts of the fixtures."""
        return self._current.config.feed.api_url

    @property
    def stale_after(self) -> dt.timedelta:
        """The silence after which a connection is taken for dead."""
        return self._current.config.feed.stale_after


class CurrentScheduleSettings:
    """The schedule's settings."""

    def __init__(self, current: CurrentConfig) -> None:
        self._current = current

    @property
    def connect_before_kickoff(self) -> dt.timedelta:
        """How long before its kick-off a match is connected."""
        return self._current.config.schedule.connect_before_kickoff

    @property
    def refresh_fixtures_every(self) -> dt.timedelta:
        """How often the fixtures are fetched; read once, at the start."""
        return self._current.config.schedule.refresh_fixtures_every


class CurrentAdmins:
    """The user ids of the admins."""

    def __init__(self, current: CurrentConfig) -> None:
        self._current = current

    def __contains__(self, user_id: object) -> bool:
        return user_id in self._current.config.telegram.admins

    def __iter__(self) -> Iterator[int]:
        return iter(self._current.config.telegram.admins)
