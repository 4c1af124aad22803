"""The command `console`: the playground in the browser."""

from __future__ import annotations

import asyncio
import signal
from functools import partial

import click


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen; beyond this machine a password is needed.")
@click.option("--port", default=8081, show_default=True, type=click.IntRange(0, 65535), help="0: any free one.")
@click.option("--password", envvar="CONSOLE_PASSWORD", default="", help="Ask for this password [env: CONSOLE_PASSWORD].")
@click.argument("matches", metavar="[MATCH]...", nargs=-1)
def console_command(host: str, port: int, password: str, matches: tuple[str, ...]) -> None:
    """Open the playground: try rules on matches in the browser, without an account or a configuration.

    A MATCH is a recording or a folder of them, offered beside those that ship.
    """
    from bot.console.pages.console import Console
    from bot.console.server import format_address, serve_console
    from bot.feed.match_source import open_matches
    from bot.replay.children import LONGEST_WAIT
    from bot.replay.dry_run import run_dry_run

    recordings = tuple(match.name for match in open_matches(matches))
    Console(partial(run_dry_run, seconds=LONGEST_WAIT), None, recordings, has_login=bool(password)).add_pages()

    async def serve() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        async with serve_console(host, port, password) as found:
            click.echo(f"The console is at {format_address(host, found)} (Ctrl-C ends it)")
            await stop.wait()

    asyncio.run(serve())
