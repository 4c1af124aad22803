"""Messages of the fake Bot API: sent, edited, pinned and deleted, refusing what Telegram refuses."""

from __future__ import annotations

import asyncio
from typing import Any

from bot.fake_telegram.chats import ChatStore
from bot.fake_telegram.html import EntitiesError, utf16
from bot.fake_telegram.params import Params, buttons_of, reply_to
from bot.fake_telegram.rich import RichMessageError, read_rich_message
from bot.fake_telegram.state import THREAD_NOT_FOUND, Button, FakeChat, Message, Version, bad, version

MAX_CAPTION = 1024
MAX_PHOTO = 10 * 2**20
MAX_TOPIC_NAME = 128
NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same "
    "as a current content and reply markup of the message"
)


class MessageMethods(ChatStore):
    """What makes and changes messages; each method takes Params and returns the JSON of `result`, or raises RefusedError."""

    def send_message(self, given: Params) -> Any:
        chat = self._writable(given)
        more = self._read_message_options(chat, given)
        self._count(chat, given)
        message = self.add(chat, given.text("text"), given.text("parse_mode"), by_bot=True, **more)
        return self.json_of(message)

    def send_photo(self, given: Params) -> Any:
        chat = self._reachable(given)
        self._caption(given.text("caption"), given.text("parse_mode"), ())
        more = self._read_message_options(chat, given)
        photo = self._photo(given)
        self._count(chat, given)
        message = self.add(chat, given.text("caption"), given.text("parse_mode"), by_bot=True, **more)
        message.photo, message.spoiler = photo, given.flag("has_spoiler")
        return self.json_of(message)

    def send_rich_message(self, given: Params) -> Any:
        chat = self._reachable(given)
        more = self._read_message_options(chat, given)
        now = self._rich_version(given, more["buttons"])
        self._count(chat, given)
        message = self.add(chat, "", by_bot=True, **more)
        message.versions = [now]
        return self.json_of(message)

    def _rich_version(self, given: Params, buttons: tuple[tuple[Button, ...], ...]) -> Version:
        try:
            content = read_rich_message(given.json("rich_message"))
        except RichMessageError as trouble:
            raise bad(f"can't parse rich message: {trouble}") from None
        return Version(asyncio.get_running_loop().time(), content.html, content.parsed, buttons, content.blocks)

    def _read_message_options(self, chat: FakeChat, given: Params) -> dict[str, Any]:
        """Return what a text and a photo take alike, as arguments of `add`. Raise RefusedError where Telegram refuses it."""
        topic = given.number("message_thread_id") or 0
        if topic and chat.is_forum and chat.topics and topic not in chat.topics:
            raise THREAD_NOT_FOUND
        return {
            "topic": topic,
            "reply_to": reply_to(chat, given),
            "buttons": self._buttons(given),
            "silent": given.flag("disable_notification"),
            "receiver": self._receiver(chat, given),
        }

    def _buttons(self, given: Params) -> tuple[tuple[Button, ...], ...]:
        return buttons_of(given, knows_styles="style" not in self.lacking)

    def edit_ephemeral_text(self, given: Params) -> Any:
        chat, message = self._writable(given), self._own_ephemeral(given, "edit")
        self._count(chat, given)
        now = version(asyncio.get_running_loop().time(), given.text("text"), given.text("parse_mode"), self._buttons(given))
        if (now.parsed, now.buttons) == (message.now.parsed, message.now.buttons):
            raise bad(NOT_MODIFIED)
        message.versions.append(now)
        return True

    def delete_ephemeral(self, given: Params) -> Any:
        self._own_ephemeral(given, "delete").deleted = True
        return True

    def _own_ephemeral(self, given: Params, verb: str) -> Message:
        chat = self._reachable(given)
        receiver, ephemeral_id = given.number("receiver_user_id"), given.number("ephemeral_message_id")
        message = chat.find_ephemeral(receiver or 0, ephemeral_id or 0)
        if message is None or not message.by_bot:
            raise bad(f"message to {verb} not found")
        return message

    def _photo(self, given: Params) -> bytes:
        """Return an uploaded file, or by its id one that was uploaded before."""
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
        """Replace a text by a text or a rich message, and the other way round."""
        is_rich = self._takes_rich_message(given)
        if is_rich and given.text("text"):
            raise bad("text and rich_message can't be used together")
        chat = self._reachable(given) if is_rich else self._writable(given)
        message = self._own(chat, given, "edit")
        if message.photo:
            raise bad("there is no text in the message to edit")
        if is_rich:
            now = self._rich_version(given, self._buttons(given))
        else:
            now = version(asyncio.get_running_loop().time(), given.text("text"), given.text("parse_mode"), self._buttons(given))
        self._count(chat, given)
        if (now.parsed, now.buttons, now.blocks) == (message.now.parsed, message.now.buttons, message.now.blocks):
            raise bad(NOT_MODIFIED)
        message.versions.append(now)
        return self.json_of(message)

    def _takes_rich_message(self, given: Params) -> bool:
        if given.json("rich_message") is None:
            return False
        if "rich_message" not in self.lacking:
            return True
        if not self.ignores_unknown:
            raise bad('unsupported parameter "rich_message"')
        return False

    def edit_message_caption(self, given: Params) -> Any:
        chat = self._reachable(given)
        now = self._caption(given.text("caption"), given.text("parse_mode"), self._buttons(given))
        message = self._own(chat, given, "edit")
        if not message.photo:
            raise bad("there is no caption in the message to edit")
        return self._replace_photo(chat, message, given, now, message.photo, spoiler=message.spoiler)

    def edit_message_media(self, given: Params) -> Any:
        """Replace a photo. Other media are refused, and a text cannot become a photo."""
        chat, media = self._reachable(given), given.json("media") or {}
        if media.get("type") != "photo":
            raise bad("can't parse InputMedia: unsupported type")
        now = self._caption(media.get("caption", ""), media.get("parse_mode", ""), self._buttons(given))
        message = self._own(chat, given, "edit")
        if not message.photo:
            raise bad("message can't be edited")
        named = str(media.get("media", ""))
        photo = self._photo(Params({"photo": given.given.get(named.removeprefix("attach://"), named)}))
        return self._replace_photo(chat, message, given, now, photo, spoiler=bool(media.get("has_spoiler")))

    def _replace_photo(
        self, chat: FakeChat, message: Message, given: Params, now: Version, photo: bytes, *, spoiler: bool
    ) -> Any:
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
        buttons = self._buttons(given)
        if buttons == message.buttons:
            raise bad(NOT_MODIFIED)
        loop = asyncio.get_running_loop()
        message.versions.append(type(message.now)(loop.time(), message.html, message.now.parsed, buttons))
        return self.json_of(message)

    def delete_message(self, given: Params) -> Any:
        self._own(self._reachable(given), given, "delete").deleted = True
        return True

    def create_topic(self, given: Params) -> Any:
        """Make a topic of a forum, which counts as a message."""
        chat, name = self._reachable(given), given.text("name")
        if not chat.is_forum:
            raise bad("the chat is not a forum")
        if self.me["id"] not in chat.admins or "can_manage_topics" in chat.lacks:
            raise bad("not enough rights to create a topic")
        if not 1 <= len(name) <= MAX_TOPIC_NAME:
            raise bad("TOPIC_TITLE_EMPTY" if not name else "topic name is too long")
        self._count(chat, given)
        # As Telegram numbers them: by the message that opens the topic.
        topic = self.add(chat, "", by_bot=True).id
        chat.everything.pop()
        chat.topics.add(topic)
        chat.topic_names[topic] = name
        return {"message_thread_id": topic, "name": name, "icon_color": 7322096}

    def pin_message(self, given: Params) -> Any:
        self._set_pinned(given, "pin", on=True)
        return True

    def unpin_message(self, given: Params) -> Any:
        self._set_pinned(given, "unpin", on=False)
        return True

    def _set_pinned(self, given: Params, verb: str, *, on: bool) -> None:
        """Pin or unpin a message. Outside private chats the bot needs the administrator's right to do so."""
        chat = self._reachable(given)
        right = "can_edit_messages" if chat.type == "channel" else "can_pin_messages"
        if chat.type != "private" and (self.me["id"] not in chat.admins or right in chat.lacks):
            raise bad("not enough rights to manage pinned messages in the chat")
        message = chat.find(given.number("message_id") or 0)
        if message is None:
            raise bad(f"message to {verb} not found")
        message.pinned = on
