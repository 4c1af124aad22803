"""The command group: exit codes, secrets masked, no traceback."""

from __future__ import annotations

import logging
import os
import sys
from typing import Any

import click
import structlog

from bot.commands.common import read_environment_secrets
from bot.commands.demo import demo_command, simulate_command
from bot.commands.explain import explain_command
from bot.commands.fixtures import fixtures_command, record_command
from bot.commands.render import render_command
from bot.commands.replay import replay_command
from bot.commands.rule_tests import test_command
from bot.commands.run import check_command, run_command, schema_command
from bot.commands.storage import backup_command, copy_command
from bot.errors import UserMistake

INTERNAL_ERROR_TEXT = "this is a fault of Touchline's own, not yours: please report it with the log entry above"


class CommandGroup(click.Group):
    """Ends a person's mistake with its sentence and exit code 1, Ctrl-C without a traceback, a fault of ours with a log entry."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except UserMistake as mistake:
            click.echo(str(mistake), err=True)
            ctx.exit(1)
        except KeyboardInterrupt:
            ctx.exit(130)
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(0)
        except (click.exceptions.Exit, click.Abort, click.ClickException):
            raise
        except Exception as fault:  # printed by Python it might show a secret
            structlog.get_logger().critical("fault", exc_info=fault)
            click.echo(INTERNAL_ERROR_TEXT, err=True)
            ctx.exit(70)


@click.group(cls=CommandGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="touchline")
@click.option("--verbose", is_flag=True, help="Log what crosses the wire, too.")
def main(verbose: bool) -> None:
    """Tells Telegram chats about goals and cards of live football, at once and truthfully."""
    from bot.logs import configure_logging

    configure_logging(read_environment_secrets(), level=logging.WARNING, verbose=verbose)


for _command in (
    run_command,
    demo_command,
    check_command,
    explain_command,
    test_command,
    replay_command,
    simulate_command,
    record_command,
    fixtures_command,
    render_command,
    schema_command,
    backup_command,
    copy_command,
):
    main.add_command(_command)


if __name__ == "__main__":
    main()
