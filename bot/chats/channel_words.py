"""The English texts of choosing for a channel; what is put into one is escaped here."""

from __future__ import annotations

from collections.abc import Sequence

from bot.chats.texts import escape

FOLLOW, FOLLOWS = "⚽ Follow …", "📋 What it follows"
KINDS, RINGS, TIMES = "📣 Kinds", "🔔 What rings", "🕑 Times"
QUIET, DELAY, MUTE = "🌙 Quiet hours", "⏱ Delay", "🔇 Mute"
SAMPLE = "🧪 Sample"
BACK = "◀ Channel"
MENU = "What shall it hear? In words: <code>/channel @name subscribe Arsenal</code>, and so with every command."

PRIVATE_ONLY = "Send me /channel in our private chat; there an administrator of a channel chooses for it."
NOT_A_CHANNEL = "That is no channel. In a group, send the commands there."
NOT_YOURS = "Only administrators of that channel choose for it, and Telegram does not say that you are one."


def how(link: str) -> str:
    return (
        "<b>Choosing for a channel</b>\n"
        f'1. <a href="{escape(link)}">Add me to the channel</a> as an administrator with the right to post messages.\n'
        "2. Send <code>/channel @name</code> here, or forward a post of it to me."
    )


def unknown(wanted: str) -> str:
    return f"I do not see a channel “{escape(wanted)}”. If it is private, add me first and forward a post of it to me."


def not_there(title: str) -> str:
    return f"I am not in <b>{escape(title)}</b>. Add me as an administrator with the right to post messages, then try again."


def lacking(title: str, rights: Sequence[str]) -> str:
    return (
        f"In <b>{escape(title)}</b> I lack the right to {escape(' and to '.join(rights))}. "
        "Give it to me in the channel's administrators, then try again."
    )


def choosing_for(title: str) -> str:
    return f"📣 You are choosing for: <b>{escape(title)}</b>"
