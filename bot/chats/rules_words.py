"""What the admins read about rules: which are in effect, what a sent file would change, the history. Pure; Telegram's HTML."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

from bot.chats.texts import escape
from bot.rulebook.book import Standing
from bot.rulebook.compare import Change, Comparison, Difference, summary, words
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

HINT = "Send me a YAML file to change them; nothing is applied before you say so."
NOT_YAML = "Send the rules as a file whose name ends in .yaml or .yml."
NOT_TEXT = "This file is not text in UTF-8."
NOT_FETCHED = "Telegram did not give me the file. Please send it again."
OUTDATED = "Other rules have come into effect since. Please look at /rules and send the file again."
STALE = "This button is out of date. Please send /rules or the file again."
NOT_YOURS = "Only the bot's admins can change its rules."
DROPPED = "Nothing was changed."
TRYING = "Checking the file …"
NO_HISTORY = "The rules were never changed from here."
APPLY, DROP, ROLL_BACK, HISTORY, BACK = "✔ Apply", "✖ Leave as it is", "↩ Roll back", "🕘 History", "◀ Back"


def too_big(limit: int) -> str:
    return f"This file is too big: {limit // 1024} KiB are enough for rules."


def fit(lines: Sequence[str]) -> str:
    """As many lines as one message holds, and how many more there are."""
    shown, size = 0, 0
    while shown < len(lines) and size + len(lines[shown]) + 1 <= LONGEST:
        size += len(lines[shown]) + 1
        shown += 1
    rest = [f"… and {len(lines) - shown} more lines"] if shown < len(lines) else []
    return "\n".join([*lines[:shown], *rest])


def short(text: str, longest: int = 60) -> str:
    """Plain text cut to fit, escaped."""
    return escape(text if len(text) <= longest else f"{text[: longest - 1]}…")


def overview(standing: Standing, config_name: str, rules: Sequence[Rule]) -> str:
    """Where the rules come from, since when, by whom, and some of them."""
    count = len(standing.rules.rules)
    head = f"<b>{count} {'rule' if count == 1 else 'rules'}</b> from {_origin(standing, config_name)}"
    return fit([head, *map(_rule_line, rules), "", HINT])


def _origin(standing: Standing, config_name: str) -> str:
    since = f"since {when(standing.since)}"
    if standing.from_files or standing.ruling is None:
        return f"{short(config_name)}, {since}"
    return f"{short(standing.ruling.name)}, sent in Telegram, applied by {_who(standing.ruling)}, {since}"


def _rule_line(rule: Rule) -> str:
    place = f"{Path(rule.place.file).name}:{rule.place.line}" if rule.place.file else ""
    return f"• {short(rule.name)} – <code>{escape(rule.alert.kind)}</code> · {short(place, 40)}"


def when(instant: dt.datetime) -> str:
    """A day and a time, in UTC."""
    return f"{instant:%d %b %Y %H:%M} UTC"


def _who(ruling: Ruling) -> str:
    return f"{short(ruling.user_name, 40)} ({ruling.user_id})" if ruling.user_id is not None else "nobody"


def ruling_line(ruling: Ruling) -> str:
    """One line of the history."""
    done = {How.SENT: f"applied by {_who(ruling)}", How.ROLLED_BACK: f"rolled back to by {_who(ruling)}"}
    return f"{when(ruling.at)} – {short(ruling.name)}, {done.get(ruling.how, 'changed on disk')}"


def mistakes(name: str, lines: Sequence[str]) -> str:
    """Why a file is refused."""
    count = f"{len(lines)} mistake" + ("" if len(lines) == 1 else "s")
    return fit([f"❌ <b>{short(name)}</b> is refused, nothing was changed: {count}.", *(short(line, 600) for line in lines)])


def proposal(name: str, difference: RulesDiff, tried: Tried) -> str:
    """What a file would change: of the rules, and of what was told of the last matches."""
    head = f"<b>{short(name)}</b> has no mistakes."
    warnings = [f"⚠️ {short(line, 300)}" for line in tried.checked.warnings[:_WARNINGS]]
    return fit([head, *warnings, "", *diff(difference), "", *preview(tried)])


def diff(difference: RulesDiff) -> list[str]:
    """Rules that come, go and change."""
    if not difference:
        return ["It changes no rule."]
    lines = [f"➕ {_names(difference.added)}"] if difference.added else []
    lines += [f"➖ {_names(difference.removed)}"] if difference.removed else []
    lines += [f"✏️ {short(name)}: {', '.join(parts)}" for name, parts in difference.changed[:_NAMES]]
    lines += [f"✏️ … and {len(difference.changed) - _NAMES} more"] if len(difference.changed) > _NAMES else []
    return ["<b>Rules</b>", *lines, *(["↕️ asked in another order"] if difference.reordered else [])]


def _names(names: Sequence[str]) -> str:
    rest = f" … and {len(names) - _NAMES} more" if len(names) > _NAMES else ""
    return ", ".join(map(short, names[:_NAMES])) + rest


def preview(tried: Tried) -> list[str]:
    """What would have been told otherwise."""
    if tried.comparison is None:
        return [f"Not tried on matches: {short(tried.note or 'none is kept yet', 200)}."]
    return ["<b>Over the last matches</b>", f"{summary(tried.comparison, tried.matches)}.", *_told(tried.comparison)]


def _told(comparison: Comparison) -> list[str]:
    lines = [_difference(one) for one in comparison.differences[:_DIFFERENCES]]
    more = len(comparison.differences) - len(lines)
    return [*lines, *([f"… and {more} more"] if more > 0 else [])]


def _difference(one: Difference) -> str:
    minute = f"{one.minute}' " if one.minute else ""
    said = " → ".join(short(words(*sides), 90) for sides in ((one.before, one.after), (one.after, one.before)) if sides[0])
    return f"{_SIGNS[one.change]} {escape(minute)}{said}"


def applied(ruling: Ruling, rules: int) -> str:
    """What an admin reads when it is done."""
    return f"✅ {short(ruling.name)} is in effect, {rules} {'rule' if rules == 1 else 'rules'}. Nothing is sent again."
