"""The program `touchline`: its commands, exit codes, and errors without a traceback or a secret."""

from __future__ import annotations

import errno
import importlib
import io
import os
import sys
from collections.abc import Iterator, MutableMapping
from typing import Any

import click

from bot.commands.common import configure_command_logging, make_common_options, renew_command_logging
from bot.errors import UserMistake

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""A full disk, a quota that is used up, and the largest file that a shell's `ulimit -f` allows."""

INTERNAL_ERROR_TEXT = "this is a fault of Touchline's own, not yours: please report it with the log entry above"


# The help of each command stands here once more, so that `touchline --help` imports none of them. A test compares the two.
COMMANDS = {
    "backup": ("backup", "Write what the database knows at this moment into FILE, also while Touchline runs."),
    "chat": ("demo", "Chat with the bot on this machine alone: no account, no feed."),
    "check": (
        "check",
        "Find every mistake in a configuration, and what `run` would miss on this machine; exit 1 if there is one.",
    ),
    "console": ("console", "Open the playground: try rules on matches in the browser, without an account or a configuration."),
    "copy": ("copy", "Copy all that one database knows into another, empty one."),
    "demo": ("demo", "Play a real match in about a minute: no account, no network."),
    "doctor": ("doctor", "Ask everything that the bot needs before a match: go or no-go, a line each; exit 1 for no-go."),
    "explain": ("explain", "Say why a rule fires or not, and why nothing was sent."),
    "fixtures": (
        "fixtures",
        "List the fixtures that the feed offers; SEARCH keeps those whose name or competition has these letters.",
    ),
    "init": (
        "init",
        "Write a first config.yaml, a test, a match, and the schemas for your editor; nothing that is there is changed.",
    ),
    "record": (
        "fixtures",
        "Write every frame of these fixtures to files that `replay` and `simulate` read, until the matches are over.",
    ),
    "render": ("render", "Draw a MATCH along a time line: score, scorers, cards and substitutions."),
    "replay": ("replay", "Show what a chat subscribed to everything would have been told over each MATCH."),
    "restore": (
        "backup",
        "Put the backup FILE in the database's place, while Touchline is stopped; what was there is kept beside it.",
    ),
    "run": ("run", "Follow the matches that chats subscribed to, until stopped."),
    "schema": (
        "init",
        "Print the JSON Schema of config.yaml, or of rules, tests or scenarios, by which editors complete and check them.",
    ),
    "simulate": ("demo", "Play each MATCH as the vendor would: fixtures by REST, a websocket a match."),
    "test": (
        "rule_tests",
        "Play the matches of FILES and compare the alerts of the rules with the expected ones; exit 1 if they differ.",
    ),
}
"""By name: the module in bot/commands that has NAME_command, and the line that `touchline --help` shows."""


_WITHOUT_LOG = ("check", "schema")
"""Commands that log nothing unless something fails: they do without the library for it."""

COMMANDS_BY_USE = {
    "Try it without a feed": ("demo", "chat", "console", "simulate"),
    "Write rules and prove them": ("init", "check", "test", "explain", "replay", "schema"),
    "Run the bot": ("doctor", "run"),
    "Matches of the feed": ("fixtures", "record", "render"),
    "Keep its data": ("backup", "restore", "copy"),
}
"""The sections of `touchline --help`."""


class LazyCommands(MutableMapping[str, click.Command]):
    """Imports the module of a command when click looks the command up: `touchline --help` needs none of them."""

    def __init__(self) -> None:
        self._added: dict[str, click.Command] = {}

    def __getitem__(self, name: str) -> click.Command:
        if name not in self._added:
            module_name, _ = COMMANDS[name]
            command: click.Command = getattr(importlib.import_module(f"bot.commands.{module_name}"), f"{name}_command")
            # What every command takes is taken after its name, too, where people write it.
            command.params += make_common_options()
            self._added[name] = command
        return self._added[name]

    def __iter__(self) -> Iterator[str]:
        return iter({**COMMANDS, **self._added})

    def __len__(self) -> int:
        return len({**COMMANDS, **self._added})

    def __setitem__(self, name: str, command: click.Command) -> None:
        self._added[name] = command

    def __delitem__(self, name: str) -> None:
        del self._added[name]


class CommandGroup(click.Group):
    """Ends a user's mistake with its sentence and exit code 1, Ctrl-C without a traceback, a fault of ours with a log entry."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands by use, with the whole lines of COMMANDS, and without importing any command."""
        for use, names in COMMANDS_BY_USE.items():
            with formatter.section(use):
                formatter.write_dl([(name, COMMANDS[name][1]) for name in names], col_max=max(map(len, COMMANDS)))

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run the program, and end it with a sentence if there is no room for its output."""
        _replace_unprintable_characters()
        try:
            return super().main(*args, **kwargs)
        except OSError as error:
            if error.errno not in _NO_ROOM:
                raise
            _discard_stdout()
            click.echo(f"{error.filename or 'the output'} cannot be written: {os.strerror(error.errno).lower()}", err=True)
            sys.exit(1)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command, and turn every error into a sentence and an exit code."""
        try:
            return super().invoke(ctx)
        except UserMistake as mistake:
            click.echo(str(mistake), err=True)
            ctx.exit(1)
        except KeyboardInterrupt:
            ctx.exit(130)  # as shells report a program that Ctrl-C has ended: 128 and the number of the signal
        except BrokenPipeError:
            # `touchline replay … | head` has read all that it wants.
            _discard_stdout()
            ctx.exit(0)
        except (click.exceptions.Exit, click.Abort, click.ClickException):
            raise  # these end in click itself, each with its sentence and exit code
        except Exception as error:  # the log masks secrets; a traceback printed by Python would not
            if isinstance(error, OSError) and error.errno in _NO_ROOM:
                raise  # ends in `main`, as the errors of --help, which come before any command
            if "bot.logs" not in sys.modules:
                configure_command_logging(ctx)
            import structlog

            structlog.get_logger().critical("internal_error", exc_info=error)
            click.echo(INTERNAL_ERROR_TEXT, err=True)
            ctx.exit(70)


def _replace_unprintable_characters() -> None:
    """Print `?` for a character that the terminal lacks, and escape a file name that is not UTF-8, instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        # An error handler that somebody chose by PYTHONIOENCODING stays.
        if isinstance(stream, io.TextIOWrapper) and stream.errors in ("strict", "surrogateescape"):
            stream.reconfigure(errors="backslashreplace" if stream.encoding.lower().startswith("utf") else "replace")


def _discard_stdout() -> None:
    """Discard what is still to be written: Python would try again at its end, and print an error."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _print_version(ctx: click.Context, _option: click.Parameter, is_asked: bool) -> None:
    if not is_asked or ctx.resilient_parsing:
        return
    from bot.installation import find_version

    click.echo(f"touchline, version {find_version()}")
    ctx.exit()


@click.group(cls=CommandGroup, commands=LazyCommands(), context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version", is_flag=True, expose_value=False, is_eager=True, callback=_print_version, help="Show the version and exit."
)
@click.pass_context
def main(ctx: click.Context) -> None:
    """Tells Telegram chats about goals and cards of live football, at once and truthfully."""
    if ctx.invoked_subcommand in _WITHOUT_LOG:
        renew_command_logging(ctx)
    else:
        configure_command_logging(ctx)


main.params += make_common_options()


if __name__ == "__main__":
    main()
