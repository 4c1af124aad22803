"""Two processes that answer people on one PostgreSQL database, to which Telegram brings updates by webhook."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import pytest

from tests.e2e.stage import ADMIN, BOT_TOKEN, configuration, starting
from tests.e2e.story import NOBODY, stepped
from tests.fakes.bot_api import FakeBotApi
from tests.postgres import MISSING, programs

pytestmark = pytest.mark.skipif(programs() is None, reason=MISSING)

SECRET = "proof-42"
PROOF = {"X-Telegram-Bot-Api-Secret-Token": SECRET}
READERS = range(501, 507)
ZONES = ("Europe/Madrid", "Europe/Rome", "Europe/Lisbon")
AT_ONCE = 5
"""So many of the commands, which several people of a chat may send at the same moment, are brought at once."""
COMMANDS = (
    "/delay 30",
    "/alerts -goal",
    "/alerts silent full_time",
    "/subscribe all",
    "/alerts wait",
    *(f"/timezone {zone}" for zone in ZONES),
    "/unsubscribe all",
    "/subscribe Arsenal",
    "/quiet 23:00-07:00",
)
WEBHOOK = f'{{url: "https://bot.example.org/telegram", listen: "127.0.0.1:0", secret_token: "{SECRET}"}}'


def update(update_id: int, chat: int, text: str) -> dict[str, Any]:
    user = {"id": chat, "is_bot": False, "first_name": "Reader", "language_code": "es"}
    message = {"message_id": update_id, "date": 1_790_000_000, "chat": {"id": chat, "type": "private", "first_name": "Reader"}}
    entities = [{"type": "bot_command", "offset": 0, "length": len(text.split()[0])}]
    return {"update_id": update_id, "message": {**message, "from": user, "text": text, "entities": entities}}


async def bring(http: aiohttp.ClientSession, port: int, body: dict[str, Any]) -> int:
    """Bring an update to a process as Telegram does; return the status of its answer."""
    async with http.post(f"http://127.0.0.1:{port}/telegram", json=body) as answer:
        return answer.status


async def test_commands_of_one_chat_to_two_processes_are_all_stored_in_order_and_each_once(
    tmp_path: Path, postgres_url: str
) -> None:
    async with FakeBotApi(BOT_TOKEN, strict_limits=False) as telegram, stepped() as feed:
        config = configuration(tmp_path, feed.urls.stream, feed.urls.api, telegram, NOBODY)
        text = config.read_text().replace(f"sqlite:///{tmp_path}/touchline.db", postgres_url)
        config.write_text(text.replace(f"admins: [{ADMIN}]", f"admins: [{ADMIN}], webhook: {WEBHOOK}"))
        async with (
            starting(config, "--role", "chat") as one,
            starting(config, "--role", "chat") as two,
            aiohttp.ClientSession(headers=PROOF) as http,
        ):
            ports = [json.loads(await process.says("webhook_served"))["port"] for process in (one, two)]
            for process in (one, two):
                await process.says('"started"')

            async def bring_command(number: int, chat: int) -> int:
                """Bring a command as Telegram does: again, to the other process, where the first answer was lost."""
                body = update(number * 100 + chat, chat, COMMANDS[number])
                for port in (ports[(number + chat) % 2], *([ports[number % 2]] if number % 3 == 0 else [])):
                    status = await bring(http, port, body)
                return status

            async def bring_all(chat: int) -> list[int]:
                first = await asyncio.gather(*(bring_command(number, chat) for number in range(AT_ONCE)))
                return [*first, *[await bring_command(number, chat) for number in range(AT_ONCE, len(COMMANDS))]]

            statuses = await asyncio.gather(*map(bring_all, READERS))
            for process in (one, two):
                assert await process.end() == 0

        connection = await asyncpg.connect(postgres_url)
        chats = await connection.fetch("SELECT * FROM chats WHERE chat_id = ANY($1)", list(READERS))
        follows = await connection.fetch("SELECT chat_id, name FROM subscriptions ORDER BY chat_id")
        await connection.close()

    assert {status for of_chat in statuses for status in of_chat} == {200}
    assert {chat["chat_id"] for chat in chats} == set(READERS)
    for chat in chats:
        assert (chat["delay"], chat["timezone"], chat["silent"], chat["quiet"]) == (
            30,
            ZONES[-1],
            "full_time",
            "23:00-07:00 silent",
        )
        assert "goal" in chat["kinds_off"].split() and chat["waits"]
        assert len(telegram.chat(chat["chat_id"]).messages) == len(COMMANDS), "an update was answered twice, or not at all"
    assert [(row["chat_id"], row["name"]) for row in follows] == [(chat, "Arsenal") for chat in READERS]
    assert not [line for process in (one, two) for line in process.lines if '"level":"error"' in line.replace(" ", "")]
