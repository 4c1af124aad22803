"""The commands `demo`, `chat` and `simulate`."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any

import click

from bot.commands.common import config_option, is_default, is_verbose, read_duration, read_statuses
from bot.errors import UserMistake
from bot.logs import configure_logging


@click.command()
@click.option(
    "--match",
    default="opener",
    show_default=True,
    help="opener, final, two-goals, retaken-penalty, sudden-death, abandoned, moved, a scenario file or a recording.",
)
@click.option("--seconds", default=60.0, show_default=True, type=click.FloatRange(min=1), help="How long the match takes.")
@click.option("--fast", is_flag=True, help="Play it in eight seconds.")
@click.option("--telegram", is_flag=True, help="Show it in a real chat instead: needs a bot token and a chat id.")
@click.option(
    "--token", envvar="TELEGRAM_BOT_TOKEN", default="", help="The bot token [env: TELEGRAM_BOT_TOKEN].", show_envvar=False
)
@click.option("--chat", envvar="TELEGRAM_CHAT_ID", type=int, help="The chat id [env: TELEGRAM_CHAT_ID].", show_envvar=False)
@click.option("--api-url", default="https://api.telegram.org", show_default=True, help="The Bot API server.")
def demo_command(match: str, seconds: float, fast: bool, telegram: bool, token: str, chat: int | None, api_url: str) -> None:
    """Play a real match in about a minute: no account, no network."""
    # Here, as in every command: the help of all commands is shown without loading any of them.
    from bot.demo.play import FAST_SECONDS, play_demo, play_demo_in_telegram
    from rules.football.catalogue import load_catalogue
    from rules.loading.loader import load_pack

    seconds = FAST_SECONDS if fast else seconds
    if not telegram:
        asyncio.run(play_demo(match, seconds, load_pack(), load_catalogue()))
        return
    # Checked before anything starts: a match of a minute would otherwise begin and end with an error.
    if not token or chat is None:
        raise UserMistake(
            "demo --telegram needs a bot token and a chat id: --token and --chat, or TELEGRAM_BOT_TOKEN and TELEGRAM_CHAT_ID"
        )
    asyncio.run(play_demo_in_telegram(match, seconds, load_pack(), load_catalogue(), token, chat, api_url))


@click.command()
@config_option
@click.option(
    "--match", "matches", multiple=True, default=("opener",), show_default="opener", help="As for demo; may be given again."
)
@click.option("--seconds", default=120.0, show_default=True, type=click.FloatRange(min=1), help="How long a match takes.")
@click.option("--language", default="en", show_default=True, help="The language of everybody's Telegram, such as de.")
@click.option("--serve", is_flag=True, help="Run no bot: print the addresses for a `touchline run` of your own.")
@click.option(
    "--port",
    default=9000,
    show_default=True,
    type=click.IntRange(1, 65534),
    help="With --serve: of the feed; Telegram's is the next.",
)
@click.pass_context
def chat_command(
    ctx: click.Context, config_path: Path, matches: tuple[str, ...], seconds: float, language: str, serve: bool, port: int
) -> None:
    """Chat with the bot on this machine alone: no account, no feed.

    The simulator, a strict fake of Telegram and the whole application run in one process, and a chat is typed here. The rules
    and chats are those of the configuration, if there is one; its database and tokens are not touched.
    """
    from rich.console import Console

    from bot.demo.chat import ChatOptions, run_chat
    from bot.demo.chat_view import ChatView
    from bot.demo.line_input import LineInput, keep_terminal_mode

    has_config = config_path.exists() or not is_default(ctx, "config_path")
    options = ChatOptions(
        matches,
        seconds,
        config_path if has_config else None,
        language,
        serve=serve,
        feed_port=port if serve else 0,
        # Fixed only for `--serve`, where they are written into somebody's configuration.
        telegram_port=port + 1 if serve else 0,
    )
    if not is_verbose(ctx):
        # What goes wrong with the configuration is shown in the chat, since the first person is an admin of the bot.
        configure_logging(level=logging.CRITICAL)
    lines = LineInput()
    view = ChatView(Console(), lines.redraw_prompt if lines.is_terminal else None)
    with keep_terminal_mode():
        asyncio.run(run_chat(options, view, lines.read, is_script=not lines.is_terminal))


@click.command()
@click.argument("matches", metavar="MATCH...", nargs=-1, required=True)
@click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen.")
@click.option("--port", default=9000, show_default=True, type=click.IntRange(0, 65535), help="0: any free one.")
@click.option("--speed", default=1.0, show_default=True, type=click.FloatRange(min=0), help="Times faster than real; 0: at once.")
@click.option("--token", default=None, help="The token that clients must send; none: any.")
@click.option(
    "--lead",
    default=None,
    show_default="1m; more where the fixture is listed anew before",
    help="Time of the match kept before play begins.",
)
@click.option("--drop", default=0.0, type=click.FloatRange(0, 1), help="The chance of a frame to be lost.")
@click.option("--duplicate", default=0.0, type=click.FloatRange(0, 1), help="The chance of a frame to come twice.")
@click.option("--garbage", default=0.0, type=click.FloatRange(0, 1), help="The chance of an unreadable frame before one.")
@click.option("--stall", default="0s", help="How long every second connection falls silent, such as 30s.")
@click.option("--refuse", default="", help="HTTP statuses that answer some connections, such as 503,429.")
@click.option("--ignore-start-position", is_flag=True, help="Always send the whole history.")
@click.option("--reorder", default=0, type=click.IntRange(min=0), help="How many places a frame may come too late.")
@click.option("--spoil", default=0.0, type=click.FloatRange(0, 1), help="The chance of a frame to have bad letters.")
@click.option("--oversize", default=0.0, type=click.FloatRange(0, 1), help="The chance of a frame to be larger than 16 MiB.")
@click.option("--limit", default=0, type=click.IntRange(min=0), help="Requests a second, above which HTTP 429 answers; 0: none.")
@click.option("--seed", default=0, help="Of all that is left to chance.")
def simulate_command(
    matches: tuple[str, ...], host: str, port: int, speed: float, token: str | None, lead: str | None, **faults: Any
) -> None:
    """Play each MATCH as the vendor would: fixtures by REST, a websocket a match.

    A MATCH is a recording, a folder of them, a scenario file, or a match that ships, such as opener.
    """
    from bot.feed.match_source import open_matches
    from bot.feed.simulator.faults import Faults
    from bot.feed.simulator.server import SimulatorUrls, simulate

    # Read before the server starts, so that a mistake in an option is reported at once.
    faults["stall"] = read_duration(faults["stall"], "--stall").total_seconds()
    faults["refuse"] = read_statuses(faults["refuse"])

    def on_started(urls: SimulatorUrls) -> None:
        click.echo(f"feed:\n  stream_url: {urls.stream}\n  api_url: {urls.api}")

    asyncio.run(
        simulate(
            open_matches(matches),
            host,
            port,
            speed=speed,
            token=token,
            lead=None if lead is None else read_duration(lead, "--lead"),
            faults=Faults(**faults),
            on_started=on_started,
        )
    )
