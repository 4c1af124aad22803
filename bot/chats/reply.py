"""What a dialogue is given and what it answers: values only, so that dialogues are pure functions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Protocol

import msgspec

from bot.chats.guide import Guide
from bot.store.model import Chat, Subscription
from rules.match import Match


class Button(msgspec.Struct, frozen=True):
    """An inline button; `data` is at most 64 bytes."""

    label: str
    data: str


Row = tuple[Button, ...]


class Reply(msgspec.Struct, frozen=True):
    """A message to send, or to put in the place of the one whose button was pressed."""

    html: str
    rows: tuple[Row, ...] = ()
    picture: Match | None = None
    """The match whose picture stands above the words."""
    hidden: bool = False
    """True: the picture is covered until it is tapped."""


class Follow(msgspec.Struct, frozen=True):
    """Store a subscription of the chat."""

    subscription: Subscription


class Unfollow(msgspec.Struct, frozen=True):
    """Remove a subscription of the chat."""

    subscription: Subscription


class Settle(msgspec.Struct, frozen=True):
    """Store the chat's settings."""

    chat: Chat


class Tune(msgspec.Struct, frozen=True):
    """Store the taste of one of the chat's subscriptions."""

    subscription: Subscription


class Sample(msgspec.Struct, frozen=True):
    """Send the chat a sample alert, after its delay in seconds."""

    delay: int = 0


Change = Follow | Unfollow | Settle | Tune | Sample


class Turn(msgspec.Struct, frozen=True):
    """What is to be stored and what is to be answered."""

    reply: Reply
    changes: tuple[Change, ...] = ()

    @property
    def settles(self) -> bool:
        """Tell whether it changes what the chat follows or how it hears."""
        return any(not isinstance(change, Sample) for change in self.changes)

    @property
    def followed(self) -> tuple[Subscription, ...]:
        """What is newly followed."""
        return tuple(change.subscription for change in self.changes if isinstance(change, Follow))

    @property
    def stopped(self) -> tuple[Subscription, ...]:
        """What is not followed any more."""
        return tuple(change.subscription for change in self.changes if isinstance(change, Unfollow))


class Scores(Protocol):
    """Who knows how a match stands."""

    def match(self, fixture_id: str) -> Match | None:
        """The match in play or played; None when nothing is known of it."""
        ...


class View(msgspec.Struct, frozen=True):
    """Everything that a dialogue may look at: the chat, what it follows, the fixtures, the kinds on offer, the time."""

    chat: Chat
    subscriptions: tuple[Subscription, ...]
    guide: Guide
    kinds: tuple[str, ...]
    now: dt.datetime
    scores: Scores
    theirs: str = ""
    """The language of the Telegram of who speaks; empty where nobody does."""

    def follows(self, keys: Sequence[Subscription]) -> tuple[Subscription, ...]:
        """Those of the chat's subscriptions that are one of these, by scope and key."""
        wanted = {(s.scope, s.key) for s in keys}
        return tuple(s for s in self.subscriptions if (s.scope, s.key) in wanted)
