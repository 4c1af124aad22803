"""Who gets alerts, as values: chats with their settings, what they follow, and which alerts they want.

Start at `Chat`. Nothing here reads a database or a clock: `now` is always passed in.
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Sequence
from functools import lru_cache

import msgspec
from msgspec.structs import replace

from bot.quiet_hours import QuietHours
from rules.engine.alert import DEFAULT_KINDS, LIVE_MESSAGE_KINDS, SHIPPED_KINDS, Alert, Importance
from rules.football.action import Fixture, Team
from rules.football.names import normalise

GOAL_KIND = "goal"
"""The only kind that a chat with `scorers_only` gets."""

# A busy evening would otherwise bring a chat a message every few seconds. 15 s is the longest that an alert waits for others.
# Windows end at full 5 s, so that chats whose windows began at different times share the same digest text.
_DIGEST_WINDOW, _DIGEST_STEP = 15.0, 5.0

# Streams lag by a minute or two. A longer delay is a typing mistake, and the chat would seem dead.
MAX_DELAY = 300
"""The longest delay of a chat, in seconds."""

_MAX_MUTE_OFFERS = 20
"""More matches than a chat follows at one time on a busy evening."""


class ChatRef(msgspec.Struct, frozen=True, order=True):
    """A chat, or one topic of a forum; topic 0 is the chat itself."""

    chat_id: int
    topic: int = 0


NO_CHAT = ChatRef(0)
"""Stands for any chat where it does not matter which: no chat has this id."""


class Scope(enum.StrEnum):
    """How wide a subscription is."""

    ALL = "all"
    TEAM = "team"
    COMPETITION = "competition"
    MATCH = "match"


class CardForm(enum.StrEnum):
    """What a chat's match cards are. The values are stored, and stand in the data of buttons."""

    TEXT = "text"
    PICTURE = "picture"
    RICH = "rich"
    """Telegram's rich message: a table and collapsed details. Apps that are older than 2026 cannot show it."""


class SubscriptionOverrides(msgspec.Struct, frozen=True, omit_defaults=True):
    """The settings in which a subscription differs from its chat. None means: as the chat.

    Stored as JSON under the names given by `field(name=...)`, which must not change: other versions read them too.
    """

    kinds: frozenset[str] | None = None
    """Exactly the kinds that this subscription brings."""
    loud: frozenset[str] = msgspec.field(default=frozenset(), name="ring")
    """Kinds that are loud here whatever the chat says; `silent` likewise."""
    silent: frozenset[str] = frozenset()
    confirmed_only: bool | None = msgspec.field(default=None, name="waits")
    scorers_only: bool | None = msgspec.field(default=None, name="scorers")

    @property
    def has_any(self) -> bool:
        """Return True if any setting differs from the chat's."""
        return self != NO_OVERRIDES


NO_OVERRIDES = SubscriptionOverrides()


class AlertFilter(msgspec.Struct, frozen=True):
    """Which alerts are wanted, which of them are loud, and how much of each must be known before it is sent."""

    all_kinds: bool = False
    """True outweighs `kinds_on` and `kinds_off`."""
    kinds_on: frozenset[str] = frozenset()
    kinds_off: frozenset[str] = frozenset()
    loud: frozenset[str] = frozenset()
    """Kinds that are always loud, whatever the importance of an alert."""
    silent: frozenset[str] = frozenset()
    confirmed_only: bool = False
    """True: an alert is sent once the feed has confirmed its action."""
    scorers_only: bool = False
    """True: only goals are sent, each once its scorer is named."""
    # kinds_on and kinds_off cannot say "exactly these": a kind that an operator invents later is on by default.
    only_kinds: frozenset[str] | None = None
    """Exactly these kinds, from the overrides of a subscription; None for a chat's own filter. Never stored."""

    def accepts(self, kind: str) -> bool:
        """Return True if alerts of this kind are wanted. "All kinds" does not include match cards and pictures."""
        if kind in LIVE_MESSAGE_KINDS:
            return kind in self.kinds_on
        # Checked before the kinds: such a chat wants only goals, whatever kinds it had switched on before.
        if self.scorers_only:
            return kind == GOAL_KIND
        if self.only_kinds is not None:
            return kind in self.only_kinds
        if self.all_kinds or kind in self.kinds_on:
            return True
        return kind not in self.kinds_off and (kind in DEFAULT_KINDS or kind not in SHIPPED_KINDS)

    def is_loud(self, kind: str, *, important: bool) -> bool:
        """Return True if an alert of this kind makes a sound. `important` is what the alert itself says."""
        return kind in self.loud or (important and kind not in self.silent)

    def is_ready(self, kind: str, *, confirmed: bool, named: bool) -> bool:
        """Return True if an alert of an accepted kind may be sent as it is: confirmed or not, its player named or not."""
        return (confirmed or not self.confirmed_only) and (named or not self.scorers_only or kind != GOAL_KIND)

    def with_overrides(self, overrides: SubscriptionOverrides) -> AlertFilter:
        """Return the filter of one subscription: the chat's, changed where the subscription says otherwise."""
        scorers_only = overrides.scorers_only
        if scorers_only is None:
            # A subscription that names its kinds gets these, even in a chat that otherwise gets scorers only.
            scorers_only = self.scorers_only and overrides.kinds is None
        return replace(
            self,
            only_kinds=self.only_kinds if overrides.kinds is None else overrides.kinds,
            loud=(self.loud - overrides.silent) | overrides.loud,
            silent=(self.silent - overrides.loud) | overrides.silent,
            confirmed_only=self.confirmed_only if overrides.confirmed_only is None else overrides.confirmed_only,
            scorers_only=scorers_only,
        )


class Subscription(msgspec.Struct, frozen=True):
    """One thing that a chat follows.

    `key` is the feed's id of the team, competition or match. If only its name is known, it is `~` and the normalised name. It is
    empty for `Scope.ALL`.
    """

    scope: Scope
    key: str = ""
    name: str = ""
    overrides: SubscriptionOverrides = NO_OVERRIDES

    def covers(self, fixture: Fixture) -> bool:
        """Return True if the subscription includes this fixture."""
        # As `list_subscription_keys` says it, and without listing the keys of the other scopes: a screen asks it of thousands.
        if self.scope is Scope.ALL:
            return self.key == ""
        if self.scope is Scope.MATCH:
            return self.key in (fixture.id, make_name_key(fixture.title))
        named = (fixture.home, fixture.away) if self.scope is Scope.TEAM else (fixture.competition,)
        return bool(self.key.strip("~")) and any(self.key in (one.id, make_name_key(one.name)) for one in named)


class MatchMute(msgspec.Struct, frozen=True):
    """A match that is muted for a while only."""

    fixture_id: str
    until: dt.datetime


class MuteOffer(msgspec.Struct, frozen=True):
    """The mute options that stand open under one alert of a busy match, offered once a match."""

    fixture_id: str
    action_id: str = ""
    """The alert under which they stand; empty once somebody has used or closed them."""
    kinds: tuple[str, ...] = ()
    """The kinds that came most."""


class Mentions(msgspec.Struct, frozen=True, array_like=True):
    """Who asked to be mentioned in a match. It is stored."""

    fixture_id: str
    people: tuple[tuple[int, str], ...] = ()
    """Each with the number and the name that Telegram gives, in the order in which they asked."""


class Chat(msgspec.Struct, frozen=True):
    """A chat, or a topic of a forum, and its settings."""

    ref: ChatRef
    type: str = "private"
    """Telegram's word: private, group, supergroup, channel."""
    title: str = ""
    is_active: bool = True
    """False: suspended, because the bot cannot write there any more. Settings and subscriptions are kept."""
    filter: AlertFilter = AlertFilter()
    language: str = ""
    """A code of `bot.i18n.language.CHOICES`; empty: none is known yet, and English is used."""
    language_chosen: bool = False
    """True: chosen by /language or the configuration. False: taken from the Telegram app of somebody who writes there."""
    timezone: str = "UTC"
    """UTC: nobody has chosen one yet. Who chooses UTC itself gets `Etc/UTC`."""
    delay: int = 0
    """Seconds by which alerts are sent later, for chats that watch a delayed broadcast."""
    muted_until: dt.datetime | None = None
    muted_matches: frozenset[str] = frozenset()
    """Fixture ids. Alerts of these matches are not sent; an id is removed some time after its match is over."""
    match_mutes: tuple[MatchMute, ...] = ()
    """Matches that are muted for a while only; one whose time has passed has no effect."""
    mute_button: bool = True
    """True: a button under each alert opens the mute options."""
    mute_offers: tuple[MuteOffer, ...] = ()
    """The latest matches of which so much came that the mute options were opened."""
    spoilers: bool = False
    """True: what happened is hidden behind Telegram's spoiler effect."""
    digests: bool = False
    """True: alerts of several matches that come within seconds are sent as one message."""
    digest_window_at: float | None = None
    """When the last message left, or when the next digest will, in seconds since 1970; None: no message is known."""
    has_overrides: bool = False
    """True: some subscription has overrides. Kept by the database, so that chats without any cost no further query."""
    quiet_hours: QuietHours | None = None
    is_configured: bool = False
    """True: the chat stands in config.yaml, and commands do not change what it follows."""
    unfollowed: tuple[Subscription, ...] = ()
    """What the chat followed before its last /stop, until that is undone."""
    username: str = ""
    """The public name of a channel, without the @; empty: it has none, or none is known."""
    managed_channel: int | None = None
    """The channel that the user of this private chat is setting up; None for no channel."""
    managed_until: dt.datetime | None = None
    """Until when what is written in the private chat is for that channel."""
    pins_cards: bool = True
    """True: a match card is pinned while its match is played, if the bot has the right."""
    card_form: CardForm = CardForm.TEXT
    mentions: bool = False
    """True: of a group whose administrators let its members ask to be mentioned."""
    mentioned: tuple[Mentions, ...] = ()
    """Who has asked, for the latest matches."""

    def without_identity(self) -> Chat:
        """Return the chat without what tells it from others with the same settings."""
        # The window counts only where alerts are collected.
        window_at = self.digest_window_at if self.digests else None
        return replace(self, ref=NO_CHAT, title="", username="", digest_window_at=window_at)

    def list_muted_matches(self, now: dt.datetime) -> frozenset[str]:
        """Return the ids of the matches that are muted now."""
        if not self.match_mutes:
            return self.muted_matches
        return self.muted_matches | {one.fixture_id for one in self.match_mutes if now < one.until}

    def with_muted_match(self, fixture_id: str, until: dt.datetime | None = None) -> Chat:
        """Return the chat with a match muted: until then, or with None until it is over."""
        chat = self.without_muted_match(fixture_id)
        if until is None:
            return replace(chat, muted_matches=chat.muted_matches | {fixture_id})
        return replace(chat, match_mutes=(*chat.match_mutes, MatchMute(fixture_id, until)))

    def without_muted_match(self, fixture_id: str) -> Chat:
        """Return the chat with a match unmuted."""
        others = tuple(one for one in self.match_mutes if one.fixture_id != fixture_id)
        return replace(self, muted_matches=self.muted_matches - {fixture_id}, match_mutes=others)

    def list_mentioned(self, fixture_id: str) -> tuple[tuple[int, str], ...]:
        """Return who asked to be mentioned in a match."""
        return next((one.people for one in self.mentioned if one.fixture_id == fixture_id), ())

    def find_managed_channel(self, now: dt.datetime) -> int | None:
        """Return the channel that what is written in this private chat is for; None: it is for the chat itself."""
        return self.managed_channel if self.managed_until is not None and now < self.managed_until else None

    @property
    def has_timezone(self) -> bool:
        """True if somebody has chosen the time zone."""
        return self.timezone != "UTC"

    def find_mute_offer(self, fixture_id: str) -> MuteOffer | None:
        """Return the offer that was made for a match; None if there was none."""
        return next((offer for offer in self.mute_offers if offer.fixture_id == fixture_id), None)

    def with_mute_offer(self, offer: MuteOffer) -> Chat:
        """Return the chat with the offer of a match, new or changed."""
        others = [one for one in self.mute_offers if one.fixture_id != offer.fixture_id]
        # The oldest are of matches that are long over: nobody has to tidy up.
        return replace(self, mute_offers=(*others, offer)[-_MAX_MUTE_OFFERS:])

    def is_quiet(self, now: dt.datetime) -> bool:
        """Return True if the chat is in its quiet hours."""
        return self.quiet_hours is not None and self.quiet_hours.ends_at(now, self.timezone) is not None

    def quiet_hold_ends_at(self, now: dt.datetime) -> dt.datetime | None:
        """Return when an alert that comes now is sent in the digest of the quiet hours; None if it is not held."""
        if self.quiet_hours is None or not self.quiet_hours.holds_alerts:
            return None
        return self.quiet_hours.ends_at(now, self.timezone)

    def digest_window_ends_at(self, now: float) -> float | None:
        """Return when an alert that comes now is sent together with others; None if it is sent at once. Seconds since 1970."""
        if not self.digests or self.digest_window_at is None:
            return None
        if now < self.digest_window_at:
            return self.digest_window_at  # a digest is due already, and this alert joins it
        end = (self.digest_window_at + _DIGEST_WINDOW) // _DIGEST_STEP * _DIGEST_STEP
        return end if now < end else None


class Recipient(msgspec.Struct, frozen=True):
    """A chat as it wants one match: with the filters of those of its subscriptions that cover the match.

    `filters` is empty if none of them has overrides: then the chat's own filter decides. Otherwise an alert is sent if any filter
    accepts it, loud if one of these says so, and as early as one of these allows. Match cards and pictures depend on the chat
    alone, because a chat has one card for a match however many subscriptions cover it.
    """

    chat: Chat
    filters: tuple[AlertFilter, ...] = ()

    @classmethod
    def of(cls, chat: Chat, overrides: Sequence[SubscriptionOverrides] = ()) -> Recipient:
        """Make it from the overrides of every subscription that covers the match."""
        # With overrides in one subscription the others count too: each of them brings what the chat's own filter accepts.
        if not any(own.has_any for own in overrides):
            return cls(chat)
        return cls(chat, tuple(chat.filter.with_overrides(own) for own in overrides))

    def accepts(self, kind: str) -> bool:
        """Return True if alerts of this kind are wanted."""
        if not self.filters or kind in LIVE_MESSAGE_KINDS:
            return self.chat.filter.accepts(kind)
        return any(own.accepts(kind) for own in self.filters)

    def is_loud(self, kind: str, *, important: bool) -> bool:
        """Return True if an alert of this kind makes a sound. `important` is what the alert itself says."""
        if not self.filters:
            return self.chat.filter.is_loud(kind, important=important)
        # Only subscriptions that accept the kind count: another one may make it loud without accepting it.
        return any(own.accepts(kind) and own.is_loud(kind, important=important) for own in self.filters)

    def is_alert_loud(self, alert: Alert) -> bool:
        """Return True if the alert makes a sound in this chat: never one of an action that the feed collected offline."""
        return not alert.is_delayed and self.is_loud(alert.kind, important=alert.importance is Importance.MAJOR)

    def is_ready(self, kind: str, *, confirmed: bool, named: bool) -> bool:
        """Return True if an alert of an accepted kind may be sent as it is: confirmed or not, its player named or not."""
        if not self.filters or kind in LIVE_MESSAGE_KINDS:
            return self.chat.filter.is_ready(kind, confirmed=confirmed, named=named)
        return any(own.accepts(kind) and own.is_ready(kind, confirmed=confirmed, named=named) for own in self.filters)


def list_subscription_keys(fixture: Fixture) -> frozenset[tuple[Scope, str]]:
    """List every (scope, key) by which a subscription covers the fixture, by ids and by names."""
    teams, competition = (fixture.home, fixture.away), fixture.competition
    keys = {(Scope.ALL, ""), (Scope.MATCH, fixture.id), (Scope.MATCH, make_name_key(fixture.title))}
    # A team or competition that is not known yet has neither id nor name: an empty key would cover every such fixture.
    keys |= {(Scope.TEAM, key) for team in teams for key in _list_keys(team)}
    keys |= {(Scope.COMPETITION, key) for key in _list_keys(competition)}
    return frozenset(keys)


def _list_keys(one: Team) -> tuple[str, ...]:
    """Return the keys of a team or competition: its id, its name, and the name that tells it from others of that name."""
    # By name too: a team may have been known by its name alone when the chat subscribed.
    keys = (one.id, make_name_key(one.name), make_name_key(one.qualified_name))
    return tuple(key for key in keys if key.strip("~"))


def make_name_key(name: str) -> str:
    """Make the subscription key of something known by its name alone."""
    return f"~{normalise(name)}"


_OVERRIDES_DECODER = msgspec.json.Decoder(SubscriptionOverrides)


def format_overrides(overrides: SubscriptionOverrides) -> str:
    """Format overrides as they are stored: JSON; empty if there are none."""
    return msgspec.json.encode(overrides, order="deterministic").decode() if overrides.has_any else ""


# Many chats have the same few overrides, and each page of a fan-out parses them again.
@lru_cache(maxsize=1024)
def parse_overrides(text: str) -> SubscriptionOverrides:
    """Read stored overrides. What cannot be read counts as none."""
    try:
        return _OVERRIDES_DECODER.decode(text) if text else NO_OVERRIDES
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return NO_OVERRIDES
