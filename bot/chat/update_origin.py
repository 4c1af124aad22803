"""Where a message was sent or a button pressed, by whom, and which chat it is about."""

from __future__ import annotations

import re

import msgspec
from msgspec.structs import replace
from telegram import Message, Update
from telegram.constants import ChatType
from telegram.ext import ContextTypes

from bot.subscribers import ChatRef

HandlerContext = ContextTypes.DEFAULT_TYPE
"""What python-telegram-bot gives to a handler beside the update."""

MAX_TITLE_LENGTH = 200
"""Characters of a chat's title that are stored."""


class UpdateOrigin(msgspec.Struct, frozen=True):
    """Where a message was sent or a button pressed, and by whom."""

    ref: ChatRef
    type: str
    """The type of the chat, one of Telegram's `ChatType`."""
    title: str
    user_id: int | None
    """None in a channel."""
    message_id: int
    is_anonymous: bool = False
    """True: sent in the name of the chat itself, by an anonymous administrator or as a channel's post."""
    is_member: bool = False
    """True: the sender is a member of a group and no administrator of it."""
    ephemeral_id: int = 0
    """The number of an ephemeral message, which only its sender and the bot see; 0 for every other message."""
    query_id: str = ""
    """The id of the press, which lets the bot answer this person alone; empty for a message."""

    @property
    def is_in_group(self) -> bool:
        """True in a group, where many read what is answered to one."""
        return self.type in (ChatType.GROUP, ChatType.SUPERGROUP)

    @property
    def is_for_sender_only(self) -> bool:
        """True if nobody but the sender needs to see the answer."""
        return self.is_in_group and self.user_id is not None and (self.is_member or self.ephemeral_id > 0)

    @property
    def reply_to_message_id(self) -> int | None:
        """The message to reply to in a group, where many write at once; None elsewhere."""
        return self.message_id if self.is_in_group and not self.ephemeral_id else None

    @property
    def request_id(self) -> str:
        """A name for the message, so that one that comes twice is carried out once."""
        return f"{self.ref.chat_id}:{f'e{self.ephemeral_id}' if self.ephemeral_id else self.message_id}"


def read_origin(update: Update) -> UpdateOrigin | None:
    """Read where an update comes from. Return None if it has no message, or one that Telegram no longer shows to bots."""
    query = update.callback_query
    message = query.message if query else update.effective_message
    # A message that was deleted, or is too old, comes as an InaccessibleMessage, which has no more than its id.
    if not isinstance(message, Message) or not message.is_accessible:
        return None
    chat = message.chat
    user = query.from_user if query else message.from_user
    title = (chat.title or chat.full_name or "")[:MAX_TITLE_LENGTH]
    # Not for presses: the message above a button is the bot's own, in a channel sent in the channel's name. It says nothing about
    # the person who presses.
    is_anonymous = query is None and message.sender_chat is not None and message.sender_chat.id == chat.id
    user_id = user.id if user else None
    return UpdateOrigin(
        read_chat_ref(message),
        chat.type,
        title,
        user_id,
        message.message_id,
        is_anonymous,
        ephemeral_id=read_ephemeral_id(message),
        query_id=query.id if query else "",
    )


def read_ephemeral_id(message: Message) -> int:
    """Return the number of an ephemeral message; 0 for every other one."""
    # The library does not know the field yet, and keeps what it does not know aside.
    found = message.api_kwargs.get("ephemeral_message_id")
    return found if isinstance(found, int) else 0


def read_chat_ref(message: Message) -> ChatRef:
    """Return the chat of a message, or the topic if it stands in a forum's topic."""
    # Telegram sets message_thread_id in groups without topics too, for replies: only is_topic_message tells.
    topic = message.message_thread_id if message.is_topic_message else None
    return ChatRef(message.chat.id, topic or 0)


# 19 digits are the longest 64-bit number, which Telegram's ids are.
_TARGETED_DATA = re.compile(r"@(-?\d{1,19});(.+)", re.DOTALL)


def split_target(origin: UpdateOrigin, data: str) -> tuple[UpdateOrigin, str]:
    """Return the chat that a button is for, with the button's own data.

    An administrator sets up a channel from the private chat with the bot; those buttons carry the channel: `@CHAT;DATA`.
    The chat's type and title are unknown then.
    """
    # In private chats only: in a group the data of such a button is forged.
    found = _TARGETED_DATA.fullmatch(data) if origin.type == ChatType.PRIVATE else None
    if found is None or abs(int(found[1])) >= 2**63:
        return origin, data
    return replace(origin, ref=ChatRef(int(found[1])), type="", title=""), found[2]
