"""What one chat has seen of it and still gets: status, history, pin, latency."""

from __future__ import annotations

import datetime as dt
import enum

import msgspec

from bot.outbox.news import NewsItem
from bot.subscribers import Chat, ChatRef
from rules.engine.alert import CARD, Alert, AlertKey, State

UNREACHABLE_MESSAGE_ID = 0
"""Stands for the id of a message that can neither be edited nor answered."""


class DeliveryStatus(enum.StrEnum):
    """Where an entry stands: something is to be sent, nothing is, or it will never be told."""

    WAITING = "waiting"
    DONE = "done"
    DROPPED = "dropped"


class Reason(enum.StrEnum):
    """Why something is told, or is not."""

    FIRST = "first"
    REVISION = "revision"
    UPGRADED = "graver"
    RETRACTION = "retraction"
    RESTORATION = "restored"
    DUPLICATE = "duplicate"
    MUTED = "muted"
    DELAYED = "delayed"
    EXPIRED = "expired"
    HELD_FOR_QUIET_HOURS = "held"
    """It came in the chat's quiet hours, and is told in one message when they end."""
    HELD_FOR_BURST = "grouped"
    """It came seconds after other news, and is told with what else comes, in one message."""
    UNCONFIRMED = "unconfirmed"
    """The chat wants it once it is confirmed."""
    POSTPONED = "later"
    """A match card or a picture, while the chat is muted or its quiet hours hold news: it comes once they are over."""
    SCORER_UNKNOWN = "unnamed"
    """The chat wants a goal once its scorer is named."""
    SUPERSEDED = "superseded"
    NOT_WANTED = "unwanted"
    """The chat does not take this kind any more."""


class PinState(enum.StrEnum):
    """Where the pin of a match card stands: none, to be pinned, pinned, to be unpinned."""

    NONE = ""
    TO_PIN = "due"
    PINNED = "on"
    TO_UNPIN = "off"


class Delivery(msgspec.Struct, frozen=True):
    """What one chat has seen of one action.

    `message_id` is None until it was told, and 0 where the message can no longer be reached. Everything from `rule` to `restored`
    is what was told last. `reply` is a reply that is still to be sent; of a summary, `rule` lists the actions it tells.
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
    """A line for each revision that the chat has seen, as bot/outbox/delivery.py writes and reads them."""
    pin: PinState = PinState.NONE
    """Of a match card: where its pin stands."""
    times_sent: int = 0
    """Of a match card: how often it was sent; one that somebody deleted is sent anew, once."""
    is_uncertain: bool = False
    """It has left, and nobody knows whether it arrived; all else is what the chat has seen if it did."""

    @property
    def is_sent(self) -> bool:
        """Return True if the chat has seen a message about it."""
        return self.message_id is not None

    @property
    def has_follow_up(self) -> bool:
        """Return True if something more is to be done at once: a reply to send, a card to pin or unpin."""
        return self.pending_reply is not None or self.pin in (PinState.TO_PIN, PinState.TO_UNPIN)


class QueueItem(msgspec.Struct, frozen=True):
    """One entry that waits: enough to put it in order without reading it."""

    key: AlertKey
    chat: ChatRef
    priority: int
    seq: int
    due_at: float


class DeliveryContext(msgspec.Struct, frozen=True):
    """One entry with all that decides what is sent now.

    `superseded`: the chat was told of the action that this news disallows. `lines` are the news of a summary's actions that the
    chat was not told.
    """

    delivery: Delivery
    news: NewsItem
    recipient: Chat
    is_superseded: bool = False
    lines: tuple[NewsItem, ...] = ()
    is_loud: bool = False
    """Of a burst: some of what was held for the chat rings."""


_MAX_HISTORY_LINES = 20
"""Lines of an entry's history."""


class LatencyTrace(msgspec.Struct, frozen=True):
    """Milliseconds of each step; None where an instant is not known.

    `lag` is from the feed's own stamp to its frame, `outbox` from the frame to the outbox, `request` from the outbox, or from
    when it was due there, to the request to Telegram, `accepted` from there to its answer. `waited` is what was meant to be:
    the chat's delay, quiet hours, Telegram's limits; it is in none of the others.
    """

    feed: float | None = None
    outbox: float | None = None
    waited: float = 0.0
    request: float | None = None
    telegram: float | None = None

    @property
    def total(self) -> float | None:
        """From the frame to Telegram's answer, without what was meant to be."""
        if self.outbox is None or self.request is None or self.telegram is None:
            return None
        return self.outbox + self.request + self.telegram


class DeliveryResult(msgspec.Struct, frozen=True):
    """What came of an item: what its chat has seen now, to be committed.

    `message_id` is the message that was sent or edited, 0 if nothing was. `delay` is the chat's, in seconds.
    """

    item: QueueItem
    delivery: Delivery
    message_id: int = UNREACHABLE_MESSAGE_ID
    delay: int = 0
    latency: LatencyTrace = LatencyTrace()


class HistoryLine(msgspec.Struct, frozen=True):
    """One revision that a chat has seen: seconds since 1970, why, where the news stood, the feed's number.

    `way` is None where it was not noted; `reply` is the id of the reply that told it, 0 where the message itself did.
    """

    at: float
    reason: str
    state: State
    seq: int
    latency: LatencyTrace | None = None
    reply_id: int = 0


def add_to_history(
    delivery: Delivery, reason: Reason, now: dt.datetime, latency: LatencyTrace | None = None, *, reply_id: int = 0
) -> Delivery:
    """The entry with a line more in its history; the oldest go where there are many."""
    words = [f"{now.timestamp():.1f} {reason.value} {delivery.state.value} {delivery.seq}"]
    words += [format_latency(latency)] if latency else []
    words += [f"#{reply_id}"] if reply_id else []
    lines = [*delivery.history.split("\n"), " ".join(words)]
    return msgspec.structs.replace(delivery, history="\n".join(line for line in lines[-_MAX_HISTORY_LINES:] if line))


def read_history(delivery: Delivery) -> tuple[HistoryLine, ...]:
    """The lines of an entry's history; those of earlier versions have no way."""
    return tuple(map(_parse_history_line, delivery.history.splitlines()))


def _parse_history_line(line: str) -> HistoryLine:
    at, reason, state, seq, *more = line.split(" ")
    ways = [parse_latency(word) for word in more if "/" in word]
    replies = [int(word[1:]) for word in more if word.startswith("#")]
    return HistoryLine(float(at), reason, State(state), int(seq), next(iter(ways), None), next(iter(replies), 0))


_MAX_CARD_SENDS = 2
"""So often at most a card is sent to one chat: somebody who deletes it again wants none."""

_PIN_STATE_AFTER = {PinState.TO_PIN: PinState.PINNED, PinState.TO_UNPIN: PinState.NONE}


def record_card_sent(delivery: Delivery, alert: Alert) -> Delivery:
    """After a message was sent: a card of a match in play is to be pinned."""
    if alert.kind != CARD:
        return delivery
    return msgspec.structs.replace(
        delivery, pin=PinState.NONE if alert.is_match_over else PinState.TO_PIN, times_sent=delivery.times_sent + 1
    )


def record_card_edited(delivery: Delivery, alert: Alert) -> Delivery:
    """After an edit: once its match is over a card need not be pinned any more."""
    if not alert.is_match_over or delivery.pin in (PinState.NONE, PinState.TO_UNPIN):
        return delivery
    return msgspec.structs.replace(delivery, pin=PinState.TO_UNPIN if delivery.pin is PinState.PINNED else PinState.NONE)


def record_message_gone(delivery: Delivery) -> Delivery:
    """After an edit of a message that is gone: a card is to be sent anew, unless it was so already."""
    return msgspec.structs.replace(delivery, seq=-1) if must_resend_card(delivery) else delivery


def must_resend_card(delivery: Delivery) -> bool:
    """Tell whether it is a card that can no longer be reached, and may be sent once more."""
    return delivery.kind == CARD and not delivery.message_id and 0 < delivery.times_sent < _MAX_CARD_SENDS


def record_pin_done(delivery: Delivery) -> Delivery:
    """After it was pinned or unpinned, or the chat did not allow it."""
    return msgspec.structs.replace(delivery, pin=_PIN_STATE_AFTER.get(delivery.pin, delivery.pin))


_UNKNOWN_STEP = "-"


class Timestamps(msgspec.Struct, frozen=True):
    """The instants of one delivery before it leaves; 0 where one is not known.

    `due` is when it was to leave at the earliest; `meant` are the seconds until then that were meant, `held` those that the
    limits took after that.
    """

    happened: float = 0.0
    received: float = 0.0
    stored: float = 0.0
    due: float = 0.0
    intended_wait: float = 0.0
    held: float = 0.0


def measure_latency(timestamps: Timestamps, sent_at: float, answered_at: float) -> LatencyTrace:
    """How long each step took, now that Telegram has answered."""
    return LatencyTrace(
        _milliseconds_between(timestamps.happened, timestamps.received),
        _milliseconds_between(timestamps.received, timestamps.stored),
        (timestamps.intended_wait + timestamps.held) * 1000,
        _milliseconds_between(timestamps.due + timestamps.held, sent_at) if timestamps.due else None,
        _milliseconds_between(sent_at, answered_at),
    )


def format_latency(latency: LatencyTrace) -> str:
    """In one word, for the history of an entry."""
    return "/".join(map(_format_step, (latency.feed, latency.outbox, latency.waited, latency.request, latency.telegram)))


def parse_latency(word: str) -> LatencyTrace:
    """What `written` wrote."""
    lag, outbox, waited, request, accepted = (None if part == _UNKNOWN_STEP else float(part) for part in word.split("/"))
    return LatencyTrace(lag, outbox, waited or 0.0, request, accepted)


def _format_step(part: float | None) -> str:
    return _UNKNOWN_STEP if part is None else f"{part:.1f}"


def _milliseconds_between(one: float, other: float) -> float | None:
    """Milliseconds; a clock that was set back makes none."""
    return max(0.0, (other - one) * 1000) if one and other else None


def collect_timestamps(context: DeliveryContext, alert: Alert, now: float, blocked_until: float) -> Timestamps:
    """The instants of what leaves now, in seconds since 1970; `shut` is when the limits last kept it from leaving."""
    put, (due, meant) = context.news.stored_at, _find_due_time(context)
    return Timestamps(alert.at.timestamp(), alert.received_at, put, due, meant, now - due if due < blocked_until <= now else 0.0)


def _find_due_time(context: DeliveryContext) -> tuple[float, float]:
    """When it was to leave, and how many seconds until then were meant.

    News is due when it is known, after the chat's delay; a summary when it is, a reply when its edit is done.
    """
    put, due = context.news.stored_at, context.delivery.due_at
    if context.delivery.pending_reply is not None or not put:
        return due, 0.0
    return (
        (max(put, due), max(0.0, due - put))
        if context.news.line_ids
        else (put + context.recipient.delay, float(context.recipient.delay))
    )
