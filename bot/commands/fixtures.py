"""The commands `fixtures` and `record`, which read the live feed."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from bot.clock import SystemClock
from bot.commands.common import config_option, configure_command_logging
from bot.config.models import FeedSettings
from bot.errors import FeedError, UserMistake
from bot.feed.recorder import record_matches
from bot.feed.request_limit import FeedRequestLimiter
from bot.feed.rest import RestClient
from bot.feed.source import StreamSpeed
from bot.matches.connection_plan import LOOK_AHEAD, LOOK_BACK
from bot.network import open_http_session, trust_authority
from rules.football.action import Fixture
from rules.football.names import normalise
from rules.loading.values import suggest


@click.command()
@config_option
@click.option("--days", default=7, show_default=True, type=click.IntRange(0, 60), help="How many days ahead.")
@click.argument("search", required=False)
def fixtures_command(config_path: Path, days: int, search: str | None) -> None:
    """List the fixtures that the feed offers; SEARCH keeps those whose name or competition has these letters."""

    config = load_feed_config(config_path)
    # All of them, since the nearest name to a misspelt one is among those that do not fit.
    everything = asyncio.run(list_fixtures(config.feed, days, ""))
    found = select_fixtures(everything, search or "")
    if not found and search:
        # Beside the answer, which a script reads.
        click.echo(describe_unknown_fixture(search, everything, days), err=True)
    click.echo(format_fixture_table(found))


@click.command()
@config_option
@click.option("--folder", type=click.Path(path_type=Path), default=Path("recordings"), show_default=True, help="Where to write.")
@click.option(
    "--speed", type=click.Choice([speed.value for speed in StreamSpeed]), help="How fast the feed sends matches that are over."
)
@click.argument("fixture_ids", metavar="FIXTURE...", nargs=-1, required=True)
def record_command(config_path: Path, folder: Path, speed: str | None, fixture_ids: tuple[str, ...]) -> None:
    """Write every frame of these fixtures to files that `replay` and `simulate` read, until the matches are over."""

    config = load_feed_config(config_path)
    fixture_ids = asyncio.run(find_fixture_ids(config.feed, fixture_ids))
    for path in asyncio.run(record_fixtures(config.feed, fixture_ids, folder, StreamSpeed(speed) if speed else None)):
        click.echo(str(path))


def load_feed_config(config_path: Path) -> Any:
    """Read a configuration with the feed's token, and log what the feed does from now on."""
    from bot.config.load import load_config

    config = load_config(config_path, os.environ)
    config.require_feed_token()
    trust_authority(config.tls.ca_file)
    configure_command_logging(click.get_current_context(), config.secrets)
    return config


async def list_fixtures(settings: FeedSettings, days: int, search: str) -> tuple[Fixture, ...]:
    """Return the fixtures of the coming days whose title or competition contains `search`; raise UserMistake on a feed error."""
    return select_fixtures(await _read_fixtures(settings, dt.timedelta(), dt.timedelta(days=days)), search)


async def read_listed_fixtures(settings: FeedSettings) -> tuple[Fixture, ...]:
    """Return the fixtures that `run` would know now; raise UserMistake on a feed error."""
    return await _read_fixtures(settings, LOOK_BACK, LOOK_AHEAD)


async def _read_fixtures(settings: FeedSettings, back: dt.timedelta, ahead: dt.timedelta) -> tuple[Fixture, ...]:
    """Return the fixtures from `back` before today to `ahead` after it; raise UserMistake on a feed error."""
    clock = SystemClock()
    today = clock.now().date()
    async with open_http_session() as http:
        try:
            return tuple(await RestClient(lambda: settings, http, clock).fetch_fixtures(today - back, today + ahead))
        except FeedError as error:
            raise UserMistake(f"the fixtures cannot be read: {error}") from error


def select_fixtures(fixtures: Iterable[Fixture], search: str) -> tuple[Fixture, ...]:
    """Return the fixtures whose title, competition or id contains `search`; `A v B` matches parts of both names."""
    # By normalised names, so that "fenerbahce" finds Fenerbahçe; also by id, which people copy from the log.
    text = normalise(search)
    home, _, away = (part.strip() for part in text.partition(" v "))
    return tuple(
        f
        for f in fixtures
        if text in normalise(f"{f.title} {f.competition.name} {f.id}")
        or (away and home in normalise(f.home.name) and away in normalise(f.away.name))
    )


def describe_unknown_fixture(search: str, fixtures: Sequence[Fixture], days: int) -> str:
    """Return a sentence that says that there is no such fixture, with the nearest name that there is."""
    names = {name for f in fixtures for name in (f.home.name, f.away.name, f.competition.name, f.title) if name}
    # Names are long and a typing mistake is short: "Chelsae" is as near to Chelsea as to one of the words of "Chelsea Women".
    words = {word: name for name in sorted(names, key=len, reverse=True) for word in (name, *name.split()) if len(word) > 3}
    near = suggest(search, names) or words.get(suggest(search, words), "")
    hint = f'; did you mean "{near}"?' if near else "; `touchline fixtures` lists them" if fixtures else ""
    return f'the feed has no fixture "{search}" within {days} days{hint}'


def format_fixture_table(fixtures: Sequence[Fixture]) -> str:
    """Format a table with a line for each fixture."""
    rows = Table(box=None, pad_edge=False, header_style="")
    for heading in ("KICK-OFF (UTC)", "MATCH", "COMPETITION", "STATUS", "ID"):
        rows.add_column(heading, no_wrap=True)
    for fixture in fixtures:
        kickoff = "unknown"
        if fixture.kickoff is not None:
            # The feed gives some matches a day and a time that stands for "not known yet": the time would be read as true.
            time = f"{fixture.kickoff:%H:%M}" if fixture.is_kickoff_known else "?"
            kickoff = f"{fixture.kickoff:%Y-%m-%d} {time}"
        rows.add_row(kickoff, fixture.title, fixture.competition.name, fixture.status, fixture.id)
    # Wider than any terminal and without colours: the table is often piped into grep, and no name is cut.
    console = Console(width=400, color_system=None)
    with console.capture() as capture:
        console.print(rows)
    lines = [line.rstrip() for line in capture.get().splitlines()]
    return "\n".join(lines) if fixtures else "no fixtures"


_SEARCH_DAYS = 7
"""How many days before and after today a name is looked for."""


async def find_fixture_ids(settings: FeedSettings, named: Sequence[str]) -> tuple[str, ...]:
    """Return an id for each id or name, such as "Arsenal v Chelsea"; raise UserMistake where a name fits none or several."""
    # Ids have no spaces and no v between two names: without a name the list is not asked for.
    if not any(" " in name.strip() for name in named):
        return tuple(named)
    fixtures = await _read_fixtures(settings, dt.timedelta(days=_SEARCH_DAYS), dt.timedelta(days=_SEARCH_DAYS))
    return tuple(_find_fixture_id(name.strip(), fixtures) for name in named)


def _find_fixture_id(name: str, fixtures: Sequence[Fixture]) -> str:
    if " " not in name:
        return name
    found = select_fixtures(fixtures, name)
    if not found:
        raise UserMistake(describe_unknown_fixture(name, fixtures, _SEARCH_DAYS))
    if len(found) > 1:
        raise UserMistake(f'"{name}" fits {len(found)} fixtures; name one by its id:\n{format_fixture_table(found)}')
    return found[0].id


async def record_fixtures(
    settings: FeedSettings, fixture_ids: Sequence[str], folder: Path, speed: StreamSpeed | None = None
) -> list[Path]:
    """Record these fixtures until their matches are over, and return the files that were written.

    With a `speed` they have to be over already: the feed ignores it for live matches.
    """
    # Before the feed is asked: a match is not followed to its end only to find that it cannot be written.
    _create_folder(folder)
    clock = SystemClock()
    limiter = FeedRequestLimiter(clock)
    async with open_http_session() as http:
        source = RestClient(lambda: settings, http, clock, limiter)
        try:
            fixtures = await asyncio.gather(*(source.fetch_fixture(fixture_id) for fixture_id in fixture_ids))
        except FeedError as error:
            raise UserMistake(f"the fixtures cannot be read: {error}") from error
    if speed and (early := next((fixture for fixture in fixtures if not fixture.is_over), None)):
        sentence = "only matches that are over can be read at a speed; `touchline record` without --speed follows a live one"
        raise UserMistake(f"{early.title or early.id} is {early.status.lower()}: {sentence}")
    try:
        return list((await record_matches(fixtures, settings, clock, folder, speed=speed, limiter=limiter)).values())
    except FeedError as error:
        raise UserMistake(f"the match cannot be read: {error}") from error


def _create_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserMistake(f"--folder: {folder} cannot be created: {error.strerror}") from error
