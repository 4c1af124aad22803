"""Where something was said, and by whom, read from Telegram's update."""

from __future__ import annotations

import msgspec
from telegram import Message, Update
from telegram.constants import ChatType

from bot.store.model import ChatRef

LONGEST_TITLE = 200


class Heard(msgspec.Struct, frozen=True):
    """One thing that was said or pressed in a chat. `user_id` is None in a channel."""

    ref: ChatRef
    kind: str
    title: str
    user_id: int | None
    message_id: int
    as_chat: bool = False
    """True: the chat itself spoke: an anonymous administrator, or a channel's post."""

    @property
    def reply_to(self) -> int | None:
        """The message to answer in a place where many speak; None where it would only be noise."""
        return self.message_id if self.kind in (ChatType.GROUP, ChatType.SUPERGROUP) else None


def heard(update: Update) -> Heard | None:
    """Read where a message was said or a button pressed; None for an update without a message that can be seen."""
    query = update.callback_query
    message = query.message if query else update.effective_message
    if not isinstance(message, Message) or not message.is_accessible:
        return None
    chat = message.chat
    user = query.from_user if query else message.from_user
    title = (chat.title or chat.full_name or "")[:LONGEST_TITLE]
    spoke = query is None and message.sender_chat is not None and message.sender_chat.id == chat.id
    user_id = user.id if user else None
    return Heard(ref_of(message), chat.type, title, user_id, message.message_id, as_chat=spoke)


def ref_of(message: Message) -> ChatRef:
    """The chat, or the topic of a forum, that a message stands in."""
    topic = message.message_thread_id if message.is_topic_message else None
    return ChatRef(message.chat.id, topic or 0)
