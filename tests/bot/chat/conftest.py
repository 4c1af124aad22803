"""The bot's chat side, running against the fake Bot API on loopback."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest
from telegram import Update
from telegram.ext import Application

from bot.chat.application import ROUTER, build_handlers, on_error
from bot.chat.replies import ReplySender
from bot.chat.services import ChatServices
from bot.chat.update_order import UpdateOrder, UpdateRepository
from bot.clock import ManualClock
from bot.fake_telegram import Message
from bot.media.renderer import render_match
from bot.outbox.explanation import MessageExplanation
from bot.storage.chats import ChatRepository
from bot.storage.database import Database
from bot.storage.subscriptions import SubscriptionRepository
from bot.subscribers import CardForm, Chat, ChatRef
from bot.telegram.messenger import build_bot
from rules.engine.alert import SHIPPED_KINDS
from rules.football.action import Fixture
from tests.bot.chat.fixtures import NOW, KnownFixtures
from tests.fakes.bot_api import FakeBotApi
from tests.waiting import DEADLINE

ADMIN = 7
"""The admin of the configuration, and of every group."""


@dataclass(slots=True)
class KnownSeason:
    """The coming months as a test fills them; known once somebody has asked for them."""

    played: tuple[Fixture, ...] = ()
    loads: int = 0
    known: tuple[Fixture, ...] = ()

    def fixtures(self) -> tuple[Fixture, ...]:
        """What was asked for."""
        return self.known

    async def load(self) -> bool:
        """Ask."""
        self.loads += 1
        is_new = self.known is not self.played
        self.known = self.played
        return is_new


@dataclass(slots=True)
class World:
    """Telegram, the store and the fixtures around a running bot."""

    api: FakeBotApi
    app: Application[Any, Any, Any, Any, Any, Any]
    chats: ChatRepository
    subscriptions: SubscriptionRepository
    directory: KnownFixtures = field(default_factory=KnownFixtures)
    clock: ManualClock = field(default_factory=lambda: ManualClock(NOW))
    season: KnownSeason = field(default_factory=KnownSeason)
    samples: list[tuple[ChatRef, str, int]] = field(default_factory=list)

    max_subscriptions: int = 200
    kinds: tuple[str, ...] = SHIPPED_KINDS
    """The kinds of alerts on offer."""
    allowed_chats: tuple[str, ...] | None = None
    card_form: CardForm = CardForm.TEXT
    """What match cards are in a new chat."""

    told: dict[tuple[int, int], MessageExplanation] = field(default_factory=dict)
    """By chat and message, what alerts tell."""

    async def explain_message(self, chat_id: int, message_id: int) -> MessageExplanation | None:
        """What a message tells; None where it is no alert."""
        return self.told.get((chat_id, message_id))

    async def send_sample(self, ref: ChatRef, name: str, delay: int) -> None:
        """Note a sample alert that is asked for."""
        self.samples.append((ref, name, delay))

    async def ask(self, chat_id: int, user_id: int, text: str, **more: Any) -> Message:
        """Say something and wait for the bot's next message."""
        before = len(self.api.chat(chat_id).messages)
        self.api.say(chat_id, user_id, text, **more)
        await self.api.until(lambda: len(self.api.chat(chat_id).messages) > before)
        return self.api.chat(chat_id).last

    async def tap(self, chat_id: int, user_id: int, label: str) -> str:
        """Press a button under the latest message; returns the words of the answer."""
        return await self._answered(self.api.tap(chat_id, user_id, label))

    async def press(self, chat_id: int, user_id: int, message: Message, data: str) -> str:
        """Press a button with any data; returns the words of the answer."""
        return await self._answered(self.api.press(chat_id, user_id, message, data))

    async def idle(self) -> None:
        """Wait until everything that was said has been heard and dealt with."""
        await self.api.until(lambda: not self.api.updates)
        await self.app.update_queue.join()

    async def followed(self, chat_id: int, topic: int = 0) -> list[str]:
        """The names of what a chat follows."""
        return [s.name or s.scope for s in await self.subscriptions.get_all(ChatRef(chat_id, topic))]

    async def stored(self, chat_id: int, topic: int = 0) -> Chat:
        """A chat as it is in the database."""
        chat = await self.chats.get(ChatRef(chat_id, topic))
        assert chat is not None
        return chat

    async def _answered(self, query: str) -> str:
        await self.api.until(lambda: self.api.answer(query) is not None)
        await self.idle()
        return str((self.api.answer(query) or {})["text"])


async def _status() -> str:
    return "2 matches <live>"


def application(api: FakeBotApi) -> Application[Any, Any, Any, Any, Any, Any]:
    """An application with the product's own bot: python-telegram-bot's reads all certificates anew for each test."""
    return Application.builder().bot(build_bot(api.token, api.url, read_timeout=DEADLINE)).build()


@asynccontextmanager
async def answering(app: Application[Any, Any, Any, Any, Any, Any]) -> AsyncIterator[None]:
    """Fetch updates and answer them while the block lasts."""
    async with app:
        assert app.updater is not None
        await app.updater.start_polling(timeout=5, allowed_updates=Update.ALL_TYPES)
        await app.start()
        yield
        await app.updater.stop()
        await app.stop()


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with FakeBotApi(strict_limits=False) as api:
        app = application(api)
        database = await Database.open("sqlite://")
        around = World(api, app, ChatRepository(database), SubscriptionRepository(database))
        replies = ReplySender(app.bot, render_match)
        services = ChatServices(
            chats=around.chats,
            subscriptions=around.subscriptions,
            directory=around.directory,
            list_kinds=lambda: around.kinds,
            clock=around.clock,
            replies=replies,
            commands=ROUTER.menu,
            is_admin=lambda user_id: user_id == ADMIN,
            render_status=_status,
            explain_message=around.explain_message,
            send_sample=around.send_sample,
            season=around.season,
            max_subscriptions=lambda: around.max_subscriptions,
            allowed_chats=lambda: around.allowed_chats,
            default_card_form=lambda: around.card_form,
        )
        app.add_handlers(build_handlers(services, UpdateOrder(UpdateRepository(database, "here"))))
        app.add_error_handler(partial(on_error, replies))
        async with answering(app):
            yield around
        await database.close()
