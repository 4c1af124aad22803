"""The values that a feature is given and that it answers with; buttons and pages."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, TypeVar

import msgspec
from msgspec.structs import replace
from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from bot.chat import texts
from bot.chat.search.catalogue import Choice, FollowableCatalogue, has_ended, make_short_id
from bot.i18n.language import format_until
from bot.i18n.shorten import shorten_names, text_length
from bot.storage.chats import ChangeChat
from bot.storage.subscriptions import ChangeOverrides
from bot.subscribers import AlertFilter, Chat, Scope, Subscription
from rules.engine.alert import LIVE_MESSAGE_KINDS
from rules.football.action import Fixture
from rules.football.match import Match
from rules.football.names import isolate

# About as many as a phone shows above the keyboard without scrolling.
BUTTONS_PER_PAGE = 8

LABEL_WIDTHS = {1: 34, 2: 19}
"""UTF-16 units of a label that a phone shows, by the buttons in a row. A longer one has a row of its own."""

CHOSEN_SIGN = "✅"
"""Stands before the label of what is chosen."""

UNCHOSEN_SIGN = "✖"
"""Begins the note on a press that switched something off."""

T = TypeVar("T")


class ChatContext(msgspec.Struct, frozen=True):
    """Everything that a dialogue may look at."""

    chat: Chat
    subscriptions: tuple[Subscription, ...]
    catalogue: FollowableCatalogue
    kinds: tuple[str, ...]
    """The kinds of alerts on offer now."""
    now: dt.datetime
    find_match: Callable[[str], Match | None]
    """Returns the match in play or played of a fixture's id; None if nothing is known of it."""
    commands: tuple[tuple[str, str], ...] = ()
    """The commands of /help with their untranslated descriptions, in the order of the menu."""
    privacy_url: str = ""
    """The operator's page about privacy; empty if there is none."""
    may_change: bool = True
    """False for a member of a group, who may change nothing there."""
    user_language: str = ""
    """The language of the sender's Telegram app; empty if there is no sender, as in a channel."""
    max_matches: int | None = None
    """How many matches the bot follows at the same time; None if that is not limited."""
    held_back: Collection[str] = ()
    """The ids of matches that chats have chosen and that are not followed for now, since as many others are."""

    def find_subscriptions(self, keys: Sequence[Subscription]) -> tuple[Subscription, ...]:
        """Return the chat's subscriptions that have the scope and key of one of these."""
        # Not by equality: the stored subscription also has a name, which the feed may write another way today, and overrides.
        wanted = {(s.scope, s.key) for s in keys}
        return tuple(s for s in self.subscriptions if (s.scope, s.key) in wanted)

    def has_subscription(self, choice: Choice) -> bool:
        """Return True if the chat is subscribed to exactly this."""
        return bool(self.find_subscriptions(choice.matching_subscriptions))

    def is_covered(self, fixture: Fixture) -> bool:
        """Return True if any subscription of the chat covers the fixture."""
        return any(subscription.covers(fixture) for subscription in self.subscriptions)

    def is_muted(self, fixture_id: str) -> bool:
        """Return True if the chat has muted this match."""
        return fixture_id in self.chat.list_muted_matches(self.now)

    def is_in_play(self, fixture: Fixture) -> bool:
        """Return True if the match is in play."""
        # What the list of fixtures says counts where no process streams the match, and where its stream has brought nothing yet.
        is_listed = fixture.is_live and not has_ended(fixture, self.now)
        match = self.find_match(fixture.id)
        if match is None:
            return is_listed
        return (match.has_begun or is_listed) and not is_match_over(match)

    def format_until(self, until: dt.datetime) -> str:
        """Return `until 15:00` in the chat's time zone, with the day unless that is today."""
        return format_until(until, self.now, self.chat.timezone)

    @property
    def overridable_kinds(self) -> tuple[str, ...]:
        """The kinds that a subscription may override. Cards and pictures are one for each chat and match."""
        return tuple(kind for kind in self.kinds if kind not in LIVE_MESSAGE_KINDS)

    def find_kind(self, token: str) -> str | None:
        """Return the kind on offer that a button's token names; None if it is no longer on offer."""
        return next((kind for kind in self.kinds if make_short_id(kind) == token), None)


def is_match_over(match: Match) -> bool:
    """Return True if a match has ended or will not be played to its end. One that is suspended may go on, and is not over."""
    return bool(match.is_completed or match.ended_by or match.is_lost)


class Button(msgspec.Struct, frozen=True):
    """An inline button. `data` has at most 64 bytes and starts with the prefix of the feature that handles it."""

    label: str
    data: str
    style: str = ""
    """Its colour: `primary`, `success` or `danger`; empty: as the app draws buttons. At most one primary button a screen."""


ButtonRow = tuple[Button, ...]


class Screen(msgspec.Struct, frozen=True):
    """A message to send, or to show in place of the one whose button was pressed."""

    html: str
    buttons: tuple[ButtonRow, ...] = ()
    picture: Match | None = None
    """The match to draw; `html` is then the caption."""
    is_spoiler: bool = False
    """True: Telegram covers the picture until it is tapped."""
    redraw_data: str = ""
    """Button data from which the router draws the screen again if it had to wait: its scores may be old by then."""


class Subscribe(msgspec.Struct, frozen=True):
    """Store a subscription of the chat."""

    subscription: Subscription


class Unsubscribe(msgspec.Struct, frozen=True):
    """Remove a subscription of the chat."""

    subscription: Subscription


class UnfollowAll(msgspec.Struct, frozen=True):
    """Remove every subscription of the chat. They are kept with the chat, to be restored."""


class RestoreUnfollowed(msgspec.Struct, frozen=True):
    """Follow again, with their settings, what the last `UnfollowAll` removed."""


class EraseChat(msgspec.Struct, frozen=True):
    """Delete everything that is stored of the chat."""


class UpdateChat(msgspec.Struct, frozen=True):
    """Change settings of the chat."""

    # A function and not the changed chat: it is applied to the chat as it is stored when the change is written. The dialogue's
    # own copy may be old by then, and writing it would undo what another administrator changed meanwhile.
    change: ChangeChat


def set_settings(**settings: Any) -> UpdateChat:
    """Make the change that gives these fields of the chat these values."""
    return UpdateChat(lambda chat: replace(chat, **settings))


def update_filter(change: Callable[[AlertFilter], AlertFilter]) -> UpdateChat:
    """Make the change that applies a function to the chat's filter of alerts."""
    return UpdateChat(lambda chat: replace(chat, filter=change(chat.filter)))


class UpdateSubscription(msgspec.Struct, frozen=True):
    """Change the overrides of one of the chat's subscriptions. As with `UpdateChat`, those that are stored are changed."""

    subscription: Subscription
    change: ChangeOverrides


class SendSample(msgspec.Struct, frozen=True):
    """Send the chat a sample alert, after its delay in seconds."""

    delay: int = 0


Change = Subscribe | Unsubscribe | UnfollowAll | RestoreUnfollowed | EraseChat | UpdateChat | UpdateSubscription | SendSample


class DialogueResult(msgspec.Struct, frozen=True):
    """What to store and what to answer."""

    screen: Screen
    changes: tuple[Change, ...] = ()
    note: str = ""
    """Plain text that Telegram shows for a moment when a button was pressed. Empty: nothing is shown."""
    starts_cards: bool = False
    """True: match cards were off and are on now, so the chat is asked about pinning them."""
    searches_season: bool = False
    """True: what was typed is not a whole name in the current list, and may be that of a team that plays only in some months."""

    @property
    def changes_settings(self) -> bool:
        """True if it changes a subscription or a setting, which a chat from the configuration does not allow."""
        return any(not isinstance(change, SendSample) for change in self.changes)


class Refusal(Exception):
    """Raised by a dialogue that does nothing. A command answers with its text, a button shows it as the press's note."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


class AdministratorsOnly(Refusal):
    """Raised where a member of a group asks for what only its administrators may do."""

    def __init__(self) -> None:
        super().__init__(texts.administrators_only_text())


class OutdatedButton(Refusal):
    """Raised for a button whose subject is gone since its message was sent, or whose data is forged."""

    def __init__(self) -> None:
        super().__init__(texts.outdated_button_text())


def read_page(text: str) -> int:
    """Read a page's number from button data. Raise OutdatedButton if it is none."""
    if not text.isdecimal() or len(text) > MAX_NUMBER_LENGTH:
        raise OutdatedButton
    return int(text)


MAX_NUMBER_LENGTH = 9
"""Digits of a page's or a version's number in button data: a longer one is forged, and may be none that a database takes."""


def make_button(label: str, data: str, *, is_chosen: bool = False, names: Sequence[str] = ()) -> Button:
    """Make a button; its label is shortened to fit a row and ticked if it is chosen. Names in it are shortened alike."""
    # The tick is counted before the label is cut, or it would push the end of the label out of sight.
    tick = f"{CHOSEN_SIGN} " if is_chosen else ""
    label = shorten_names(isolate(label), names, LABEL_WIDTHS[1] - text_length(tick))
    return Button(f"{tick}{label}", data)


def make_closing_row() -> ButtonRow:
    """Make the last row of a setting's screen: to the list of all settings, and out."""
    return Button(texts.settings_label(), "st:"), Button(texts.done_label(), "sd:")


def arrange_rows(buttons: Sequence[Button], columns: int = 1) -> tuple[ButtonRow, ...]:
    """Lay buttons out in rows of so many columns. A label that is too long for that has a row of its own."""
    rows: list[list[Button]] = [[]]
    for button in buttons:
        is_wide = text_length(button.label) > LABEL_WIDTHS.get(columns, LABEL_WIDTHS[1])
        if rows[-1] and (is_wide or len(rows[-1]) == columns):
            rows.append([])
        rows[-1].append(button)
        # What comes after a wide one begins a new row too.
        if is_wide:
            rows.append([])
    return tuple(tuple(row) for row in rows if row)


def select_page(items: Sequence[T], page: int, per_page: int = BUTTONS_PER_PAGE) -> tuple[int, Sequence[T]]:
    """Return the number of the existing page nearest to the one asked for, and its items."""
    # A list may have become shorter since the button was made, so the number is never trusted.
    last = max(0, (len(items) - 1) // per_page)
    page = min(max(page, 0), last)
    return page, items[page * per_page : (page + 1) * per_page]


def make_page_buttons(count: int, page: int, data_prefix: str, per_page: int = BUTTONS_PER_PAGE) -> tuple[ButtonRow, ...]:
    """Return the row that turns pages; no row if one page holds everything. A button's data is `data_prefix:page`."""
    last = max(0, (count - 1) // per_page)
    # One page needs no buttons: then the row would only take room on a small screen.
    if not last:
        return ()
    before = [Button(texts.PREVIOUS_SIGN, f"{data_prefix}:{page - 1}")] if page else []
    after = [Button(texts.NEXT_SIGN, f"{data_prefix}:{page + 1}")] if page < last else []
    # It shows the page itself: a tap on it refreshes the list.
    here = Button(f"{page + 1} / {last + 1}", f"{data_prefix}:{page}")
    return ((*before, here, *after),)


def select_held_back(
    fixtures: Iterable[Fixture], held_back: Collection[str], subscriptions: Sequence[Subscription]
) -> list[Fixture]:
    """Return the fixtures that are held back and that the subscriptions choose. One to all matches chooses none of them."""
    choosing = [one for one in subscriptions if one.scope is not Scope.ALL]
    return [one for one in fixtures if one.id in held_back and any(chosen.covers(one) for chosen in choosing)]


def to_inline_keyboard(buttons: Sequence[ButtonRow], *, with_styles: bool = False) -> InlineKeyboardMarkup | None:
    """Return Telegram's keyboard; None if there are no buttons. `with_styles`: the server knows colours of buttons."""
    if not buttons:
        return None
    return InlineKeyboardMarkup(
        [
            [InlineKeyboardButton(b.label, callback_data=b.data, style=b.style if with_styles and b.style else None) for b in row]
            for row in buttons
        ]
    )
