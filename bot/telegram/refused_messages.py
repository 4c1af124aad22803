"""Messages that Telegram refuses although their chat is there: for a reason that is not understood, or for their picture."""

from __future__ import annotations

from bot.outbox.delivery import QueueItem
from bot.subscribers import ChatRef
from rules.engine.alert import AlertKey

# Few and short, because everything else for the chat waits behind this message.
_RETRY_DELAYS = (1.0, 5.0)
"""Seconds before a message is tried again that Telegram refuses for a reason that is not understood. Then it is given up."""

_REFUSALS_BEFORE_PLAIN_TEXT = 2
"""After so many such refusals it is tried as plain text: the reason may be new words for a text that Telegram cannot read."""

_PICTURE_PAUSE = 3600.0
"""Seconds for which a chat that has refused a photo gets text. Its administrators may allow photos at any time."""


class RefusedMessages:
    """Counts refusals, and knows in which form a message is tried again; pure. Times are of the monotonic clock, in seconds.

    Kept in memory only: after a restart each message is tried as if for the first time.
    """

    def __init__(self) -> None:
        self._refusals: dict[tuple[AlertKey, ChatRef], int] = {}
        """How often a message was refused for a reason that is not understood."""
        self._refused_pictures: set[tuple[AlertKey, ChatRef]] = set()
        """Messages whose picture was refused once and is being sent again."""
        self._no_pictures_until: dict[int, float] = {}
        """By chat that has refused a photo, until when it is sent none; the latest refusal last."""

    def record_refusal(self, item: QueueItem) -> bool:
        """Count a refusal that is not understood. Return False if its message is given up, and forget it then."""
        name = (item.key, item.chat)
        self._refusals[name] = self._refusals.get(name, 0) + 1
        if self._refusals[name] <= len(_RETRY_DELAYS):
            return True
        del self._refusals[name]
        return False

    def was_refused(self, item: QueueItem) -> bool:
        """Return True if the latest request for a message was refused for a reason that is not understood."""
        return (item.key, item.chat) in self._refusals

    def find_retry_delay(self, item: QueueItem) -> float:
        """Return the seconds until a message is tried again; 0 if only its payment was refused, which is not counted."""
        count = self._refusals.get((item.key, item.chat), 0)
        return _RETRY_DELAYS[count - 1] if count else 0.0

    def should_send_as_plain_text(self, item: QueueItem) -> bool:
        """Return True for a message that was refused so often that its formatting may be the reason."""
        return self._refusals.get((item.key, item.chat), 0) >= _REFUSALS_BEFORE_PLAIN_TEXT

    def takes_picture(self, item: QueueItem, now: float) -> bool:
        """Return False for a message that is to be sent without its picture."""
        # After refusals that are not understood, the picture may be the reason: too large, or of odd dimensions.
        return self._no_pictures_until.get(item.chat.chat_id, float("-inf")) <= now and not self.should_send_as_plain_text(item)

    def on_picture_refused(self, item: QueueItem, now: float, *, is_forbidden: bool) -> None:
        """Note that a picture was refused; `is_forbidden`: the chat takes no photos at all."""
        name, chat_id = (item.key, item.chat), item.chat.chat_id
        # At the first refusal Telegram may have forgotten the file, which is uploaded again. A second refusal would repeat for
        # ever.
        if not is_forbidden and name not in self._refused_pictures:
            self._refused_pictures.add(name)
            return
        self._refused_pictures.discard(name)
        # Removed first, so that the chat moves to the end: expired ones are then at the front.
        self._no_pictures_until.pop(chat_id, None)
        self._no_pictures_until[chat_id] = now + _PICTURE_PAUSE
        while next(iter(self._no_pictures_until.values())) <= now:
            del self._no_pictures_until[next(iter(self._no_pictures_until))]

    def forget(self, item: QueueItem) -> None:
        """Note that Telegram took a message."""
        self._refusals.pop((item.key, item.chat), None)
        self._refused_pictures.discard((item.key, item.chat))
