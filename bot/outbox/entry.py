"""What the outbox keeps, as values: the news of one action, and what one chat has seen of it."""

from __future__ import annotations

import enum
from collections.abc import Mapping

import msgspec

from bot.store.model import Chat, ChatRef
from rules.alert import EXTRAS, Alert, AlertKey, Compared, State

EXTRA_RANK = 3
"""The rank of match cards and pictures: everything that happened goes first."""


UNREACHABLE = 0
"""Stands for the id of a message that can neither be edited nor answered."""


class Status(enum.StrEnum):
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


class Pin(enum.StrEnum):
    """Where the pin of a match card stands: none, to be pinned, pinned, to be unpinned."""

    NONE = ""
    DUE = "due"
    ON = "on"
    OFF = "off"


class News(msgspec.Struct, frozen=True):
    """The news of one action as it stands: the alternatives of its latest revision.

    `born` is, by rule, when it first made this news; `lines` are the actions that a summary tells; `summary` names the summary
    that told this action; `missed`: some chat did not hear of it in time.
    """

    key: AlertKey
    seq: int
    state: State
    candidates: tuple[Alert, ...]
    born: Mapping[str, float] = {}
    lines: tuple[str, ...] = ()
    missed: bool = False
    summary: str = ""
    rank: int = 0
    put_at: float = 0.0
    """When this revision was committed, in seconds since 1970; 0 where that is not known."""

    @property
    def extra(self) -> bool:
        """Tell whether it shows how a match stands, and not what happened: a match card or a picture."""
        return self.candidates[0].kind in EXTRAS

    @property
    def fired(self) -> tuple[Alert, ...]:
        """The alternatives that rules made of this revision: neither taken back nor only for those told before."""
        return tuple(a for a in self.candidates if not a.follow_up and a.state is not State.RETRACTED)

    @property
    def because(self) -> dict[str, tuple[Compared, ...]]:
        """By rule, what its conditions compared when it was asked last."""
        return {rule: compared for alert in self.candidates for rule, compared in alert.because.items()}


class Entry(msgspec.Struct, frozen=True):
    """What one chat has seen of one action.

    `message_id` is None until it was told, and 0 where the message can no longer be reached. Everything from `rule` to `restored`
    is what was told last. `reply` is a reply that is still to be sent; of a summary, `rule` lists the actions it tells.
    """

    key: AlertKey
    ref: ChatRef
    status: Status = Status.WAITING
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
    """A line for each revision that the chat has seen, as bot/outbox/seen.py writes and reads them."""
    pin: Pin = Pin.NONE
    """Of a match card: where its pin stands."""
    sent: int = 0
    """Of a match card: how often it was sent; one that somebody deleted is sent anew, once."""
    unsure: bool = False
    """It has left, and nobody knows whether it arrived; all else is what the chat has seen if it did."""

    @property
    def told(self) -> bool:
        """Tell whether the chat has seen anything of it."""
        return self.message_id is not None


def at_once(entry: Entry) -> bool:
    """Tell whether more is to be done for it at once: a reply to be sent, a card to be pinned or unpinned."""
    return entry.reply is not None or entry.pin in (Pin.DUE, Pin.OFF)


class Ticket(msgspec.Struct, frozen=True):
    """One entry that waits: enough to put it in order without reading it."""

    key: AlertKey
    ref: ChatRef
    rank: int
    seq: int
    due_at: float


class Job(msgspec.Struct, frozen=True):
    """One entry with all that decides what is sent now.

    `superseded`: the chat was told of the action that this news disallows. `lines` are the news of a summary's actions that the
    chat was not told.
    """

    entry: Entry
    news: News
    chat: Chat
    superseded: bool = False
    lines: tuple[News, ...] = ()
    rings: bool = False
    """Of a burst: some of what was held for the chat rings."""


class Sight(msgspec.Struct, frozen=True):
    """What a chat has seen now; `delay` is the chat's, in seconds."""

    entry: Entry
    delay: int = 0
