"""Loads what the features are given, and applies the changes that they decide."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Protocol

from msgspec.structs import replace
from telegram import Bot

from bot.chat import texts
from bot.chat.allowed import is_allowed
from bot.chat.dialogue import (
    Change,
    ChatContext,
    EraseChat,
    Refusal,
    RestoreUnfollowed,
    SendSample,
    Subscribe,
    UnfollowAll,
    Unsubscribe,
    UpdateChat,
    UpdateSubscription,
    is_match_over,
    select_held_back,
)
from bot.chat.middleware import sender_language
from bot.chat.permissions import Permissions
from bot.chat.replies import ReplySender
from bot.chat.search.current_catalogue import CurrentCatalogue
from bot.chat.search.nicknames import Nicknames
from bot.chat.update_order import mark_update_stored
from bot.chat.update_origin import UpdateOrigin
from bot.clock import Clock
from bot.errors import StorageConflict
from bot.i18n.football import KIND_NAMES
from bot.i18n.language import current_language
from bot.outbox.explanation import MessageExplanation
from bot.storage.chats import ChatRepository, erase_chat, learn_language, update_chat
from bot.storage.subscriptions import (
    SubscriptionRepository,
    add_subscription,
    remove_subscription,
    restore_unfollowed,
    unfollow_all,
    update_subscription_overrides,
)
from bot.subscribers import CardForm, Chat, ChatRef, Subscription
from rules.engine.alert import CARD
from rules.football.action import Fixture
from rules.football.match import Match

_FOLLOWER_CHANGES = (Subscribe, Unsubscribe, UnfollowAll, RestoreUnfollowed, EraseChat)
"""Changes of who follows what; every process is notified of them."""

_STORE_ATTEMPTS = 3
"""How often changes are tried that meet the locks of another transaction."""

_MAX_SUBSCRIPTIONS = 200
"""The default of `limits.subscriptions_per_chat`."""


_KIND_ORDER = {kind: number for number, kind in enumerate(KIND_NAMES)}

_MAX_STATES_AT_ONCE = 10
"""The most matches whose score a chat is sent when it subscribes, such as to a competition; /live lists all of them."""


class FixtureLookup(Protocol):
    """The fixtures that are known now, and their matches: a process that follows matches knows more than one that does not."""

    def fixtures(self) -> Sequence[Fixture]: ...
    def match(self, fixture_id: str) -> Match | None: ...


class SeasonLookup(Protocol):
    """The next matches of teams and competitions that do not play in the coming days."""

    def fixtures(self) -> Sequence[Fixture]: ...
    async def load(self) -> bool: ...


async def explain_no_message(_chat_id: int, _message_id: int) -> None:
    """Explain nothing: for a process that cannot look alerts up."""


class ChatServices:
    """Loads what a dialogue may look at and applies what it decides."""

    def __init__(
        self,
        *,
        chats: ChatRepository,
        subscriptions: SubscriptionRepository,
        directory: FixtureLookup,
        list_kinds: Callable[[], Sequence[str]],
        clock: Clock,
        replies: ReplySender,
        commands: tuple[tuple[str, str], ...],
        is_admin: Callable[[int | None], bool] = lambda _: False,
        render_status: Callable[[], Awaitable[str]] | None = None,
        explain_message: Callable[[int, int], Awaitable[MessageExplanation | None]] = explain_no_message,
        send_sample: Callable[[ChatRef, str, int], Awaitable[None]] | None = None,
        send_match_state: Callable[[ChatRef, Match, str, int], Awaitable[None]] | None = None,
        privacy_url: str = "",
        nicknames: Nicknames | None = None,
        season: SeasonLookup | None = None,
        max_subscriptions: Callable[[], int] = lambda: _MAX_SUBSCRIPTIONS,
        max_matches: Callable[[], int | None] = lambda: None,
        held_back: Callable[[], Collection[str]] = tuple,
        mark_held_back_as_known: Callable[[ChatRef, Fixture], Awaitable[None]] | None = None,
        allowed_chats: Callable[[], Collection[str] | None] = lambda: None,
        default_card_form: Callable[[], CardForm] = lambda: CardForm.TEXT,
    ) -> None:
        """The callables are called each time, because a reload may change what they return. Not needed in every process are:

        `render_status`: returns the plain text of /status.
        `explain_message`: takes the ids of a chat and of a message; returns None if the message is no alert.
        `send_sample`: takes the chat, the id of the request, for which one sample is sent at most, and a delay in seconds.
        `send_match_state`: tells a chat how a match stands; takes both, the id of the request, and a delay in seconds.
        `privacy_url`: the operator's page about privacy; empty if there is none.
        `nicknames`: None for those that come with the program.
        `season`: knows what is played later than the fixtures of the `directory`.
        `max_subscriptions`: how many one chat may have. `max_matches`: how many matches the bot follows at once; None: no limit.
        `held_back`: the ids of the matches that wait for one of those to end.
        `mark_held_back_as_known`: called for each of them that an answer named.
        `allowed_chats`: the chats that may use the bot; None: all may. `default_card_form`: what match cards are in a new chat.

        Of the others, `list_kinds` returns the kinds of alerts on offer now, and `commands` is the menu for /help.
        """
        self.chats, self.directory, self.clock, self.replies = chats, directory, clock, replies
        self._subscriptions = subscriptions
        self.is_admin, self.render_status, self.explain_message = is_admin, render_status, explain_message
        self.permissions = Permissions(clock)
        self._list_kinds, self._commands, self._send_sample = list_kinds, commands, send_sample
        self._send_match_state, self._privacy_url = send_match_state, privacy_url
        self._season, self._max_subscriptions, self._max_matches = season, max_subscriptions, max_matches
        self.allowed_chats, self._default_card_form = allowed_chats, default_card_form
        self._catalogue = CurrentCatalogue(directory.fixtures, season.fixtures if season else tuple, nicknames, clock)
        self._held_back, self._mark_held_back_as_known = held_back, mark_held_back_as_known

    def is_chat_allowed(self, user_id: int | None, chat_id: int, username: str | None) -> bool:
        """Return True if `telegram.allowed_chats` lets this user use the bot for a chat. The bot's admins may use it for any."""
        allowed = self.allowed_chats()
        return allowed is None or self.is_admin(user_id) or is_allowed(chat_id, username, allowed)

    async def load_context(self, origin: UpdateOrigin) -> ChatContext:
        """Load everything that is known for one chat. A new chat is stored, a suspended one resumed."""
        chat = await self.get_or_create(origin.ref, origin.type, origin.title)
        if not chat.is_active:
            # A person who writes to the bot has not blocked it, even if Telegram's update that says so was lost.
            await self.chats.resume(origin.ref.chat_id)
            chat = replace(chat, is_active=True)
        context = await self._make_context(chat, await self._subscriptions.get_all(origin.ref))
        return replace(context, may_change=not origin.is_member)

    async def get_or_create(self, ref: ChatRef, chat_type: str, title: str) -> Chat:
        """Return the chat, stored if it is new."""
        return await self.chats.get_or_create(ref, chat_type, title, self._default_card_form())

    async def find_topic(self, chat_id: int, wanted: Sequence[Subscription]) -> ChatRef | None:
        """Return a topic of a forum that follows one of these; None if there is none."""
        return await self._subscriptions.find_topic(chat_id, wanted)

    async def mark_member(self, bot: Bot, origin: UpdateOrigin) -> UpdateOrigin:
        """Return the origin, marked if its sender is a member of a group who may change nothing there."""
        if not origin.is_in_group or await self.permissions.may_change(bot, origin):
            return origin
        return replace(origin, is_member=True)

    async def load_season(self) -> bool:
        """Ask the feed what is played in the coming months. Return True if a context that is loaded now may know more."""
        if self._season is None or not await self._season.load():
            return False
        # The caller searches once more: the catalogue before would answer that nothing was found.
        await self._catalogue.get(newest=True)
        return True

    async def load_user_context(self, user_id: int) -> ChatContext:
        """Load what a user sees who may have no chat with the bot, as in an inline query. Nothing is stored."""
        ref = ChatRef(user_id)
        # Without subscriptions: what a user shares in another chat does not depend on what the private chat follows.
        return await self._make_context(await self.chats.get(ref) or Chat(ref), ())

    async def _make_context(self, chat: Chat, subscriptions: tuple[Subscription, ...]) -> ChatContext:
        return ChatContext(
            chat=chat,
            subscriptions=subscriptions,
            catalogue=await self._catalogue.get(),
            # In the order of the words, goals first, and not in that of the rules. An operator's own kinds come last.
            kinds=tuple(sorted(self._list_kinds(), key=lambda kind: _KIND_ORDER.get(kind, len(_KIND_ORDER)))),
            now=self.clock.now(),
            find_match=self.directory.match,
            commands=self._commands,
            privacy_url=self._privacy_url,
            user_language=sender_language(),
            max_matches=self._max_matches(),
            held_back=frozenset(self._held_back()),
        )

    async def apply_changes(self, ref: ChatRef, changes: Sequence[Change], request_id: str = "") -> None:
        """Apply what a dialogue decided. `request_id` names the message or press, so that one that comes twice sends one
        sample. Raise Refusal, and change nothing, if the chat would follow more than it may."""
        if not changes:
            return
        added = [change.subscription for change in changes if isinstance(change, Subscribe)]
        before = await self._subscriptions.get_all(ref) if added else ()
        # What it follows already may be more, of the time before the limit; nothing of it is taken away.
        if not {(one.scope, one.key) for one in added} <= {(one.scope, one.key) for one in before}:
            limit = self._max_subscriptions()
            if len(before) + len(added) > limit:
                raise Refusal(texts.too_many_subscriptions_text(limit, await self.chats.get(ref)))
        for attempts_left in reversed(range(_STORE_ATTEMPTS)):
            try:
                await self._store(ref, changes)
                break
            except StorageConflict:
                # The sender had locked the same rows the other way round. Changes are functions, so they can be applied again.
                if not attempts_left:
                    raise
        # After the changes are stored: what is sent cannot be taken back if storing fails.
        for change in changes:
            if isinstance(change, SendSample) and self._send_sample is not None:
                await self._send_sample(ref, request_id, change.delay)
        if added:
            await self._note_held_back(ref, added)
            await self._tell_match_states(ref, before, added, request_id)

    async def _note_held_back(self, ref: ChatRef, added: Sequence[Subscription]) -> None:
        """Note which matches the answer has named as held back, so that no message about them follows."""
        if self._mark_held_back_as_known is not None:
            for fixture in select_held_back(self.directory.fixtures(), frozenset(self._held_back()), added):
                await self._mark_held_back_as_known(ref, fixture)

    async def _tell_match_states(
        self, ref: ChatRef, before: Sequence[Subscription], added: Sequence[Subscription], request_id: str
    ) -> None:
        """Tell a chat how the matches stand that it follows from now on and that are in play."""
        chat = await self.chats.get(ref)
        # A match card shows the same, and is sent within seconds.
        if self._send_match_state is None or chat is None or chat.filter.accepts(CARD):
            return
        joined = [
            match
            for fixture in self.directory.fixtures()
            if any(one.covers(fixture) for one in added) and not any(one.covers(fixture) for one in before)
            if (match := self.directory.match(fixture.id)) and match.has_begun and not is_match_over(match)
        ]
        for match in joined[:_MAX_STATES_AT_ONCE]:
            await self._send_match_state(ref, match, request_id, chat.delay)

    async def _store(self, ref: ChatRef, changes: Sequence[Change]) -> None:
        """Store all changes in one transaction."""
        changes_followers = any(isinstance(change, _FOLLOWER_CHANGES) for change in changes)
        async with self.chats.changing(followers=changes_followers) as tx:
            for change in changes:
                if isinstance(change, Subscribe):
                    await add_subscription(tx, ref, change.subscription)
                elif isinstance(change, Unsubscribe):
                    await remove_subscription(tx, ref, change.subscription)
                elif isinstance(change, UnfollowAll):
                    await unfollow_all(tx, ref)
                elif isinstance(change, RestoreUnfollowed):
                    await restore_unfollowed(tx, ref)
                elif isinstance(change, EraseChat):
                    await erase_chat(tx, ref)
                elif isinstance(change, UpdateSubscription):
                    await update_subscription_overrides(tx, ref, change.subscription, change.change)
                elif isinstance(change, UpdateChat):
                    await update_chat(tx, ref, change.change)
            if sender_language():
                # Alerts come without a sender whose language could be used, so a chat without a language takes that of the
                # person who first changed something in it.
                await learn_language(tx, ref, current_language())
            # Here and not when the update was answered: what is committed must not be carried out again after a kill.
            await mark_update_stored(tx)
