"""What a feature is given and answers, as values; buttons and pages."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Protocol, TypeVar

import msgspec
from telegram import InlineKeyboardButton, InlineKeyboardMarkup, Message, Update
from telegram.constants import ChatType

from bot.chat import texts
from bot.chat.catalogue import FollowableCatalogue, has_ended
from bot.i18n.language import format_day_and_time, format_time, to_local_time
from bot.subscribers import Chat, ChatRef, Subscription
from rules.football.action import LOST_STATUSES, Fixture
from rules.football.match import Match
from rules.football.minute import Period
from rules.football.names import isolate


class Button(msgspec.Struct, frozen=True):
    """An inline button; `data` is at most 64 bytes."""

    label: str
    data: str


ButtonRow = tuple[Button, ...]


class Screen(msgspec.Struct, frozen=True):
    """A message to send, or to put in the place of the one whose button was pressed."""

    html: str
    rows: tuple[ButtonRow, ...] = ()
    picture: Match | None = None
    """The match whose picture stands above the words."""
    hidden: bool = False
    """True: the picture is covered until it is tapped."""


class Subscribe(msgspec.Struct, frozen=True):
    """Store a subscription of the chat."""

    subscription: Subscription


class Unsubscribe(msgspec.Struct, frozen=True):
    """Remove a subscription of the chat."""

    subscription: Subscription


class UpdateChat(msgspec.Struct, frozen=True):
    """Store the chat's settings."""

    chat: Chat


class UpdateSubscription(msgspec.Struct, frozen=True):
    """Store the taste of one of the chat's subscriptions."""

    subscription: Subscription


class SendSample(msgspec.Struct, frozen=True):
    """Send the chat a sample alert, after its delay in seconds."""

    delay: int = 0


Change = Subscribe | Unsubscribe | UpdateChat | UpdateSubscription | SendSample


class DialogueResult(msgspec.Struct, frozen=True):
    """What is to be stored and what is to be answered."""

    reply: Screen
    changes: tuple[Change, ...] = ()

    @property
    def settles(self) -> bool:
        """Tell whether it changes what the chat follows or how it hears."""
        return any(not isinstance(change, SendSample) for change in self.changes)

    @property
    def followed(self) -> tuple[Subscription, ...]:
        """What is newly followed."""
        return tuple(change.subscription for change in self.changes if isinstance(change, Subscribe))

    @property
    def stopped(self) -> tuple[Subscription, ...]:
        """What is not followed any more."""
        return tuple(change.subscription for change in self.changes if isinstance(change, Unsubscribe))


class MatchLookup(Protocol):
    """Who knows how a match stands."""

    def match(self, fixture_id: str) -> Match | None:
        """The match in play or played; None when nothing is known of it."""
        ...


class ChatContext(msgspec.Struct, frozen=True):
    """Everything that a dialogue may look at: the chat, what it follows, the fixtures, the kinds on offer, the time."""

    chat: Chat
    subscriptions: tuple[Subscription, ...]
    guide: FollowableCatalogue
    kinds: tuple[str, ...]
    now: dt.datetime
    scores: MatchLookup
    theirs: str = ""
    """The language of the Telegram of who speaks; empty where nobody does."""

    def follows(self, keys: Sequence[Subscription]) -> tuple[Subscription, ...]:
        """Those of the chat's subscriptions that are one of these, by scope and key."""
        wanted = {(s.scope, s.key) for s in keys}
        return tuple(s for s in self.subscriptions if (s.scope, s.key) in wanted)


BUTTONS_PER_PAGE = 8

MAX_LABEL_LENGTH = 40

T = TypeVar("T")


def make_button(label: str, data: str, *, ticked: bool = False) -> Button:
    """A button whose label is cut to fit; a tick shows what is chosen."""
    label = label if len(label) <= MAX_LABEL_LENGTH else f"{label[: MAX_LABEL_LENGTH - 1]}…"
    label = isolate(label)
    return Button(f"✅ {label}" if ticked else label, data)


def arrange_rows(buttons: Sequence[Button], columns: int = 1) -> tuple[ButtonRow, ...]:
    """Lay buttons out in rows."""
    return tuple(tuple(buttons[at : at + columns]) for at in range(0, len(buttons), columns))


def select_page(things: Sequence[T], page: int, per_page: int = BUTTONS_PER_PAGE) -> tuple[int, Sequence[T]]:
    """The page that there is, nearest to the one asked for, and what stands on it."""
    last = max(0, (len(things) - 1) // per_page)
    page = min(max(page, 0), last)
    return page, things[page * per_page : (page + 1) * per_page]


def make_page_buttons(count: int, page: int, screen: str, per_page: int = BUTTONS_PER_PAGE) -> tuple[ButtonRow, ...]:
    """The row that turns pages, `screen` being the data without its page; none where one page holds all."""
    last = max(0, (count - 1) // per_page)
    if not last:
        return ()
    before = [Button(texts.PREVIOUS_SIGN, f"{screen}:{page - 1}")] if page else []
    after = [Button(texts.NEXT_SIGN, f"{screen}:{page + 1}")] if page < last else []
    here = Button(f"{page + 1} / {last + 1}", f"{screen}:{page}")
    return ((*before, here, *after),)


def to_inline_keyboard(reply: Screen) -> InlineKeyboardMarkup | None:
    """Telegram's keyboard; None for a reply without buttons."""
    if not reply.rows:
        return None
    return InlineKeyboardMarkup([[InlineKeyboardButton(b.label, callback_data=b.data) for b in row] for row in reply.rows])


MAX_TITLE_LENGTH = 200


class UpdateOrigin(msgspec.Struct, frozen=True):
    """One thing that was said or pressed in a chat. `user_id` is None in a channel."""

    ref: ChatRef
    kind: str
    title: str
    user_id: int | None
    message_id: int
    as_chat: bool = False
    """True: the chat itself spoke: an anonymous administrator, or a channel's post."""

    @property
    def reply_to(self) -> int | None:
        """The message to answer in a place where many speak; None where it would only be noise."""
        return self.message_id if self.kind in (ChatType.GROUP, ChatType.SUPERGROUP) else None


def read_origin(update: Update) -> UpdateOrigin | None:
    """Read where a message was said or a button pressed; None for an update without a message that can be seen."""
    query = update.callback_query
    message = query.message if query else update.effective_message
    if not isinstance(message, Message) or not message.is_accessible:
        return None
    chat = message.chat
    user = query.from_user if query else message.from_user
    title = (chat.title or chat.full_name or "")[:MAX_TITLE_LENGTH]
    spoke = query is None and message.sender_chat is not None and message.sender_chat.id == chat.id
    user_id = user.id if user else None
    return UpdateOrigin(read_chat_ref(message), chat.type, title, user_id, message.message_id, as_chat=spoke)


def read_chat_ref(message: Message) -> ChatRef:
    """The chat, or the topic of a forum, that a message stands in."""
    topic = message.message_thread_id if message.is_topic_message else None
    return ChatRef(message.chat.id, topic or 0)


def format_until_for(view: ChatContext, until: dt.datetime) -> str:
    """The time, with the day where it is another."""
    zone = view.chat.timezone
    today = to_local_time(until, zone).date() == to_local_time(view.now, zone).date()
    return format_time(until, zone) if today else format_day_and_time(until, zone)


def is_in_play(view: ChatContext, fixture: Fixture) -> bool:
    """Tell whether a match is in play: as its stream says, or the fixtures where its stream is not followed."""
    match = view.scores.match(fixture.id)
    if match is None:
        return fixture.status.casefold() == "live" and not has_ended(fixture, view.now)
    return has_begun(match) and not (
        match.completed or match.ended_by or match.status.casefold() in LOST_STATUSES - {"suspended"}
    )


def has_begun(match: Match) -> bool:
    """Tell whether a match has kicked off."""
    return match.period is not Period.BEFORE or match.completed
