"""Options that several commands share, and readers for their values."""

from __future__ import annotations

import dataclasses
import datetime as dt
import logging
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.errors import UserMistake

if TYPE_CHECKING:
    from bot.cluster.roles import Role
    from bot.commands.environment_file import Variable
    from bot.log_settings import LogSettings
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
            ["--log-format"],
            type=click.Choice(["text", "json"]),
            expose_value=False,
            callback=_on_log_option,
            help="How log lines are written; else text on a terminal, and JSON elsewhere. Or TOUCHLINE_LOG_FORMAT.",
        ),
        click.Option(
            ["--log-level"],
            expose_value=False,
            callback=_on_log_option,
            metavar="LEVEL",
            help="debug, info, warning or error, also of single loggers: warning,feed=debug. Or TOUCHLINE_LOG_LEVEL.",
        ),
        click.Option(
            ["--env-file"],
            type=click.Path(path_type=Path, dir_okay=False),
            expose_value=False,
            # Before the other options, whose defaults may be variables.
            is_eager=True,
            callback=_on_env_file,
            metavar="FILE",
            help="Read variables from this file (NAME=value, as systemd does); those that are set already stay.",
        ),
    ]


def is_verbose(ctx: click.Context) -> bool:
    """Return True if --verbose was given, before the command or after it."""
    return bool(ctx.find_root().meta.get(_VERBOSE_KEY))


def configure_command_logging(ctx: click.Context, secrets: Sequence[str] = (), level: int = logging.WARNING) -> None:
    """Log as the options and the variables say, or else from `level` on. Raises BadParameter.

    `secrets` are masked besides those of the environment.
    """
    from bot.logs import configure_logging

    settings = read_log_settings(ctx)
    configure_logging([*read_environment_secrets(), *secrets], level=level, verbose=is_verbose(ctx), settings=settings)


def renew_command_logging(ctx: click.Context) -> None:
    """Log as the options say that are known by now, if there is a log. Raises BadParameter also where there is none yet."""
    # The library for it takes a fifth of the time of `check`, which logs nothing.
    if "bot.logs" in sys.modules:
        configure_command_logging(ctx)
    else:
        read_log_settings(ctx)


def read_log_settings(ctx: click.Context) -> LogSettings:
    """Return the format and levels of logs from the options, or else from the variables. Raises BadParameter."""
    from bot.log_settings import LOG_FORMATS, read_log_levels

    meta = ctx.find_root().meta
    written = meta.get(_LOG_FORMAT_KEY) or os.environ.get("TOUCHLINE_LOG_FORMAT", "").strip()
    if written and written not in LOG_FORMATS:
        raise click.BadParameter(f"{written!r} is none of {', '.join(LOG_FORMATS)}", param_hint="TOUCHLINE_LOG_FORMAT")
    try:
        levels = read_log_levels(meta.get(_LOG_LEVEL_KEY) or os.environ.get("TOUCHLINE_LOG_LEVEL", ""))
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--log-level") from error
    return dataclasses.replace(levels, format=written)


_VERBOSE_KEY, _ENV_FILES_KEY = "touchline.verbose", "touchline.env_files"

_LOG_FORMAT_KEY, _LOG_LEVEL_KEY = "touchline.log_format", "touchline.log_level"


def _on_verbose(ctx: click.Context, _parameter: click.Parameter, value: bool) -> None:
    # At once, and again by each further option: what is logged while the rest is read has the right form already. In the root's
    # `meta`, because an option may stand before the name of the command or after it.
    if value:
        ctx.find_root().meta[_VERBOSE_KEY] = True
        renew_command_logging(ctx)


def _on_log_option(ctx: click.Context, parameter: click.Parameter, value: str | None) -> None:
    if value is not None:
        ctx.find_root().meta[f"touchline.{parameter.name}"] = value
        renew_command_logging(ctx)


def _on_env_file(ctx: click.Context, _parameter: click.Parameter, path: Path | None) -> None:
    if path is not None:
        from bot.commands.environment_file import read_environment_file

        try:
            _set_variables(ctx, path, read_environment_file(path))
        except UserMistake as error:
            raise click.BadParameter(str(error), param_hint="--env-file") from error


def _on_config(ctx: click.Context, _parameter: click.Parameter, path: Path) -> Path:
    """Read the variables beside the configuration, unless --env-file names others; return the configuration's path."""
    from bot.commands.environment_file import BESIDE_CONFIG, read_environment_file

    beside = path.parent / BESIDE_CONFIG
    # A unit of systemd has set them already, and its user may not read the file.
    if not list_environment_files(ctx) and beside.is_file() and os.access(beside, os.R_OK):
        _set_variables(ctx, beside, read_environment_file(beside))
    return path


def _set_variables(ctx: click.Context, path: Path, variables: Sequence[Variable]) -> None:
    # Of a name that is there twice the last one counts, and one that the environment has already wins over both.
    for name, value in {one.name: one.value for one in variables}.items():
        os.environ.setdefault(name, value)
    ctx.find_root().meta.setdefault(_ENV_FILES_KEY, []).append(path)
    # What is secret in it is masked from now on.
    renew_command_logging(ctx)


def list_environment_files(ctx: click.Context) -> list[Path]:
    """Return the files whose variables were read for this command."""
    return list(ctx.find_root().meta.get(_ENV_FILES_KEY, ()))


def is_default(ctx: click.Context, name: str) -> bool:
    """Return True if an option was not given: a config.yaml that is only the default may be missing, a named one may not."""
    return ctx.get_parameter_source(name) is click.core.ParameterSource.DEFAULT


config_option = click.option(
    "--config",
    "config_path",
    type=click.Path(path_type=Path),
    default=Path("config.yaml"),
    show_default=True,
    callback=_on_config,
    help="The YAML file. Variables in a file `environment` beside it are read, too.",
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
