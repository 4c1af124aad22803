"""The texts of /mute match and /unmute; what is put into one is escaped here."""

from __future__ import annotations

from bot.chats.texts import escape
from bot.languages.speaking import translated as _


def which_match() -> str:
    return _("<b>Which match shall be silent?</b>\nIt stays so until it is over; everything else is told as before.")


def match_muted(name: str) -> str:
    text = _("🔇 <b>{match}</b> is muted until it is over; other matches are told as before. /unmute ends it.")
    return text.format(match=escape(name))


def match_heard(name: str) -> str:
    return _("🔔 <b>{match}</b> is heard again.").format(match=escape(name))


def what_is_muted() -> str:
    return _("<b>This is muted here.</b>\nTap what shall be heard again.")


def whole_chat(until: str) -> str:
    return _("Everything, until {time}").format(time=until)


def all_of_it() -> str:
    return _("🔔 All of it")
