"""An orderly stop in the middle of work logs no error."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import aiohttp
import asyncpg
import pytest

from tests.e2e.stage import BOT_TOKEN, Process, configuration, starting
from tests.e2e.story import CHAT, GOAL, short_match, stepped
from tests.e2e.test_webhooks import PROOF, WEBHOOK, bring, update
from tests.fakes.bot_api import FakeBotApi
from tests.postgres import MISSING, programs
from tests.waiting import until

READERS = range(701, 721)
CHATS = "chats: [" + ", ".join(f"{{chat: {chat}, subscribe: [all]}}" for chat in (CHAT, *READERS)) + "]"
BLOCKED = "SELECT count(*) > 5 FROM pg_locks WHERE NOT granted AND relation = 'chats'::regclass"


def errors(process: Process) -> list[str]:
    """What it logged as an error from its stop on, and what it printed that is no log line."""
    stopping = next(number for number, line in enumerate(process.lines) if '"stopping"' in line)
    return [line for line in process.lines[stopping:] if not line.startswith("{") or json.loads(line)["level"] == "error"]


async def test_a_stop_while_telegram_holds_answers_and_alerts_back_logs_no_error(tmp_path: Path) -> None:
    async with FakeBotApi(BOT_TOKEN, strict_limits=False) as telegram, stepped(short_match()) as feed:
        config = configuration(tmp_path, feed.urls.stream, feed.urls.api, telegram, CHATS)
        async with starting(config) as process:
            await process.says('"started"')
            await feed.until_connected()
            held = telegram.hold_answer("sendMessage", times=None)
            await feed.send_next(GOAL)
            await held.until_reached()
            for reader in READERS:
                telegram.say(reader, reader, "/help")
            await telegram.until(lambda: not telegram.updates)
            code = await process.end()

    assert (code, errors(process)) == (0, [])


async def test_a_stop_while_updates_from_the_webhook_are_handled_ends_in_order_too(tmp_path: Path) -> None:
    async with FakeBotApi(BOT_TOKEN, strict_limits=False) as telegram, stepped() as feed:
        config = configuration(tmp_path, feed.urls.stream, feed.urls.api, telegram, CHATS)
        config.write_text(config.read_text().replace("admins: [", f"webhook: {WEBHOOK}, admins: ["))
        async with starting(config) as process, aiohttp.ClientSession(headers=PROOF) as http:
            port = json.loads(await process.says("webhook_served"))["port"]
            await process.says('"started"')
            held = telegram.hold_answer("sendMessage", times=None)
            posted = [asyncio.create_task(bring(http, port, update(n, n, "/help"))) for n in READERS]
            await held.until_reached()
            code = await process.end()
            await asyncio.gather(*posted, return_exceptions=True)

    assert (code, errors(process)) == (0, [])


@pytest.mark.skipif(programs() is None, reason=MISSING)
async def test_a_stop_while_the_database_holds_everything_up_ends_in_order_too(tmp_path: Path, postgres_url: str) -> None:
    async with FakeBotApi(BOT_TOKEN, strict_limits=False) as telegram, stepped(short_match()) as feed:
        config = configuration(tmp_path, feed.urls.stream, feed.urls.api, telegram, CHATS)
        config.write_text(config.read_text().replace(f"sqlite:///{tmp_path}/touchline.db", postgres_url))
        async with starting(config) as process:
            await process.says('"started"')
            await feed.until_connected()
            other = await asyncpg.connect(postgres_url)
            await other.execute("BEGIN")
            await other.execute("LOCK TABLE chats IN ACCESS EXCLUSIVE MODE")
            for reader in READERS:
                telegram.say(reader, reader, "/help")
            await feed.send_next(GOAL)
            await until(lambda: other.fetchval(BLOCKED))
            code = await process.end()
            await other.close()

    assert (code, errors(process)) == (0, [])
