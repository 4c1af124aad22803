"""In which language an update is answered: every handler is called with it spoken.

A chat's own language comes first: the one chosen by /language or in the configuration, or, in a group or a channel, that of the
administrator who first settled something there. Else it is the speaker's, as Telegram tells it. A private chat goes after its
user's Telegram for as long as no language is chosen; it is stored, since alerts come unasked.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextvars import ContextVar
from typing import Any, Protocol

from telegram import Message, Update
from telegram.constants import ChatType
from telegram.ext import BaseHandler, ContextTypes

from bot.chats.heard import ref_of
from bot.languages.speaking import known, speaking
from bot.store.model import Chat, ChatRef

Context = ContextTypes.DEFAULT_TYPE
Handler = BaseHandler[Update, Context, None]

_theirs: ContextVar[str] = ContextVar("theirs", default="")


class Languages(Protocol):
    """Who knows the chats' languages."""

    async def get(self, ref: ChatRef) -> Chat | None: ...
    async def speak(self, ref: ChatRef, language: str) -> None: ...


def theirs() -> str:
    """The language of the Telegram of who speaks now; empty where nobody does, as in a channel."""
    return _theirs.get()


def of_user(update: object) -> str:
    """The language of the Telegram of who sent an update, English where the bot does not speak it; empty where none is told."""
    user = update.effective_user if isinstance(update, Update) else None
    return known(user.language_code) if user and user.language_code else ""


async def private_language(user_id: int, chats: Languages) -> str:
    """The language for a word in private to who speaks now, wherever that is."""
    chat = await chats.get(ChatRef(user_id))
    return chat.language if chat and (chat.language_chosen or not theirs()) else theirs()


def spoken_to(handlers: Iterable[Handler], chats: Languages) -> list[Handler]:
    """The handlers, each answering in the language of its update."""
    return [_spoken_to(handler, chats) for handler in handlers]


def _spoken_to(handler: Handler, chats: Languages) -> Handler:
    answer = handler.callback

    async def answered(update: Update, context: Context) -> None:
        token = _theirs.set(of_user(update))
        try:
            with speaking(await _language(update, chats)):
                await answer(update, context)
        finally:
            _theirs.reset(token)

    handler.callback = answered
    return handler


async def _language(update: Update, chats: Languages) -> str:
    ref = _place(update)
    chat = await _known(ref, chats) if ref else None
    if chat is None:
        return theirs()
    if chat.kind != ChatType.PRIVATE or chat.language_chosen or not theirs():
        return chat.language or theirs()
    if chat.language != theirs():
        await chats.speak(chat.ref, theirs())
    return theirs()


async def _known(ref: ChatRef, chats: Languages) -> Chat | None:
    """The chat; a topic that knows no language yet is spoken to as its forum."""
    chat = await chats.get(ref)
    if ref.topic and not (chat and chat.language):
        return await chats.get(ChatRef(ref.chat_id)) or chat
    return chat


def _place(update: Update) -> ChatRef | None:
    """Where the answer goes, or whose answer it is where a user asks from any chat."""
    message: Any = update.callback_query.message if update.callback_query else update.effective_message
    if isinstance(message, Message):
        return ref_of(message)
    if update.inline_query:
        return ChatRef(update.inline_query.from_user.id)
    return ChatRef(update.effective_chat.id) if update.effective_chat else None
