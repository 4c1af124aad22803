"""What the admins read about rules: which are in effect, what a sent file would change, the history. Pure; Telegram's HTML."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

from babel.dates import format_date

from bot.chats.texts import and_more, escape
from bot.languages.speaking import counted as ngettext
from bot.languages.speaking import locale
from bot.languages.speaking import translated as _
from bot.rulebook.book import Standing
from bot.rulebook.compare import Change, Comparison, Difference, words
from bot.rulebook.tried import Tried
from bot.store.history import How, Ruling
from rules.compare import RulesDiff
from rules.rule import Rule

LONGEST = 3800
"""Letters of one message, below Telegram's 4096 to leave room."""
_NAMES = 12
_DIFFERENCES = 8
_WARNINGS = 4
_SIGNS = {Change.ADDED: "➕", Change.DROPPED: "➖", Change.REWORDED: "✏️"}


def hint() -> str:
    return _("Send me a YAML file to change them; nothing is applied before you say so.")


def not_yaml() -> str:
    return _("Send the rules as a file whose name ends in .yaml or .yml.")


def not_text() -> str:
    return _("This file is not text in UTF-8.")


def not_fetched() -> str:
    return _("Telegram did not give me the file. Please send it again.")


def outdated() -> str:
    return _("Other rules have come into effect since. Please look at /rules and send the file again.")


def stale() -> str:
    return _("This button is out of date. Please send /rules or the file again.")


def not_yours() -> str:
    return _("Only the bot's admins can change its rules.")


def dropped() -> str:
    return _("Nothing was changed.")


def trying() -> str:
    return _("Checking the file …")


def no_history() -> str:
    return _("The rules were never changed from here.")


def apply() -> str:
    return _("✔ Apply")


def drop() -> str:
    return _("✖ Leave as it is")


def roll_back() -> str:
    return _("↩ Roll back")


def history() -> str:
    return _("🕘 History")


def back() -> str:
    return _("◀ Back")


def too_big(limit: int) -> str:
    return _("This file is too big: {size} KiB are enough for rules.").format(size=limit // 1024)


def fit(lines: Sequence[str]) -> str:
    """As many lines as one message holds, and how many more there are."""
    shown, size = 0, 0
    while shown < len(lines) and size + len(lines[shown]) + 1 <= LONGEST:
        size += len(lines[shown]) + 1
        shown += 1
    rest = [_more_lines(len(lines) - shown)] if shown < len(lines) else []
    return "\n".join([*lines[:shown], *rest])


def _more_lines(count: int) -> str:
    return ngettext("… and {count} more line", "… and {count} more lines", count).format(count=count)


def short(text: str, longest: int = 60) -> str:
    """Plain text cut to fit, escaped."""
    return escape(text if len(text) <= longest else f"{text[: longest - 1]}…")


def overview(standing: Standing, config_name: str, rules: Sequence[Rule]) -> str:
    """Where the rules come from, since when, by whom, and some of them."""
    count = len(standing.rules.rules)
    text = ngettext("<b>{count} rule</b> from {origin}", "<b>{count} rules</b> from {origin}", count)
    head = text.format(count=count, origin=_origin(standing, config_name))
    return fit([head, *map(_rule_line, rules), "", hint()])


def _origin(standing: Standing, config_name: str) -> str:
    since = when(standing.since)
    if standing.from_files or standing.ruling is None:
        return _("{file}, since {time}").format(file=short(config_name), time=since)
    ruling = standing.ruling
    text = _("{file}, sent in Telegram, applied by {admin}, since {time}")
    return text.format(file=short(ruling.name), admin=_who(ruling), time=since)


def _rule_line(rule: Rule) -> str:
    place = f"{Path(rule.place.file).name}:{rule.place.line}" if rule.place.file else ""
    return f"• {short(rule.name)} – <code>{escape(rule.alert.kind)}</code> · {short(place, 40)}"


def when(instant: dt.datetime) -> str:
    """A day and a time, in UTC."""
    return f"{format_date(instant, 'd MMM y', locale=locale())} {instant:%H:%M} UTC"


def _who(ruling: Ruling) -> str:
    return f"{short(ruling.user_name, 40)} ({ruling.user_id})" if ruling.user_id is not None else _("nobody")


def ruling_line(ruling: Ruling) -> str:
    """One line of the history."""
    done = {How.SENT: _("{file}, applied by {admin}"), How.ROLLED_BACK: _("{file}, rolled back to by {admin}")}
    text = done.get(ruling.how, _("{file}, changed on disk"))
    return f"{when(ruling.at)} – {text.format(file=short(ruling.name), admin=_who(ruling))}"


def mistakes(name: str, lines: Sequence[str]) -> str:
    """Why a file is refused."""
    head = ngettext(
        "❌ <b>{file}</b> is refused, nothing was changed: {count} mistake.",
        "❌ <b>{file}</b> is refused, nothing was changed: {count} mistakes.",
        len(lines),
    )
    return fit([head.format(file=short(name), count=len(lines)), *(short(line, 600) for line in lines)])


def proposal(name: str, difference: RulesDiff, tried: Tried) -> str:
    """What a file would change: of the rules, and of what was told of the last matches."""
    head = _("<b>{file}</b> has no mistakes.").format(file=short(name))
    warnings = [f"⚠️ {short(line, 300)}" for line in tried.checked.warnings[:_WARNINGS]]
    return fit([head, *warnings, "", *diff(difference), "", *preview(tried)])


def diff(difference: RulesDiff) -> list[str]:
    """Rules that come, go and change."""
    if not difference:
        return [_("It changes no rule.")]
    lines = [f"➕ {_names(difference.added)}"] if difference.added else []
    lines += [f"➖ {_names(difference.removed)}"] if difference.removed else []
    lines += [f"✏️ {short(name)}: {', '.join(parts)}" for name, parts in difference.changed[:_NAMES]]
    lines += [f"✏️ {and_more(len(difference.changed) - _NAMES)}"] if len(difference.changed) > _NAMES else []
    return [_("<b>Rules</b>"), *lines, *([_("↕️ asked in another order")] if difference.reordered else [])]


def _names(names: Sequence[str]) -> str:
    rest = f" {and_more(len(names) - _NAMES)}" if len(names) > _NAMES else ""
    return ", ".join(map(short, names[:_NAMES])) + rest


def preview(tried: Tried) -> list[str]:
    """What would have been told otherwise."""
    if tried.comparison is None:
        why = _(tried.note) if tried.note else _("none is kept yet")
        return [_("Not tried on matches: {reason}.").format(reason=short(why, 200))]
    return [_("<b>Over the last matches</b>"), f"{_summary(tried.comparison, tried.matches)}.", *_told(tried.comparison)]


def _summary(comparison: Comparison, matches: int) -> str:
    text = ngettext(
        "{added} added, {dropped} dropped, {reworded} reworded, {unchanged} unchanged over {count} match",
        "{added} added, {dropped} dropped, {reworded} reworded, {unchanged} unchanged over {count} matches",
        matches,
    )
    counts = {change.value: comparison.count(change) for change in Change}
    return text.format(**counts, unchanged=comparison.unchanged, count=matches)


def _told(comparison: Comparison) -> list[str]:
    lines = [_difference(one) for one in comparison.differences[:_DIFFERENCES]]
    more = len(comparison.differences) - len(lines)
    return [*lines, *([and_more(more)] if more > 0 else [])]


def _difference(one: Difference) -> str:
    minute = f"{one.minute}' " if one.minute else ""
    said = " → ".join(short(words(*sides), 90) for sides in ((one.before, one.after), (one.after, one.before)) if sides[0])
    return f"{_SIGNS[one.change]} {escape(minute)}{said}"


def applied(ruling: Ruling, rules: int) -> str:
    """What an admin reads when it is done."""
    text = ngettext(
        "✅ {file} is in effect, {count} rule. Nothing is sent again.",
        "✅ {file} is in effect, {count} rules. Nothing is sent again.",
        rules,
    )
    return text.format(file=short(ruling.name), count=rules)
