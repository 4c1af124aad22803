"""What the bot says of languages; what is put into a text is escaped here."""

from __future__ import annotations

from bot.chats.texts import escape
from bot.languages.speaking import translated as _


def choose() -> str:
    return _("<b>Which language shall I speak here?</b>")


def chosen() -> str:
    # Translators: name your own language in the place of English.
    return _("🌍 I speak English here now.")


def theirs() -> str:
    return _("As your Telegram does")


def goes_after_telegram() -> str:
    return _("🌍 I speak the language of your Telegram here, where I know it.")


def unknown(wanted: str) -> str:
    return _("I do not speak “{name}”. I speak these:").format(name=escape(wanted))


def auto_is_private() -> str:
    return _("Only in a private chat can I speak as your Telegram does. Which language shall it be here?")
