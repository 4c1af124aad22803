"""Updates that Telegram brings: answered when they are dealt with, and to nobody else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs
from telegram import Update
from telegram.error import RetryAfter

from bot.chat.dialogue import Screen, read_origin
from bot.chat.replies import send_text
from bot.chat.updates import ALLOWED_UPDATES, WebhookServer, delete_webhook
from bot.config.models import WebhookSettings as Settings
from bot.errors import StorageUnavailable, UserMistake
from bot.telegram.messenger import build_bot
from tests.fakes.bot_api import FakeBotApi
from tests.fakes.bot_api_state import too_many
from tests.waiting import until

SECRET = {"X-Telegram-Bot-Api-Secret-Token": "proof-42"}
SAID = {
    "update_id": 7,
    "message": {"message_id": 1, "date": 1_790_000_000, "chat": {"id": 42, "type": "private"}, "text": "/today"},
}


def settings(port: int = 0) -> Settings:
    return Settings.model_validate(
        {"url": "https://bot.example.org/telegram", "listen": f"127.0.0.1:{port}", "secret_token": SecretStr("proof-42")}
    )


class World:
    """A webhook and what it takes; `away` is raised for so many updates."""

    def __init__(self, telegram: FakeBotApi, away: int = 0) -> None:
        self.taken: list[int] = []
        self.away = away
        self.webhook = WebhookServer(build_bot(telegram.token, telegram.url), settings(), self.take)

    async def take(self, update: Update) -> None:
        self.away -= 1
        if self.away >= 0:
            raise StorageUnavailable("away")
        self.taken.append(update.update_id)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[aiohttp.ClientSession]:
        async with self.webhook.serving() as port, aiohttp.ClientSession(f"http://127.0.0.1:{port}") as http:
            yield http


async def brought(http: aiohttp.ClientSession, body: Any = SAID, path: str = "/telegram", headers: Any = SECRET) -> int:
    """Bring an update as Telegram does; the answer."""
    async with http.post(path, json=body, headers=headers) as answer:
        return answer.status


@pytest.fixture
async def telegram() -> AsyncIterator[FakeBotApi]:
    async with FakeBotApi() as api:
        yield api


async def test_an_update_is_answered_when_it_was_dealt_with(telegram: FakeBotApi) -> None:
    world = World(telegram)
    async with world.open() as http:
        assert await brought(http) == 200

    assert world.taken == [7]


@pytest.mark.parametrize("headers", [{}, {"X-Telegram-Bot-Api-Secret-Token": "wrong"}, {"X-Telegram-Bot-Api-Secret-Token": ""}])
async def test_whoever_does_not_know_the_secret_is_refused(telegram: FakeBotApi, headers: dict[str, str]) -> None:
    world = World(telegram)
    async with world.open() as http:
        assert await brought(http, headers=headers) == 403
        assert await brought(http, path="/other") == 404

    assert world.taken == []


async def test_an_update_for_which_the_database_was_away_comes_again(telegram: FakeBotApi) -> None:
    world = World(telegram, away=1)
    async with world.open() as http:
        answers = [await brought(http), await brought(http)]

    assert (answers, world.taken) == ([503, 200], [7])


@pytest.mark.parametrize("body", [{"update_id": 7, "message": {"message_id": "?", "chat": 7}}, [], "words", {"no": "number"}])
async def test_what_cannot_be_read_does_not_come_again(telegram: FakeBotApi, body: Any) -> None:
    world = World(telegram)
    async with world.open() as http:
        assert await brought(http, body) == 200

    assert world.taken == []


async def test_telegram_is_told_where_to_bring_updates_until_it_has_heard(telegram: FakeBotApi) -> None:
    telegram.fail("setWebhook", times=1)
    async with build_bot(telegram.token, telegram.url) as bot:
        running = asyncio.create_task(WebhookServer(bot, settings(), World(telegram).take).run())
        await telegram.until(lambda: [call for call in telegram.calls("setWebhook") if call.status == 200])
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await delete_webhook(bot)
    given = telegram.calls("setWebhook")[-1].params

    assert given["url"] == "https://bot.example.org/telegram"
    assert given["secret_token"] == "proof-42"
    assert all(kind in given["allowed_updates"] for kind in ALLOWED_UPDATES)
    assert len(telegram.calls("deleteWebhook")) == 1


async def test_a_port_that_is_taken_is_named(telegram: FakeBotApi) -> None:
    port = int(telegram.url.rpartition(":")[2])
    webhook = WebhookServer(build_bot(telegram.token, telegram.url), settings(port), World(telegram).take)

    with pytest.raises(
        UserMistake, match=rf"telegram\.webhook\.listen: cannot listen on 127\.0\.0\.1:{port}: the port is taken; choose another"
    ):
        await webhook.run()


async def test_the_end_does_not_wait_for_an_answer_that_telegram_holds_back(telegram: FakeBotApi) -> None:
    given_up: list[RetryAfter] = []

    async def answer(update: Update) -> None:
        place = read_origin(update)
        assert place is not None
        try:
            await send_text(update.get_bot(), place, Screen("<b>3</b> matches"))
        except RetryAfter as refusal:
            given_up.append(refusal)

    telegram.refuse(42, too_many(50))
    async with build_bot(telegram.token, telegram.url) as bot:
        async with (
            WebhookServer(bot, settings(), answer).serving() as port,
            aiohttp.ClientSession(f"http://127.0.0.1:{port}") as http,
        ):
            with capture_logs() as logged:
                bringing = asyncio.create_task(brought(http))
                await until(lambda: "answer_waits" in [entry["event"] for entry in logged])
        await asyncio.gather(bringing, return_exceptions=True)

    assert len(given_up) == len(telegram.calls("sendMessage")) == 1
