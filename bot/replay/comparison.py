"""What two sets of rules send differently."""

from __future__ import annotations

import enum
import html
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bot.feed.recording import read_fixtures_beside
from bot.replay.replay import ReplayedMessage, replay_recording
from rules.engine.rule import RuleSet
from rules.football.catalogue import Catalogue

_TAG_PATTERN = re.compile(r"<[^<>]*>")


class MessageRecord(Protocol):
    """One message, edit or reply, as `replay` prints it."""

    @property
    def at(self) -> str: ...
    @property
    def fixture_id(self) -> str: ...
    @property
    def action_id(self) -> str: ...
    @property
    def rule(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def op(self) -> str: ...
    @property
    def minute(self) -> str | None: ...
    @property
    def text(self) -> str: ...


class DifferenceKind(enum.StrEnum):
    """What became of an alert."""

    ADDED = "added"
    DROPPED = "dropped"
    REWORDED = "reworded"


class AlertMessages(msgspec.Struct, frozen=True):
    """How one of the two tells an alert: by which rule, as which kind, in which words from the first to the last."""

    rule: str
    kind: str
    texts: tuple[str, ...]
    """`send: …`, `edit: …`, `reply: …`, in order."""


class Difference(msgspec.Struct, frozen=True):
    """One alert that is not told as before. `before` is None for an added one, `after` for a dropped one."""

    change: DifferenceKind
    at: str
    fixture_id: str
    action_id: str
    minute: str | None
    before: AlertMessages | None
    after: AlertMessages | None


class Comparison(msgspec.Struct, frozen=True):
    """All differences, in the order of the matches, and how many alerts stay as they are."""

    differences: tuple[Difference, ...] = ()
    unchanged: int = 0

    def count(self, change: DifferenceKind) -> int:
        """How many alerts met this change."""
        return Counter(difference.change for difference in self.differences)[change]


ActionKey = tuple[str, str]


def compare_messages(before: Sequence[MessageRecord], after: Sequence[MessageRecord]) -> Comparison:
    """Hold two tellings of the same matches against each other."""
    old, new = _group_by_action(before), _group_by_action(after)
    differences = [_find_difference(old.get(key, ()), new.get(key, ())) for key in _sort_actions(old, new)]
    changed = tuple(difference for difference in differences if difference is not None)
    return Comparison(changed, len(differences) - len(changed))


def merge_comparisons(comparisons: Iterable[Comparison]) -> Comparison:
    """The comparisons of several matches as one."""
    every = list(comparisons)
    return Comparison(tuple(d for one in every for d in one.differences), sum(one.unchanged for one in every))


def format_comparison_summary(comparison: Comparison, matches: int) -> str:
    """The whole in one line: `2 added, 1 dropped, 0 reworded, 31 unchanged over 3 matches`."""
    counts = ", ".join(f"{comparison.count(change)} {change}" for change in DifferenceKind)
    return f"{counts}, {comparison.unchanged} unchanged over {matches} {'match' if matches == 1 else 'matches'}"


def select_changed_text(side: AlertMessages | None, other: AlertMessages | None) -> str:
    """What one side says, as plain text in one line: where both speak, the first words that are not the same."""
    if side is None:
        return ""
    texts = list(side.texts)
    if other is not None:
        pairs = [(ours, theirs) for ours, theirs in zip(texts, other.texts, strict=False) if ours != theirs]
        texts = [ours for ours, _ in pairs] or texts[len(other.texts) :] or texts[-1:]
    return to_plain_line(texts[0].partition(": ")[2]) if texts else ""


def to_plain_line(text: str) -> str:
    """Telegram's HTML as plain words in one line."""
    return " ".join(html.unescape(_TAG_PATTERN.sub("", text)).split())


def _group_by_action(told: Sequence[MessageRecord]) -> Mapping[ActionKey, Sequence[MessageRecord]]:
    found: dict[ActionKey, list[MessageRecord]] = {}
    for one in told:
        found.setdefault((one.fixture_id, one.action_id), []).append(one)
    return found


def _sort_actions(
    old: Mapping[ActionKey, Sequence[MessageRecord]], new: Mapping[ActionKey, Sequence[MessageRecord]]
) -> list[ActionKey]:
    """Every key once: fixture by fixture as they were told, in each by the time of the first word."""
    fixtures = {fixture: place for place, fixture in enumerate(dict.fromkeys(key[0] for key in [*old, *new]))}
    first = {key: min(told[key][0].at for told in (old, new) if key in told) for key in {**old, **new}}
    return sorted(first, key=lambda key: (fixtures[key[0]], first[key]))


def _find_difference(old: Sequence[MessageRecord], new: Sequence[MessageRecord]) -> Difference | None:
    before, after = _collect_texts(old), _collect_texts(new)
    if before and after and (before.kind, before.texts) == (after.kind, after.texts):
        return None
    change = DifferenceKind.ADDED if before is None else DifferenceKind.DROPPED if after is None else DifferenceKind.REWORDED
    first, last = [*new, *old][0], (new or old)[-1]
    return Difference(change, first.at, first.fixture_id, first.action_id, last.minute, before, after)


def _collect_texts(told: Sequence[MessageRecord]) -> AlertMessages | None:
    if not told:
        return None
    rules = [one.rule for one in told if one.rule]
    return AlertMessages(
        rules[-1] if rules else "", told[-1].kind or told[0].kind, tuple(f"{one.op}: {one.text}" for one in told)
    )


RulesWithCatalogue = tuple[RuleSet, Catalogue]

TABLE_HEADINGS = ("CHANGE", "MATCH", "MINUTE", "BEFORE", "AFTER")

_PLAIN_TABLE_WIDTH = 10_000
"""So wide that nothing is cut or wrapped where no person looks on."""


async def compare_replays(paths: Sequence[Path], before: RulesWithCatalogue, after: RulesWithCatalogue) -> Comparison:
    """Tell each recording twice; raise UserMistake where one cannot be read."""
    return merge_comparisons([await _compare_recording(path, before, after) for path in paths])


async def _compare_recording(path: Path, before: RulesWithCatalogue, after: RulesWithCatalogue) -> Comparison:
    old: list[ReplayedMessage] = []
    new: list[ReplayedMessage] = []
    await replay_recording(path, *before, old.append)
    await replay_recording(path, *after, new.append)
    return compare_messages(old, new)


def read_match_titles(paths: Sequence[Path]) -> dict[str, str]:
    """The matches' names by fixture id, as far as `fixtures.json` beside the recordings knows them."""
    return {fixture.id: fixture.title for path in paths for fixture in read_fixtures_beside(path).values()}


def difference_to_json(difference: Difference) -> str:
    """One object, one line."""
    return msgspec.json.encode(difference).decode()


def format_table(comparison: Comparison, names: Mapping[str, str], console: Console) -> str:
    """The differences as a table; plain, each on one line, where the console is no terminal. Empty where there is none."""
    if not comparison.differences:
        return ""
    drawn = console if console.is_terminal else Console(width=_PLAIN_TABLE_WIDTH, color_system=None)
    with drawn.capture() as captured:
        drawn.print(_build_table(comparison, names, terminal=console.is_terminal))
    return "\n".join(line.rstrip() for line in captured.get().splitlines())


def _build_table(comparison: Comparison, names: Mapping[str, str], *, terminal: bool) -> Table:
    rows = Table(box=None, pad_edge=False, header_style="bold" if terminal else "")
    for heading in TABLE_HEADINGS:
        rows.add_column(heading, no_wrap=not terminal or heading in ("CHANGE", "MINUTE"))
    for difference in comparison.differences:
        rows.add_row(*map(Text, _difference_to_row(difference, names)))
    return rows


def _difference_to_row(difference: Difference, names: Mapping[str, str]) -> tuple[str, ...]:
    before, after = difference.before, difference.after
    old = f"{before.rule}: {select_changed_text(before, after)}" if before else "–"
    new = f"{after.rule}: {select_changed_text(after, before)}" if after else "–"
    name = names.get(difference.fixture_id) or difference.fixture_id
    return (difference.change.value, name, difference.minute or "", old, new)
