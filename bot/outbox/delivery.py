"""What one chat has seen of a news item and still gets: status, history, pin; and what goes through the queue."""

from __future__ import annotations

import datetime as dt
import enum
from contextlib import suppress

import msgspec

from bot.outbox.latency import LatencyTrace, Timestamps, format_latency, parse_latency
from bot.outbox.news import LIVE_MESSAGE_PRIORITY, NewsItem
from bot.storage.copies import Copy, append_copy, decode_copies
from bot.subscribers import ChatRef, Recipient
from rules.engine.alert import LIVE_MESSAGE_KINDS, Alert, AlertKey, State

# Not None, which means that nothing was sent: such a message counts as sent, so that its corrections leave.
UNREACHABLE_MESSAGE_ID = 0
"""Stands for the id of a message that can be neither edited nor replied to."""

# A card is edited hundreds of times in a match, and each line is written with every edit.
_MAX_HISTORY_LINES = 20


class DeliveryStatus(enum.StrEnum):
    """Where a delivery stands: something is to be sent, nothing is, or it will never be sent. The values are stored."""

    WAITING = "waiting"
    DONE = "done"
    DROPPED = "dropped"


class Reason(enum.StrEnum):
    """Why something is sent or not. The values are stored, and shown by `/why`, logs and metrics."""

    FIRST = "first"
    REVISION = "revision"
    CHANGED = "graver"
    """It became other news, as when a card changes its colour or a goal its side: the chat gets a reply too.

    The value is from the first version, which knew only the change from a yellow card to a red one.
    """
    RETRACTION = "retraction"
    RESTORATION = "restored"
    DUPLICATE = "duplicate"
    MUTED = "muted"
    DELAYED = "delayed"
    EXPIRED = "expired"
    HELD_FOR_QUIET_HOURS = "held"
    """It came in the chat's quiet hours, and is part of the digest at their end."""
    HELD_FOR_BURST = "grouped"
    """It came seconds after another alert, and is part of one message with what else comes."""
    UNCONFIRMED = "unconfirmed"
    """The chat wants it once it is confirmed."""
    POSTPONED = "later"
    """A match card or a picture while the chat is muted or its quiet hours hold news: it is sent when they end."""
    SCORER_UNKNOWN = "unnamed"
    """The chat wants a goal once its scorer is named."""
    SUPERSEDED = "superseded"
    NOT_WANTED = "unwanted"
    """The chat does not take this kind, or not any more."""


class PinState(enum.StrEnum):
    """Where the pin of a match card stands. The values are stored."""

    NONE = ""
    TO_PIN = "due"
    PINNED = "on"
    TO_UNPIN = "off"


_FULL_TIME = "End Match"


class Subject(msgspec.Struct, frozen=True):
    """What a message is about: if a revision is about something else, the chat must notice it."""

    severity: int = 0
    side: str = ""
    action_type: str = ""
    result: str = ""
    """The score of a full time, with that of a shootout: `1–1 (6–5)`; empty for every other message."""

    @classmethod
    def of(cls, alert: Alert) -> Subject:
        """Return the subject of an alert; an empty one for digests, cards and samples."""
        facts, result = alert.facts, ""
        if facts.action_type == _FULL_TIME:
            result = f"{facts.score} ({facts.shootout})" if facts.shootout else facts.score
        return cls(alert.severity, facts.side, facts.action_type, result)

    @classmethod
    def parse(cls, text: str) -> Subject:
        """Read what `str` wrote. Messages of earlier versions have no subject, and a damaged one is none: return an empty one."""
        severity, _, rest = text.partition("/")
        if not severity.isdecimal():
            return cls()
        side, _, action_type = rest.partition("/")
        # Only full time has a result. An operator's own action type may contain a slash.
        result = action_type.removeprefix(f"{_FULL_TIME}/") if action_type.startswith(f"{_FULL_TIME}/") else ""
        return cls(int(severity), side, _FULL_TIME if result else action_type, result)

    def __str__(self) -> str:
        """As it is stored: `2/home/Goal`, or with the result `0//End Match/2–1`."""
        what = "/".join(filter(None, (self.action_type, self.result)))
        return f"{self.severity}/{self.side}/{what}" if self.action_type else ""

    def has_changed_to(self, other: Subject) -> bool:
        """Return True if the other is about another action type, side or result.

        Trifles (severity 0) never are, nor what is unknown.
        """
        # Checked before the severity: full time has severity 0, but a changed result matters.
        if self.result and other.result:
            return self.result != other.result
        if not (self.severity or other.severity):
            return False
        # An empty value is unknown (an earlier version, or a gap in the feed), which is no change.
        pairs = ((self.action_type, other.action_type), (self.side, other.side))
        return any(one and another and one != another for one, another in pairs)


class Urgency(enum.IntEnum):
    """The order of what waits for one chat, the first first. Within Telegram's limits each leaves room for those before it."""

    LOUD = 0
    SILENT = 1
    LIVE_MESSAGE = 2
    """Match cards and pictures."""


class Delivery(msgspec.Struct, frozen=True):
    """What one chat has seen of one action, and what it still gets.

    `message_id` is None until a message was sent, and 0 if the message cannot be reached any more. The fields from `rule` to
    `is_restored` are those of the last revision that was sent. `pending_reply` is a reply that is still to be sent. The `rule`
    of a digest lists the names of its lines.
    """

    key: AlertKey
    chat: ChatRef
    status: DeliveryStatus = DeliveryStatus.WAITING
    reason: str = Reason.FIRST.value
    due_at: float = 0.0
    message_id: int | None = None
    rule: str = ""
    kind: str = ""
    is_loud: bool = False
    state: State = State.CONFIRMED
    severity: int = 0
    seq: int = -1
    body: str = ""
    is_restored: bool = False
    pending_reply: str | None = None
    reply_is_loud: bool = False
    history: str = ""
    """A line for each revision that the chat has seen: see `add_to_history` and `read_history`."""
    pin: PinState = PinState.NONE
    """Of a match card."""
    times_sent: int = 0
    """Of a match card: one that somebody deleted is sent again, once."""
    is_uncertain: bool = False
    """It was sent and the answer is not known. The other fields describe what the chat has seen if it arrived.

    With `message_id` 0 it counts as sent, so that revisions reach it; it is sent once more when Telegram answers again.
    """
    next_is_loud: bool = False
    """Of a delivery that waits: what is sent next is loud, as far as is known before its turn comes. It is sent before others."""
    subject: str = ""
    """What the message is about, as `Subject` writes it; of a burst a line for each line of `rule`.

    Of a digest of one match it is the state that the message tells: see `ShownState`. Of a card it is `0//picture` if the
    message is a photo, which stays one.
    """
    earlier_copies: str = ""
    """The texts of copies that may be in the chat and cannot be edited: see `read_copies`."""

    @property
    def is_sent(self) -> bool:
        """Return True if the chat has seen a message about it, or counts as if it had."""
        return self.message_id is not None

    @property
    def has_follow_up(self) -> bool:
        """Return True if something more is to be done at once: a reply to send, a card to pin or unpin."""
        return self.pending_reply is not None or self.pin in (PinState.TO_PIN, PinState.TO_UNPIN)


class QueueItem(msgspec.Struct, frozen=True):
    """A delivery that waits: enough to put it in order without reading it."""

    key: AlertKey
    chat: ChatRef
    priority: int
    seq: int
    due_at: float
    is_loud: bool = False

    @property
    def urgency(self) -> Urgency:
        """Return the item's place among what waits for its chat."""
        if self.priority >= LIVE_MESSAGE_PRIORITY:
            return Urgency.LIVE_MESSAGE
        return Urgency.LOUD if self.is_loud else Urgency.SILENT


class DeliveryContext(msgspec.Struct, frozen=True):
    """A delivery with all that decides what is sent now.

    `is_superseded`: the chat has a message about the action that this news disallows. `lines` are the news of a digest's actions
    that the chat has no messages of their own about. `is_loud`, of a burst: some of its lines are loud in this chat.
    `recent_kinds` are the kinds of the alerts of the same match that the chat was sent in the last minutes. `shown` is the state
    of the match that a digest shows now, as its delivery keeps it.
    """

    delivery: Delivery
    news: NewsItem
    recipient: Recipient
    is_superseded: bool = False
    lines: tuple[NewsItem, ...] = ()
    is_loud: bool = False
    recent_kinds: tuple[str, ...] = ()
    shown: str = ""


class DeliveryResult(msgspec.Struct, frozen=True):
    """What came of an item: what its chat has seen now, to be committed.

    `message_id` is the message that was sent or edited, 0 if nothing was. `delay` is the chat's, in seconds.
    """

    item: QueueItem
    delivery: Delivery
    message_id: int = UNREACHABLE_MESSAGE_ID
    delay: int = 0
    latency: LatencyTrace = LatencyTrace()


def read_copies(delivery: Delivery) -> tuple[Copy, ...]:
    """Return what the copies of a message show whose answers were lost, the latest last."""
    return decode_copies(delivery.earlier_copies)


def add_copy(delivery: Delivery) -> Delivery:
    """Return the delivery with what it shows as one more copy that may be in the chat. It keeps the last three that differ."""
    new = Copy(delivery.body, delivery.state, delivery.is_restored)
    return msgspec.structs.replace(delivery, earlier_copies=append_copy(delivery.earlier_copies, new))


def record_copy(delivery: Delivery) -> Delivery:
    """Return a delivery that may have arrived with its text among the copies that nobody can edit any more.

    Cards and pictures have none: the next one shows how the match stands, and nobody takes an older one for news.
    """
    if not delivery.body or delivery.kind in LIVE_MESSAGE_KINDS:
        return delivery
    return add_copy(delivery)


class HistoryLine(msgspec.Struct, frozen=True):
    """One revision that a chat has seen: when (seconds since 1970), why, the state of the news, the feed's number.

    `latency` is None if it was not stored, as in earlier versions. `reply_id` is the id of the reply that showed it, 0 if the
    message itself did.
    """

    at: float
    reason: str
    state: State
    seq: int
    latency: LatencyTrace | None = None
    reply_id: int = 0


def add_to_history(
    delivery: Delivery,
    reason: Reason,
    now: dt.datetime,
    latency: LatencyTrace | None = None,
    *,
    message_id: int | None = None,
    reply_id: int = 0,
) -> Delivery:
    """Return the delivery with one more line in its history, and with the id of its message if that is given.

    The history keeps the last 20 lines.
    """
    # Words in one line and not JSON: it is appended on the hot path, and read only by /why.
    words = [f"{now.timestamp():.1f} {reason._value_} {delivery.state._value_} {delivery.seq}"]
    words += [format_latency(latency)] if latency else []
    words += [f"#{reply_id}"] if reply_id else []
    line = " ".join(words)
    if delivery.history:
        line = "\n".join([*delivery.history.split("\n"), line][-_MAX_HISTORY_LINES:])
    # Both at once: to copy a delivery takes as long as the rest of this.
    message_id = delivery.message_id if message_id is None else message_id
    return msgspec.structs.replace(delivery, history=line, message_id=message_id)


def read_history(delivery: Delivery) -> tuple[HistoryLine, ...]:
    """Return the lines of a delivery's history."""
    return parse_history(delivery.history)


def parse_history(text: str) -> tuple[HistoryLine, ...]:
    """Read what `add_to_history` wrote. A line that cannot be read is left out: it only tells what was."""
    lines = []
    for line in text.splitlines():
        with suppress(ValueError):
            at, reason, state, seq, *more = line.split(" ")
            # Earlier versions wrote fewer words. A latency is recognised by its slash, a reply by its #.
            latency = next((parse_latency(word) for word in more if "/" in word), None)
            reply_id = next((int(word[1:]) for word in more if word.startswith("#")), 0)
            lines.append(HistoryLine(float(at), reason, State(state), int(seq), latency, reply_id))
    return tuple(lines)


def collect_timestamps(context: DeliveryContext, alert: Alert, now: float, blocked_until: float) -> Timestamps:
    """Return when the steps of what leaves now happened. `blocked_until` is when the rate limits last kept it back."""
    # Only if the limits kept back this very message: an older block is nothing that it waited for.
    due, intended_wait = _find_due_time(context)
    held = now - due if due < blocked_until <= now else 0.0
    return Timestamps(alert.at.timestamp(), alert.received_at, context.news.stored_at, due, intended_wait, held)


def _find_due_time(context: DeliveryContext) -> tuple[float, float]:
    """Return when it was to leave, and how many seconds until then were intended."""
    stored_at, due_at = context.news.stored_at, context.delivery.due_at
    if context.delivery.pending_reply is not None or not stored_at:
        # A reply is due when its edit is done.
        return due_at, 0.0
    if context.news.line_ids:
        return max(stored_at, due_at), max(0.0, due_at - stored_at)
    delay = context.recipient.chat.delay
    # From the commit, and not from when the fan-out reached this chat: that is our own work and belongs to the measured time.
    return stored_at + delay, float(delay)
