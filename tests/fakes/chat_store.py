"""The repositories of chats and subscriptions in one, in memory: for tests of what people say."""

from __future__ import annotations

from msgspec.structs import replace

from bot.subscribers import Chat, ChatRef, Subscription


class MemoryChats:
    """Behaves as the stored chats do, without a database."""

    def __init__(self) -> None:
        self.chats: dict[ChatRef, Chat] = {}
        self.followed: dict[ChatRef, list[Subscription]] = {}

    async def get(self, ref: ChatRef) -> Chat | None:
        return self.chats.get(ref)

    async def get_or_create(self, ref: ChatRef, chat_type: str, title: str) -> Chat:
        return self.chats.setdefault(ref, Chat(ref, chat_type, title))

    async def save(self, chat: Chat) -> None:
        self.chats[chat.ref] = chat

    async def set_language_if_unchosen(self, ref: ChatRef, language: str) -> None:
        if ref in self.chats and not self.chats[ref].language_chosen:
            self.chats[ref] = replace(self.chats[ref], language=language)

    async def get_all(self, ref: ChatRef) -> tuple[Subscription, ...]:
        return tuple(self.followed.get(ref, ()))

    async def add(self, ref: ChatRef, subscription: Subscription) -> bool:
        ours = self.followed.setdefault(ref, [])
        new = all((s.scope, s.key) != (subscription.scope, subscription.key) for s in ours)
        ours += [subscription] if new else []
        return new

    async def remove(self, ref: ChatRef, subscription: Subscription) -> bool:
        ours = self.followed.get(ref, [])
        kept = [s for s in ours if (s.scope, s.key) != (subscription.scope, subscription.key)]
        self.followed[ref] = kept
        return len(kept) < len(ours)

    async def save_overrides(self, ref: ChatRef, subscription: Subscription) -> None:
        ours = self.followed.get(ref, [])
        self.followed[ref] = [subscription if (s.scope, s.key) == (subscription.scope, subscription.key) else s for s in ours]
        self.chats[ref] = replace(self.chats[ref], has_overrides=any(s.overrides.has_any for s in self.followed[ref]))

    async def suspend(self, chat_id: int, reason: str) -> None:
        self._switch(chat_id, active=False)

    async def resume(self, chat_id: int) -> None:
        self._switch(chat_id, active=True)

    async def migrate(self, old_chat_id: int, new_chat_id: int) -> None:
        for ref in [ref for ref in self.chats if ref.chat_id == old_chat_id]:
            moved = ChatRef(new_chat_id, ref.topic)
            self.chats[moved] = replace(self.chats.pop(ref), ref=moved, type="supergroup")
            self.followed[moved] = self.followed.pop(ref, [])

    def _switch(self, chat_id: int, *, active: bool) -> None:
        for ref, chat in self.chats.items():
            if ref.chat_id == chat_id:
                self.chats[ref] = replace(chat, is_active=active)
