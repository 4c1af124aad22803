"""Compares what two sets of rules send for the same recordings, alert by alert."""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from bot.feed.match_source import MatchSource
from bot.replay.replay import ReplayedMessage, replay_match
from rules.engine.rule import RuleSet
from rules.engine.text import visible_text
from rules.football.catalogue import Catalogue

if TYPE_CHECKING:
    from rich.console import Console

TABLE_HEADINGS = ("CHANGE", "MATCH", "MINUTE", "BEFORE", "AFTER")

_PLAIN_TABLE_WIDTH = 10_000
"""Characters. A pipe or a file has no width: the table is so wide that nothing is cut or wrapped, and each row is one line."""

RulesWithCatalogue = tuple[RuleSet, Catalogue]

ActionKey = tuple[str, str]
"""Fixture id and action id: what identifies an alert, whichever rule fires."""


class DifferenceKind(enum.StrEnum):
    """How an alert differs between the two sets of rules. The values appear in `replay --against --json`."""

    ADDED = "added"
    DROPPED = "dropped"
    REWORDED = "reworded"
    LOUDER = "louder"
    """More of its messages make a sound, whatever else changed."""
    QUIETER = "quieter"


class AlertMessages(msgspec.Struct, frozen=True):
    """All messages of one alert under one set of rules. The field names are keys of `replay --against --json`."""

    rule: str
    kind: str
    texts: tuple[str, ...]
    """`send: …`, `edit: …`, `reply: …`, in order."""
    silent: tuple[bool, ...] = ()
    """For each of the texts, whether it makes no sound."""

    @property
    def sounds(self) -> int:
        """Return how often the phone rings."""
        return self.silent.count(False)


class Difference(msgspec.Struct, frozen=True):
    """One alert that differs. `before` is None if it is added, `after` is None if it is dropped.

    The field names are keys of `replay --against --json`.
    """

    change: DifferenceKind
    at: str
    fixture_id: str
    action_id: str
    minute: str | None
    before: AlertMessages | None
    after: AlertMessages | None


class Comparison(msgspec.Struct, frozen=True):
    """All differences, in the order of the matches, and the number of alerts that are the same.

    `titles` are those of the matches by fixture id, where the caller has looked them up.
    """

    differences: tuple[Difference, ...] = ()
    unchanged: int = 0
    titles: Mapping[str, str] = {}

    def count(self, change: DifferenceKind) -> int:
        """Return the number of alerts with this kind of difference."""
        return Counter(difference.change for difference in self.differences)[change]


async def compare_replays(matches: Sequence[MatchSource], before: RulesWithCatalogue, after: RulesWithCatalogue) -> Comparison:
    """Replay each match under both sets of rules and compare the messages.

    Raises UserMistake if a recording cannot be read.
    """
    comparisons = []
    for match in matches:
        old: list[ReplayedMessage] = []
        new: list[ReplayedMessage] = []
        # One after the other, though they are independent: both are busy with the processor alone.
        await replay_match(match, *before, old.append)
        await replay_match(match, *after, new.append)
        comparisons.append(compare_messages(old, new))
    return merge_comparisons(comparisons)


def compare_messages(before: Sequence[ReplayedMessage], after: Sequence[ReplayedMessage]) -> Comparison:
    """Compare the messages of two replays of the same matches."""
    old, new = _group_by_action(before), _group_by_action(after)
    differences = [_find_difference(old.get(key, ()), new.get(key, ())) for key in _sort_actions(old, new)]
    changed = tuple(difference for difference in differences if difference is not None)
    return Comparison(changed, len(differences) - len(changed))


def merge_comparisons(comparisons: Iterable[Comparison]) -> Comparison:
    """Combine the comparisons of several matches into one."""
    merged = list(comparisons)
    differences = tuple(difference for comparison in merged for difference in comparison.differences)
    return Comparison(differences, sum(comparison.unchanged for comparison in merged))


def _group_by_action(messages: Sequence[ReplayedMessage]) -> Mapping[ActionKey, Sequence[ReplayedMessage]]:
    groups: dict[ActionKey, list[ReplayedMessage]] = {}
    for message in messages:
        groups.setdefault((message.fixture_id, message.action_id), []).append(message)
    return groups


def _sort_actions(
    old: Mapping[ActionKey, Sequence[ReplayedMessage]], new: Mapping[ActionKey, Sequence[ReplayedMessage]]
) -> list[ActionKey]:
    """Return every key once: fixtures in the order of the replay, and in each fixture by the time of the first message."""
    fixtures = {fixture: place for place, fixture in enumerate(dict.fromkeys(key[0] for key in [*old, *new]))}
    # The two sets of rules can fire at different revisions of one action: the earlier of the two counts.
    first_sent = {key: min(groups[key][0].at for groups in (old, new) if key in groups) for key in {**old, **new}}
    return sorted(first_sent, key=lambda key: (fixtures[key[0]], first_sent[key]))


def _find_difference(old: Sequence[ReplayedMessage], new: Sequence[ReplayedMessage]) -> Difference | None:
    before, after = _collect_texts(old), _collect_texts(new)
    # The rule's name is not compared: no message shows it.
    if before == after or (before and after and replace(before, rule=after.rule) == after):
        return None
    change = _classify_change(before, after)
    # The minute of the last revision: the feed may correct it.
    first, last = [*new, *old][0], (new or old)[-1]
    return Difference(change, first.at, first.fixture_id, first.action_id, last.minute, before, after)


def _classify_change(before: AlertMessages | None, after: AlertMessages | None) -> DifferenceKind:
    if before is None:
        return DifferenceKind.ADDED
    if after is None:
        return DifferenceKind.DROPPED
    # The sound comes first: new words on a silent message are a smaller change than a phone that rings.
    if before.sounds != after.sounds:
        return DifferenceKind.LOUDER if after.sounds > before.sounds else DifferenceKind.QUIETER
    return DifferenceKind.REWORDED


def _collect_texts(messages: Sequence[ReplayedMessage]) -> AlertMessages | None:
    if not messages:
        return None
    # A retraction carries neither rule nor kind, so they are taken from a message that has them.
    rules = [message.rule for message in messages if message.rule]
    return AlertMessages(
        rule=rules[-1] if rules else "",
        kind=messages[-1].kind or messages[0].kind,
        texts=tuple(f"{message.op}: {message.text}" for message in messages),
        silent=tuple(message.silent for message in messages),
    )


def format_comparison_summary(comparison: Comparison, matches: int) -> str:
    """Return one line such as `2 added, 1 dropped, 0 reworded, 31 unchanged over 3 matches`."""
    counts = ", ".join(f"{comparison.count(change)} {change}" for change in DifferenceKind)
    return f"{counts}, {comparison.unchanged} unchanged over {matches} {'match' if matches == 1 else 'matches'}"


def difference_to_json(difference: Difference) -> str:
    """Return the difference as one line of JSON."""
    return msgspec.json.encode(difference).decode()


def read_match_titles(matches: Sequence[MatchSource]) -> dict[str, str]:
    """Return match titles by fixture id, for the fixtures that are known without playing the matches."""
    return {fixture.id: fixture.title for match in matches for fixture in match.read_fixtures().values()}


def format_table(comparison: Comparison, titles: Mapping[str, str], console: Console) -> str:
    """Return the differences as a table, empty if there are none. Without a terminal it is plain, one line a difference."""
    # Only here: a running bot compares rules too, and writes no table.
    from rich.console import Console as PlainConsole
    from rich.table import Table
    from rich.text import Text

    if not comparison.differences:
        return ""
    is_terminal = console.is_terminal
    table = Table(box=None, pad_edge=False, header_style="bold" if is_terminal else "")
    for heading in TABLE_HEADINGS:
        table.add_column(heading, no_wrap=not is_terminal or heading in ("CHANGE", "MINUTE"))
    for difference in comparison.differences:
        # As Text, because rich reads [brackets] in a str as markup.
        table.add_row(*map(Text, _difference_to_row(difference, titles)))
    target = console if is_terminal else PlainConsole(width=_PLAIN_TABLE_WIDTH, color_system=None)
    with target.capture() as captured:
        target.print(table)
    return "\n".join(line.rstrip() for line in captured.get().splitlines())


def _difference_to_row(difference: Difference, titles: Mapping[str, str]) -> tuple[str, ...]:
    before, after = difference.before, difference.after
    old = f"{before.rule}: {format_sound(before, after)}{select_changed_text(before, after)}" if before else "–"
    new = f"{after.rule}: {format_sound(after, before)}{select_changed_text(after, before)}" if after else "–"
    title = titles.get(difference.fixture_id) or difference.fixture_id
    return (difference.change.value, title, difference.minute or "", old, new)


def format_sound(side: AlertMessages, other: AlertMessages | None) -> str:
    """Return the sign of a louder or quieter alert; empty if both make as many sounds."""
    if other is None or side.sounds == other.sounds:
        return ""
    return "🔔 " if side.sounds > other.sounds else "🔕 "


def select_changed_text(side: AlertMessages | None, other: AlertMessages | None) -> str:
    """Return one text of `side` as plain text in one line, empty if `side` is None.

    It is the first text that differs from the other side; if all texts in common are equal, the first that only `side` has.
    """
    if side is None:
        return ""
    texts = list(side.texts)
    # What differs is what a reader looks for. The first text may be the same in both, such as that of a pending goal.
    if other is not None:
        pairs = [(ours, theirs) for ours, theirs in zip(texts, other.texts, strict=False) if ours != theirs]
        texts = [ours for ours, _ in pairs] or texts[len(other.texts) :] or texts[-1:]
    return to_plain_line(texts[0].partition(": ")[2]) if texts else ""


def to_plain_line(text: str) -> str:
    """Return Telegram's HTML as plain text in one line."""
    return " ".join(visible_text(text).split())
