"""A rules file sent by an admin: check, dry run, difference, apply."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import msgspec

from bot.chat.dialogue import Button, Screen
from bot.chat.texts import and_more_text, escape_text
from bot.config.rule_versions import RuleOrigin
from bot.i18n.language import translate as _
from bot.i18n.language import translate_plural as ngettext
from bot.replay.comparison import Comparison, Difference, DifferenceKind, select_changed_text
from bot.replay.dry_run import DryRunResult
from rules.engine.rule import RulesDiff

MAX_FILE_SIZE = 256 * 1024
"""Bytes of a file that is looked at."""

_MAX_FILE_NAME_LENGTH = 80

MAX_OPEN_PROPOSALS = 20
"""Proposals that wait for their button; the oldest is forgotten."""


class RulesProposal(msgspec.Struct, frozen=True):
    """Rules that an admin may apply, and the rules that they were held against. An empty text stands for the files' rules."""

    text: str
    name: str
    how: RuleOrigin
    seen: str

    @property
    def token(self) -> str:
        """The same for the same proposal only."""
        return hashlib.blake2b(msgspec.json.encode(self), digest_size=9).hexdigest()


class OpenProposals:
    """What was shown and not yet decided."""

    def __init__(self) -> None:
        self._open: dict[str, RulesProposal] = {}

    def add(self, proposal: RulesProposal) -> None:
        """Keep one."""
        self._open[proposal.token] = proposal
        while len(self._open) > MAX_OPEN_PROPOSALS:
            del self._open[next(iter(self._open))]

    def take(self, token: str) -> RulesProposal | None:
        """The proposal, once; None where there is none of this token."""
        return self._open.pop(token, None)


def show_proposal(proposal: RulesProposal, difference: RulesDiff, tried: DryRunResult) -> Screen:
    """What a file would change, to be applied or left."""
    html = render_proposal(proposal.name, difference, tried)
    if not difference:
        return Screen(html)
    return Screen(html, ((Button(apply_label(), f"r:a:{proposal.token}"), Button(discard_label(), f"r:x:{proposal.token}")),))


MAX_MESSAGE_LENGTH = 3800
"""Letters of one message, below Telegram's 4096 to leave room."""

_MAX_RULE_NAMES = 12

_MAX_DIFFERENCES = 8

_MAX_WARNINGS = 4

_DIFFERENCE_SIGNS = {DifferenceKind.ADDED: "➕", DifferenceKind.DROPPED: "➖", DifferenceKind.REWORDED: "✏️"}


def not_yaml_text() -> str:
    return _("Send the rules as a file whose name ends in .yaml or .yml.")


def not_utf8_text() -> str:
    return _("This file is not text in UTF-8.")


def not_fetched_text() -> str:
    return _("Telegram did not give me the file. Please send it again.")


def nothing_changed_text() -> str:
    return _("Nothing was changed.")


def checking_text() -> str:
    return _("Checking the file …")


def apply_label() -> str:
    return _("✔ Apply")


def discard_label() -> str:
    return _("✖ Leave as it is")


def file_too_big_text(limit: int) -> str:
    return _("This file is too big: {size} KiB are enough for rules.").format(size=limit // 1024)


def fit_lines(lines: Sequence[str]) -> str:
    """As many lines as one message holds, and how many more there are."""
    shown, size = 0, 0
    while shown < len(lines) and size + len(lines[shown]) + 1 <= MAX_MESSAGE_LENGTH:
        size += len(lines[shown]) + 1
        shown += 1
    rest = [_more_lines_text(len(lines) - shown)] if shown < len(lines) else []
    return "\n".join([*lines[:shown], *rest])


def _more_lines_text(count: int) -> str:
    return ngettext("… and {count} more line", "… and {count} more lines", count).format(count=count)


def shorten(text: str, longest: int = 60) -> str:
    """Plain text cut to fit, escaped."""
    return escape_text(text if len(text) <= longest else f"{text[: longest - 1]}…")


def render_mistakes(name: str, lines: Sequence[str]) -> str:
    """Why a file is refused."""
    head = ngettext(
        "❌ <b>{file}</b> is refused, nothing was changed: {count} mistake.",
        "❌ <b>{file}</b> is refused, nothing was changed: {count} mistakes.",
        len(lines),
    )
    return fit_lines([head.format(file=shorten(name), count=len(lines)), *(shorten(line, 600) for line in lines)])


def render_proposal(name: str, difference: RulesDiff, tried: DryRunResult) -> str:
    """What a file would change: of the rules, and of what was told of the last matches."""
    head = _("<b>{file}</b> has no mistakes.").format(file=shorten(name))
    warnings = [f"⚠️ {shorten(line, 300)}" for line in tried.checked.warnings[:_MAX_WARNINGS]]
    return fit_lines([head, *warnings, "", *render_rules_diff(difference), "", *render_dry_run(tried)])


def render_rules_diff(difference: RulesDiff) -> list[str]:
    """Rules that come, go and change."""
    if not difference:
        return [_("It changes no rule.")]
    lines = [f"➕ {_join_rule_names(difference.added)}"] if difference.added else []
    lines += [f"➖ {_join_rule_names(difference.removed)}"] if difference.removed else []
    lines += [f"✏️ {shorten(name)}: {', '.join(parts)}" for name, parts in difference.changed[:_MAX_RULE_NAMES]]
    lines += (
        [f"✏️ {and_more_text(len(difference.changed) - _MAX_RULE_NAMES)}"] if len(difference.changed) > _MAX_RULE_NAMES else []
    )
    return [_("<b>Rules</b>"), *lines, *([_("↕️ asked in another order")] if difference.reordered else [])]


def _join_rule_names(names: Sequence[str]) -> str:
    rest = f" {and_more_text(len(names) - _MAX_RULE_NAMES)}" if len(names) > _MAX_RULE_NAMES else ""
    return ", ".join(map(shorten, names[:_MAX_RULE_NAMES])) + rest


def render_dry_run(tried: DryRunResult) -> list[str]:
    """What would have been told otherwise."""
    if tried.comparison is None:
        why = _(tried.note) if tried.note else _("none is kept yet")
        return [_("Not tried on matches: {reason}.").format(reason=shorten(why, 200))]
    return [
        _("<b>Over the last matches</b>"),
        f"{_render_comparison_counts(tried.comparison, tried.matches)}.",
        *_render_differences(tried.comparison),
    ]


def _render_comparison_counts(comparison: Comparison, matches: int) -> str:
    text = ngettext(
        "{added} added, {dropped} dropped, {reworded} reworded, {unchanged} unchanged over {count} match",
        "{added} added, {dropped} dropped, {reworded} reworded, {unchanged} unchanged over {count} matches",
        matches,
    )
    counts = {change.value: comparison.count(change) for change in DifferenceKind}
    return text.format(**counts, unchanged=comparison.unchanged, count=matches)


def _render_differences(comparison: Comparison) -> list[str]:
    lines = [_render_difference(one) for one in comparison.differences[:_MAX_DIFFERENCES]]
    more = len(comparison.differences) - len(lines)
    return [*lines, *([and_more_text(more)] if more > 0 else [])]


def _render_difference(one: Difference) -> str:
    minute = f"{one.minute}' " if one.minute else ""
    said = " → ".join(
        shorten(select_changed_text(*sides), 90) for sides in ((one.before, one.after), (one.after, one.before)) if sides[0]
    )
    return f"{_DIFFERENCE_SIGNS[one.change]} {escape_text(minute)}{said}"
