"""What members of chats do, as the updates that Telegram makes of it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Set
from typing import Any

from bot.fake_telegram.methods import Methods
from bot.fake_telegram.state import BLOCKED, FakeChat, Message, RefusedError


class Members(Methods):
    """Queues an update for whatever a member does: writes, presses a button, blocks the bot, gives it rights."""

    def __init__(self, username: str, *, strict_limits: bool, strict_chats: bool) -> None:
        super().__init__(username, strict_limits=strict_limits, strict_chats=strict_chats)
        self.updates: list[dict[str, Any]] = []
        """Updates that were not confirmed yet."""
        self.languages: dict[int, str] = {}
        """By user id, the language of their Telegram; English for all others."""
        self.names: dict[int, str] = {}
        """By user id, the first name; `User 42` for all others."""
        self._update_id = 1000
        self._changed = asyncio.Event()

    def say(self, chat_id: int, user_id: int, text: str, **more: Any) -> Message:
        """A member writes; `more`: `topic`, `reply_to`, `as_chat` (an anonymous administrator), `edited`, `forwarded`,
        `ephemeral` (a command that the bot alone sees)."""
        chat = self.chat(chat_id)
        topic, receiver = more.get("topic", 0), int(str(self.me["id"])) if more.get("ephemeral") else 0
        message = self.add(chat, text, topic=topic, reply_to=more.get("reply_to"), receiver=receiver)
        body = self.message_to_json(message) | {"entities": _list_command_entities(text)}
        # A post of a channel has no author.
        if chat.type == "channel":
            self.push({"channel_post": body | {"sender_chat": chat.json()}})
            return message
        if more.get("as_chat"):
            # Telegram shows all anonymous administrators as this one account.
            anonymous = {"id": 1087968824, "is_bot": True, "first_name": "Group", "username": "GroupAnonymousBot"}
            body |= {"from": anonymous, "sender_chat": chat.json()}
        else:
            body["from"] = self._user(user_id)
        if more.get("forwarded"):
            body["forward_origin"] = {"type": "hidden_user", "date": message.date, "sender_user_name": "Somebody"}
        self.push({"edited_message" if more.get("edited") else "message": body})
        return message

    def send_document(self, chat_id: int, user_id: int, name: str, content: bytes, *, size: int | None = None) -> Message:
        """A member sends a file; `size` is what Telegram says of it, where that is not so."""
        file = self.keep_file(content)
        message = self.add(self.chat(chat_id), "")
        body = self.message_to_json(message) | {"from": self._user(user_id)}
        del body["text"]
        document = {"file_id": file, "file_unique_id": f"u{file}", "file_name": name, "mime_type": "application/x-yaml"}
        self.push({"message": body | {"document": document | {"file_size": len(content) if size is None else size}}})
        return message

    def forward(self, chat_id: int, user_id: int, channel_id: int) -> Message:
        """A member forwards a channel's post."""
        message = self.add(self.chat(chat_id), "A post")
        origin = {"type": "channel", "date": message.date, "chat": self.chat(channel_id).json(), "message_id": 1}
        self.push({"message": self.message_to_json(message) | {"from": self._user(user_id), "forward_origin": origin}})
        return message

    def inline(self, user_id: int, words: str) -> str:
        """A member types after the bot's name in any chat; returns the query's id, to be found in `inline_answers`."""
        query = str(90_000 + self._update_id)
        self.queries.add(query)
        self.push({"inline_query": {"id": query, "from": self._user(user_id), "query": words, "offset": ""}})
        return query

    def press(self, chat_id: int, user_id: int, message: Message | int, data: str) -> str:
        """A member presses a button, by its data; returns the query's id, to be found in `answers`."""
        found = message if isinstance(message, Message) else self.chat(chat_id).find(message)
        if found is None:
            raise LookupError(f"there is no message {message} in chat {chat_id}")
        # Open until the bot answers it. Telegram refuses a second answer.
        query = str(90_000 + self._update_id)
        self.queries.add(query)
        self.pressed.add(query)
        body = {"id": query, "from": self._user(user_id), "chat_instance": str(chat_id), "data": data}
        self.push({"callback_query": body | {"message": self.message_to_json(found)}})
        return query

    def tap(self, chat_id: int, user_id: int, label: str) -> str:
        """A member presses the button with these words under the bot's latest message."""
        last = self.chat(chat_id).last
        return self.press(chat_id, user_id, last, last.button(label).data)

    def answer(self, query: str) -> dict[str, Any] | None:
        """Return the answer to a button press; None while there is none."""
        return next((answer for answer in self.answers if answer["callback_query_id"] == query), None)

    def my_chat_member(self, chat_id: int, user_id: int, before: str, after: str, *, lacked: Set[str] = frozenset()) -> None:
        """The bot's own standing in a chat changes: `member`, `administrator`, `left`, `kicked`; `lacked`: rights it had not."""
        body: dict[str, Any] = {"chat": self.chat(chat_id).json(), "from": self._user(user_id), "date": 1_790_000_000}
        kind, lacks = self.chat(chat_id).type, self.chat(chat_id).lacks
        body |= {
            "old_chat_member": self._make_member(before, kind, lacked),
            "new_chat_member": self._make_member(after, kind, lacks),
        }
        self.push({"my_chat_member": body})

    def migrate(self, old: int, new: int) -> None:
        """A group becomes a supergroup: two service messages, and the old id is refused from now on."""
        was = self.chat(old)
        was.refusal = RefusedError(400, "Bad Request: group chat was upgraded to a supergroup chat", migrate_to_chat_id=new)
        chat = self.chat(new, kind="supergroup", title=was.title)
        chat.admins |= was.admins
        # Telegram sends a service message in each of the two chats.
        self.push({"message": self._service(was, migrate_to_chat_id=new)})
        self.push({"message": self._service(chat, migrate_from_chat_id=old)})

    def push(self, update: dict[str, Any]) -> int:
        """Queue any update as it is; returns its id."""
        self._update_id += 1
        self.updates.append({"update_id": self._update_id} | update)
        self._notify_change()
        return self._update_id

    def block(self, user_id: int) -> None:
        """A user blocks the bot."""
        self.chat(user_id).refusal = BLOCKED
        self.my_chat_member(user_id, user_id, "member", "kicked")

    def unblock(self, user_id: int) -> None:
        """A user lets the bot in again."""
        self.chat(user_id).refusal = None
        self.my_chat_member(user_id, user_id, "kicked", "member")

    def _user(self, user_id: int) -> dict[str, Any]:
        name, language = self.names.get(user_id, f"User {user_id}"), self.languages.get(user_id, "en")
        return {"id": user_id, "is_bot": False, "first_name": name, "language_code": language}

    def _service(self, chat: FakeChat, **fact: int) -> dict[str, Any]:
        body = self.message_to_json(self.add(chat, "")) | {"from": self._user(1)} | fact
        del body["text"]
        return body

    def _make_member(self, status: str, kind: str, lacks: Set[str] = frozenset()) -> dict[str, Any]:
        # A temporary chat with these rights, since the real one has only the bot's present rights.
        me = {int(str(self.me["id"]))} if status == "administrator" else set()
        chat = FakeChat(-1, kind if kind != "private" else "group", admins=me, lacks=set(lacks))
        extra = {"until_date": 0} if status == "kicked" else {}
        return self._describe_member(chat, int(str(self.me["id"]))) | {"status": status} | extra

    def _notify_change(self) -> None:
        # Replaced, because an event that stays set would wake its waiters again and again.
        self._changed.set()
        self._changed = asyncio.Event()


def _list_command_entities(text: str) -> list[dict[str, Any]]:
    found = re.finditer(r"(?<!\S)/[A-Za-z0-9_]+(?:@\w+)?", text)
    return [{"type": "bot_command", "offset": m.start(), "length": len(m[0])} for m in found]
