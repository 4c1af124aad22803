"""`replay` and its `--against`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from bot.commands.common import config_option, is_default, recordings_argument, run_coroutine


@click.command()
@config_option
@click.option("--json", "json_lines", is_flag=True, help="One JSON object a line.")
@click.option("--against", "other_path", type=click.Path(path_type=Path), help="Show only what this other file would change.")
@recordings_argument
@click.pass_context
def replay_command(
    ctx: click.Context, config_path: Path, json_lines: bool, other_path: Path | None, recordings: tuple[Path, ...]
) -> None:
    """Show what a chat subscribed to everything would have been told over RECORDINGS."""
    from bot.config.load import load_rules_of as rules_of
    from bot.replay.replay import message_to_json as as_json
    from bot.replay.replay import message_to_text as as_text
    from bot.replay.replay import replay_recording as replayed

    rules, names = rules_of(config_path, os.environ, optional=is_default(ctx, "config_path"))
    if other_path is not None:
        _print_comparison(recordings, (rules, names), rules_of(other_path, os.environ), json_lines=json_lines)
        return
    line = as_json if json_lines else as_text
    for recording in recordings:
        run_coroutine(replayed(recording, rules, names, lambda told: click.echo(line(told))))


def _print_comparison(recordings: tuple[Path, ...], before: Any, after: Any, *, json_lines: bool) -> None:
    from rich.console import Console

    from bot.replay.comparison import compare_replays as against
    from bot.replay.comparison import difference_to_json as as_json
    from bot.replay.comparison import format_comparison_summary as summary
    from bot.replay.comparison import format_table as table
    from bot.replay.comparison import read_match_titles as titles

    comparison = run_coroutine(against(recordings, before, after))
    if json_lines:
        for difference in comparison.differences:
            click.echo(as_json(difference))
        return
    if shown := table(comparison, titles(recordings), Console()):
        click.echo(shown)
    click.echo(summary(comparison, len(recordings)))
