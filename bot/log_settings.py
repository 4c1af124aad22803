"""Which log lines are written and how, as options and variables say. Apart from `bot/logs.py`, which needs structlog."""

from __future__ import annotations

import dataclasses
import logging
import pkgutil
from collections.abc import Mapping
from pathlib import Path

LOG_FORMATS = ("text", "json")

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}

LIBRARIES = (
    *("aiohttp", "alembic", "asyncio", "asyncpg", "httpx"),
    *("py.warnings", "sqlalchemy", "telegram", "uvicorn", "watchfiles", "websockets"),
)
"""Loggers that are not Touchline's own. Some have the name of a package here: a level then holds for both."""


@dataclasses.dataclass(frozen=True)
class LogSettings:
    """How logs are written, and which."""

    format: str = ""
    """One of LOG_FORMATS; empty: text on a terminal, and JSON elsewhere."""
    level: int | None = None
    """The least level; None leaves it to the command."""
    levels: Mapping[str, int] = dataclasses.field(default_factory=dict)
    """The least level of a logger and of those below it, by its name: a package or module of `bot`, or a library."""


def read_log_levels(text: str) -> LogSettings:
    """Read `warning`, or `feed=debug,httpx=info,warning`: a level for all, and levels of loggers. Raises ValueError."""
    level: int | None = None
    levels: dict[str, int] = {}
    for word in filter(None, (part.strip() for part in text.split(","))):
        name, sign, value = word.rpartition("=")
        if value.lower() not in LEVELS:
            raise ValueError(f"{value!r} is none of {', '.join(LEVELS)}")
        if not sign:
            level = LEVELS[value.lower()]
            continue
        name = name.strip().removeprefix("bot.")
        top = name.partition(".")[0]
        modules = pkgutil.iter_modules([str(Path(__file__).parent)])
        own = [module.name for module in modules if not module.name.startswith("_")]
        if top not in own and not any(name == library or name.startswith(f"{library}.") for library in LIBRARIES):
            raise ValueError(f"{name!r} is no logger; known: {', '.join(sorted({*own, *LIBRARIES}))}")
        levels[name] = LEVELS[value.lower()]
    return LogSettings(level=level, levels=levels)
