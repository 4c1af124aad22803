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
    GRAVER = "graver"
    RETRACTION = "retraction"
    RESTORED = "restored"
    DUPLICATE = "duplicate"
    MUTED = "muted"
    DELAYED = "delayed"
    EXPIRED = "expired"
    HELD = "held"
    """It came in the chat's quiet hours, and is told in one message when they end."""
    GROUPED = "grouped"
    """It came seconds after other news, and is told with what else comes, in one message."""
    UNCONFIRMED = "unconfirmed"
    """The chat wants it once it is confirmed."""
    LATER = "later"
    """A match card or a picture, while the chat is muted or its quiet hours hold news: it comes once they are over."""
    UNNAMED = "unnamed"
    """The chat wants a goal once its scorer is named."""
    SUPERSEDED = "superseded"
    UNWANTED = "unwanted"
    """The chat does not take this kind any more."""


class PinState(enum.StrEnum):
    """Where the pin of a match card stands: none, to be pinned, pinned, to be unpinned."""

    NONE = ""
    DUE = "due"
    ON = "on"
    OFF = "off"


class Delivery(msgspec.Struct, frozen=True):
    """What one chat has seen of one action.

    `message_id` is None until it was told, and 0 where the message can no longer be reached. Everything from `rule` to `restored`
    is what was told last. `reply` is a reply that is still to be sent; of a summary, `rule` lists the actions it tells.
    """

    key: AlertKey
    ref: ChatRef
    status: DeliveryStatus = DeliveryStatus.WAITING
    reason: str = Reason.FIRST.value
    due_at: float = 0.0
    message_id: int | None = None
    rule: str = ""
    kind: str = ""
    rings: bool = False
    state: State = State.CONFIRMED
    gravity: int = 0
    seq: int = -1
    body: str = ""
    restored: bool = False
    reply: str | None = None
    reply_rings: bool = False
    history: str = ""
    """A line for each revision that the chat has seen, as bot/outbox/delivery.py writes and reads them."""
    pin: PinState = PinState.NONE
    """Of a match card: where its pin stands."""
    sent: int = 0
    """Of a match card: how often it was sent; one that somebody deleted is sent anew, once."""
    unsure: bool = False
    """It has left, and nobody knows whether it arrived; all else is what the chat has seen if it did."""

    @property
    def told(self) -> bool:
        """Tell whether the chat has seen anything of it."""
        return self.message_id is not None


def has_follow_up(entry: Delivery) -> bool:
    """Tell whether more is to be done for it at once: a reply to be sent, a card to be pinned or unpinned."""
    return entry.reply is not None or entry.pin in (PinState.DUE, PinState.OFF)


class QueueItem(msgspec.Struct, frozen=True):
    """One entry that waits: enough to put it in order without reading it."""

    key: AlertKey
    ref: ChatRef
    rank: int
    seq: int
    due_at: float


class DeliveryContext(msgspec.Struct, frozen=True):
    """One entry with all that decides what is sent now.

    `superseded`: the chat was told of the action that this news disallows. `lines` are the news of a summary's actions that the
    chat was not told.
    """

    entry: Delivery
    news: NewsItem
    chat: Chat
    superseded: bool = False
    lines: tuple[NewsItem, ...] = ()
    rings: bool = False
    """Of a burst: some of what was held for the chat rings."""


class DeliveryResult(msgspec.Struct, frozen=True):
    """What a chat has seen now; `delay` is the chat's, in seconds."""

    entry: Delivery
    delay: int = 0


_MAX_HISTORY_LINES = 20
"""Lines of an entry's history."""


class LatencyTrace(msgspec.Struct, frozen=True):
    """Milliseconds of each step; None where an instant is not known.

    `lag` is from the feed's own stamp to its frame, `outbox` from the frame to the outbox, `request` from the outbox, or from
    when it was due there, to the request to Telegram, `accepted` from there to its answer. `waited` is what was meant to be:
    the chat's delay, quiet hours, Telegram's limits; it is in none of the others.
    """

    lag: float | None = None
    outbox: float | None = None
    waited: float = 0.0
    request: float | None = None
    accepted: float | None = None

    @property
    def own(self) -> float | None:
        """From the frame to Telegram's answer, without what was meant to be."""
        if self.outbox is None or self.request is None or self.accepted is None:
            return None
        return self.outbox + self.request + self.accepted


class HistoryLine(msgspec.Struct, frozen=True):
    """One revision that a chat has seen: seconds since 1970, why, where the news stood, the feed's number.

    `way` is None where it was not noted; `reply` is the id of the reply that told it, 0 where the message itself did.
    """

    at: float
    reason: str
    state: State
    seq: int
    way: LatencyTrace | None = None
    reply: int = 0


def add_to_history(
    entry: Delivery, reason: Reason, now: dt.datetime, way: LatencyTrace | None = None, *, reply: int = 0
) -> Delivery:
    """The entry with a line more in its history; the oldest go where there are many."""
    words = [f"{now.timestamp():.1f} {reason.value} {entry.state.value} {entry.seq}"]
    words += [format_latency(way)] if way else []
    words += [f"#{reply}"] if reply else []
    lines = [*entry.history.split("\n"), " ".join(words)]
    return msgspec.structs.replace(entry, history="\n".join(line for line in lines[-_MAX_HISTORY_LINES:] if line))


def read_history(entry: Delivery) -> tuple[HistoryLine, ...]:
    """The lines of an entry's history; those of earlier versions have no way."""
    return tuple(map(_parse_history_line, entry.history.splitlines()))


def _parse_history_line(line: str) -> HistoryLine:
    at, reason, state, seq, *more = line.split(" ")
    ways = [parse_latency(word) for word in more if "/" in word]
    replies = [int(word[1:]) for word in more if word.startswith("#")]
    return HistoryLine(float(at), reason, State(state), int(seq), next(iter(ways), None), next(iter(replies), 0))


_MAX_CARD_SENDS = 2
"""So often at most a card is sent to one chat: somebody who deletes it again wants none."""

_PIN_STATE_AFTER = {PinState.DUE: PinState.ON, PinState.OFF: PinState.NONE}


def record_card_sent(entry: Delivery, alert: Alert) -> Delivery:
    """After a message was sent: a card of a match in play is to be pinned."""
    if alert.kind != CARD:
        return entry
    return msgspec.structs.replace(entry, pin=PinState.NONE if alert.over else PinState.DUE, sent=entry.sent + 1)


def record_card_edited(entry: Delivery, alert: Alert) -> Delivery:
    """After an edit: once its match is over a card need not be pinned any more."""
    if not alert.over or entry.pin in (PinState.NONE, PinState.OFF):
        return entry
    return msgspec.structs.replace(entry, pin=PinState.OFF if entry.pin is PinState.ON else PinState.NONE)


def record_message_gone(entry: Delivery) -> Delivery:
    """After an edit of a message that is gone: a card is to be sent anew, unless it was so already."""
    return msgspec.structs.replace(entry, seq=-1) if must_resend_card(entry) else entry


def must_resend_card(entry: Delivery) -> bool:
    """Tell whether it is a card that can no longer be reached, and may be sent once more."""
    return entry.kind == CARD and not entry.message_id and 0 < entry.sent < _MAX_CARD_SENDS


def record_pin_done(entry: Delivery) -> Delivery:
    """After it was pinned or unpinned, or the chat did not allow it."""
    return msgspec.structs.replace(entry, pin=_PIN_STATE_AFTER.get(entry.pin, entry.pin))


_UNKNOWN_STEP = "-"


class Timestamps(msgspec.Struct, frozen=True):
    """The instants of one delivery before it leaves; 0 where one is not known.

    `due` is when it was to leave at the earliest; `meant` are the seconds until then that were meant, `held` those that the
    limits took after that.
    """

    happened: float = 0.0
    received: float = 0.0
    put: float = 0.0
    due: float = 0.0
    meant: float = 0.0
    held: float = 0.0


def measure_latency(marks: Timestamps, left: float, accepted: float) -> LatencyTrace:
    """How long each step took, now that Telegram has answered."""
    return LatencyTrace(
        _milliseconds_between(marks.happened, marks.received),
        _milliseconds_between(marks.received, marks.put),
        (marks.meant + marks.held) * 1000,
        _milliseconds_between(marks.due + marks.held, left) if marks.due else None,
        _milliseconds_between(left, accepted),
    )


def format_latency(way: LatencyTrace) -> str:
    """In one word, for the history of an entry."""
    return "/".join(map(_format_step, (way.lag, way.outbox, way.waited, way.request, way.accepted)))


def parse_latency(word: str) -> LatencyTrace:
    """What `written` wrote."""
    lag, outbox, waited, request, accepted = (None if part == _UNKNOWN_STEP else float(part) for part in word.split("/"))
    return LatencyTrace(lag, outbox, waited or 0.0, request, accepted)


def _format_step(part: float | None) -> str:
    return _UNKNOWN_STEP if part is None else f"{part:.1f}"


def _milliseconds_between(one: float, other: float) -> float | None:
    """Milliseconds; a clock that was set back makes none."""
    return max(0.0, (other - one) * 1000) if one and other else None


def collect_timestamps(job: DeliveryContext, alert: Alert, now: float, shut: float) -> Timestamps:
    """The instants of what leaves now, in seconds since 1970; `shut` is when the limits last kept it from leaving."""
    put, (due, meant) = job.news.put_at, _find_due_time(job)
    return Timestamps(alert.at.timestamp(), alert.received, put, due, meant, now - due if due < shut <= now else 0.0)


def _find_due_time(job: DeliveryContext) -> tuple[float, float]:
    """When it was to leave, and how many seconds until then were meant.

    News is due when it is known, after the chat's delay; a summary when it is, a reply when its edit is done.
    """
    put, due = job.news.put_at, job.entry.due_at
    if job.entry.reply is not None or not put:
        return due, 0.0
    return (max(put, due), max(0.0, due - put)) if job.news.lines else (put + job.chat.delay, float(job.chat.delay))
