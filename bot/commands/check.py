"""What `touchline check` prints: every mistake and warning at its place, and a summary."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from bot.config import load_config
from bot.errors import ConfigInvalid, UserMistake


def check(path: Path, env: Mapping[str, str]) -> tuple[list[str], int]:
    """The lines to print, and the exit code: 1 where there is a mistake."""
    try:
        config = load_config(path, env)
    except ConfigInvalid as error:
        return [*error.mistakes, f"{path}: {_count(len(error.mistakes), 'mistake')}"], 1
    except UserMistake as error:
        return [str(error)], 1
    counts = [_count(len(config.rules.rules), "rule"), _count(0, "mistake")]
    counts += [_count(len(config.warnings), "warning")] if config.warnings else []
    return [*config.warnings, f"{path}: {', '.join(counts)}"], 0


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
