"""Who is told, as values: chats, subscriptions, what each wants and when."""

from __future__ import annotations

import datetime as dt
import enum
import re
from collections.abc import Sequence
from functools import lru_cache

import msgspec
from msgspec.structs import replace

from bot.clock import find_zone
from rules.engine.alert import LIVE_MESSAGE_KINDS, SHIPPED_KINDS
from rules.football.action import Fixture
from rules.football.names import normalise

DEFAULT_KINDS = frozenset({"goal", "red_card", "shootout", "full_time", "status"})
"""The shipped kinds that a chat hears unless it says otherwise. A kind that an operator's own rule invented is heard too."""

GOAL_KIND = "goal"
"""The one kind of who wants scorers alone."""

_BURST_HOLD_TIME, _BURST_STEP = 15.0, 5.0
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


class SubscriptionOverrides(msgspec.Struct, frozen=True, omit_defaults=True):
    """The settings that a subscription has of its own; where it has none it is as its chat.

    `kinds` are exactly those that it hears; `ring` and `silent` outweigh the chat's; `waits` and `scorers` are as of a chat. None
    means: as the chat.
    """

    kinds: frozenset[str] | None = None
    ring: frozenset[str] = frozenset()
    silent: frozenset[str] = frozenset()
    waits: bool | None = None
    scorers: bool | None = None

    @property
    def own(self) -> bool:
        """Tell whether anything is other than in the chat."""
        return self != NO_OVERRIDES


NO_OVERRIDES = SubscriptionOverrides()


class Subscription(msgspec.Struct, frozen=True):
    """What a chat follows. `key` is the feed's id, or `~` and the folded name where only a name is known; empty for all."""

    scope: Scope
    key: str = ""
    name: str = ""
    taste: SubscriptionOverrides = NO_OVERRIDES


class QuietHours(msgspec.Struct, frozen=True):
    """From `start` to `end`, in minutes after midnight; with `hold`, news is not sent but summarised at the end."""

    start: int
    end: int
    hold: bool = False

    def __str__(self) -> str:
        return f"{_format_minute(self.start)}-{_format_minute(self.end)} {'hold' if self.hold else 'silent'}"

    def until(self, now: dt.datetime, timezone: str) -> dt.datetime | None:
        """When the quiet hours that it is now end; None outside of them."""
        here = now.astimezone(find_zone(timezone))
        minute = here.hour * 60 + here.minute
        today = self.start <= minute < self.end
        tonight = self.start > self.end and (minute >= self.start or minute < self.end)
        if not today and not tonight:
            return None
        day = here.date() + dt.timedelta(days=1 if minute >= self.end else 0)
        return dt.datetime.combine(day, dt.time(self.end // 60, self.end % 60), here.tzinfo).astimezone(dt.UTC)


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
    quiet: QuietHours | None = None
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
        end = self.burst_at if now < self.burst_at else (self.burst_at + _BURST_HOLD_TIME) // _BURST_STEP * _BURST_STEP
        return end if now < end else None

    def sounds(self, kind: str, *, important: bool) -> bool:
        """Tell whether news of this kind rings here; `important` is what the alert itself says."""
        if self.ears:
            return any(ear.takes(kind) and ear.sounds(kind, important=important) for ear in self.ears)
        return kind in self.ring or (important and kind not in self.silent)

    def takes(self, kind: str) -> bool:
        """Tell whether the chat wants alerts of this kind; extras are in nobody's "everything"."""
        if kind in LIVE_MESSAGE_KINDS:
            return kind in self.kinds_on
        if self.ears:
            return any(ear.takes(kind) for ear in self.ears)
        if self.scorers:
            return kind == GOAL_KIND
        if self.exactly is not None:
            return kind in self.exactly
        if self.all_kinds or kind in self.kinds_on:
            return True
        return kind not in self.kinds_off and (kind in DEFAULT_KINDS or kind not in SHIPPED_KINDS)

    def ready(self, kind: str, *, confirmed: bool, named: bool) -> bool:
        """Tell whether news of a kind that the chat takes is told as it is: confirmed or not, its player named or not."""
        if self.ears and kind not in LIVE_MESSAGE_KINDS:
            return any(ear.takes(kind) and ear.ready(kind, confirmed=confirmed, named=named) for ear in self.ears)
        return (confirmed or not self.waits) and (named or not self.scorers or kind != GOAL_KIND)


def make_name_key(name: str) -> str:
    """The key of something known by its name alone."""
    return f"~{normalise(name)}"


def list_subscription_keys(fixture: Fixture) -> frozenset[tuple[Scope, str]]:
    """Every (scope, key) by which a subscription covers the fixture; both the ids and the names."""
    teams = (fixture.home, fixture.away)
    keys = {(Scope.ALL, ""), (Scope.MATCH, fixture.id), (Scope.MATCH, make_name_key(fixture.title))}
    keys |= {(Scope.TEAM, key) for team in teams for key in (team.id, make_name_key(team.name)) if key.strip("~")}
    competition = fixture.competition
    keys |= {(Scope.COMPETITION, key) for key in (competition.id, make_name_key(competition.name)) if key.strip("~")}
    return frozenset(keys)


def covers(subscription: Subscription, fixture: Fixture) -> bool:
    """Tell whether the subscription asks for this fixture."""
    return (subscription.scope, subscription.key) in list_subscription_keys(fixture)


_OVERRIDES_DECODER = msgspec.json.Decoder(SubscriptionOverrides)


def format_overrides(taste: SubscriptionOverrides) -> str:
    """A taste as the store keeps it; empty where it is as the chat."""
    return msgspec.json.encode(taste, order="deterministic").decode() if taste.own else ""


@lru_cache(maxsize=1024)
def parse_overrides(text: str) -> SubscriptionOverrides:
    """A taste from the store."""
    return _OVERRIDES_DECODER.decode(text) if text else NO_OVERRIDES


def apply_overrides(chat: Chat, taste: SubscriptionOverrides) -> Chat:
    """The chat as one of its subscriptions hears."""
    return replace(
        chat,
        exactly=chat.exactly if taste.kinds is None else taste.kinds,
        ring=(chat.ring - taste.silent) | taste.ring,
        silent=(chat.silent - taste.ring) | taste.silent,
        waits=chat.waits if taste.waits is None else taste.waits,
        scorers=_wants_scorers_only(chat, taste),
    )


def combine_overrides(chat: Chat, tastes: Sequence[SubscriptionOverrides]) -> Chat:
    """The chat as it hears a match that subscriptions with these tastes cover: what any of them hears, as loudly as any does."""
    if not any(taste.own for taste in tastes):
        return chat
    return replace(chat, ears=tuple(apply_overrides(chat, taste) for taste in tastes))


def _wants_scorers_only(chat: Chat, taste: SubscriptionOverrides) -> bool:
    """Kinds of its own are what a subscription hears, whatever the chat is kept to."""
    return (chat.scorers and taste.kinds is None) if taste.scorers is None else taste.scorers


_SPAN_PATTERN = re.compile(r"([01]?\d|2[0-3])[:.]([0-5]\d)\s*[-–]\s*([01]?\d|2[0-3])[:.]([0-5]\d)")


def parse_quiet_hours(text: str) -> QuietHours | None:
    """Read `23:00-07:00 hold`; None where it is not such a span. Without a word, news is silent."""
    span = _SPAN_PATTERN.match(text.strip())
    word = text.strip()[span.end() :].strip().casefold() if span else ""
    if span is None or word not in ("", "silent", "hold"):
        return None
    start, end = int(span[1]) * 60 + int(span[2]), int(span[3]) * 60 + int(span[4])
    return QuietHours(start, end, word == "hold") if start != end else None


def _format_minute(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"
