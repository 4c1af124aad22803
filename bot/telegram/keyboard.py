"""The keyboard under alerts, as JSON that is made once."""

from __future__ import annotations

import msgspec

from bot.outbox.bell import LABEL, OPENS

BELL = msgspec.json.encode({"inline_keyboard": [[{"text": LABEL, "callback_data": OPENS}]]})
"""One button, which opens the mutes; the same in every language."""
