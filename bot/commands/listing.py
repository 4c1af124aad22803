"""The feed's fixtures for people, and recordings of them."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import aiohttp
from rich.console import Console
from rich.table import Table

from bot.clock import SystemClock
from bot.errors import FeedError, UserMistake
from bot.feed.api import ApiSettings, FeedApi
from bot.feed.client import StreamSettings
from bot.feed.recorder import record
from rules.action import Fixture
from rules.fold import fold


class FeedSettings(ApiSettings, StreamSettings, Protocol):
    """Both sides of the feed."""


async def listed(settings: ApiSettings, days: int, search: str) -> tuple[Fixture, ...]:
    """The fixtures of the coming days whose title or competition has these letters; raise UserMistake where the feed fails."""
    clock = SystemClock()
    today = clock.now().date()
    async with aiohttp.ClientSession() as http:
        try:
            found = await FeedApi(settings, http, clock).fixtures(today, today + dt.timedelta(days=days))
        except FeedError as error:
            raise UserMistake(f"the fixtures cannot be had: {error}") from error
    wanted = fold(search)
    return tuple(f for f in found if wanted in fold(f"{f.title} {f.competition.name} {f.id}"))


def table(fixtures: Sequence[Fixture]) -> str:
    """One fixture a line."""
    rows = Table(box=None, pad_edge=False, header_style="")
    for heading in ("KICK-OFF (UTC)", "MATCH", "COMPETITION", "STATUS", "ID"):
        rows.add_column(heading, no_wrap=True)
    for fixture in fixtures:
        rows.add_row(_kickoff(fixture), fixture.title, fixture.competition.name, fixture.status, fixture.id)
    console = Console(width=400, color_system=None)
    with console.capture() as capture:
        console.print(rows)
    lines = [line.rstrip() for line in capture.get().splitlines()]
    return "\n".join(lines) if fixtures else "no fixtures"


def _kickoff(fixture: Fixture) -> str:
    if fixture.kickoff is None:
        return "unknown"
    return f"{fixture.kickoff:%Y-%m-%d %H:%M}" if fixture.kickoff_known else f"{fixture.kickoff:%Y-%m-%d} ?"


async def recorded(settings: FeedSettings, fixture_ids: Sequence[str], folder: Path) -> list[Path]:
    """Record these fixtures until their matches are over; the files written."""
    _make(folder)
    clock = SystemClock()
    async with aiohttp.ClientSession() as http:
        source = FeedApi(settings, http, clock)
        try:
            fixtures = await asyncio.gather(*(source.fixture(fixture_id) for fixture_id in fixture_ids))
        except FeedError as error:
            raise UserMistake(f"the fixtures cannot be had: {error}") from error
    return list((await record(fixtures, settings, clock, folder)).values())


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserMistake(f"--folder: {folder} cannot be made: {error.strerror}") from error
