"""Requests that Telegram does not answer, so that nobody knows whether they arrived; pure.

A message is sent again once, then parked until Telegram answers again. A message whose edit was not answered is remembered, since
it may show something else than is stored.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence

import msgspec

from bot.outbox.delivery import Delivery, QueueItem, parse_history
from bot.subscribers import ChatRef
from bot.telegram.execute import MAX_IN_FLIGHT, Attempt
from bot.telegram.plan import Edit, Pin, Plan, Send
from rules.engine.alert import AlertKey

_MAX_ATTEMPTS = 2
"""Requests without an answer before a message is parked: it may be in the chat twice by then."""

_SUSPECT_SECONDS = 900.0
"""Seconds after a start, or after chats were taken over, in which a message may still show an unanswered edit of the process
before. Every delivery that waited then has been planned by the end of them, those of chats with a delay included."""

# Each costs a request within Telegram's limits, and nearly all such messages turn out to be right. A killed process had at most
# MAX_IN_FLIGHT requests in flight, whose messages are among the first to be planned: twice as many leave room for others between.
MAX_SUSPECTS = 2 * MAX_IN_FLIGHT
"""How many messages are edited at most to be sure."""

_SAME_TAKEOVER_SECONDS = 60.0
"""Chats that are taken over within this time share one allowance of MAX_SUSPECTS: a killed sender's come page by page."""


class NextStep(enum.Enum):
    """What to do with a message that was not answered."""

    REPEAT = enum.auto()
    PARK = enum.auto()
    """The message no longer blocks its chat, and is sent once more when Telegram answers again."""
    COUNT_AS_SENT = enum.auto()


class _ParkedItem(msgspec.Struct, frozen=True):
    """`html` is what the message shows; empty for a pin."""

    item: QueueItem
    html: str


class UnansweredMessages:
    """Counts the requests of each message that were not answered, and knows which messages are parked; pure.

    Kept in memory only. After a restart, each is sent again like any message that may have arrived.
    """

    def __init__(self) -> None:
        self._attempts: dict[tuple[AlertKey, ChatRef], int] = {}
        self._parked: dict[tuple[AlertKey, ChatRef], _ParkedItem] = {}
        self._released: set[tuple[AlertKey, ChatRef]] = set()

    def __len__(self) -> int:
        return len(self._parked)

    def count(self, attempt: Attempt) -> NextStep:
        """Count a request that was not answered, and return what to do."""
        name = (attempt.item.key, attempt.item.chat)
        # What was sent before a restart counts too: that request was not answered either.
        self._attempts[name] = max(self._attempts.get(name, 0) + 1, _MAX_ATTEMPTS if attempt.is_repeat else 1)
        if name in self._released:
            self.forget(attempt.item)
            # Telegram had answered others by then. A further copy of a message would do harm, so that it counts as sent; an edit
            # can be repeated without harm, and the text that it corrects must not stay.
            return NextStep.PARK if isinstance(attempt.plan, Edit) else NextStep.COUNT_AS_SENT
        return NextStep.REPEAT if self._attempts[name] < _MAX_ATTEMPTS else NextStep.PARK

    def park(self, attempt: Attempt) -> None:
        """Keep a message aside until Telegram answers again."""
        html = "" if isinstance(attempt.plan, Pin) else attempt.plan.html
        self._parked[attempt.item.key, attempt.item.chat] = _ParkedItem(attempt.item, html)

    def forget(self, item: QueueItem) -> None:
        """Reset the count, because the message was answered or replaced."""
        name = (item.key, item.chat)
        self._attempts.pop(name, None)
        self._released.discard(name)

    def is_parked(self, item: QueueItem) -> bool:
        """Return True for an item that is parked in this or a newer revision. A scan of the database finds such items again."""
        parked = self._parked.get((item.key, item.chat))
        return parked is not None and item.seq <= parked.item.seq

    def stays_parked(self, item: QueueItem, plan: Plan) -> bool:
        """Return True if a revision of a parked message would send the same text again; otherwise unpark it."""
        name = (item.key, item.chat)
        parked = self._parked.pop(name, None)
        if parked is None:
            return False
        # The same words a third time would only be a third copy; other words are news that the chat has to have.
        if isinstance(plan, Send) and plan.html == parked.html:
            self._parked[name] = msgspec.structs.replace(parked, item=item)
            return True
        self.forget(item)
        return False

    def release(self, chat_id: int | None = None) -> Sequence[QueueItem]:
        """Return the parked items of a chat, or of all chats, in the order in which they were parked, to be sent once more."""
        names = [name for name, parked in self._parked.items() if chat_id in (None, parked.item.chat.chat_id)]
        self._released.update(names)
        return [self._parked.pop(name).item for name in names]

    def discard(self, chat_id: int) -> None:
        """Drop what is parked for a chat: its deliveries stay in the outbox."""
        for item in self.release(chat_id):
            self.forget(item)


class UncertainEdits:
    """Knows which messages may show something else than is stored; pure. Times are in seconds since 1970.

    An edit that was not answered is remembered. Those of a killed process are not. So after a start every message is suspected
    that was not changed since, and of the chats that are taken over from another sender each message that waited for something
    then. Telegram answers "message is not modified" where there was no edit.
    """

    def __init__(self) -> None:
        self._unanswered: set[tuple[AlertKey, ChatRef]] = set()
        self._started_at = float("-inf")
        self._taken_over_at: dict[tuple[AlertKey, ChatRef], float] = {}
        """By message that another sender may have been editing, when its chat became ours; the earliest first."""
        self._suspects_left = 0
        self._allowed_at = float("-inf")
        """When `_suspects_left` was last set."""

    def on_start(self, now: float) -> None:
        """Suspect the edits of the process before: this one starts. Only the first call counts."""
        # A second call is no new process: this one knows its own edits.
        if self._started_at == float("-inf"):
            self._started_at = self._allowed_at = now
            self._suspects_left = MAX_SUSPECTS

    def on_taken_over(self, names: Iterable[tuple[AlertKey, ChatRef]], now: float) -> None:
        """Suspect these messages: another sender may have been editing them when it lost their chats to this one."""
        if now > self._allowed_at + _SAME_TAKEOVER_SECONDS:
            self._suspects_left, self._allowed_at = MAX_SUSPECTS, now
        for name in names:
            self._taken_over_at.pop(name, None)  # to its place at the end
            self._taken_over_at[name] = now
        while self._taken_over_at and next(iter(self._taken_over_at.values())) + _SUSPECT_SECONDS < now:
            del self._taken_over_at[next(iter(self._taken_over_at))]

    def add(self, item: QueueItem) -> None:
        """Note an edit that may have arrived."""
        self._unanswered.add((item.key, item.chat))

    def discard(self, item: QueueItem) -> None:
        """Note that Telegram has answered the latest request for a message."""
        self._unanswered.discard((item.key, item.chat))

    def is_unanswered(self, delivery: Delivery) -> bool:
        """Return True if an edit of this process may have arrived."""
        return (delivery.key, delivery.chat) in self._unanswered

    def is_suspect(self, delivery: Delivery, now: float) -> bool:
        """Return True if an edit of another process may have arrived, of which nothing is stored."""
        since = self._taken_over_at.get((delivery.key, delivery.chat), self._started_at)
        if not delivery.is_sent or not self._suspects_left or now > since + _SUSPECT_SECONDS:
            return False
        # A message that this process has changed shows what is stored.
        last_line = delivery.history.rpartition("\n")[2]
        return not last_line or parse_history(last_line)[0].at < since

    def count_suspect(self) -> None:
        """Note that a message is edited only because it was suspected."""
        self._suspects_left -= 1
