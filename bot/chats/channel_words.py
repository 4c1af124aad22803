"""What the bot says of choosing for a channel; what is put into a text is escaped here."""

from __future__ import annotations

from collections.abc import Sequence

from bot.chats.texts import escape
from bot.languages.grammar import listed
from bot.languages.speaking import translated as _


def follow() -> str:
    return _("⚽ Follow …")


def follows() -> str:
    return _("📋 What it follows")


def kinds() -> str:
    return _("📣 Kinds")


def rings() -> str:
    return _("🔔 What rings")


def times() -> str:
    return _("🕑 Times")


def language() -> str:
    return _("🌍 Language")


def quiet() -> str:
    return _("🌙 Quiet hours")


def delay() -> str:
    return _("⏱ Delay")


def mute() -> str:
    return _("🔇 Mute")


def sample() -> str:
    return _("🧪 Sample")


def back() -> str:
    return _("◀ Channel")


def menu() -> str:
    return _("What shall it hear? In words: <code>/channel @name subscribe Arsenal</code>, and so with every command.")


def private_only() -> str:
    return _("Send me /channel in our private chat; there an administrator of a channel chooses for it.")


def not_a_channel() -> str:
    return _("That is no channel. In a group, send the commands there.")


def not_yours() -> str:
    return _("Only administrators of that channel choose for it, and Telegram does not say that you are one.")


def how(link: str) -> str:
    text = _(
        "<b>Choosing for a channel</b>\n"
        '1. <a href="{link}">Add me to the channel</a> as an administrator with the right to post messages.\n'
        "2. Send <code>/channel @name</code> here, or forward a post of it to me."
    )
    return text.format(link=escape(link))


def unknown(wanted: str) -> str:
    text = _("I do not see a channel “{name}”. If it is private, add me first and forward a post of it to me.")
    return text.format(name=escape(wanted))


def not_there(title: str) -> str:
    text = _("I am not in <b>{name}</b>. Add me as an administrator with the right to post messages, then try again.")
    return text.format(name=escape(title))


def lacking(title: str, rights: Sequence[str]) -> str:
    text = _("In <b>{name}</b> I lack the right to {rights}. Give it to me in the channel's administrators, then try again.")
    return text.format(name=escape(title), rights=escape(listed([_(right) for right in rights])))


def choosing_for(title: str) -> str:
    return _("📣 You are choosing for: <b>{name}</b>").format(name=escape(title))
