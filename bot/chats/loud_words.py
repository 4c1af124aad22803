"""The English texts of how loud a chat hears things; what is put into one is escaped here."""

from __future__ import annotations

from collections.abc import Sequence

from bot.chats.texts import escape, kind

CHOOSE = (
    "<b>What rings in this chat?</b>\nTap to change: 🔔 always rings, 🔕 comes silently; without a sign it is as the alert's "
    "own importance says."
)
KINDS_BACK = "◀ Kinds"
WAIT_ON = "✅ Wait for confirmation"
WAIT_OFF = "Wait for confirmation"
WAITS = "This chat hears of things once they are confirmed. <code>/alerts now</code> tells them at once again."
AT_ONCE = "This chat hears of things at once, and what is not yet confirmed says so."
NO_KIND_NAMED = "Name the kinds, such as <code>/alerts silent yellow_card</code>, or use the buttons of /alerts."


def sounds(kinds: Sequence[str], how: str) -> str:
    names = escape(", ".join(kind(k).lower() for k in kinds))
    return f"Done. In this chat {how}: {names}."


RINGS, SILENT, USUAL = "these always ring", "these come silently", "these sound as their importance says"
