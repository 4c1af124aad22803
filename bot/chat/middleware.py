"""Prepares each update for its handler: the language of the answer, and where the update comes from."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Iterable
from contextvars import ContextVar
from typing import Any

from telegram import Message, Update
from telegram.constants import ChatType
from telegram.ext import BaseHandler

from bot.chat.dialogue import Screen
from bot.chat.replies import ReplySender
from bot.chat.update_origin import HandlerContext, UpdateOrigin, read_chat_ref, read_origin
from bot.i18n.language import find_language, use_language
from bot.storage.chats import ChatRepository
from bot.subscribers import ChatRef

Handler = BaseHandler[Update, HandlerContext, None]

OnUpdate = Callable[[Update, HandlerContext], Coroutine[Any, Any, None]]
"""The callback of a handler."""

OnMessage = Callable[[UpdateOrigin, Message, HandlerContext], Awaitable[None]]

RunAnswer = Callable[[Update, Callable[[], Awaitable[None]]], Awaitable[None]]
"""Takes an update and what answers it, and calls that."""

_sender_language: ContextVar[str] = ContextVar("sender_language", default="")
"""Set while an update is handled. Each update is handled in a task of its own, so updates do not see each other's."""


def with_origin(on_message: OnMessage) -> OnUpdate:
    """Make a handler's callback that reads the origin of the update first. An update without a message is dropped."""

    async def callback(update: Update, ptb_context: HandlerContext) -> None:
        origin, message = read_origin(update), update.effective_message
        if origin is not None and message is not None:
            await on_message(origin, message, ptb_context)

    return callback


def use_chat_language(handlers: Iterable[Handler], chats: ChatRepository) -> list[Handler]:
    """Make each handler answer in the language of the chat that its update comes from."""
    return wrap_handlers(handlers, lambda update, answer: run_in_chat_language(update, chats, answer))


def wrap_handlers(handlers: Iterable[Handler], run: RunAnswer) -> list[Handler]:
    """Make `run` decide when, and in which surroundings, each handler takes its updates. Changes the handlers themselves."""

    def wrap(answer: OnUpdate) -> OnUpdate:
        async def callback(update: Update, ptb_context: HandlerContext) -> None:
            await run(update, lambda: answer(update, ptb_context))

        return callback

    wrapped = list(handlers)
    for handler in wrapped:
        handler.callback = wrap(handler.callback)
    return wrapped


async def run_in_chat_language(update: Update, chats: ChatRepository, answer: Callable[[], Awaitable[None]]) -> None:
    """Answer in the language of the chat that an update comes from."""
    token = _sender_language.set(read_sender_language(update))
    try:
        with use_language(await _choose_language(update, chats)):
            await answer()
    finally:
        _sender_language.reset(token)


async def answer_refused_update(
    update: Update, replies: ReplySender, chats: ChatRepository, make_text: Callable[[], str]
) -> None:
    """Answer an update that no other handler gets with one text, in the chat's language: a press with a note, the rest with a
    message."""

    async def answer() -> None:
        origin = read_origin(update)
        if update.callback_query:
            await replies.acknowledge(update.callback_query, make_text())
        elif origin:
            await replies.send(origin, Screen(make_text()))

    await run_in_chat_language(update, chats, answer)


async def _choose_language(update: Update, chats: ChatRepository) -> str:
    ref = _read_reply_chat(update)
    chat = await chats.get(ref) if ref else None
    if ref and ref.topic and not (chat and chat.language):
        # A topic without a language of its own has that of its forum.
        chat = await chats.get(ChatRef(ref.chat_id)) or chat
    if chat is None:
        return sender_language()
    if chat.type != ChatType.PRIVATE or chat.language_chosen or not sender_language():
        return chat.language or sender_language()
    # Alerts come without a sender, so a private chat's language is kept in step with that of its user's app.
    if chat.language != sender_language():
        await chats.set_language_if_unchosen(chat.ref, sender_language())
    return sender_language()


def _read_reply_chat(update: Update) -> ChatRef | None:
    """Return the chat that the answer goes to. An inline query comes from no chat: the user's private one counts."""
    message: Any = update.callback_query.message if update.callback_query else update.effective_message
    if isinstance(message, Message):
        return read_chat_ref(message)
    if update.inline_query:
        return ChatRef(update.inline_query.from_user.id)
    return ChatRef(update.effective_chat.id) if update.effective_chat else None


def sender_language() -> str:
    """Return the language of the Telegram app of the current update's sender; empty if there is none, as in a channel."""
    return _sender_language.get()


def read_sender_language(update: object) -> str:
    """Return the language of the sender's Telegram app, English if the bot does not speak it, empty if it is not known."""
    user = update.effective_user if isinstance(update, Update) else None
    return find_language(user.language_code) if user and user.language_code else ""


async def find_private_language(user_id: int, chats: ChatRepository) -> str:
    """Return the language for a private message to the current update's sender, whichever chat the update comes from."""
    chat = await chats.get(ChatRef(user_id))
    return chat.language if chat and (chat.language_chosen or not sender_language()) else sender_language()
