"""The methods of the fake Bot API: what each does to the chats, refusing what Telegram refuses."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from bot.clock import SystemClock
from tests.fakes.bot_api_state import CHAT_NOT_FOUND, THREAD_NOT_FOUND, Button, FakeChat, Limits, Message, Version, bad, version
from tests.fakes.telegram_html import EntitiesError, utf16

MAX_TEXT = 4096
MAX_CAPTION = 1024
MAX_PHOTO = 10 * 2**20
MAX_RESULTS = 50
MAX_DOWNLOAD = 20 * 2**20
NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same "
    "as a current content and reply markup of the message"
)
OLD_QUERY = "query is too old and response timeout expired or query ID is invalid"
_RIGHTS = (
    "manage_chat", "delete_messages", "manage_video_chats", "restrict_members", "promote_members",
    "change_info", "invite_users", "post_stories", "edit_stories", "delete_stories",
)  # fmt: skip


class Params:
    """A method's arguments, whether they came as a form or as JSON."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        self.given = given

    def text(self, name: str) -> str:
        """A text; empty when it is not given."""
        return str(self.given.get(name, ""))

    def number(self, name: str) -> int | None:
        """A whole number; None when it is not given."""
        given = self.given.get(name)
        try:
            return None if given in (None, "") else int(str(given))
        except ValueError:
            raise bad(f"can't parse {name}") from None

    def flag(self, name: str) -> bool:
        """True only for true."""
        return str(self.given.get(name, "")).lower() in ("true", "1")

    def json(self, name: str) -> Any:
        """A value that Telegram takes as JSON; None when it is not given."""
        given = self.given.get(name)
        if not isinstance(given, str):
            return given
        try:
            return json.loads(given) if given else None
        except ValueError:
            raise bad(f"can't parse {name} JSON object") from None


class Methods:
    """State and methods; each method takes Params and returns the JSON of `result`, or raises RefusedError."""

    def __init__(self, username: str, *, strict_limits: bool, strict_chats: bool) -> None:
        self.chats: dict[int, FakeChat] = {}
        self.commands: dict[str, list[dict[str, str]]] = {}
        self.queries: set[str] = set()
        """Button presses that were not answered yet."""
        self.answers: list[dict[str, Any]] = []
        """What button presses were answered with: `callback_query_id`, `text`, `show_alert`."""
        self.inline_answers: dict[str, list[dict[str, Any]]] = {}
        """By query, the results that a member is shown."""
        self.me = {"id": 7_000_000_001, "is_bot": True, "first_name": "Touchline", "username": username}
        self.me |= {"can_join_groups": True, "can_read_all_group_messages": False, "supports_inline_queries": True}
        self._limits = Limits() if strict_limits else None
        self._strict_chats = strict_chats
        self._message_ids = 0
        self.downloads: dict[str, bytes] = {}
        """By path, the files that members sent."""

    def method(self, name: str) -> Callable[[Params], Any] | None:
        """Find a method whatever its letter case; None for an unknown one."""
        found = _METHODS.get(name.lower())
        return partial(found, self) if found else None

    def chat(self, chat_id: int, *, kind: str = "", title: str = "", is_forum: bool = False) -> FakeChat:
        """The chat with this id; made, with a type that fits the id, when there is none yet."""
        if chat_id not in self.chats:
            guess = "private" if chat_id > 0 else "supergroup" if chat_id < -1_000_000_000_000 else "group"
            self.chats[chat_id] = FakeChat(chat_id, kind or guess, title, is_forum)
        return self.chats[chat_id]

    def add(self, chat: FakeChat, text: str, mode: str = "", *, by_bot: bool = False, **more: Any) -> Message:
        """Put a message into a chat."""
        self._message_ids += 1
        buttons = more.pop("buttons", ())
        first = version(asyncio.get_running_loop().time(), text, mode, buttons)
        date = int(SystemClock().now().timestamp())
        message = Message(self._message_ids, chat.id, date, [first], by_bot=by_bot, **more)
        chat.everything.append(message)
        return message

    def keep_file(self, content: bytes) -> str:
        """Keep a file that a member sent; its id."""
        file = f"file-{len(self.downloads)}"
        self.downloads[f"documents/{file}"] = content
        return file

    def json_of(self, message: Message) -> dict[str, Any]:
        """Telegram's Message object."""
        chat = self.chats[message.chat_id]
        body: dict[str, Any] = {"message_id": message.id, "date": message.date, "chat": chat.json(), "text": message.text}
        if message.photo:
            size = {"file_unique_id": "u", "width": 1280, "height": 1280}
            body |= {"caption": body.pop("text"), "photo": [{"file_id": self.keep_file(message.photo), **size}]}
        body |= {"from": self.me} if message.by_bot and chat.type != "channel" else {}
        body |= {"entities": message.now.parsed.entities} if message.now.parsed.entities else {}
        body |= {"edit_date": message.date} if message.edits else {}
        body |= {"message_thread_id": message.topic, "is_topic_message": True} if message.topic else {}
        if message.buttons:
            body["reply_markup"] = {"inline_keyboard": [[_button_json(b) for b in row] for row in message.buttons]}
        if message.reply_to and (answered := chat.find(message.reply_to)):
            body["reply_to_message"] = self.json_of(answered) | {"reply_to_message": None}
        return body

    def get_me(self, _: Params) -> Any:
        return self.me

    def send_message(self, given: Params) -> Any:
        chat = self._writable(given)
        topic = given.number("message_thread_id") or 0
        if topic and chat.is_forum and chat.topics and topic not in chat.topics:
            raise THREAD_NOT_FOUND
        more = {"reply_to": _reply_to(chat, given), "buttons": _buttons(given), "silent": given.flag("disable_notification")}
        self._count(chat, given)
        message = self.add(chat, given.text("text"), given.text("parse_mode"), by_bot=True, topic=topic, **more)
        return self.json_of(message)

    def send_photo(self, given: Params) -> Any:
        chat = self._reachable(given)
        self._caption(given.text("caption"), given.text("parse_mode"), ())
        topic = given.number("message_thread_id") or 0
        if topic and chat.is_forum and chat.topics and topic not in chat.topics:
            raise THREAD_NOT_FOUND
        more = {"reply_to": _reply_to(chat, given), "buttons": _buttons(given), "silent": given.flag("disable_notification")}
        photo = self._photo(given)
        self._count(chat, given)
        message = self.add(chat, given.text("caption"), given.text("parse_mode"), by_bot=True, topic=topic, **more)
        message.photo, message.spoiler = photo, given.flag("has_spoiler")
        return self.json_of(message)

    def _photo(self, given: Params) -> bytes:
        """An uploaded file, or one that was uploaded before, by its id."""
        file = given.given.get("photo")
        content = self.downloads.get(f"documents/{file}") if isinstance(file, str) else file and file.file.read()
        if not content:
            raise bad("wrong file identifier/HTTP URL specified" if isinstance(file, str) else "there is no photo in the request")
        if content[:8] != b"\x89PNG\r\n\x1a\n":
            raise bad("IMAGE_PROCESS_FAILED")
        width, height = (int.from_bytes(content[at : at + 4]) for at in (16, 20))
        if len(content) > MAX_PHOTO or width + height > 10_000 or max(width, height) > 20 * min(width, height):
            raise bad("PHOTO_INVALID_DIMENSIONS")
        return content

    def edit_message_text(self, given: Params) -> Any:
        chat = self._writable(given)
        message = self._own(chat, given, "edit")
        if message.photo:
            raise bad("there is no text in the message to edit")
        self._count(chat, given)
        now = version(asyncio.get_running_loop().time(), given.text("text"), given.text("parse_mode"), _buttons(given))
        if (now.parsed, now.buttons) == (message.now.parsed, message.now.buttons):
            raise bad(NOT_MODIFIED)
        message.versions.append(now)
        return self.json_of(message)

    def edit_message_caption(self, given: Params) -> Any:
        chat = self._reachable(given)
        now = self._caption(given.text("caption"), given.text("parse_mode"), _buttons(given))
        message = self._own(chat, given, "edit")
        if not message.photo:
            raise bad("there is no caption in the message to edit")
        return self._repainted(chat, message, given, now, message.photo, spoiler=message.spoiler)

    def edit_message_media(self, given: Params) -> Any:
        """Only photos are known here; a text cannot become one."""
        chat, media = self._reachable(given), given.json("media") or {}
        if media.get("type") != "photo":
            raise bad("can't parse InputMedia: unsupported type")
        now = self._caption(media.get("caption", ""), media.get("parse_mode", ""), _buttons(given))
        message = self._own(chat, given, "edit")
        if not message.photo:
            raise bad("message can't be edited")
        named = str(media.get("media", ""))
        photo = self._photo(Params({"photo": given.given.get(named.removeprefix("attach://"), named)}))
        return self._repainted(chat, message, given, now, photo, spoiler=bool(media.get("has_spoiler")))

    def _repainted(self, chat: FakeChat, message: Message, given: Params, now: Version, photo: bytes, *, spoiler: bool) -> Any:
        self._count(chat, given)
        if (now.parsed, now.buttons, photo) == (message.now.parsed, message.now.buttons, message.photo):
            raise bad(NOT_MODIFIED)
        message.versions.append(now)
        message.photo, message.spoiler = photo, spoiler
        return self.json_of(message)

    def _caption(self, text: str, mode: str, buttons: tuple[tuple[Button, ...], ...]) -> Version:
        try:
            now = version(asyncio.get_running_loop().time(), text, mode, buttons)
        except EntitiesError as trouble:
            raise bad(f"can't parse entities: {trouble}") from None
        if utf16(now.parsed.text) > MAX_CAPTION:
            raise bad("message caption is too long")
        return now

    def edit_message_reply_markup(self, given: Params) -> Any:
        message = self._own(self._reachable(given), given, "edit")
        buttons = _buttons(given)
        if buttons == message.buttons:
            raise bad(NOT_MODIFIED)
        loop = asyncio.get_running_loop()
        message.versions.append(type(message.now)(loop.time(), message.html, message.now.parsed, buttons))
        return self.json_of(message)

    def delete_message(self, given: Params) -> Any:
        self._own(self._reachable(given), given, "delete").deleted = True
        return True

    def pin_message(self, given: Params) -> Any:
        self._pinned(given, "pin", on=True)
        return True

    def unpin_message(self, given: Params) -> Any:
        self._pinned(given, "unpin", on=False)
        return True

    def _pinned(self, given: Params, verb: str, *, on: bool) -> None:
        """In a private chat the bot may; elsewhere its administrator's rights say so."""
        chat = self._reachable(given)
        right = "can_edit_messages" if chat.type == "channel" else "can_pin_messages"
        if chat.type != "private" and (self.me["id"] not in chat.admins or right in chat.lacks):
            raise bad("not enough rights to manage pinned messages in the chat")
        message = chat.find(given.number("message_id") or 0)
        if message is None:
            raise bad(f"message to {verb} not found")
        message.pinned = on

    def answer_query(self, given: Params) -> Any:
        query = given.text("callback_query_id")
        if query not in self.queries:
            raise bad(OLD_QUERY)
        if utf16(given.text("text")) > 200:
            raise bad("MESSAGE_TOO_LONG")
        self.queries.remove(query)
        self.answers.append(dict(given.given) | {"text": given.text("text"), "show_alert": given.flag("show_alert")})
        return True

    def answer_inline(self, given: Params) -> Any:
        query, results = given.text("inline_query_id"), given.json("results") or []
        if query not in self.queries:
            raise bad(OLD_QUERY)
        if len(results) > MAX_RESULTS:
            raise bad("RESULTS_TOO_MUCH")
        ids = [result.get("id", "") for result in results]
        if len(set(ids)) < len(ids):
            raise bad("RESULT_ID_DUPLICATE")
        if any(not 1 <= len(wanted.encode()) <= 64 for wanted in ids):
            raise bad("RESULT_ID_INVALID")
        for content in (result["input_message_content"] for result in results):
            version(0.0, content["message_text"], content.get("parse_mode", ""), ())
        self.queries.remove(query)
        self.inline_answers[query] = results
        return True

    def get_file(self, given: Params) -> Any:
        file = given.text("file_id")
        content = self.downloads.get(f"documents/{file}")
        if content is None:
            raise bad("wrong file_id or the file is temporarily unavailable")
        if len(content) > MAX_DOWNLOAD:
            raise bad("file is too big")
        return {"file_id": file, "file_unique_id": f"u{file}", "file_size": len(content), "file_path": f"documents/{file}"}

    def get_chat(self, given: Params) -> Any:
        name = given.text("chat_id")
        if name.startswith("@"):
            ids = [chat.id for chat in self.chats.values() if f"@{chat.username}".lower() == name.lower()]
            if not ids:
                raise CHAT_NOT_FOUND
            given = Params({"chat_id": ids[0]})
        return self._reachable(given).json() | {"accent_color_id": 0, "max_reaction_count": 11}

    def get_member(self, given: Params) -> Any:
        user_id = given.number("user_id")
        if user_id is None:
            raise bad("invalid user_id specified")
        return self._member(self._reachable(given), user_id)

    def get_administrators(self, given: Params) -> Any:
        chat = self._reachable(given)
        if chat.type == "private":
            raise bad("there are no administrators in the private chat")
        return [self._member(chat, user_id) for user_id in sorted(chat.admins)]

    def set_commands(self, given: Params) -> Any:
        commands = given.json("commands") or []
        for command in commands:
            if not re.fullmatch(r"[a-z0-9_]{1,32}", command.get("command", "")):
                raise bad("BOT_COMMAND_INVALID")
            if not 1 <= len(command.get("description", "")) <= 256:
                raise bad("BOT_COMMAND_DESCRIPTION_INVALID")
        self.commands[_scope(given)] = commands
        return True

    def get_commands(self, given: Params) -> Any:
        return self.commands.get(_scope(given), [])

    def delete_commands(self, given: Params) -> Any:
        self.commands.pop(_scope(given), None)
        return True

    def webhook_info(self, _: Params) -> Any:
        return {"url": "", "has_custom_certificate": False, "pending_update_count": 0}

    def yes(self, _: Params) -> Any:
        return True

    def chat_action(self, given: Params) -> Any:
        self._reachable(given)
        return True

    def _member(self, chat: FakeChat, user_id: int) -> dict[str, Any]:
        user = self.me if user_id == self.me["id"] else {"id": user_id, "is_bot": False, "first_name": f"User {user_id}"}
        if chat.type == "private" or user_id not in chat.admins:
            return {"status": "member", "user": user}
        rights = [f"can_{right}" for right in _RIGHTS]
        body: dict[str, Any] = {"status": "administrator", "user": user, "is_anonymous": False, "can_be_edited": False}
        rights += ["can_post_messages", "can_edit_messages"] if chat.type == "channel" else ["can_pin_messages"]
        lacks = chat.lacks if user is self.me else set()
        return body | {right: right not in lacks for right in rights}

    def _reachable(self, given: Params) -> FakeChat:
        chat_id = given.number("chat_id")
        if chat_id is None:
            raise bad("chat_id is empty")
        if self._strict_chats and chat_id not in self.chats:
            raise CHAT_NOT_FOUND
        chat = self.chat(chat_id)
        if chat.refusal:
            raise chat.refusal
        return chat

    def _writable(self, given: Params) -> FakeChat:
        """The chat, after all that Telegram checks before it takes a text."""
        chat = self._reachable(given)
        try:
            parsed = version(0.0, given.text("text"), given.text("parse_mode"), ()).parsed
        except EntitiesError as trouble:
            raise bad(f"can't parse entities: {trouble}") from None
        if not parsed.text:
            raise bad("message text is empty")
        if utf16(parsed.text) > MAX_TEXT:
            raise bad("message is too long")
        return chat

    def _count(self, chat: FakeChat, given: Params) -> None:
        """Sends and edits share the limits."""
        if self._limits:
            self._limits.check(chat.id, asyncio.get_running_loop().time(), paid=given.flag("allow_paid_broadcast"))

    def _own(self, chat: FakeChat, given: Params, verb: str) -> Message:
        message = chat.find(given.number("message_id") or 0)
        if message is None:
            raise bad(f"message to {verb} not found")
        if verb == "edit" and not message.by_bot:
            raise bad("message can't be edited")
        return message


def _reply_to(chat: FakeChat, given: Params) -> int | None:
    wanted = given.json("reply_parameters") or {}
    message_id = wanted.get("message_id") or given.number("reply_to_message_id")
    if message_id is None or chat.find(int(message_id)):
        return None if message_id is None else int(message_id)
    if wanted.get("allow_sending_without_reply") or given.flag("allow_sending_without_reply"):
        return None
    raise bad("message to be replied not found")


def _buttons(given: Params) -> tuple[tuple[Button, ...], ...]:
    rows = (given.json("reply_markup") or {}).get("inline_keyboard", [])
    buttons = tuple(tuple(Button(b["text"], b.get("callback_data", ""), b.get("url", "")) for b in row) for row in rows)
    everyone = [button for row in buttons for button in row]
    if len(everyone) > 100 or any(len(row) > 8 for row in buttons):
        raise bad("reply markup is too long")
    for button in everyone:
        if not button.text.strip():
            raise bad("can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard")
        if len(button.data.encode()) > 64:
            raise bad("BUTTON_DATA_INVALID")
        if not button.data and not button.url:
            raise bad("can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard")
    return buttons


def _button_json(button: Button) -> dict[str, str]:
    return {"text": button.text} | ({"url": button.url} if button.url else {"callback_data": button.data})


def _scope(given: Params) -> str:
    scope = given.json("scope") or {"type": "default"}
    return ":".join(str(part) for part in (*scope.values(), given.text("language_code")) if part != "")


_METHODS: dict[str, Callable[..., Any]] = {
    "getme": Methods.get_me,
    "logout": Methods.yes,
    "close": Methods.yes,
    "deletewebhook": Methods.yes,
    "setwebhook": Methods.yes,
    "getwebhookinfo": Methods.webhook_info,
    "sendmessage": Methods.send_message,
    "sendphoto": Methods.send_photo,
    "editmessagetext": Methods.edit_message_text,
    "editmessagecaption": Methods.edit_message_caption,
    "editmessagemedia": Methods.edit_message_media,
    "editmessagereplymarkup": Methods.edit_message_reply_markup,
    "deletemessage": Methods.delete_message,
    "pinchatmessage": Methods.pin_message,
    "unpinchatmessage": Methods.unpin_message,
    "sendchataction": Methods.chat_action,
    "answercallbackquery": Methods.answer_query,
    "answerinlinequery": Methods.answer_inline,
    "getfile": Methods.get_file,
    "getchat": Methods.get_chat,
    "getchatmember": Methods.get_member,
    "getchatadministrators": Methods.get_administrators,
    "setmycommands": Methods.set_commands,
    "getmycommands": Methods.get_commands,
    "deletemycommands": Methods.delete_commands,
}
