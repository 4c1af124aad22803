"""Which files a configuration comes from, in which folders they are, and whether one has changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

State = Mapping[Path, tuple[int, int, int]]
"""By file, what changes when it is written or replaced; a file that is not there is not in it."""

_SUFFIXES = frozenset({".yaml", ".yml"})
_WILD = frozenset("*?[")


def state_of(sources: Iterable[Path]) -> State:
    """How all files stand that these paths and patterns name."""
    found = ((file, _stat(file)) for source in sources for file in _files(source))
    return {file: stat for file, stat in found if stat is not None}


def folders(sources: Iterable[Path]) -> frozenset[Path]:
    """The folders in which these files are, or would be; where a file is a link, also the one that it leads to."""
    found: set[Path] = set()
    for source in sources:
        anchor, pattern = _split(source)
        found |= {anchor} if pattern else {source.parent, source.resolve().parent}
    return frozenset(folder for folder in found if folder.is_dir())


def may_matter(path: str, sources: Iterable[Path]) -> bool:
    """Tell whether a change of this file can be one of the configuration: a database beside it is written all the time."""
    changed = Path(path)
    named = changed.name in {source.name for source in sources}
    return named or changed.suffix in _SUFFIXES or changed.name.startswith("..")  # mounted volumes swap a link `..data`


def _files(source: Path) -> list[Path]:
    anchor, pattern = _split(source)
    return sorted(anchor.glob(pattern)) if pattern else [source]


def _split(source: Path) -> tuple[Path, str]:
    """A pattern's fixed folder and the rest; no rest for a path without wildcards."""
    wild = next((at for at, part in enumerate(source.parts) if _WILD & set(part)), None)
    return (source, "") if wild is None else (Path(*source.parts[:wild]), str(Path(*source.parts[wild:])))


def _stat(file: Path) -> tuple[int, int, int] | None:
    try:
        stat = file.stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size, stat.st_ino
