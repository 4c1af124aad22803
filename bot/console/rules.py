"""What the page of rules shows: mistakes at their lines while somebody types, and what rules would change on matches."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence

import msgspec

from bot.replay.comparison import Difference, DifferenceKind, select_changed_text
from bot.replay.dry_run import DryRunRequest, DryRunResult

RULES_NAME = "rules.yaml"
"""What mistakes call the text in the editor."""

RunDryRun = Callable[[DryRunRequest], Awaitable[DryRunResult]]

_PLACE = re.compile(rf"{re.escape(RULES_NAME)}:(\d+):(\d+): (.*)", re.DOTALL)


class EditorMark(msgspec.Struct, frozen=True):
    """A mistake or warning at its place in the editor. Lines and columns begin at 1; 0 where there is no place."""

    line: int
    column: int
    sentence: str
    is_mistake: bool


class ChangedAlert(msgspec.Struct, frozen=True):
    """One row of "what would change"."""

    change: str
    """added, dropped, reworded, or louder and quieter where the replay tells them."""
    match: str
    minute: str
    before: str
    after: str


class RulesPreview(msgspec.Struct, frozen=True):
    """What is to be said of the rules in the editor."""

    marks: tuple[EditorMark, ...] = ()
    changes: tuple[ChangedAlert, ...] = ()
    summary: str = ""
    """Empty where no match was played."""

    @property
    def has_mistakes(self) -> bool:
        """True if these rules cannot be used."""
        return any(mark.is_mistake for mark in self.marks)


async def preview_rules(
    text: str, run_dry_run: RunDryRun, *, config_path: str = "", active_text: str = "", matches: Sequence[str] = ()
) -> RulesPreview:
    """Check rules, and compare them with those in effect on matches. An empty text stands for the rules of the files.

    All of it runs in a process of its own with a time limit: a text of a rule may loop.
    """
    request = DryRunRequest(config_path, text or "\n", RULES_NAME, active_text, tuple(matches))
    result = await run_dry_run(request)
    marks = [_make_mark(line, is_mistake=True) for line in result.check.mistakes]
    marks += [_make_mark(line, is_mistake=False) for line in result.check.warnings]
    if result.comparison is None:
        return RulesPreview(tuple(marks), summary=result.reason)
    comparison = result.comparison
    counts = ", ".join(f"{comparison.count(change)} {change.value}" for change in DifferenceKind)
    return RulesPreview(
        tuple(marks),
        tuple(map(_make_row, comparison.differences)),
        f"{counts}, {comparison.unchanged} unchanged over {_count_matches(result.match_count)}",
    )


def _count_matches(number: int) -> str:
    return "1 match" if number == 1 else f"{number} matches"


def _make_mark(line: str, *, is_mistake: bool) -> EditorMark:
    place = _PLACE.match(line)
    return EditorMark(int(place[1]), int(place[2]), place[3], is_mistake) if place else EditorMark(0, 0, line, is_mistake)


def _make_row(difference: Difference) -> ChangedAlert:
    before, after = difference.before, difference.after
    return ChangedAlert(
        difference.change.value,
        difference.fixture_id,
        f"{difference.minute}'" if difference.minute else "",
        select_changed_text(before, after) if before else "",
        select_changed_text(after, before) if after else "",
    )
