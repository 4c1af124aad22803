"""Options that several commands share, and readers for their values."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rules.football.minute import Minute


def read_environment_secrets() -> list[str]:
    """Return the values of environment variables whose names say that they are secret."""
    # Masked in the log even if this configuration does not name them: a child process or an error may print its environment.
    return [value for name, value in os.environ.items() if name.upper().endswith(("TOKEN", "SECRET", "PASSWORD"))]


def is_default(ctx: click.Context, name: str) -> bool:
    # A config.yaml that is only the default may be missing; one that was named may not.
    return ctx.get_parameter_source(name) is click.core.ParameterSource.DEFAULT


config_option = click.option(
    "--config",
    "config_path",
    type=click.Path(path_type=Path),
    default=Path("config.yaml"),
    show_default=True,
    help="The YAML file.",
)


def read_minute(text: str | None, option: str = "--minute") -> Minute | None:
    """Read a minute of a match; None where none is given."""
    # Imported here and not above: `touchline --help` shall not load the rules.
    from rules.football.minute import Minute

    try:
        return Minute.parse(text) if text else None
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint=option) from error


def read_duration(text: str, option: str) -> dt.timedelta:
    """Read a time such as 30s."""
    from rules.loading.values import parse_duration

    try:
        return parse_duration(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint=option) from error


def read_statuses(text: str) -> tuple[int, ...]:
    """Read HTTP statuses with commas between them; none where nothing is written."""
    words = [word for word in text.replace(" ", "").split(",") if word]
    if not all(word.isdigit() and 100 <= int(word) <= 599 for word in words):
        raise click.BadParameter(f"{text!r} is not a list of HTTP statuses such as 503,429", param_hint="--refuse")
    return tuple(map(int, words))
