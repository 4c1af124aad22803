"""Compiles catalogues; alone, because `setup.py` runs it before any dependency is there."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

FOLDER = Path(__file__).with_name("catalogues")


def compile_catalogues(folder: Path = FOLDER) -> tuple[Path, ...]:
    """Compile what is stale; the catalogues that were made."""
    return tuple(_compile_catalogue(written, made) for written, made in _find_stale(folder))


def _find_stale(folder: Path) -> Iterator[tuple[Path, Path]]:
    for written in sorted(folder.glob("*/LC_MESSAGES/*.po")):
        made = written.with_suffix(".mo")
        if not made.exists() or made.stat().st_mtime < written.stat().st_mtime:
            yield written, made


def _compile_catalogue(written: Path, made: Path) -> Path:
    """Put in its place at once, so that nobody reads half of it."""
    with written.open("rb") as lines:
        catalogue = read_po(lines, locale=written.parent.parent.name)
    with tempfile.NamedTemporaryFile(dir=made.parent, delete=False) as file:
        write_mo(file, catalogue)
    Path(file.name).chmod(0o644)
    return Path(file.name).replace(made)


if __name__ == "__main__":
    compile_catalogues()
