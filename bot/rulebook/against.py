"""`touchline replay --against`: recordings told by two configurations, and the differences for people and programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bot.commands.replay import Told, replay
from bot.feed.recording import fixtures_beside
from bot.rulebook.compare import Comparison, Difference, compare, together, words
from rules.catalogue import Catalogue
from rules.rule import RuleSet

Ruled = tuple[RuleSet, Catalogue]
HEADINGS = ("CHANGE", "MATCH", "MINUTE", "BEFORE", "AFTER")
_PLAIN_WIDTH = 10_000
"""So wide that nothing is cut or wrapped where no person looks on."""


async def against(paths: Sequence[Path], before: Ruled, after: Ruled) -> Comparison:
    """Tell each recording twice; raise UserMistake where one cannot be read."""
    return together([await _of_one(path, before, after) for path in paths])


async def _of_one(path: Path, before: Ruled, after: Ruled) -> Comparison:
    old: list[Told] = []
    new: list[Told] = []
    await replay(path, *before, old.append)
    await replay(path, *after, new.append)
    return compare(old, new)


def titles(paths: Sequence[Path]) -> dict[str, str]:
    """The matches' names by fixture id, as far as `fixtures.json` beside the recordings knows them."""
    return {fixture.id: fixture.title for path in paths for fixture in fixtures_beside(path).values()}


def as_json(difference: Difference) -> str:
    """One object, one line."""
    return msgspec.json.encode(difference).decode()


def table(comparison: Comparison, names: Mapping[str, str], console: Console) -> str:
    """The differences as a table; plain, each on one line, where the console is no terminal. Empty where there is none."""
    if not comparison.differences:
        return ""
    drawn = console if console.is_terminal else Console(width=_PLAIN_WIDTH, color_system=None)
    with drawn.capture() as captured:
        drawn.print(_table(comparison, names, terminal=console.is_terminal))
    return "\n".join(line.rstrip() for line in captured.get().splitlines())


def _table(comparison: Comparison, names: Mapping[str, str], *, terminal: bool) -> Table:
    rows = Table(box=None, pad_edge=False, header_style="bold" if terminal else "")
    for heading in HEADINGS:
        rows.add_column(heading, no_wrap=not terminal or heading in ("CHANGE", "MINUTE"))
    for difference in comparison.differences:
        rows.add_row(*map(Text, _row(difference, names)))
    return rows


def _row(difference: Difference, names: Mapping[str, str]) -> tuple[str, ...]:
    before, after = difference.before, difference.after
    old = f"{before.rule}: {words(before, after)}" if before else "–"
    new = f"{after.rule}: {words(after, before)}" if after else "–"
    name = names.get(difference.fixture_id) or difference.fixture_id
    return (difference.change.value, name, difference.minute or "", old, new)
