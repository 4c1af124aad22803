"""The commands `run`, `check` and `schema`."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path

import click

from bot.commands.common import config_option, read_environment_secrets
from bot.errors import ConfigInvalid, UserMistake


@click.command()
@config_option
@click.option("--role", "roles", multiple=True, metavar="ROLE", help="feed, chat, send, or several as feed,send; else all.")
@click.pass_context
def run_command(ctx: click.Context, config_path: Path, roles: tuple[str, ...]) -> None:
    """Follow the matches that chats subscribed to, until stopped."""
    from bot.cluster.roles import read_roles
    from bot.config.load import load_config
    from bot.logs import configure_logging, log_unhandled_exceptions

    try:
        selected = read_roles(roles)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--role") from error
    # Mistakes first, in plain sentences: the log is configured only once there is something to run.
    config = load_config(config_path, os.environ)
    config.require_tokens()
    # The secrets must be known before the first line is logged.
    configure_logging([*read_environment_secrets(), *config.secrets], verbose=ctx.find_root().params["verbose"])
    # A traceback on standard error would be missed where the log is collected as JSON, and would not be masked.
    log_unhandled_exceptions()
    # The database, its logs and the recordings of matches are nobody else's on this machine.
    os.umask(0o077)
    # Nearly everything. A mistake is told before.
    from bot.app.application import run_until_stopped

    asyncio.run(run_until_stopped(config, selected))


@click.command()
@config_option
@click.pass_context
def check_command(ctx: click.Context, config_path: Path) -> None:
    """Find every mistake in a configuration; exit 1 if there is one."""

    lines, code = check_config(config_path, os.environ)
    for line in lines:
        click.echo(line, err=bool(code))
    ctx.exit(code)


@click.command()
def schema_command() -> None:
    """Print the JSON Schema of config.yaml, by which editors complete and check it."""
    from bot.config.json_schema import build_schema, format_schema

    click.echo(format_schema(build_schema()), nl=False)


def check_config(path: Path, env: Mapping[str, str]) -> tuple[list[str], int]:
    """Return the lines to print and the exit code: 1 if there is a mistake."""
    from bot.config.load import load_config

    try:
        config = load_config(path, env)
    except ConfigInvalid as error:
        # All at once, each with its place, and the count last: it stays in view when the list is long.
        return [*error.mistakes, f"{path}: {_format_count(len(error.mistakes), 'mistake')}"], 1
    except UserMistake as error:
        return [str(error)], 1
    counts = [_format_count(len(config.rules.rules), "rule"), _format_count(0, "mistake")]
    counts += [_format_count(len(config.warnings), "warning")] if config.warnings else []
    return [*config.warnings, *config.notes, f"{path}: {', '.join(counts)}"], 0


def _format_count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
