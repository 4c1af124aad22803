"""A rules file sent by an admin: check, dry run, difference, apply."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import msgspec
import structlog
from telegram import Document, Message
from telegram.error import TelegramError

from bot.chat.dialogue import Button, Refusal, Screen
from bot.chat.replies import ReplySender
from bot.chat.texts import and_more_text, escape_text
from bot.chat.update_origin import HandlerContext, UpdateOrigin
from bot.config.rule_versions import RuleOrigin, RulesOutdated, RuleVersion, RuleVersions
from bot.i18n.language import translate as _
from bot.i18n.language import translate_plural as ngettext
from bot.i18n.shorten import shorten
from bot.replay.comparison import Comparison, Difference, DifferenceKind, select_changed_text
from bot.replay.dry_run import DryRunRequest, DryRunResult
from rules.engine.rule_diff import RulesDiff, compare_rules
from rules.loading.loader import RulesInvalid

RunDryRun = Callable[[DryRunRequest], Awaitable[DryRunResult]]

MAX_FILE_SIZE = 256 * 1024
"""Bytes. Larger files are not looked at."""

MAX_OPEN_PROPOSALS = 20
"""Proposals that wait for a button; the oldest is forgotten."""

MAX_MESSAGE_LENGTH = 3800
"""Characters of one message, below Telegram's 4,096 to leave room for what follows a cut."""

_MAX_FILE_NAME_LENGTH = 80

_MAX_RULE_NAMES = 12

_MAX_DIFFERENCES = 8

_MAX_WARNINGS = 4

_DIFFERENCE_SIGNS = {
    DifferenceKind.ADDED: "➕",
    DifferenceKind.DROPPED: "➖",
    DifferenceKind.REWORDED: "✏️",
    DifferenceKind.LOUDER: "🔔",
    DifferenceKind.QUIETER: "🔕",
}

log = structlog.get_logger()


class RulesProposal(msgspec.Struct, frozen=True):
    """Rules that an admin may apply. An empty text stands for the rules of the files."""

    text: str
    name: str
    origin: RuleOrigin
    base_fingerprint: str
    """The fingerprint of the rules in effect that it was compared with."""

    @property
    def token(self) -> str:
        """A text for button data that is the same for the same proposal only."""
        return hashlib.blake2b(msgspec.json.encode(self), digest_size=9).hexdigest()


class RulesProposals:
    """Checks rules that an admin sends, tries them on the last matches, and applies them if the admin says so."""

    def __init__(
        self,
        rule_versions: RuleVersions,
        run_dry_run: RunDryRun,
        list_recordings: Callable[[], Sequence[Path]],
        replies: ReplySender,
    ) -> None:
        """`list_recordings` returns the recordings of the last matches."""
        self._rule_versions, self._run_dry_run = rule_versions, run_dry_run
        self._list_recordings, self._replies = list_recordings, replies
        self._open: dict[str, RulesProposal] = {}
        """By token, those that were shown and not yet decided, oldest first. After a restart the file is sent again."""

    async def on_document(self, origin: UpdateOrigin, message: Message, _ptb_context: HandlerContext) -> None:
        """Answer a file with what it would change."""
        if message.document:
            try:
                screen = await self._read_document(message.document)
            except Refusal as refusal:
                screen = Screen(refusal.text)
            await self._replies.send(origin, screen)

    async def _read_document(self, document: Document) -> Screen:
        name = " ".join((document.file_name or "").split())[-_MAX_FILE_NAME_LENGTH:]
        if not name.lower().endswith((".yaml", ".yml")):
            raise Refusal(_("Send the rules as a file whose name ends in .yaml or .yml."))
        too_big = _("This file is too big: {size} KiB at most.").format(size=MAX_FILE_SIZE // 1024)
        # Before the download: an admin may send a film by mistake, of 20 MB, which is what Telegram gives to bots.
        if (document.file_size or 0) > MAX_FILE_SIZE:
            raise Refusal(too_big)
        try:
            content = bytes(await (await document.get_file()).download_as_bytearray())
        except TelegramError as error:
            log.warning("rules_file_not_fetched", reason=str(error))
            raise Refusal(_("Telegram didn't give me the file. Please send it again.")) from error
        if len(content) > MAX_FILE_SIZE:
            # The size that Telegram announces is optional.
            raise Refusal(too_big)
        try:
            # Editors on Windows put a byte order mark in front, which YAML would refuse.
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise Refusal(_("This file is not text in UTF-8.")) from None
        # An empty text would stand for the rules of the files.
        return await self.propose(text or "\n", name, RuleOrigin.SENT)

    async def propose(self, text: str, name: str, origin: RuleOrigin) -> Screen:
        """Compare rules with those in effect, and offer to apply them. An empty text stands for the rules of the files."""
        rule_versions, active = self._rule_versions, self._rule_versions.active
        active_text = active.version.text if active.version else ""
        recordings = tuple(map(str, self._list_recordings()))
        request = DryRunRequest(str(rule_versions.config.path), text, name, active_text, recordings)
        # The dry run first: it parses the rules in a process of its own, which has a time limit.
        result = await self._run_dry_run(request)
        if result.check.mistakes:
            return Screen(render_mistakes(name, result.check.mistakes))
        try:
            difference = compare_rules(active.rules, rule_versions.rules_of(text, name))
        except RulesInvalid as error:
            return Screen(render_mistakes(name, error.mistakes))
        html = render_proposal(name, difference, result)
        # Without buttons: there is nothing to apply.
        if not difference:
            return Screen(html)
        # With what it was compared with: if other rules come into effect before the tap, the comparison shown is no longer
        # true.
        proposal = RulesProposal(text, name, origin, active.fingerprint)
        self._open[proposal.token] = proposal
        while len(self._open) > MAX_OPEN_PROPOSALS:
            del self._open[next(iter(self._open))]
        apply, discard = Button(_("✔ Apply"), f"r:a:{proposal.token}"), Button(_("✖ Discard"), f"r:x:{proposal.token}")
        return Screen(html, ((apply, discard),))

    def take(self, token: str) -> RulesProposal | None:
        """Return a proposal once; None if there is none with this token."""
        # Once: a second tap on Apply, or one by a second admin, does nothing.
        return self._open.pop(token, None)

    async def apply(self, proposal: RulesProposal, user: tuple[int, str]) -> RuleVersion:
        """Put a proposal into effect. Raise Refusal if other rules have come into effect since, RulesInvalid if it is invalid."""
        try:
            return await self._rule_versions.apply(proposal.text, proposal.name, proposal.origin, proposal.base_fingerprint, user)
        except RulesOutdated:
            raise Refusal(_("The rules have changed since. Check /rules and send the file again.")) from None


def fit_lines(lines: Sequence[str]) -> str:
    """Join as many lines as one message holds, and say how many more there are."""
    shown, size = 0, 0
    while shown < len(lines) and size + len(lines[shown]) + 1 <= MAX_MESSAGE_LENGTH:
        size += len(lines[shown]) + 1
        shown += 1
    hidden = len(lines) - shown
    if not hidden:
        return "\n".join(lines)
    more = ngettext("… and {count} more line", "… and {count} more lines", hidden).format(count=hidden)
    return "\n".join([*lines[:shown], more])


def quote(text: str, max_length: int = 60) -> str:
    """Shorten plain text to fit, and escape it."""
    return escape_text(shorten(text, max_length))


def render_mistakes(name: str, mistakes: Sequence[str]) -> str:
    """Say why a file is refused."""
    heading = ngettext(
        "❌ <b>{file}</b> is refused, nothing was changed: {count} mistake.",
        "❌ <b>{file}</b> is refused, nothing was changed: {count} mistakes.",
        len(mistakes),
    )
    return fit_lines([heading.format(file=quote(name), count=len(mistakes)), *(quote(line, 600) for line in mistakes)])


def render_proposal(name: str, difference: RulesDiff, result: DryRunResult) -> str:
    """Say what a file would change: of the rules, and of the messages of the last matches."""
    heading = _("<b>{file}</b> has no mistakes.").format(file=quote(name))
    warnings = [f"⚠️ {quote(line, 300)}" for line in result.check.warnings[:_MAX_WARNINGS]]
    return fit_lines([heading, *warnings, "", *render_rules_diff(difference), "", *render_dry_run(result)])


def render_rules_diff(difference: RulesDiff) -> list[str]:
    """List the rules that are added, removed and changed."""
    if not difference:
        return [_("It changes no rule.")]
    lines = [_("<b>Rules</b>")]
    if difference.added:
        lines.append(f"➕ {_join_rule_names(difference.added)}")
    if difference.removed:
        lines.append(f"➖ {_join_rule_names(difference.removed)}")
    lines += [f"✏️ {quote(name)}: {', '.join(parts)}" for name, parts in difference.changed[:_MAX_RULE_NAMES]]
    if (more := len(difference.changed) - _MAX_RULE_NAMES) > 0:
        lines.append(f"✏️ {and_more_text(more)}")
    if difference.reordered:
        lines.append(_("↕️ evaluated in another order"))
    return lines


def _join_rule_names(names: Sequence[str]) -> str:
    more = len(names) - _MAX_RULE_NAMES
    rest = f" {and_more_text(more)}" if more > 0 else ""
    return ", ".join(map(quote, names[:_MAX_RULE_NAMES])) + rest


def render_dry_run(result: DryRunResult) -> list[str]:
    """Say which messages of the last matches would be different."""
    comparison = result.comparison
    if comparison is None:
        reason = _(result.reason) if result.reason else _("none is stored yet")
        return [_("Not tried on matches: {reason}.").format(reason=quote(reason, 200))]
    lines = [_("<b>Over the last matches</b>"), f"{_render_counts(comparison, result.match_count)}."]
    lines += [_render_difference(difference) for difference in comparison.differences[:_MAX_DIFFERENCES]]
    if (more := len(comparison.differences) - _MAX_DIFFERENCES) > 0:
        lines.append(and_more_text(more))
    return lines


def _render_counts(comparison: Comparison, matches: int) -> str:
    text = ngettext(
        "{added} added, {dropped} dropped, {reworded} reworded, {unchanged} unchanged over {count} match",
        "{added} added, {dropped} dropped, {reworded} reworded, {unchanged} unchanged over {count} matches",
        matches,
    )
    counts = {change: comparison.count(change) for change in DifferenceKind}
    # Signs say what changes its sound, as in front of the differences.
    sounds = [f" · {_DIFFERENCE_SIGNS[c]} {counts[c]}" for c in (DifferenceKind.LOUDER, DifferenceKind.QUIETER) if counts[c]]
    return text.format(**counts, unchanged=comparison.unchanged, count=matches) + "".join(sounds)


def _render_difference(difference: Difference) -> str:
    """Return `✏️ 12' Goal → Goal!`, with what changed of the text before and after."""
    minute = f"{difference.minute}' " if difference.minute else ""
    before, after = difference.before, difference.after
    texts = " → ".join(quote(select_changed_text(*sides), 90) for sides in ((before, after), (after, before)) if sides[0])
    return f"{_DIFFERENCE_SIGNS[difference.change]} {escape_text(minute)}{texts}"
