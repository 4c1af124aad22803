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
    """The fixtures of the coming months, which the test sets; they are known once somebody has asked for them."""

    played: tuple[Fixture, ...] = ()
    loads: int = 0
    known: tuple[Fixture, ...] = ()

    def fixtures(self) -> tuple[Fixture, ...]:
        """Return what is known."""
        return self.known

    async def load(self) -> bool:
        """Ask the feed; return True if that brought anything new."""
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
    status: str = "2 matches <live>"
    card_form: CardForm = CardForm.TEXT
    """What match cards are in a new chat."""

    explanations: dict[tuple[int, int], MessageExplanation] = field(default_factory=dict)
    """Of alerts, by chat and message."""
    lookups_before_commit: int = 0
    """So many look-ups of a message find nothing: its id is not committed yet."""

    async def render_status(self) -> str:
        return self.status

    async def explain_message(self, chat_id: int, message_id: int) -> MessageExplanation | None:
        """Return the explanation of a message; None if it is no alert."""
        if self.lookups_before_commit:
            self.lookups_before_commit -= 1
            return None
        return self.explanations.get((chat_id, message_id))

    async def send_sample(self, ref: ChatRef, name: str, delay: int) -> None:
        """Record a request for a sample alert."""
        self.samples.append((ref, name, delay))

    async def ask(self, chat_id: int, user_id: int, text: str, **more: Any) -> Message:
        """Write to the bot, and return its next message."""
        before = len(self.api.chat(chat_id).messages)
        self.api.say(chat_id, user_id, text, **more)
        await self.api.until(lambda: len(self.api.chat(chat_id).messages) > before)
        return self.api.chat(chat_id).last

    async def tap(self, chat_id: int, user_id: int, label: str) -> str:
        """Press a button under the latest message; return the text of the notice that answers it."""
        return await self._wait_for_notice(self.api.tap(chat_id, user_id, label))

    async def press(self, chat_id: int, user_id: int, message: Message, data: str) -> str:
        """Press a button with any data; return the text of the notice that answers it."""
        return await self._wait_for_notice(self.api.press(chat_id, user_id, message, data))

    async def wait_until_idle(self) -> None:
        """Wait until everything that was written to the bot has been handled."""
        await self.api.until(lambda: not self.api.updates)
        await self.app.update_queue.join()

    async def list_followed(self, chat_id: int, topic: int = 0) -> list[str]:
        """Return the names of what a chat follows."""
        return [s.name or s.scope for s in await self.subscriptions.get_all(ChatRef(chat_id, topic))]

    async def load_chat(self, chat_id: int, topic: int = 0) -> Chat:
        """Return a chat as it is in the database."""
        chat = await self.chats.get(ChatRef(chat_id, topic))
        assert chat is not None
        return chat

    async def _wait_for_notice(self, query: str) -> str:
        await self.api.until(lambda: self.api.answer(query) is not None)
        await self.wait_until_idle()
        return str((self.api.answer(query) or {})["text"])


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
        made = World(api, app, ChatRepository(database), SubscriptionRepository(database))
        replies = ReplySender(app.bot, render_match)
        services = ChatServices(
            chats=made.chats,
            subscriptions=made.subscriptions,
            directory=made.directory,
            list_kinds=lambda: made.kinds,
            clock=made.clock,
            replies=replies,
            commands=ROUTER.menu,
            is_admin=lambda user_id: user_id == ADMIN,
            render_status=made.render_status,
            explain_message=made.explain_message,
            send_sample=made.send_sample,
            season=made.season,
            max_subscriptions=lambda: made.max_subscriptions,
            allowed_chats=lambda: made.allowed_chats,
            default_card_form=lambda: made.card_form,
        )
        app.add_handlers(build_handlers(services, UpdateOrder(UpdateRepository(database, "here"))))
        app.add_error_handler(partial(on_error, replies))
        async with answering(app):
            yield made
        await database.close()
