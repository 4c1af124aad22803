"""A match card's own life beside its text: it is pinned once it is sent, unpinned at the end, and sent anew where it was deleted.
Pure."""

from __future__ import annotations

import msgspec

from bot.outbox.entry import Entry, Pin
from rules.alert import CARD, Alert

_TIMES = 2
"""So often at most a card is sent to one chat: somebody who deletes it again wants none."""
_AFTER = {Pin.DUE: Pin.ON, Pin.OFF: Pin.NONE}


def sent(entry: Entry, alert: Alert) -> Entry:
    """After a message was sent: a card of a match in play is to be pinned."""
    if alert.kind != CARD:
        return entry
    return msgspec.structs.replace(entry, pin=Pin.NONE if alert.over else Pin.DUE, sent=entry.sent + 1)


def edited(entry: Entry, alert: Alert) -> Entry:
    """After an edit: once its match is over a card need not be pinned any more."""
    if not alert.over or entry.pin in (Pin.NONE, Pin.OFF):
        return entry
    return msgspec.structs.replace(entry, pin=Pin.OFF if entry.pin is Pin.ON else Pin.NONE)


def missed(entry: Entry) -> Entry:
    """After an edit of a message that is gone: a card is to be sent anew, unless it was so already."""
    return msgspec.structs.replace(entry, seq=-1) if to_send_anew(entry) else entry


def to_send_anew(entry: Entry) -> bool:
    """Tell whether it is a card that can no longer be reached, and may be sent once more."""
    return entry.kind == CARD and not entry.message_id and 0 < entry.sent < _TIMES


def done(entry: Entry) -> Entry:
    """After it was pinned or unpinned, or the chat did not allow it."""
    return msgspec.structs.replace(entry, pin=_AFTER.get(entry.pin, entry.pin))
