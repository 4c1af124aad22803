"""Options and arguments that several commands share."""

from __future__ import annotations

from pathlib import Path

import click

CONFIG = click.option(
    "--config",
    "config_path",
    type=click.Path(path_type=Path),
    default=Path("config.yaml"),
    show_default=True,
    help="The YAML file.",
)
RECORDINGS = click.argument("recordings", nargs=-1, required=True, type=click.Path(path_type=Path))
