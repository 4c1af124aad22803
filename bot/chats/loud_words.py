"""What the bot says of how loud a chat hears things; what is put into a text is escaped here."""

from __future__ import annotations

from collections.abc import Sequence

from bot.chats.texts import kinds_in_a_row
from bot.languages.speaking import marked as N_
from bot.languages.speaking import translated as _

_SOUNDS = {
    "ring": N_("Done. In this chat these always ring: {kinds}."),
    "silent": N_("Done. In this chat these come silently: {kinds}."),
    "usual": N_("Done. In this chat these sound as their importance says: {kinds}."),
}


def choose() -> str:
    return _(
        "<b>What rings in this chat?</b>\nTap to change: 🔔 always rings, 🔕 comes silently; without a sign it is as the alert's "
        "own importance says."
    )


def kinds_back() -> str:
    return _("◀ Kinds")


def wait_on() -> str:
    return f"✅ {wait_off()}"


def wait_off() -> str:
    return _("Wait for confirmation")


def waits() -> str:
    return _("This chat hears of things once they are confirmed. <code>/alerts now</code> tells them at once again.")


def at_once() -> str:
    return _("This chat hears of things at once, and what is not yet confirmed says so.")


def no_kind_named() -> str:
    return _("Name the kinds, such as <code>/alerts silent yellow_card</code>, or use the buttons of /alerts.")


def sounds(kinds: Sequence[str], how: str) -> str:
    """What was settled; `how` is ring, silent or usual."""
    return _(_SOUNDS[how]).format(kinds=kinds_in_a_row(kinds))
