"""The chats of the fake Bot API and what is in them, and what Telegram checks before it does anything there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from bot.clock import SystemClock
from bot.fake_telegram.html import EntitiesError, utf16
from bot.fake_telegram.params import Params, button_to_json
from bot.fake_telegram.state import CHAT_NOT_FOUND, FakeChat, Limits, Message, bad_request, read_version

MAX_TEXT = 4096
_RIGHTS = (
    "manage_chat", "delete_messages", "manage_video_chats", "restrict_members", "promote_members",
    "change_info", "invite_users", "post_stories", "edit_stories", "delete_stories",
)  # fmt: skip


class ChatStore:
    """Holds chats, messages, files and answers; its subclasses implement the methods of the Bot API."""

    def __init__(self, username: str, *, strict_limits: bool, strict_chats: bool) -> None:
        self.chats: dict[int, FakeChat] = {}
        self.commands: dict[str, list[dict[str, str]]] = {}
        self.descriptions: dict[str, str] = {}
        """The bot's description by language code; empty: for all languages without one of their own."""
        self.short_descriptions: dict[str, str] = {}
        """What the bot's profile says, by language code."""
        self.queries: set[str] = set()
        """Button presses that were not answered yet."""
        self.answers: list[dict[str, Any]] = []
        """What button presses were answered with: `callback_query_id`, `text`, `show_alert`."""
        self.inline_answers: dict[str, list[dict[str, Any]]] = {}
        """By query, the results that a member is shown."""
        self.me = {"id": 7_000_000_001, "is_bot": True, "first_name": "Touchline", "username": username}
        self.me |= {"can_join_groups": True, "can_read_all_group_messages": False, "supports_inline_queries": True}
        self._limits = Limits() if strict_limits else None
        self.monotonic: Callable[[], float] = lambda: asyncio.get_running_loop().time()
        """The seconds that the limits count by; a test may let them stand still."""
        self._strict_chats = strict_chats
        self._message_ids = 0
        self.webhook_url = ""
        """Where a bot has asked for its updates; empty: it asks for them."""
        self.pressed: set[str] = set()
        """Every button press, answered or not."""
        self.lacking: set[str] = set()
        """What this server is too old for: names of methods, parameters and fields, such as `style`."""
        self.ignores_unknown = False
        """True: parameters that it is too old for are ignored instead of refused."""
        self._ephemeral_ids = 0
        self.downloads: dict[str, bytes] = {}
        """By path, the files that members sent."""

    def chat(self, chat_id: int, *, kind: str = "", title: str = "", is_forum: bool = False) -> FakeChat:
        """Return the chat with this id. A new one is made with a type that fits the id."""
        if chat_id not in self.chats:
            # Telegram's ids: users are positive, supergroups and channels begin with -100.
            guess = "private" if chat_id > 0 else "supergroup" if chat_id < -1_000_000_000_000 else "group"
            self.chats[chat_id] = FakeChat(chat_id, kind or guess, title, is_forum)
        return self.chats[chat_id]

    def add(self, chat: FakeChat, text: str, mode: str = "", *, by_bot: bool = False, **more: Any) -> Message:
        """Put a message into a chat."""
        self._message_ids += 1
        buttons = more.pop("buttons", ())
        # Versions have the loop's time, which may be virtual. A message's date is real, as Telegram's is.
        first = read_version(asyncio.get_running_loop().time(), text, mode, buttons)
        date = int(SystemClock().now().timestamp())
        if more.get("receiver"):
            self._ephemeral_ids += 1
            more["ephemeral_id"] = self._ephemeral_ids
        message = Message(self._message_ids, chat.id, date, [first], by_bot=by_bot, **more)
        chat.everything.append(message)
        return message

    def keep_file(self, content: bytes) -> str:
        """Keep a file that a member sent, and return its id."""
        file = f"file-{len(self.downloads)}"
        self.downloads[f"documents/{file}"] = content
        return file

    def message_to_json(self, message: Message) -> dict[str, Any]:
        """Return Telegram's Message object."""
        chat = self.chats[message.chat_id]
        body: dict[str, Any] = {"message_id": message.id, "date": message.date, "chat": chat.json(), "text": message.text}
        if message.photo:
            size = {"file_unique_id": "u", "width": 1280, "height": 1280}
            body |= {"caption": body.pop("text"), "photo": [{"file_id": self.keep_file(message.photo), **size}]}
        if message.ephemeral_id:
            # It stands outside the numbers of the chat, so a bot that keeps `message_id` alone cannot find it again.
            receiver = (
                self.me if message.receiver == self.me["id"] else {"id": message.receiver, "is_bot": False, "first_name": "U"}
            )
            body |= {"message_id": 0, "ephemeral_message_id": message.ephemeral_id, "receiver_user": receiver}
        if message.now.blocks is not None:
            del body["text"]
            body["rich_message"] = {"blocks": message.now.blocks}
        body |= {"from": self.me} if message.by_bot and chat.type != "channel" else {}
        body |= {"entities": message.now.parsed.entities} if message.now.parsed.entities else {}
        body |= {"edit_date": message.date} if message.edits else {}
        body |= {"message_thread_id": message.topic, "is_topic_message": True} if message.topic else {}
        if message.buttons:
            body["reply_markup"] = {"inline_keyboard": [[button_to_json(b) for b in row] for row in message.buttons]}
        if message.reply_to and (answered := chat.find(message.reply_to)):
            # Only one level deep, as in Telegram.
            body["reply_to_message"] = self.message_to_json(answered) | {"reply_to_message": None}
        return body

    def _describe_member(self, chat: FakeChat, user_id: int) -> dict[str, Any]:
        user = self.me if user_id == self.me["id"] else {"id": user_id, "is_bot": False, "first_name": f"User {user_id}"}
        if chat.type == "private" or user_id not in chat.admins:
            return {"status": "member", "user": user}
        rights = [f"can_{right}" for right in _RIGHTS]
        body: dict[str, Any] = {"status": "administrator", "user": user, "is_anonymous": False, "can_be_edited": False}
        rights += ["can_post_messages", "can_edit_messages"] if chat.type == "channel" else ["can_pin_messages"]
        lacks = chat.lacks if user is self.me else set()
        return body | {right: right not in lacks for right in rights}

    def _find_chat(self, given: Params) -> FakeChat:
        chat_id = given.number("chat_id")
        if chat_id is None:
            raise bad_request("chat_id is empty")
        if self._strict_chats and chat_id not in self.chats:
            raise CHAT_NOT_FOUND
        # Elsewhere a chat that nobody made is made here: a test names only the chats that it is about.
        chat = self.chat(chat_id)
        if chat.refusal:
            raise chat.refusal
        return chat

    def _find_chat_for_text(self, given: Params) -> FakeChat:
        """Return the chat, after every check that Telegram makes before it takes a text."""
        chat = self._find_chat(given)
        try:
            parsed = read_version(0.0, given.text("text"), given.text("parse_mode"), ()).parsed
        except EntitiesError as trouble:
            raise bad_request(f"can't parse entities: {trouble}") from None
        if not parsed.text:
            raise bad_request("message text is empty")
        if utf16(parsed.text) > MAX_TEXT:
            raise bad_request("message is too long")
        return chat

    def _read_receiver(self, chat: FakeChat, given: Params) -> int:
        """Return the member who alone is to see a message; 0: everybody. Raise RefusedError where Telegram refuses it."""
        wanted = given.json("ephemeral_message_parameters")
        if wanted is None:
            return 0
        if "ephemeral_message_parameters" in self.lacking:
            if self.ignores_unknown:
                return 0
            raise bad_request('unsupported parameter "ephemeral_message_parameters"')
        known = {"receiver_user_id", "callback_query_id", "replace_callback_query_message"}
        if not isinstance(wanted, dict) or set(wanted) - known or not isinstance(wanted.get("receiver_user_id"), int):
            raise bad_request("can't parse EphemeralMessageParameters")
        if chat.type not in ("group", "supergroup"):
            raise bad_request("ephemeral messages can be sent only to groups")
        # A bot that is not an administrator may only answer a press of a button, or a command that only it has seen.
        answered = (given.json("reply_parameters") or {}).get("ephemeral_message_id")
        is_answer = wanted.get("callback_query_id") in self.pressed
        is_answer = is_answer or chat.find_ephemeral(int(str(self.me["id"])), int(answered or 0)) is not None
        if not is_answer and self.me["id"] not in chat.admins:
            raise bad_request("not enough rights to send ephemeral messages to the chat")
        return int(wanted["receiver_user_id"])

    def _count_message(self, chat: FakeChat, given: Params) -> None:
        """Count a send or an edit, which share the limits."""
        if self._limits:
            self._limits.check(chat.id, self.monotonic(), paid=given.flag("allow_paid_broadcast"))

    def _find_message(self, chat: FakeChat, given: Params, verb: str) -> Message:
        message = chat.find(given.number("message_id") or 0)
        if message is None:
            raise bad_request(f"message to {verb} not found")
        if verb == "edit" and not message.by_bot:
            raise bad_request("message can't be edited")
        return message
