"""What features need of the rest: loads contexts, applies changes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Container, Sequence
from dataclasses import dataclass
from typing import Protocol

from msgspec.structs import replace

from bot.chat.catalogue import FollowableCatalogue
from bot.chat.dialogue import Change, ChatContext, Subscribe, Unsubscribe, UpdateChat, UpdateSubscription
from bot.chat.middleware import sender_language
from bot.clock import Clock
from bot.i18n.language import current_language
from bot.outbox.explanation import MessageExplanation
from bot.subscribers import Chat, ChatRef, Subscription
from rules.football.action import Fixture
from rules.football.match import Match


class ChatStore(Protocol):
    """The chats, their settings and subscriptions, kept."""

    async def get(self, ref: ChatRef) -> Chat | None: ...
    async def ensure(self, ref: ChatRef, kind: str, title: str) -> Chat: ...
    async def save(self, chat: Chat) -> None: ...
    async def subscriptions(self, ref: ChatRef) -> tuple[Subscription, ...]: ...
    async def subscribe(self, ref: ChatRef, subscription: Subscription) -> bool: ...
    async def unsubscribe(self, ref: ChatRef, subscription: Subscription) -> bool: ...
    async def tune(self, ref: ChatRef, subscription: Subscription) -> None: ...
    async def speak(self, ref: ChatRef, language: str) -> None: ...
    async def suspend(self, chat_id: int, why: str) -> None: ...
    async def resume(self, chat_id: int) -> None: ...
    async def migrate(self, old_chat_id: int, new_chat_id: int) -> None: ...


class FixtureLookup(Protocol):
    """The fixtures that are known now, and how their matches stand."""

    def fixtures(self) -> Sequence[Fixture]: ...
    def match(self, fixture_id: str) -> Match | None: ...


@dataclass(slots=True, frozen=True)
class ChatDependencies:
    """`kinds` are those on offer now; `status` gives plain text for the admins, None where there is none; `why` finds what a
    chat's message tells, None where it is no alert; `picture` draws a match, None where nothing is drawn; `sample` gives a chat
    a sample alert once for each name, after so many seconds."""

    chats: ChatStore
    directory: FixtureLookup
    kinds: Callable[[], Sequence[str]]
    clock: Clock
    admins: Container[int] = frozenset()
    status: Callable[[], Awaitable[str]] | None = None
    why: Callable[[int, int], Awaitable[MessageExplanation | None]] | None = None
    picture: Callable[[Match], Awaitable[bytes]] | None = None
    sample: Callable[[ChatRef, str, int], Awaitable[None]] | None = None


class ChatServices:
    """Reads what a dialogue may look at and stores what it decides."""

    def __init__(self, deps: ChatDependencies) -> None:
        self.deps = deps
        self._fixtures: Sequence[Fixture] = ()
        self._guide = FollowableCatalogue()

    async def view(self, ref: ChatRef, kind: str, title: str) -> ChatContext:
        """Everything that is known for one chat; the chat is stored if it is new, and resumed if it was suspended."""
        chat = await self.deps.chats.ensure(ref, kind, title)
        if not chat.active:  # who speaks to the bot can hear it
            await self.deps.chats.resume(ref.chat_id)
            chat = replace(chat, active=True)
        return self._view(chat, await self.deps.chats.subscriptions(ref))

    async def glance(self, user_id: int) -> ChatContext:
        """What a user may look at who need not have a chat with the bot; nothing is stored."""
        ref = ChatRef(user_id)
        return self._view(await self.deps.chats.get(ref) or Chat(ref), ())

    def _view(self, chat: Chat, subscriptions: tuple[Subscription, ...]) -> ChatContext:
        kinds = tuple(self.deps.kinds())
        return ChatContext(
            chat, subscriptions, self._known(), kinds, self.deps.clock.now(), self.deps.directory, sender_language()
        )

    async def store(self, ref: ChatRef, changes: Sequence[Change], name: str = "") -> None:
        """Carry out what a dialogue decided; `name` is of what was said, so that hearing it twice sends one sample."""
        for change in changes:
            if isinstance(change, Subscribe):
                await self.deps.chats.subscribe(ref, change.subscription)
            elif isinstance(change, Unsubscribe):
                await self.deps.chats.unsubscribe(ref, change.subscription)
            elif isinstance(change, UpdateSubscription):
                await self.deps.chats.tune(ref, change.subscription)
            elif isinstance(change, UpdateChat):
                await self.deps.chats.save(change.chat)
            elif self.deps.sample is not None:
                await self.deps.sample(ref, name, change.delay)
        if changes:
            await self._learn_language(ref)

    async def _learn_language(self, ref: ChatRef) -> None:
        """A chat that knows no language yet is spoken to as whoever settled something there: alerts come unasked."""
        chat = await self.deps.chats.get(ref) if sender_language() else None
        if chat and not chat.language:
            await self.deps.chats.speak(ref, current_language())

    def _known(self) -> FollowableCatalogue:
        """The guide to the fixtures, made anew only when they are others."""
        fixtures = self.deps.directory.fixtures()
        if fixtures is not self._fixtures:
            self._fixtures, self._guide = fixtures, FollowableCatalogue(fixtures)
        return self._guide
