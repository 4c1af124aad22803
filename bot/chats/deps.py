"""What the chat side needs from the rest of the bot, passed in by whoever wires it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Container, Sequence
from dataclasses import dataclass
from typing import Protocol

from msgspec.structs import replace

from bot.chats.guide import Guide
from bot.chats.reply import Change, Follow, Settle, Tune, Unfollow, View
from bot.chats.tongue import theirs
from bot.clock import Clock
from bot.languages.speaking import spoken
from bot.outbox.account import Account
from bot.store.model import Chat, ChatRef, Subscription
from rules.action import Fixture
from rules.match import Match


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


class Directory(Protocol):
    """The fixtures that are known now, and how their matches stand."""

    def fixtures(self) -> Sequence[Fixture]: ...
    def match(self, fixture_id: str) -> Match | None: ...


@dataclass(slots=True, frozen=True)
class Deps:
    """`kinds` are those on offer now; `status` gives plain text for the admins, None where there is none; `why` finds what a
    chat's message tells, None where it is no alert; `picture` draws a match, None where nothing is drawn; `sample` gives a chat
    a sample alert once for each name, after so many seconds."""

    chats: ChatStore
    directory: Directory
    kinds: Callable[[], Sequence[str]]
    clock: Clock
    admins: Container[int] = frozenset()
    status: Callable[[], Awaitable[str]] | None = None
    why: Callable[[int, int], Awaitable[Account | None]] | None = None
    picture: Callable[[Match], Awaitable[bytes]] | None = None
    sample: Callable[[ChatRef, str, int], Awaitable[None]] | None = None


class Desk:
    """Reads what a dialogue may look at and stores what it decides."""

    def __init__(self, deps: Deps) -> None:
        self.deps = deps
        self._fixtures: Sequence[Fixture] = ()
        self._guide = Guide()

    async def view(self, ref: ChatRef, kind: str, title: str) -> View:
        """Everything that is known for one chat; the chat is stored if it is new, and resumed if it was suspended."""
        chat = await self.deps.chats.ensure(ref, kind, title)
        if not chat.active:  # who speaks to the bot can hear it
            await self.deps.chats.resume(ref.chat_id)
            chat = replace(chat, active=True)
        return self._view(chat, await self.deps.chats.subscriptions(ref))

    async def glance(self, user_id: int) -> View:
        """What a user may look at who need not have a chat with the bot; nothing is stored."""
        ref = ChatRef(user_id)
        return self._view(await self.deps.chats.get(ref) or Chat(ref), ())

    def _view(self, chat: Chat, subscriptions: tuple[Subscription, ...]) -> View:
        kinds = tuple(self.deps.kinds())
        return View(chat, subscriptions, self._known(), kinds, self.deps.clock.now(), self.deps.directory, theirs())

    async def store(self, ref: ChatRef, changes: Sequence[Change], name: str = "") -> None:
        """Carry out what a dialogue decided; `name` is of what was said, so that hearing it twice sends one sample."""
        for change in changes:
            if isinstance(change, Follow):
                await self.deps.chats.subscribe(ref, change.subscription)
            elif isinstance(change, Unfollow):
                await self.deps.chats.unsubscribe(ref, change.subscription)
            elif isinstance(change, Tune):
                await self.deps.chats.tune(ref, change.subscription)
            elif isinstance(change, Settle):
                await self.deps.chats.save(change.chat)
            elif self.deps.sample is not None:
                await self.deps.sample(ref, name, change.delay)
        if changes:
            await self._learn_language(ref)

    async def _learn_language(self, ref: ChatRef) -> None:
        """A chat that knows no language yet is spoken to as whoever settled something there: alerts come unasked."""
        chat = await self.deps.chats.get(ref) if theirs() else None
        if chat and not chat.language:
            await self.deps.chats.speak(ref, spoken())

    def _known(self) -> Guide:
        """The guide to the fixtures, made anew only when they are others."""
        fixtures = self.deps.directory.fixtures()
        if fixtures is not self._fixtures:
            self._fixtures, self._guide = fixtures, Guide(fixtures)
        return self._guide
