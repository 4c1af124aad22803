"""The texts of /why."""

from __future__ import annotations

from babel.numbers import format_decimal

from bot.chats.texts import escape
from bot.languages.speaking import locale
from bot.languages.speaking import marked as N_
from bot.languages.speaking import translated as _
from bot.outbox.way import Way

_REASONS = {
    "first": N_("told"),
    "revision": N_("the same news, corrected"),
    "graver": N_("it became graver"),
    "retraction": N_("taken back"),
    "restored": N_("it stands after all"),
}
_CUT = 120
"""Letters of either side of a condition that are shown."""


def sample() -> str:
    return _("This is the sample of /test. No rule made it; it came by the way of real alerts, and took as long as they do.")


def card() -> str:
    return _("This is the match's card: how the match stands, changed in place as long as it is played. No rule makes it.")


def picture() -> str:
    return _("This is a picture of how the match stood. No rule makes it; this chat asks for pictures.")


def as_reply() -> str:
    return _("This reply belongs to the message that it answers.")


def also_fired(rules: str) -> str:
    return _("Also fired: {rules}. A chat hears the first whose kind it takes.").format(rules=rules)


def taken_back(reason: str) -> str:
    if reason:
        return _("The feed took it back ({reason}). No rule is asked then: who was told of it is told so.").format(
            reason=escape(reason)
        )
    return _("The feed took it back. No rule is asked then: who was told of it is told so.")


def compared() -> str:
    return _("<b>What the rule compared</b>")


def everything() -> str:
    return _("The rule asks for nothing: it fires for everything.")


def condition(key: str, wanted: str, seen: str, *, holds: bool, hide: bool) -> str:
    """`✓ minute: from 80 ← 88`: what was wanted, and what there was, `hide` behind a spoiler."""
    sign, value = "✓" if holds else "✗", escape(_short(seen))
    return f"{sign} <code>{escape(key)}</code>: {escape(_short(wanted))} ← {hidden(value) if hide else value}"


def hidden(html: str) -> str:
    """Behind Telegram's spoiler."""
    return f"<tg-spoiler>{html}</tg-spoiler>"


def line(what: str, rule: str, *, hide: bool) -> str:
    said = hidden(escape(what)) if hide else escape(what)
    return _("{what}: the rule <b>{rule}</b>").format(what=said, rule=escape(rule))


def history() -> str:
    return _("<b>What this chat saw</b>")


def replied() -> str:
    return _("the reply")


def reason(name: str) -> str:
    """Why a revision was told, in words; a reason without any stays as it is."""
    return _(_REASONS[name]) if name in _REASONS else name


def number(seq: int, name: str, state: str) -> str:
    """What the log calls it."""
    return f"<i>({escape(name)}, {escape(state)}, {_('no. {number}').format(number=seq)})</i>"


def steps(way: Way) -> str:
    """`feed 0.8 s · rules 2 ms · sending 4 ms · Telegram 52 ms`; what is not known is left out."""
    parts = (
        (_("feed {time}"), way.lag),
        (_("rules {time}"), way.outbox),
        (_("meant to wait {time}"), way.waited or None),
        (_("sending {time}"), way.request),
        (_("Telegram {time}"), way.accepted),
    )
    return " · ".join(said.format(time=_time(ms)) for said, ms in parts if ms is not None)


def _time(milliseconds: float) -> str:
    """`0.6 ms`, `52 ms`, `1.2 s`, `3 min`."""
    if milliseconds < 1000:
        return f"{_decimal(milliseconds, '0.#' if milliseconds < 10 else '0')} ms"
    if milliseconds < 120_000:
        return f"{_decimal(milliseconds / 1000, '0.#')} s"
    return f"{_decimal(milliseconds / 60_000, '#,##0')} min"


def _decimal(value: float, pattern: str) -> str:
    return str(format_decimal(value, pattern, locale=locale()))


def _short(words: str) -> str:
    return words if len(words) <= _CUT else f"{words[: _CUT - 1].rstrip()}…"
