"""The command `replay`, and its comparison of two configurations by `--against`."""

from __future__ import annotations

import asyncio
import os
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bot.commands.common import config_option, is_default

if TYPE_CHECKING:
    from bot.feed.match_source import MatchSource


@click.command()
@config_option
@click.option("--json", "json_lines", is_flag=True, help="One JSON object a line.")
@click.option("--against", "other_path", type=click.Path(path_type=Path), help="Show only what this other file would change.")
@click.option(
    "--from-feed", "fixture_ids", metavar="FIXTURE", multiple=True, help="Read this match, which is over, from the feed first."
)
@click.option(
    "--jobs", type=click.IntRange(1), help="Replay so many matches at a time; by default as many as this machine has cores."
)
@click.argument("matches", metavar="[MATCH]...", nargs=-1)
@click.pass_context
def replay_command(
    ctx: click.Context,
    config_path: Path,
    json_lines: bool,
    other_path: Path | None,
    fixture_ids: tuple[str, ...],
    jobs: int | None,
    matches: tuple[str, ...],
) -> None:
    """Show what a chat subscribed to everything would have been told over each MATCH.

    A MATCH is a recording, a folder of them, a scenario file, or a match that ships, such as opener.
    """
    if not (matches or fixture_ids):
        raise click.UsageError("name a match, such as opener or a recording, or a match of the feed with --from-feed")
    # Only for the replay: what is to be kept is written by `touchline record`.
    with tempfile.TemporaryDirectory(prefix="touchline-replay-") as folder:
        if fixture_ids:
            matches += _read_from_feed(config_path, fixture_ids, Path(folder))
        _replay(ctx, config_path, matches, other_path, jobs, json_lines=json_lines)


def _read_from_feed(config_path: Path, fixture_ids: tuple[str, ...], folder: Path) -> tuple[str, ...]:
    """Record matches that are over, as fast as the feed sends them; return the files."""
    from bot.commands.fixtures import load_feed_config, record_fixtures
    from bot.feed.source import StreamSpeed

    config = load_feed_config(config_path)
    return tuple(map(str, asyncio.run(record_fixtures(config.feed, fixture_ids, folder, StreamSpeed.FAST))))


def _replay(
    ctx: click.Context,
    config_path: Path,
    names: tuple[str, ...],
    other_path: Path | None,
    jobs: int | None,
    *,
    json_lines: bool,
) -> None:
    from bot.config.load import load_rules_of
    from bot.feed.match_source import open_matches
    from bot.replay.parallel import count_cores, replay_with_processes
    from bot.replay.replay import message_to_json, message_to_text, replay_match

    # Before the first is played, so that a misspelt name is reported at once.
    matches = open_matches(names)
    load_rules = partial(load_rules_of, config_path, dict(os.environ), optional=is_default(ctx, "config_path"))
    rules, catalogue = load_rules()
    if other_path is not None:
        _print_comparison(matches, (rules, catalogue), load_rules_of(other_path, os.environ), json_lines=json_lines)
        return
    # Printed as they come: a season of recordings takes a while.
    process_count = min(jobs or count_cores(), len(matches))
    if process_count > 1:
        for lines in replay_with_processes(matches, load_rules, process_count, json_lines=json_lines):
            for line in lines:
                click.echo(line)
        return
    render = message_to_json if json_lines else message_to_text
    for match in matches:
        asyncio.run(replay_match(match, rules, catalogue, lambda message: click.echo(render(message))))


def _print_comparison(matches: tuple[MatchSource, ...], before: Any, after: Any, *, json_lines: bool) -> None:
    from rich.console import Console

    from bot.replay.comparison import (
        compare_replays,
        difference_to_json,
        format_comparison_summary,
        format_table,
        read_match_titles,
    )

    comparison = asyncio.run(compare_replays(matches, before, after))
    # Without the summary, so that every line is of one kind.
    if json_lines:
        for difference in comparison.differences:
            click.echo(difference_to_json(difference))
        return
    if table := format_table(comparison, read_match_titles(matches), Console()):
        click.echo(table)
    click.echo(format_comparison_summary(comparison, len(matches)))
