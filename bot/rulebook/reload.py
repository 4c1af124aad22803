"""Changes of the configuration while matches run: watches its files and SIGHUP, takes a good one over, refuses a bad one.

What is taken over is one callback's doing, called between two packets. docs/rules.md says which settings wait for the next start.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

import structlog
from watchfiles import awatch

from bot.config import Config, load_config
from bot.errors import ConfigInvalid, TouchlineError, UserMistake
from bot.metrics import RELOADS
from bot.rulebook.sources import State, folders, may_matter, state_of

log = structlog.get_logger()

AT_NEXT_START = {
    "telegram": ("token", "api_url", "messages_per_second", "allow_paid_broadcast", "webhook"),
    "schedule": ("refresh_fixtures_every",),
    "storage": ("url", "keep", "last_matches", "last_matches_folder"),
    "http": ("listen",),
}
"""What is read once, at the start; everything else is taken over at once."""

_LONGEST = 3500
"""Letters of the sentences that the admins get in one message."""
_LOOK_EVERY = 1_000
"""Milliseconds after which the files are looked at though nothing was heard: not every file system tells of changes."""
_QUIET = 0.25
"""Seconds without a change after which a file is taken to be written whole."""


class Reloader:
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
        self._env, self._apply = env, apply
        self._on_refused, self._on_accepted = on_refused, on_accepted
        self._sources: set[Path] = set()
        with contextlib.suppress(UserMistake):
            load_config(config.path, env, self._sources)
        self._seen: State = state_of(self._sources)
        self._asked = asyncio.Event()
        self._turn = asyncio.Lock()

    def hangup(self) -> None:
        """Reload as soon as possible: for SIGHUP."""
        self._asked.set()

    async def run(self) -> None:
        """Watch until cancelled."""
        await asyncio.gather(self._watch(), self._obey())

    async def look(self) -> None:
        """Reload if a file is another than when it was last read, once it is no longer being written."""
        seen, now = self._seen, state_of(self._sources)
        if now == seen:
            return
        while now != seen:
            await asyncio.sleep(_QUIET)
            seen, now = now, state_of(self._sources)
        await self.reload()

    async def reload(self) -> bool:
        """Read everything anew and take it over; false where it is refused and the last good configuration stays."""
        async with self._turn:
            before, sources = state_of(self._sources), set[Path]()
            try:
                config = self._read(sources)
                await self._apply(config)
            except TouchlineError as error:
                self._refuse(error)
                return False
            finally:
                self._remember(sources, before)
            self._on_accepted()
            RELOADS.labels("accepted").inc()
            _announce(self.config, config)
            self.config = config
            return True

    def _read(self, sources: set[Path]) -> Config:
        config = load_config(self.config.path, self._env, sources)
        if _blank(config.path):
            raise UserMistake(f"{config.path}: nothing is written in the file now; start again if that is meant")
        return config

    def _remember(self, sources: set[Path], before: State) -> None:
        """A file that changed while it was read is read again."""
        now = state_of(sources)
        self._sources, self._seen = sources, {**now, **{file: stat for file, stat in before.items() if file in now}}

    def _refuse(self, error: TouchlineError) -> None:
        lines = error.mistakes if isinstance(error, ConfigInvalid) else (str(error),)
        for line in lines:
            log.error("configuration_refused", reason=line)
        RELOADS.labels("refused").inc()
        self._on_refused(refusal(lines))

    async def _watch(self) -> None:
        while True:
            watched = folders(self._sources)
            try:
                await self._heed(watched)
            except (OSError, RuntimeError) as error:  # no such folder any more, or the system's watches are used up
                log.warning("files_not_watched", reason=str(error), looked_at_every=_LOOK_EVERY // 1000)
                await asyncio.sleep(_LOOK_EVERY / 1000)
                await self.look()

    async def _heed(self, watched: frozenset[Path]) -> None:
        """Until other folders have to be watched."""
        changes = awatch(
            *watched,
            watch_filter=lambda _, path: may_matter(path, self._sources),
            step=int(_QUIET * 1000),
            rust_timeout=_LOOK_EVERY,
            yield_on_timeout=True,
            recursive=False,
            ignore_permission_denied=True,
        )
        async with contextlib.aclosing(changes):
            async for _ in changes:
                await self.look()
                if folders(self._sources) != watched:
                    return

    async def _obey(self) -> None:
        while True:
            await self._asked.wait()
            self._asked.clear()
            await self.reload()


def _blank(path: Path) -> bool:
    """Tell whether only remarks are left: more likely half a file than a wish for the shipped rules."""
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    return all(not line.strip() or line.lstrip().startswith("#") for line in lines)


def refusal(lines: Sequence[str]) -> str:
    """What the admins read, cut to fit one message."""
    shown: list[str] = []
    for line in lines:
        if sum(map(len, shown)) + len(line) > _LONGEST:
            break
        shown.append(line)
    rest = [f"… and {len(lines) - len(shown)} more"] if len(shown) < len(lines) else []
    return "\n".join(["The changed configuration is refused; the last good one stays.", *shown, *rest])


def waiting(before: Config, after: Config) -> tuple[str, ...]:
    """The settings that differ and take effect only at the next start."""
    return tuple(
        f"{section}.{key}"
        for section, keys in AT_NEXT_START.items()
        for key in keys
        if getattr(getattr(before, section), key) != getattr(getattr(after, section), key)
    )


def _announce(before: Config, after: Config) -> None:
    for warning in after.warnings:
        log.warning("configuration", reason=warning)
    for setting in waiting(before, after):
        log.warning("takes_effect_at_the_next_start", setting=setting)
    log.info("configuration_reloaded", rules=len(after.rules.rules))
