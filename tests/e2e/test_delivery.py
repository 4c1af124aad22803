"""The whole bot between a crowd of chats and a Telegram in trouble."""

from __future__ import annotations

import asyncio
from pathlib import Path

from bot.feed.simulator.script import Script, script_from_packets
from bot.feed.simulator.server import Simulator
from bot.storage.chats import chat_to_row
from bot.storage.database import Database, upsert
from bot.storage.schema import chats, subscriptions
from bot.subscribers import Chat, ChatRef
from tests.e2e.stage import BOT_TOKEN, FEED_TOKEN, configuration, running, touchline
from tests.fakes.bot_api import BAD_GATEWAY, BLOCKED, FakeBotApi
from tests.fakes.bot_api_state import too_many
from tests.packets import FIXTURE, Story

RULES = """
rules:
  - name: goals
    match: {action_type: Goal}
    alert: {kind: goal, text: "Goal {{ player }}"}
"""
SOMEBODY = 500_000


def match(goals: int = 1) -> Script:
    """Some goals, all in the first minute, and a long match without any."""
    told = Story()
    told.tell("Start Match", minute=1)
    for number in range(1, goals + 1):
        told.goal(f"g{number}", minute=1, clock=20 + number, player=f"Player {number}", score=(number, 0))
    told.tell("Corner", minute=90)
    return script_from_packets(FIXTURE, told.packets)


async def followed(folder: Path, count: int) -> None:
    """So many chats follow everything."""
    database = await Database.open(f"sqlite:///{folder}/touchline.db")
    ids = range(1, count + 1)
    async with database.transaction() as tx:
        await tx.execute(upsert(chats), [chat_to_row(Chat(ChatRef(number), all_kinds=True)) for number in ids])
        every = {"topic": 0, "scope": "all", "key": "", "name": ""}
        await tx.execute(upsert(subscriptions), [every | {"chat_id": number} for number in ids])
    await database.close()


async def test_an_answer_to_a_person_never_waits_behind_ten_thousand_messages(tmp_path: Path) -> None:
    loop = asyncio.get_running_loop()
    await followed(tmp_path, 10_000)
    async with (
        FakeBotApi(BOT_TOKEN) as telegram,
        Simulator([match()], 10.0, FEED_TOKEN).serve() as urls,
        running(configuration(tmp_path, urls.stream, urls.api, telegram, RULES)),
    ):
        await telegram.until(lambda: len(telegram.calls("sendMessage")) >= 40, within=30)
        waits = []
        for question in range(1, 4):
            asked = loop.time()
            telegram.say(SOMEBODY, SOMEBODY, "/help")
            await telegram.until(lambda count=question: len(telegram.chat(SOMEBODY).messages) == count)  # type: ignore[misc]
            waits.append(loop.time() - asked)

    assert max(waits) < 1.0
    assert len(telegram.calls("sendMessage")) < 9_000


async def test_a_stop_ends_within_five_seconds_and_the_next_start_sends_what_is_left(tmp_path: Path) -> None:
    loop = asyncio.get_running_loop()
    await followed(tmp_path, 100)
    async with FakeBotApi(BOT_TOKEN) as telegram, Simulator([match()], 10.0, FEED_TOKEN).serve() as urls:
        config = configuration(tmp_path, urls.stream, urls.api, telegram, RULES)
        bot = await touchline("run", "--config", config, folder=tmp_path)
        await telegram.until(lambda: len(telegram.calls("sendMessage")) >= 40, within=30)
        telegram.hang("sendMessage", times=1)
        telegram.say(SOMEBODY, SOMEBODY, "/help")
        await telegram.until(lambda: any(t.how == "hang" and t.times == 0 for t in telegram.troubles))
        asked = loop.time()
        code = await bot.end()
        lasted = loop.time() - asked
        left = 100 - sum(bool(telegram.chat(number).messages) for number in range(1, 101))
        async with running(config):
            await telegram.until(lambda: all(telegram.chat(number).messages for number in range(1, 101)), within=20)
            told = [len(telegram.chat(number).messages) for number in range(1, 101)]  # before what hangs is let go

    assert (code, left > 0) == (0, True)
    assert lasted < 5.0
    assert told == [1] * 100


async def test_over_real_sockets_too_only_the_chats_in_trouble_notice(tmp_path: Path) -> None:
    await followed(tmp_path, 24)
    async with (
        FakeBotApi(BOT_TOKEN, strict_limits=True) as telegram,
        Simulator([match(3)], 10.0, FEED_TOKEN).serve() as urls,
    ):
        telegram.refuse(21, too_many(2), times=2)
        telegram.refuse(22, BLOCKED)
        telegram.refuse(23, BAD_GATEWAY, times=2)
        telegram.migrate(24, -1024)
        async with running(configuration(tmp_path, urls.stream, urls.api, telegram, RULES)):
            calm = [telegram.chat(number) for number in (*range(1, 22), 23, -1024)]
            await telegram.until(lambda: all(len(chat.messages) == 3 for chat in calm), within=30)

    assert all([m.text for m in chat.messages] == [f"Goal Player {number}" for number in (1, 2, 3)] for chat in calm)
    assert telegram.chat(22).messages == telegram.chat(24).messages == []
    refused = {call.chat_id for call in telegram.log if call.status == 429}
    assert refused == {21}
