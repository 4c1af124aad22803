"""What a change of rules adds, drops or rewords: two lists of what was told -> the differences, by fixture and action. Pure."""

from __future__ import annotations

import enum
import html
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

import msgspec

_TAGS = re.compile(r"<[^<>]*>")


class Telling(Protocol):
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


class Change(enum.StrEnum):
    """What became of an alert."""

    ADDED = "added"
    DROPPED = "dropped"
    REWORDED = "reworded"


class Side(msgspec.Struct, frozen=True):
    """How one of the two tells an alert: by which rule, as which kind, in which words from the first to the last."""

    rule: str
    kind: str
    texts: tuple[str, ...]
    """`send: …`, `edit: …`, `reply: …`, in order."""


class Difference(msgspec.Struct, frozen=True):
    """One alert that is not told as before. `before` is None for an added one, `after` for a dropped one."""

    change: Change
    at: str
    fixture_id: str
    action_id: str
    minute: str | None
    before: Side | None
    after: Side | None


class Comparison(msgspec.Struct, frozen=True):
    """All differences, in the order of the matches, and how many alerts stay as they are."""

    differences: tuple[Difference, ...] = ()
    unchanged: int = 0

    def count(self, change: Change) -> int:
        """How many alerts met this change."""
        return Counter(difference.change for difference in self.differences)[change]


Key = tuple[str, str]


def compare(before: Sequence[Telling], after: Sequence[Telling]) -> Comparison:
    """Hold two tellings of the same matches against each other."""
    old, new = _by_key(before), _by_key(after)
    differences = [_difference(old.get(key, ()), new.get(key, ())) for key in _in_order(old, new)]
    changed = tuple(difference for difference in differences if difference is not None)
    return Comparison(changed, len(differences) - len(changed))


def together(comparisons: Iterable[Comparison]) -> Comparison:
    """The comparisons of several matches as one."""
    every = list(comparisons)
    return Comparison(tuple(d for one in every for d in one.differences), sum(one.unchanged for one in every))


def summary(comparison: Comparison, matches: int) -> str:
    """The whole in one line: `2 added, 1 dropped, 0 reworded, 31 unchanged over 3 matches`."""
    counts = ", ".join(f"{comparison.count(change)} {change}" for change in Change)
    return f"{counts}, {comparison.unchanged} unchanged over {matches} {'match' if matches == 1 else 'matches'}"


def words(side: Side | None, other: Side | None) -> str:
    """What one side says, as plain text in one line: where both speak, the first words that are not the same."""
    if side is None:
        return ""
    texts = list(side.texts)
    if other is not None:
        pairs = [(ours, theirs) for ours, theirs in zip(texts, other.texts, strict=False) if ours != theirs]
        texts = [ours for ours, _ in pairs] or texts[len(other.texts) :] or texts[-1:]
    return plain(texts[0].partition(": ")[2]) if texts else ""


def plain(text: str) -> str:
    """Telegram's HTML as plain words in one line."""
    return " ".join(html.unescape(_TAGS.sub("", text)).split())


def _by_key(told: Sequence[Telling]) -> Mapping[Key, Sequence[Telling]]:
    found: dict[Key, list[Telling]] = {}
    for one in told:
        found.setdefault((one.fixture_id, one.action_id), []).append(one)
    return found


def _in_order(old: Mapping[Key, Sequence[Telling]], new: Mapping[Key, Sequence[Telling]]) -> list[Key]:
    """Every key once: fixture by fixture as they were told, in each by the time of the first word."""
    fixtures = {fixture: place for place, fixture in enumerate(dict.fromkeys(key[0] for key in [*old, *new]))}
    first = {key: min(told[key][0].at for told in (old, new) if key in told) for key in {**old, **new}}
    return sorted(first, key=lambda key: (fixtures[key[0]], first[key]))


def _difference(old: Sequence[Telling], new: Sequence[Telling]) -> Difference | None:
    before, after = _side(old), _side(new)
    if before and after and (before.kind, before.texts) == (after.kind, after.texts):
        return None
    change = Change.ADDED if before is None else Change.DROPPED if after is None else Change.REWORDED
    first, last = [*new, *old][0], (new or old)[-1]
    return Difference(change, first.at, first.fixture_id, first.action_id, last.minute, before, after)


def _side(told: Sequence[Telling]) -> Side | None:
    if not told:
        return None
    rules = [one.rule for one in told if one.rule]
    return Side(rules[-1] if rules else "", told[-1].kind or told[0].kind, tuple(f"{one.op}: {one.text}" for one in told))
