"""Options that several commands share, and readers for their values."""

from __future__ import annotations

import datetime as dt
import logging
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from bot.cluster.roles import Role
    from rules.football.minute import Minute


def read_environment_secrets() -> list[str]:
    """Return the values of environment variables whose names say that they are secret, and the passwords of proxies."""
    # Masked in the log even if this configuration does not name them: a child process or an error may print its environment.
    secrets = [value for name, value in os.environ.items() if name.upper().endswith(("TOKEN", "SECRET", "PASSWORD"))]
    proxies = (value for name, value in os.environ.items() if name.upper().endswith("_PROXY"))
    return [*secrets, *(found[1] for value in proxies if (found := re.search(r"//[^/@:]*:(.+)@", value)))]


def make_common_options() -> list[click.Parameter]:
    """Return the options that stand before or after the name of every command."""
    return [
        click.Option(
            ["--verbose"], is_flag=True, expose_value=False, callback=_on_verbose, help="Log what crosses the wire, too."
        ),
        click.Option(
            ["--env-file"],
            type=click.Path(path_type=Path, dir_okay=False),
            expose_value=False,
            # Before the other options, whose defaults may be variables.
            is_eager=True,
            callback=_on_env_file,
            metavar="FILE",
            help="Read variables from this file (NAME=value); those that are set already stay.",
        ),
    ]


def is_verbose(ctx: click.Context) -> bool:
    """Return True if --verbose was given, before the command or after it."""
    return bool(ctx.find_root().meta.get(_VERBOSE_KEY))


def configure_command_logging(ctx: click.Context) -> None:
    """Log warnings of a command, or everything with --verbose."""
    from bot.logs import configure_logging

    configure_logging(read_environment_secrets(), level=logging.WARNING, verbose=is_verbose(ctx))


_VERBOSE_KEY = "touchline.verbose"


def _on_verbose(ctx: click.Context, _parameter: click.Parameter, value: bool) -> None:
    if value:
        ctx.find_root().meta[_VERBOSE_KEY] = True
        configure_command_logging(ctx)


def _on_env_file(ctx: click.Context, _parameter: click.Parameter, path: Path | None) -> None:
    if path is not None:
        for name, value in read_env_file(path).items():
            os.environ.setdefault(name, value)
        # What is secret in it is masked from now on.
        configure_command_logging(ctx)


_ENV_LINE = re.compile(r"\s*(?:export\s+)?([A-Za-z_]\w*)\s*=\s*(.*?)\s*")


def read_env_file(path: Path) -> dict[str, str]:
    """Read lines NAME=value, as Docker and systemd do; quotes around a value are left out. Raises BadParameter."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = (error.strerror or "unknown trouble").lower() if isinstance(error, OSError) else "it is not text in UTF-8"
        raise click.BadParameter(f"{path} cannot be read: {reason}", param_hint="--env-file") from error
    variables: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        found = _ENV_LINE.fullmatch(line)
        if found is None:
            # The line itself is not shown: it may be half of a token.
            raise click.BadParameter(f"{path}:{number}: this line is not of the form NAME=value", param_hint="--env-file")
        value = found[2]
        is_quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "'\""
        variables[found[1]] = value[1:-1] if is_quoted else value
    return variables


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


role_option = click.option(
    "--role",
    "roles",
    multiple=True,
    metavar="ROLE",
    help="feed, chat, send, console, or several as feed,send; else all. A number tells processes apart: feed-1.",
)


def read_role_option(words: Sequence[str]) -> frozenset[Role]:
    """Read the values of --role; none means all roles."""
    from bot.cluster.roles import read_roles

    try:
        return read_roles(words)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--role") from error


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
