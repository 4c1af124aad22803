"""The commands that take care of the database: `touchline copy|backup`."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import click

from bot.commands.options import CONFIG


@click.command()
@click.option("--from", "source", required=True, metavar="URL", help="What is copied, such as sqlite:///touchline.db.")
@click.option("--to", "target", required=True, metavar="URL", help="An empty database, such as postgresql://USER@HOST/NAME.")
def copy(source: str, target: str) -> None:
    """Copy all that one database knows into another, empty one."""
    from bot.commands.copy import copied, progress

    with progress() as step:
        counts = asyncio.run(copied(source, target, step))
    for noun, count in counts.items():
        click.echo(f"{count:>12,} {noun}")


@click.command()
@CONFIG
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def backup(config_path: Path, file: Path) -> None:
    """Write what the database knows at this moment into FILE, also while Touchline runs."""
    from bot.commands.backup import backed_up
    from bot.config import load_config

    click.echo(backed_up(load_config(config_path, os.environ).storage.url, file))
