"""Finds what the page of rules shows: mistakes at their lines while somebody types, and what rules would change on matches."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence

import msgspec

from bot.config.rule_versions import ActiveRules, RuleOrigin, RuleVersion, RuleVersions
from bot.replay.comparison import Difference, DifferenceKind, format_sound, select_changed_text
from bot.replay.dry_run import DryRunRequest, DryRunResult

RULES_NAME = "rules.yaml"
"""What mistakes call the text in the editor."""

RunDryRun = Callable[[DryRunRequest], Awaitable[DryRunResult]]

_PLACE = re.compile(rf"{re.escape(RULES_NAME)}:(\d+):(\d+): (.*)", re.DOTALL)


_CONSOLE_USER = (0, "console")
"""The id and name under which changes are recorded that were made here; people in Telegram have ids above 0."""


class RulesDesk:
    """The rules of a running bot: those in effect, the versions before them, and how they are changed."""

    def __init__(self, versions: RuleVersions) -> None:
        self._versions = versions

    @property
    def config_path(self) -> str:
        """The configuration, against whose catalogue rules are checked."""
        return str(self._versions.config.path)

    @property
    def active(self) -> ActiveRules:
        """The rules in effect."""
        return self._versions.active

    @property
    def active_text(self) -> str:
        """The YAML of the rules in effect; empty for those of the files."""
        return self.active.version.text if self.active.version else ""

    async def list_versions(self) -> tuple[RuleVersion, ...]:
        """Return all versions that are kept, the one in effect first. Raises StorageError."""
        return await self._versions.repository.recent()

    async def apply(self, text: str, fingerprint: str) -> None:
        """Put rules into effect: the same record as `/rules` in Telegram. Raises RulesOutdated, RulesInvalid or StorageError."""
        await self._versions.apply(text, RULES_NAME, RuleOrigin.SENT, fingerprint, _CONSOLE_USER)

    async def roll_back(self) -> str:
        """Put the rules before the last change into effect again; return their name. Raises as `apply`."""
        # Read once: if other rules come into effect meanwhile, `apply` finds that they are not the ones that were seen here.
        active = self.active
        previous = await self._versions.find_previous(active.version.id if active.version else 0)
        await self._versions.apply(previous.text, previous.name, RuleOrigin.ROLLED_BACK, active.fingerprint, _CONSOLE_USER)
        return previous.name


class EditorMark(msgspec.Struct, frozen=True):
    """A mistake or warning at its place in the editor. Lines and columns begin at 1; 0 where there is no place."""

    line: int
    column: int
    sentence: str
    is_mistake: bool


class ChangedAlert(msgspec.Struct, frozen=True):
    """One row of "what would change"."""

    change: str
    """added, dropped, reworded, louder or quieter."""
    match: str
    minute: str
    before: str
    after: str


class RulesPreview(msgspec.Struct, frozen=True):
    """The marks and changes to show beside the rules in the editor."""

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
    """Check rules, and compare them with those in effect on matches. An empty `active_text` stands for the rules of the files.

    All of it runs in a process of its own with a time limit: a text of a rule may loop.
    """
    # An empty text stands for the rules of the files too. A person who empties the editor means a file without rules.
    request = DryRunRequest(config_path, text or "\n", RULES_NAME, active_text, tuple(matches))
    result = await run_dry_run(request)
    marks = [_make_mark(line, is_mistake=True) for line in result.check.mistakes]
    marks += [_make_mark(line, is_mistake=False) for line in result.check.warnings]
    if result.comparison is None:
        return RulesPreview(tuple(marks), summary=result.reason)
    comparison = result.comparison
    matches_played = "1 match" if result.match_count == 1 else f"{result.match_count} matches"
    counts = ", ".join(f"{comparison.count(change)} {change.value}" for change in DifferenceKind)
    return RulesPreview(
        tuple(marks),
        tuple(_make_row(difference, comparison.titles) for difference in comparison.differences),
        f"{counts}, {comparison.unchanged} unchanged over {matches_played}",
    )


def _make_mark(line: str, *, is_mistake: bool) -> EditorMark:
    # The child sends the lines that `check` prints. One without a place is about the rules as a whole.
    place = _PLACE.match(line)
    return EditorMark(int(place[1]), int(place[2]), place[3], is_mistake) if place else EditorMark(0, 0, line, is_mistake)


def _make_row(difference: Difference, titles: Mapping[str, str]) -> ChangedAlert:
    before, after = difference.before, difference.after
    return ChangedAlert(
        difference.change.value,
        titles.get(difference.fixture_id) or difference.fixture_id,
        f"{difference.minute}'" if difference.minute else "",
        f"{format_sound(before, after)}{select_changed_text(before, after)}" if before else "",
        f"{format_sound(after, before)}{select_changed_text(after, before)}" if after else "",
    )
