"""The texts of what one subscription hears by itself; what is put into one is escaped here."""

from __future__ import annotations

from bot.chats.texts import escape, label
from bot.languages.speaking import translated as _
from bot.store.model import Subscription

SIGN = "🎚"


def each_by_itself() -> str:
    return _("🎚 Each by itself …")


def choose_which() -> str:
    return _("<b>Which one shall be heard in a way of its own?</b>\n🎚 marks those that are.")


def screen(subscription: Subscription) -> str:
    text = _("<b>{name}</b>\nWhat this chat hears because it follows this. Tap to switch; the rest of the chat stays as it is.")
    return text.format(name=escape(label(subscription)))


def loudness(subscription: Subscription) -> str:
    text = _("<b>{name}</b>\nTap to change: 🔔 always rings, 🔕 comes silently; without a sign it is as in the chat.")
    return text.format(name=escape(label(subscription)))


def rings() -> str:
    return _("🔔 What rings …")


def waits(value: bool | None) -> str:
    if value is None:
        return _("Confirmation: as in the chat")
    return _("Confirmation: wait for it") if value else _("Confirmation: do not wait")


def scorers() -> str:
    return _("Only goals, with their scorers")


def as_the_chat() -> str:
    return _("↩ As in the chat")


def tuned(subscription: Subscription, heard: str) -> str:
    """What was said in words was done; `heard` are its kinds in a row."""
    text = _("🎚 Because it follows <b>{name}</b> this chat hears about: {kinds}.")
    return text.format(name=escape(label(subscription)), kinds=heard or _("nothing"))
