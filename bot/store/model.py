"""What the database keeps, as values: chats, their settings, their subscriptions."""

from __future__ import annotations

import datetime as dt
import enum

import msgspec

from bot.store.quiet import Quiet
from bot.store.taste import AS_CHAT, Taste
from rules.action import Fixture
from rules.alert import EXTRAS, KINDS
from rules.fold import fold

DEFAULT_KINDS = frozenset({"goal", "red_card", "shootout", "full_time", "status"})
"""The shipped kinds that a chat hears unless it says otherwise. A kind that an operator's own rule invented is heard too."""

GOAL = "goal"
"""The one kind of who wants scorers alone."""
_HOLD, _STEP = 15.0, 5.0
"""Seconds that news is held at most after a message, ending at full steps so that chats share what they are told."""


class ChatRef(msgspec.Struct, frozen=True, order=True):
    """A chat, or one topic of a forum; topic 0 is the chat itself."""

    chat_id: int
    topic: int = 0


class Scope(enum.StrEnum):
    """How wide a subscription is."""

    ALL = "all"
    TEAM = "team"
    COMPETITION = "competition"
    MATCH = "match"


class Subscription(msgspec.Struct, frozen=True):
    """What a chat follows. `key` is the feed's id, or `~` and the folded name where only a name is known; empty for all."""

    scope: Scope
    key: str = ""
    name: str = ""
    taste: Taste = AS_CHAT


class Chat(msgspec.Struct, frozen=True):
    """A chat and its settings. `all_kinds` outweighs the two sets; `delay` is in seconds."""

    ref: ChatRef
    kind: str = "private"
    """Telegram's word: private, group, supergroup, channel."""
    title: str = ""
    active: bool = True
    all_kinds: bool = False
    kinds_on: frozenset[str] = frozenset()
    kinds_off: frozenset[str] = frozenset()
    language: str = ""
    """A code of `bot.languages`; empty: none is known yet, and English is spoken."""
    language_chosen: bool = False
    """True: by /language or the configuration; else it was learnt from the Telegram of who speaks there."""
    timezone: str = "UTC"
    delay: int = 0
    muted_until: dt.datetime | None = None
    muted_matches: frozenset[str] = frozenset()
    """Fixture ids of matches of which nothing new is told; each is let go once its match is over."""
    buttons: bool = True
    """True: a button under each alert opens its mutes."""
    spoilers: bool = False
    """True: what happened is behind Telegram's spoiler text."""
    bursts: bool = False
    """True: news of several matches at once comes in one message."""
    burst_at: float | None = None
    """When its last message left, or the next with several matches will, in seconds since 1970; None: not kept."""
    scorers: bool = False
    """True: of goals alone it hears, and of each once its scorer is named."""
    tasted: bool = False
    """True: some subscription has a taste of its own; the store keeps it in step."""
    quiet: Quiet | None = None
    ring: frozenset[str] = frozenset()
    """Kinds that always ring, whatever an alert's own importance says."""
    silent: frozenset[str] = frozenset()
    """Kinds that always come silently."""
    waits: bool = False
    """True: nothing is told before it is confirmed."""
    fixed: bool = False
    """True: it stands in the configuration, and commands do not change its subscriptions."""
    exactly: frozenset[str] | None = None
    """Of one subscription: the kinds that it hears, in the place of all that chooses kinds; never stored."""
    ears: tuple[Chat, ...] = ()
    """The chat as each subscription for one match hears it, together all that is heard; empty: as it stands; never stored."""

    def hushed(self, now: dt.datetime) -> bool:
        """Tell whether nothing may ring now."""
        return self.quiet is not None and self.quiet.until(now, self.timezone) is not None

    def held_until(self, now: dt.datetime) -> dt.datetime | None:
        """When news that comes now is summarised; None where it need not wait."""
        return self.quiet.until(now, self.timezone) if self.quiet and self.quiet.hold else None

    def burst_end(self, now: float) -> float | None:
        """When news that comes now is told together with other news; None where it is told at once. Seconds since 1970."""
        if not self.bursts or self.burst_at is None:
            return None
        end = self.burst_at if now < self.burst_at else (self.burst_at + _HOLD) // _STEP * _STEP
        return end if now < end else None

    def sounds(self, kind: str, *, important: bool) -> bool:
        """Tell whether news of this kind rings here; `important` is what the alert itself says."""
        if self.ears:
            return any(ear.takes(kind) and ear.sounds(kind, important=important) for ear in self.ears)
        return kind in self.ring or (important and kind not in self.silent)

    def takes(self, kind: str) -> bool:
        """Tell whether the chat wants alerts of this kind; extras are in nobody's "everything"."""
        if kind in EXTRAS:
            return kind in self.kinds_on
        if self.ears:
            return any(ear.takes(kind) for ear in self.ears)
        if self.scorers:
            return kind == GOAL
        if self.exactly is not None:
            return kind in self.exactly
        if self.all_kinds or kind in self.kinds_on:
            return True
        return kind not in self.kinds_off and (kind in DEFAULT_KINDS or kind not in KINDS)

    def ready(self, kind: str, *, confirmed: bool, named: bool) -> bool:
        """Tell whether news of a kind that the chat takes is told as it is: confirmed or not, its player named or not."""
        if self.ears and kind not in EXTRAS:
            return any(ear.takes(kind) and ear.ready(kind, confirmed=confirmed, named=named) for ear in self.ears)
        return (confirmed or not self.waits) and (named or not self.scorers or kind != GOAL)


def named(name: str) -> str:
    """The key of something known by its name alone."""
    return f"~{fold(name)}"


def keys_of(fixture: Fixture) -> frozenset[tuple[Scope, str]]:
    """Every (scope, key) by which a subscription covers the fixture; both the ids and the names."""
    teams = (fixture.home, fixture.away)
    keys = {(Scope.ALL, ""), (Scope.MATCH, fixture.id), (Scope.MATCH, named(fixture.title))}
    keys |= {(Scope.TEAM, key) for team in teams for key in (team.id, named(team.name)) if key.strip("~")}
    competition = fixture.competition
    keys |= {(Scope.COMPETITION, key) for key in (competition.id, named(competition.name)) if key.strip("~")}
    return frozenset(keys)


def covers(subscription: Subscription, fixture: Fixture) -> bool:
    """Tell whether the subscription asks for this fixture."""
    return (subscription.scope, subscription.key) in keys_of(fixture)
