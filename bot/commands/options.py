"""Options and arguments that several commands share, and how texts are read, raising click's BadParameter."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rules.minute import Minute

CONFIG = click.option(
    "--config",
    "config_path",
    type=click.Path(path_type=Path),
    default=Path("config.yaml"),
    show_default=True,
    help="The YAML file.",
)
RECORDINGS = click.argument("recordings", nargs=-1, required=True, type=click.Path(path_type=Path))


def read_minute(text: str | None, option: str = "--minute") -> Minute | None:
    """Read a minute of a match; None where none is given."""
    from rules.minute import Minute

    try:
        return Minute.parse(text) if text else None
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint=option) from error


def read_duration(text: str, option: str) -> dt.timedelta:
    """Read a time such as 30s."""
    from rules.document import duration

    try:
        return duration(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint=option) from error


def read_statuses(text: str) -> tuple[int, ...]:
    """Read HTTP statuses with commas between them; none where nothing is written."""
    words = [word for word in text.replace(" ", "").split(",") if word]
    if not all(word.isdigit() and 100 <= int(word) <= 599 for word in words):
        raise click.BadParameter(f"{text!r} is not a list of HTTP statuses such as 503,429", param_hint="--refuse")
    return tuple(map(int, words))
