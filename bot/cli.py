"""The command line: `touchline run|demo|check|explain|test|replay|simulate|record|fixtures|render|schema|copy|backup`."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, cast

import click
import structlog

from bot.commands.options import CONFIG, RECORDINGS, read_duration, read_minute, read_statuses
from bot.commands.storage import backup, copy
from bot.errors import UserMistake

FAULT = "this is a fault of Touchline's own, not yours: please report it with the log entry above"


class Touchline(click.Group):
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
            click.echo(FAULT, err=True)
            ctx.exit(70)


@click.group(cls=Touchline, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="touchline")
@click.option("--verbose", is_flag=True, help="Log what crosses the wire, too.")
def main(verbose: bool) -> None:
    """Tells Telegram chats about goals and cards of live football, at once and truthfully."""
    from bot.log import configure

    configure(_secrets_of_environment(), level=logging.WARNING, verbose=verbose)


main.add_command(backup)
main.add_command(copy)


def _secrets_of_environment() -> list[str]:
    return [value for name, value in os.environ.items() if name.upper().endswith(("TOKEN", "SECRET", "PASSWORD"))]


def _secrets(config: Any) -> list[str]:
    """Those of a configuration, too."""
    tokens = [config.feed.token.get_secret_value(), config.telegram.token.get_secret_value()]
    if config.telegram.webhook:
        tokens.append(config.telegram.webhook.secret_token.get_secret_value())
    if config.http.dead_man_url:
        tokens.append(config.http.dead_man_url.get_secret_value())
    return [*_secrets_of_environment(), *tokens, *re.findall(r"//[^/@:]*:([^@]+)@", config.storage.url)]


def _do(work: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(work)


@main.command()
@CONFIG
@click.option("--role", "roles", multiple=True, metavar="ROLE", help="feed, chat, send, or several as feed,send; else all.")
@click.pass_context
def run(ctx: click.Context, config_path: Path, roles: tuple[str, ...]) -> None:
    """Follow the matches that chats subscribed to, until stopped."""
    from bot.app import run_until_stopped
    from bot.config import load_config
    from bot.house.role import read_roles
    from bot.log import configure, hear_strays

    try:
        wanted = read_roles(roles)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--role") from error
    config = load_config(config_path, os.environ)
    config.require_tokens()
    configure(_secrets(config), verbose=ctx.find_root().params["verbose"])
    hear_strays()
    _do(run_until_stopped(config, wanted))


@main.command()
@CONFIG
@click.pass_context
def check(ctx: click.Context, config_path: Path) -> None:
    """Find every mistake in a configuration; exit 1 if there is one."""
    from bot.commands.check import check as checked

    lines, code = checked(config_path, os.environ)
    for line in lines:
        click.echo(line, err=bool(code))
    ctx.exit(code)


@main.command()
@CONFIG
@click.option("--json", "json_lines", is_flag=True, help="One JSON object a line.")
@click.option("--against", "other_path", type=click.Path(path_type=Path), help="Show only what this other file would change.")
@RECORDINGS
@click.pass_context
def replay(
    ctx: click.Context, config_path: Path, json_lines: bool, other_path: Path | None, recordings: tuple[Path, ...]
) -> None:
    """Show what a chat subscribed to everything would have been told over RECORDINGS."""
    from bot.commands.replay import as_json, as_text
    from bot.commands.replay import replay as replayed
    from bot.config import rules_of

    rules, names = rules_of(config_path, os.environ, optional=_by_default(ctx, "config_path"))
    if other_path is not None:
        _compared(recordings, (rules, names), rules_of(other_path, os.environ), json_lines=json_lines)
        return
    line = as_json if json_lines else as_text
    for recording in recordings:
        _do(replayed(recording, rules, names, lambda told: click.echo(line(told))))


def _compared(recordings: tuple[Path, ...], before: Any, after: Any, *, json_lines: bool) -> None:
    from rich.console import Console

    from bot.rulebook.against import against, as_json, table, titles
    from bot.rulebook.compare import summary

    comparison = _do(against(recordings, before, after))
    if json_lines:
        for difference in comparison.differences:
            click.echo(as_json(difference))
        return
    if shown := table(comparison, titles(recordings), Console()):
        click.echo(shown)
    click.echo(summary(comparison, len(recordings)))


def _by_default(ctx: click.Context, name: str) -> bool:
    return ctx.get_parameter_source(name) is click.core.ParameterSource.DEFAULT


@main.command()
@CONFIG
@click.option("--recording", type=click.Path(path_type=Path), help="Explain what happens in this recording instead.")
@click.option("--minute", "minute_text", help="Of the recording: a minute such as 67 or 45+2.")
@click.option("--action", "action_id", default="", help="Of the recording: one action, by its id.")
@click.option("--json", "json_lines", is_flag=True, help="One JSON object a line.")
@click.argument("action_json", required=False, type=click.Path(path_type=Path))
@click.pass_context
def explain(
    ctx: click.Context,
    config_path: Path,
    recording: Path | None,
    minute_text: str | None,
    action_id: str,
    json_lines: bool,
    action_json: Path | None,
) -> None:
    """Say of every rule why it fires or not, for a packet in ACTION_JSON (the last, where it is a list), or in a recording."""
    from bot.commands.explain import explain_file, explain_recording
    from bot.commands.explained import as_json, lines
    from bot.config import rules_of

    minute = read_minute(minute_text)
    if (recording is None) is (action_json is None):
        raise click.UsageError("name a file with an action, or a recording by --recording FILE")
    if recording is not None and minute is None and not action_id:
        raise click.UsageError("--recording needs --minute, --action or both")
    rules, names = rules_of(config_path, os.environ, optional=_by_default(ctx, "config_path"))
    if recording is not None:
        explained = explain_recording(recording, rules, names, minute, action_id)
    else:
        explained = explain_file(cast(Path, action_json), rules, names)
    for number, explanation in enumerate(explained):
        click.echo(as_json(explanation) if json_lines else "\n".join(["\n"] * bool(number) + list(lines(explanation))))


@main.command()
@CONFIG
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.pass_context
def test(ctx: click.Context, config_path: Path, files: tuple[Path, ...]) -> None:
    """Play the matches of FILES and compare what the rules tell with what is expected; exit 1 where they differ."""
    from bot.commands.trial import lines, outcomes, summary
    from bot.config import rules_of

    def in_use() -> Any:
        return rules_of(config_path, os.environ, optional=_by_default(ctx, "config_path"))

    found = [one for file in files for one in outcomes(file, os.environ, in_use)]
    for outcome in found:
        for line in lines(outcome):
            click.secho(line, fg={"-": "red", "+": "green", "✗": "red"}.get(line.strip()[:1]))
    click.echo(summary(found))
    ctx.exit(any(not outcome.passed for outcome in found))


@main.command()
def schema() -> None:
    """Print the JSON Schema of config.yaml, by which editors complete and check it."""
    from bot.commands.schema import schema as whole
    from bot.commands.schema import text

    click.echo(text(whole()), nl=False)


@main.command()
@click.option("--match", default="opener", show_default=True, help="opener, final, or a scenario file.")
@click.option("--seconds", default=60.0, show_default=True, type=click.FloatRange(min=1), help="How long the match takes.")
@click.option("--telegram", is_flag=True, help="Show it in a real chat instead: needs a bot token and a chat id.")
@click.option(
    "--token", envvar="TELEGRAM_BOT_TOKEN", default="", help="The bot token [env: TELEGRAM_BOT_TOKEN].", show_envvar=False
)
@click.option("--chat", envvar="TELEGRAM_CHAT_ID", type=int, help="The chat id [env: TELEGRAM_CHAT_ID].", show_envvar=False)
@click.option("--api-url", default="https://api.telegram.org", show_default=True, help="The Bot API server.")
def demo(match: str, seconds: float, telegram: bool, token: str, chat: int | None, api_url: str) -> None:
    """Play a real match in about a minute: no account, no network."""
    from bot.demo.play import demo as shown
    from bot.demo.play import demo_in_telegram
    from rules.catalogue import shipped
    from rules.load import pack

    if not telegram:
        _do(shown(match, seconds, pack(), shipped()))
        return
    if not token or chat is None:
        raise UserMistake(
            "demo --telegram needs a bot token and a chat id: --token and --chat, or TELEGRAM_BOT_TOKEN and TELEGRAM_CHAT_ID"
        )
    _do(demo_in_telegram(match, seconds, pack(), shipped(), token, chat, api_url))


@main.command()
@click.option("--at", "moment", help="half-time, full-time, or a minute such as 67 or 45+2; as far as it goes, unless told.")
@click.option("--dark", is_flag=True, help="Light words on a dark ground.")
@click.argument("recording", type=click.Path(path_type=Path))
@click.argument("picture", metavar="OUT.png", type=click.Path(path_type=Path))
def render(recording: Path, picture: Path, moment: str | None, dark: bool) -> None:
    """Draw the match of RECORDING along a time line: score, scorers, cards and substitutions."""
    from bot.commands.render import render as rendered
    from rules.timeline import Stage

    stages = {"half-time": Stage.HALF_TIME, "full-time": Stage.FULL_TIME}
    at = stages.get((moment or "").lower()) or read_minute(moment, "--at")
    rendered(recording, picture, at, dark=dark)


@main.command()
@RECORDINGS
@click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen.")
@click.option("--port", default=9000, show_default=True, type=click.IntRange(0, 65535), help="0: any free one.")
@click.option("--speed", default=1.0, show_default=True, type=click.FloatRange(min=0), help="Times faster than real; 0: at once.")
@click.option("--token", default=None, help="The token that clients must send; none: any.")
@click.option("--lead", default="1m", show_default=True, help="Time of the match kept before play begins.")
@click.option("--drop", default=0.0, type=click.FloatRange(0, 1), help="The chance of a frame to be lost.")
@click.option("--duplicate", default=0.0, type=click.FloatRange(0, 1), help="The chance of a frame to come twice.")
@click.option("--garbage", default=0.0, type=click.FloatRange(0, 1), help="The chance of an unreadable frame before one.")
@click.option("--stall", default="0s", help="How long every second connection falls silent, such as 30s.")
@click.option("--refuse", default="", help="HTTP statuses that answer some connections, such as 503,429.")
@click.option("--ignore-start-position", is_flag=True, help="Always send the whole history.")
@click.option("--reorder", default=0, type=click.IntRange(min=0), help="How many places a frame may come too late.")
@click.option("--seed", default=0, help="Of all that is left to chance.")
def simulate(recordings: tuple[Path, ...], host: str, port: int, speed: float, token: str | None, lead: str, **ways: Any) -> None:
    """Play RECORDINGS as the vendor would: fixtures by REST, a websocket a match."""
    from bot.feed.misbehave import Misbehaviour
    from bot.feed.simulator import Urls
    from bot.feed.simulator import simulate as simulated

    ways["stall"] = read_duration(ways["stall"], "--stall").total_seconds()
    ways["refuse"] = read_statuses(ways["refuse"])

    def on_started(urls: Urls) -> None:
        click.echo(f"feed:\n  stream_url: {urls.stream}\n  api_url: {urls.api}")

    kept = read_duration(lead, "--lead")
    way = Misbehaviour(**ways)
    _do(simulated(recordings, host, port, speed=speed, token=token, lead=kept, misbehaviour=way, on_started=on_started))


@main.command()
@CONFIG
@click.option("--days", default=7, show_default=True, type=click.IntRange(0, 60), help="How many days ahead.")
@click.argument("search", required=False)
def fixtures(config_path: Path, days: int, search: str | None) -> None:
    """List the fixtures that the feed offers; SEARCH keeps those whose name or competition has these letters."""
    from bot.commands.listing import listed, table

    config = _with_feed(config_path)
    found = _do(listed(config.feed, days, search or ""))
    click.echo(table(found))


@main.command()
@CONFIG
@click.option("--folder", type=click.Path(path_type=Path), default=Path("recordings"), show_default=True, help="Where to write.")
@click.argument("fixture_ids", metavar="FIXTURE...", nargs=-1, required=True)
def record(config_path: Path, folder: Path, fixture_ids: tuple[str, ...]) -> None:
    """Write every frame of these fixtures to files that `replay` and `simulate` read, until the matches are over."""
    from bot.commands.listing import recorded

    config = _with_feed(config_path)
    for path in _do(recorded(config.feed, fixture_ids, folder)):
        click.echo(str(path))


def _with_feed(config_path: Path) -> Any:
    from bot.config import load_config
    from bot.log import configure

    config = load_config(config_path, os.environ)
    config.require_feed_token()
    configure(_secrets(config), level=logging.WARNING, verbose=click.get_current_context().find_root().params["verbose"])
    return config


if __name__ == "__main__":
    main()
