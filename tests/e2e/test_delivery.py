"""The whole bot between a crowd of chats and a Telegram in trouble."""

from __future__ import annotations

import asyncio
from pathlib import Path

from bot.fake_telegram import BAD_GATEWAY, BLOCKED
from bot.fake_telegram.state import Trouble, keeps_pace, too_many
from bot.feed.simulator.script import Script, script_from_packets
from bot.storage.chat_rows import chat_to_row
from bot.storage.database import Database, upsert
from bot.storage.schema import chats, subscriptions
from bot.subscribers import AlertFilter, Chat, ChatRef
from tests.e2e.stage import BOT_TOKEN, configuration, running, starting
from tests.e2e.story import stepped
from tests.fakes.bot_api import FakeBotApi
from tests.packets import FIXTURE, Story
from tests.waiting import until

RULES = """
rules:
  - name: goals
    match: {action_type: Goal}
    alert: {kind: goal, text: "Goal {{ player }}"}
"""
SOMEBODY = 500_000


def match(goals: int = 1) -> Script:
    """Some goals, all in the first minute, and a long match without any."""
    story = Story()
    story.add("Start Match", minute=1)
    for number in range(1, goals + 1):
        story.goal(f"g{number}", minute=1, clock=20 + number, player=f"Player {number}", score=(number, 0))
    story.add("Corner", minute=90)
    return script_from_packets(FIXTURE, story.packets)


async def store_followers(folder: Path, count: int) -> None:
    """Store so many chats that follow everything."""
    database = await Database.open(f"sqlite:///{folder}/touchline.db")
    ids = range(1, count + 1)
    async with database.transaction() as tx:
        await tx.execute(
            upsert(chats), [chat_to_row(Chat(ChatRef(number), filter=AlertFilter(all_kinds=True))) for number in ids]
        )
        every = {"topic": 0, "scope": "all", "key": "", "name": ""}
        await tx.execute(upsert(subscriptions), [every | {"chat_id": number} for number in ids])
    await database.close()


async def test_an_answer_to_a_person_never_waits_behind_ten_thousand_messages(tmp_path: Path) -> None:
    await store_followers(tmp_path, 10_000)
    async with (
        FakeBotApi(BOT_TOKEN) as telegram,
        stepped(match()) as feed,
        running(configuration(tmp_path, feed.urls.stream, feed.urls.api, telegram, RULES)),
    ):
        await feed.send_until("Goal")
        await telegram.until(lambda: len(telegram.calls("sendMessage")) >= 40)
        passed = []
        for question in range(1, 4):
            before = len(telegram.calls("sendMessage"))
            telegram.say(SOMEBODY, SOMEBODY, "/help")
            await telegram.until(lambda count=question: len(telegram.chat(SOMEBODY).messages) == count)  # type: ignore[misc]
            passed.append(len(telegram.calls("sendMessage")) - before - 1)

    assert max(passed) < 1_000, passed


async def test_a_stop_lets_answers_land_and_the_next_start_sends_what_is_left(tmp_path: Path) -> None:
    chats, in_flight, later = range(1, 31), 5, (29, 30)
    await store_followers(tmp_path, len(chats))
    async with FakeBotApi(BOT_TOKEN) as telegram, stepped(match()) as feed:
        config = configuration(tmp_path, feed.urls.stream, feed.urls.api, telegram, RULES)
        for chat in later:
            telegram.refuse(chat, too_many(600), times=1)
        hanging = Trouble("hang", method="sendMessage", chat_id=SOMEBODY)
        telegram.troubles.append(hanging)
        held = telegram.hold_answer("sendMessage", nth=len(chats) - len(later) - in_flight + 1, times=None)
        async with starting(config) as bot:
            await feed.send_until("Goal")
            await telegram.until(lambda: len(held.requests) == in_flight)
            telegram.say(SOMEBODY, SOMEBODY, "/help")
            await until(lambda: hanging.times == 0)
            await telegram.until(
                lambda: all(call.status == 429 for call in telegram.calls("sendMessage") if call.chat_id in later)
            )
            running_out = asyncio.create_task(bot.end())
            await bot.says('"stopping"')
            held.release()
            code = await running_out
        first = [len(telegram.chat(chat).messages) for chat in chats]
        telegram.troubles.remove(next(trouble for trouble in telegram.troubles if trouble.held))
        async with running(config):
            await telegram.until(lambda: all(telegram.chat(chat).messages for chat in chats))
            before = [len(telegram.chat(chat).messages) for chat in chats]  # before what hangs is let go

    assert (code, sum(first)) == (0, len(chats) - len(later))
    assert before == [1] * len(chats)


async def test_over_real_sockets_too_only_the_chats_in_trouble_notice(tmp_path: Path) -> None:
    await store_followers(tmp_path, 24)
    async with FakeBotApi(BOT_TOKEN) as telegram, stepped(match(3)) as feed:
        telegram.refuse(21, too_many(2), times=2)
        telegram.refuse(22, BLOCKED)
        telegram.refuse(23, BAD_GATEWAY, times=2)
        telegram.migrate(24, -1024)
        async with running(configuration(tmp_path, feed.urls.stream, feed.urls.api, telegram, RULES)):
            calm = [telegram.chat(number) for number in (*range(1, 22), 23, -1024)]
            undisturbed, since = calm[:20], asyncio.get_running_loop().time()
            for goal in (1, 2, 3):
                await feed.send_until("Goal", action=f"g{goal}")
                await telegram.until(lambda count=goal: all(len(chat.messages) == count for chat in undisturbed))  # type: ignore[misc]
            await telegram.until(lambda: all(len(chat.messages) == 3 for chat in calm))

    assert all([m.text for m in chat.messages] == [f"Goal Player {number}" for number in (1, 2, 3)] for chat in calm)
    assert telegram.chat(22).messages == telegram.chat(24).messages == []
    refused = {call.chat_id for call in telegram.log if call.status == 429}
    assert refused == {21}
    assert keeps_pace(telegram.calls("sendMessage"), since)
