"""The command `run`."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import resource
from contextlib import suppress
from pathlib import Path

import click

from bot.commands.check import format_text
from bot.commands.common import config_option, configure_command_logging, read_role_option, role_option
from bot.errors import ConfigInvalid, UserMistake


@click.command()
@config_option
@role_option
@click.pass_context
def run_command(ctx: click.Context, config_path: Path, roles: tuple[str, ...]) -> None:
    """Follow the matches that chats subscribed to, until stopped."""
    from bot.config.load import load_config
    from bot.logs import hide_optional_libraries, log_unhandled_exceptions
    from bot.network import explain_environment_proxy

    selected = read_role_option(roles)
    # Mistakes first, in plain sentences: the log is configured only once there is something to run.
    try:
        config = load_config(config_path, os.environ)
    except ConfigInvalid as error:
        # The same lines as `check`, which also warns of tokens that are not set.
        for line in format_text(error.findings):
            click.echo(line, err=True)
        ctx.exit(1)
    config.require_tokens()
    if mistake := explain_environment_proxy():
        raise UserMistake(mistake)
    # The secrets must be known before the first line is logged.
    configure_command_logging(ctx, config.secrets, logging.INFO)
    raise_file_limit()
    # A traceback on standard error would be missed where the log is collected as JSON, and would not be masked.
    log_unhandled_exceptions()
    # The database, its logs and the recordings of matches are nobody else's on this machine.
    os.umask(0o077)
    # Nearly everything is imported here, so that a mistake in an option is reported before. What is imported stays, so that no
    # collection of garbage needs to look through it.
    gc.disable()
    with hide_optional_libraries():
        from bot.app.application import run_until_stopped
    gc.freeze()
    gc.enable()

    asyncio.run(run_until_stopped(config, selected))


_WANTED_FILES = 16_384
"""Files and connections that the process may have open, as the units of systemd say it too: a thousand matches, five hundred
connections to Telegram, and those to the database and to its own pages."""

_NEEDED_FILES = 1_024
"""With fewer, a broadcast and some dozens of matches may meet the limit."""


def raise_file_limit() -> None:
    """Use all files and connections that the system allows: a shell's own limit is often 1,024, and may be raised by anybody."""
    import structlog

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = _WANTED_FILES if hard == resource.RLIM_INFINITY else min(hard, _WANTED_FILES)
    if soft != resource.RLIM_INFINITY and soft < allowed:
        # macOS refuses what its kernel does not give; then the limit stays as it is.
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < _NEEDED_FILES:
        structlog.get_logger().warning(
            "few_files_allowed",
            reason=f"this process may have only {soft} files and connections open, and needs {_NEEDED_FILES:,} on a busy "
            "evening; raise the limit (ulimit -n, or LimitNOFILE= of systemd)",
        )
