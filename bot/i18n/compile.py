"""Compiles the catalogues from .po to .mo. Imports nothing of the project: `setup.py` runs it with only Babel installed."""

from __future__ import annotations

import tempfile
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

FOLDER = Path(__file__).with_name("catalogues")


def compile_catalogues(folder: Path = FOLDER) -> tuple[Path, ...]:
    """Compile the catalogues that are newer than their compiled file. Returns the compiled files that were written."""
    written = []
    for source in sorted(folder.glob("*/LC_MESSAGES/*.po")):
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime >= source.stat().st_mtime:
            continue
        with source.open("rb") as lines:
            catalogue = read_po(lines, locale=source.parent.parent.name)
        # Written beside the target and renamed, so that no other process reads half of it.
        with tempfile.NamedTemporaryFile(dir=target.parent, delete=False) as file:
            write_mo(file, catalogue)
        # A temporary file is readable by its owner only, and the bot may run as another user.
        Path(file.name).chmod(0o644)
        Path(file.name).replace(target)
        written.append(target)
    return tuple(written)


if __name__ == "__main__":
    compile_catalogues()
