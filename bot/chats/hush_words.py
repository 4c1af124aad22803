"""The words of the button under an alert: labels and notes, plain text all of them."""

from __future__ import annotations

from bot.chats.texts import kind
from bot.languages.speaking import translated as _


def this_match(*, muted: bool) -> str:
    return f"{_bell(muted)} {_('This match')}"


def one_hour() -> str:
    return f"🔕 {_('1 hour')}"


def everything() -> str:
    return f"🔔 {_('Everything')}"


def this_kind(name: str, *, off: bool) -> str:
    return f"{_bell(off)} {kind(name)}"


def match_muted(name: str) -> str:
    return _("🔇 {match} is muted until it is over. /unmute ends it.").format(match=name)


def match_heard(name: str) -> str:
    return _("🔔 {match} is heard again.").format(match=name)


def chat_muted(until: str) -> str:
    return _("🔇 Everything is muted until {time}. /unmute ends it.").format(time=until)


def chat_heard() -> str:
    return _("🔔 This chat hears again.")


def kind_off(name: str) -> str:
    return _("🔇 Not told here any more: {kind}. /alerts changes that.").format(kind=kind(name))


def kind_on(name: str) -> str:
    return _("🔔 Told here again: {kind}.").format(kind=kind(name))


def unknown() -> str:
    return _("This button is out of date: I do not know that message any more.")


def _bell(muted: bool) -> str:
    return "🔔" if muted else "🔕"
