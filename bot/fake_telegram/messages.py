"""Messages of the fake Bot API: sent, edited, pinned and deleted, refusing what Telegram refuses."""

from __future__ import annotations

import asyncio
from typing import Any

from bot.fake_telegram.chats import ChatStore
from bot.fake_telegram.html import EntitiesError, utf16
from bot.fake_telegram.params import Params, read_buttons, read_reply_target
from bot.fake_telegram.rich import RichMessageError, read_rich_message
from bot.fake_telegram.state import THREAD_NOT_FOUND, Button, FakeChat, Message, Version, bad_request, read_version

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
        chat = self._find_chat_for_text(given)
        more = self._read_message_options(chat, given)
        # After every other check: what is refused for another reason does not count for the limits.
        self._count_message(chat, given)
        message = self.add(chat, given.text("text"), given.text("parse_mode"), by_bot=True, **more)
        return self.message_to_json(message)

    def send_photo(self, given: Params) -> Any:
        chat = self._find_chat(given)
        self._read_caption(given.text("caption"), given.text("parse_mode"), ())
        more = self._read_message_options(chat, given)
        photo = self._read_photo(given)
        self._count_message(chat, given)
        message = self.add(chat, given.text("caption"), given.text("parse_mode"), by_bot=True, **more)
        message.photo, message.spoiler = photo, given.flag("has_spoiler")
        return self.message_to_json(message)

    def send_rich_message(self, given: Params) -> Any:
        chat = self._find_chat(given)
        more = self._read_message_options(chat, given)
        now = self._read_rich_version(given, more["buttons"])
        self._count_message(chat, given)
        message = self.add(chat, "", by_bot=True, **more)
        message.versions = [now]
        return self.message_to_json(message)

    def _read_rich_version(self, given: Params, buttons: tuple[tuple[Button, ...], ...]) -> Version:
        try:
            content = read_rich_message(given.json("rich_message"))
        except RichMessageError as trouble:
            raise bad_request(f"can't parse rich message: {trouble}") from None
        return Version(asyncio.get_running_loop().time(), content.html, content.parsed, buttons, content.blocks)

    def _read_message_options(self, chat: FakeChat, given: Params) -> dict[str, Any]:
        """Return what a text and a photo take alike, as arguments of `add`. Raise RefusedError where Telegram refuses it."""
        topic = given.number("message_thread_id") or 0
        if topic and chat.is_forum and chat.topics and topic not in chat.topics:
            raise THREAD_NOT_FOUND
        return {
            "topic": topic,
            "reply_to": read_reply_target(chat, given),
            "buttons": self._read_buttons(given),
            "silent": given.flag("disable_notification"),
            "receiver": self._read_receiver(chat, given),
        }

    def _read_buttons(self, given: Params) -> tuple[tuple[Button, ...], ...]:
        # An older server refuses a colour, by which the bot learns to leave colours out.
        return read_buttons(given, knows_styles="style" not in self.lacking)

    def _read_text(self, given: Params) -> Version:
        now = asyncio.get_running_loop().time()
        return read_version(now, given.text("text"), given.text("parse_mode"), self._read_buttons(given))

    def edit_ephemeral_text(self, given: Params) -> Any:
        chat, message = self._find_chat_for_text(given), self._find_ephemeral(given, "edit")
        self._count_message(chat, given)
        now = self._read_text(given)
        if (now.parsed, now.buttons) == (message.now.parsed, message.now.buttons):
            raise bad_request(NOT_MODIFIED)
        message.versions.append(now)
        return True

    def delete_ephemeral(self, given: Params) -> Any:
        self._find_ephemeral(given, "delete").deleted = True
        return True

    def _find_ephemeral(self, given: Params, verb: str) -> Message:
        chat = self._find_chat(given)
        receiver, ephemeral_id = given.number("receiver_user_id"), given.number("ephemeral_message_id")
        message = chat.find_ephemeral(receiver or 0, ephemeral_id or 0)
        # The bot may not change a member's own ephemeral command.
        if message is None or not message.by_bot:
            raise bad_request(f"message to {verb} not found")
        return message

    def _read_photo(self, given: Params) -> bytes:
        """Return an uploaded file, or by its id one that was uploaded before."""
        file = given.given.get("photo")
        content = self.downloads.get(f"documents/{file}") if isinstance(file, str) else file and file.file.read()
        if not content:
            raise bad_request(
                "wrong file identifier/HTTP URL specified" if isinstance(file, str) else "there is no photo in the request"
            )
        # The bot sends only PNG.
        if content[:8] != b"\x89PNG\r\n\x1a\n":
            raise bad_request("IMAGE_PROCESS_FAILED")
        # A PNG begins with its signature and the header chunk: the size stands at the same place in each.
        width, height = (int.from_bytes(content[at : at + 4]) for at in (16, 20))
        if len(content) > MAX_PHOTO or width + height > 10_000 or max(width, height) > 20 * min(width, height):
            raise bad_request("PHOTO_INVALID_DIMENSIONS")
        return content

    def edit_message_text(self, given: Params) -> Any:
        """Replace a text by a text or a rich message, and the other way round."""
        is_rich = self._takes_rich_message(given)
        # An old server that ignores what it does not know finds no text in such a request, and refuses that.
        if is_rich and given.text("text"):
            raise bad_request("text and rich_message can't be used together")
        chat = self._find_chat(given) if is_rich else self._find_chat_for_text(given)
        message = self._find_message(chat, given, "edit")
        # Telegram cannot edit a photo into a text.
        if message.photo:
            raise bad_request("there is no text in the message to edit")
        now = self._read_rich_version(given, self._read_buttons(given)) if is_rich else self._read_text(given)
        self._count_message(chat, given)
        if (now.parsed, now.buttons, now.blocks) == (message.now.parsed, message.now.buttons, message.now.blocks):
            raise bad_request(NOT_MODIFIED)
        message.versions.append(now)
        return self.message_to_json(message)

    def _takes_rich_message(self, given: Params) -> bool:
        if given.json("rich_message") is None:
            return False
        if "rich_message" not in self.lacking:
            return True
        if not self.ignores_unknown:
            raise bad_request('unsupported parameter "rich_message"')
        return False

    def edit_message_caption(self, given: Params) -> Any:
        chat = self._find_chat(given)
        now = self._read_caption(given.text("caption"), given.text("parse_mode"), self._read_buttons(given))
        message = self._find_message(chat, given, "edit")
        if not message.photo:
            raise bad_request("there is no caption in the message to edit")
        return self._replace_photo(chat, message, given, now, message.photo, spoiler=message.spoiler)

    def edit_message_media(self, given: Params) -> Any:
        """Replace a photo. Other media are refused, and a text cannot become a photo."""
        chat, media = self._find_chat(given), given.json("media") or {}
        if media.get("type") != "photo":
            raise bad_request("can't parse InputMedia: unsupported type")
        now = self._read_caption(media.get("caption", ""), media.get("parse_mode", ""), self._read_buttons(given))
        message = self._find_message(chat, given, "edit")
        if not message.photo:
            raise bad_request("message can't be edited")
        # An upload is a field of its own in the form, to which the description refers; else it is the id of a file.
        named = str(media.get("media", ""))
        photo = self._read_photo(Params({"photo": given.given.get(named.removeprefix("attach://"), named)}))
        return self._replace_photo(chat, message, given, now, photo, spoiler=bool(media.get("has_spoiler")))

    def _replace_photo(
        self, chat: FakeChat, message: Message, given: Params, now: Version, photo: bytes, *, spoiler: bool
    ) -> Any:
        self._count_message(chat, given)
        if (now.parsed, now.buttons, photo) == (message.now.parsed, message.now.buttons, message.photo):
            raise bad_request(NOT_MODIFIED)
        message.versions.append(now)
        message.photo, message.spoiler = photo, spoiler
        return self.message_to_json(message)

    def _read_caption(self, text: str, mode: str, buttons: tuple[tuple[Button, ...], ...]) -> Version:
        try:
            now = read_version(asyncio.get_running_loop().time(), text, mode, buttons)
        except EntitiesError as trouble:
            raise bad_request(f"can't parse entities: {trouble}") from None
        if utf16(now.parsed.text) > MAX_CAPTION:
            raise bad_request("message caption is too long")
        return now

    def edit_message_reply_markup(self, given: Params) -> Any:
        message = self._find_message(self._find_chat(given), given, "edit")
        buttons = self._read_buttons(given)
        if buttons == message.buttons:
            raise bad_request(NOT_MODIFIED)
        message.versions.append(Version(asyncio.get_running_loop().time(), message.html, message.now.parsed, buttons))
        return self.message_to_json(message)

    def delete_message(self, given: Params) -> Any:
        self._find_message(self._find_chat(given), given, "delete").deleted = True
        return True

    def create_topic(self, given: Params) -> Any:
        """Make a topic of a forum, which counts as a message."""
        chat, name = self._find_chat(given), given.text("name")
        if not chat.is_forum:
            raise bad_request("the chat is not a forum")
        if self.me["id"] not in chat.admins or "can_manage_topics" in chat.lacks:
            raise bad_request("not enough rights to create a topic")
        if not 1 <= len(name) <= MAX_TOPIC_NAME:
            raise bad_request("TOPIC_TITLE_EMPTY" if not name else "topic name is too long")
        self._count_message(chat, given)
        # As Telegram numbers them: by the message that opens the topic. A test sees only what the bot has written.
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
        chat = self._find_chat(given)
        right = "can_edit_messages" if chat.type == "channel" else "can_pin_messages"
        if chat.type != "private" and (self.me["id"] not in chat.admins or right in chat.lacks):
            raise bad_request("not enough rights to manage pinned messages in the chat")
        message = chat.find(given.number("message_id") or 0)
        if message is None:
            raise bad_request(f"message to {verb} not found")
        message.pinned = on
