"""The whole bot in private chats, a forum and a channel: what is chosen there is what comes."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from bot.chat.features import sample, why
from tests.e2e.stage import BOT_TOKEN, configuration, running
from tests.e2e.story import RULES, STANDING, feed, full_time, shown
from tests.fakes.bot_api import FakeBotApi, Message

READER, OWNER, FORUM, CHANNEL, TOPIC = 43, 44, -1_000_000_000_600, -1_000_000_000_700, 9
BOT = 7_000_000_001
NOBODY = RULES[RULES.index("rules:") :]


async def said(telegram: FakeBotApi, chat_id: int, text: str, user: int = OWNER, topic: int = 0) -> Message:
    """Say something; the bot's answer."""
    before = len(telegram.chat(chat_id).messages)
    telegram.say(chat_id, user, text, topic=topic)
    await telegram.until(lambda: len(telegram.chat(chat_id).messages) > before, within=10)
    return telegram.chat(chat_id).last


async def tapped(telegram: FakeBotApi, message: Message, label: str, user: int = OWNER) -> str:
    """Press a button; the note that Telegram shows."""
    query = telegram.press(message.chat_id, user, message, message.button(label).data)
    await telegram.until(lambda: telegram.answer(query), within=10)
    return str((telegram.answer(query) or {})["text"])


async def test_buttons_survive_a_restart_and_one_message_is_edited_in_place(tmp_path: Path) -> None:
    async with FakeBotApi(BOT_TOKEN) as telegram, feed(speed=1.0) as urls:
        config = configuration(tmp_path, urls.stream, urls.api, telegram, NOBODY)
        async with running(config) as bot:
            await bot.says("fixtures_refreshed")
            message = await said(telegram, READER, "/subscribe", READER)
        async with running(config) as bot:
            await bot.says("fixtures_refreshed")
            await tapped(telegram, message, "Premier League", READER)
            await telegram.until(lambda: message.edits, within=10)
            noted = await tapped(telegram, message, "Arsenal", READER)

    assert noted == "✅ Arsenal" and telegram.chat(READER).messages == [message]


async def test_a_sample_comes_by_the_way_of_real_alerts_and_why_tells_how_long_that_took(tmp_path: Path) -> None:
    async with (
        FakeBotApi(BOT_TOKEN) as telegram,
        feed(speed=1.0) as urls,
        running(configuration(tmp_path, urls.stream, urls.api, telegram, NOBODY)) as bot,
    ):
        telegram.say(READER, READER, "/test")
        told = json.loads(await bot.says('"alert_told"'))
        await telegram.until(lambda: len(telegram.chat(READER).messages) == 2)
        answers = {message.html: message.id for message in telegram.chat(READER).messages}
        telegram.say(READER, READER, "/why", reply_to=answers[sample.sample_alert_text()])
        await telegram.until(lambda: len(telegram.chat(READER).messages) == 3, within=10)

    assert (
        set(answers) == {sample.sample_alert_text(), "🧪 A sample alert is on its way, as real ones come."}
        and told["rule"] == "sample"
    )
    assert told["accepted_ms"] > 0 and told["waited_ms"] == 0
    assert why.sample_reason_text() in telegram.chat(READER).last.html and " · Telegram " in telegram.chat(READER).last.text


async def test_a_topic_that_is_deleted_falls_back_to_the_general_one(tmp_path: Path) -> None:
    async with FakeBotApi(BOT_TOKEN) as telegram, feed() as urls:
        telegram.chat(FORUM, is_forum=True).admins = {OWNER}
        async with running(configuration(tmp_path, urls.stream, urls.api, telegram, NOBODY)):
            answer = await said(telegram, FORUM, "/subscribe@touchline_bot all", topic=TOPIC)
            telegram.chat(FORUM).topics = {1}
            await full_time(telegram, FORUM)

    with closing(sqlite3.connect(tmp_path / "touchline.db")) as database:
        topics = database.execute("SELECT topic FROM subscriptions UNION SELECT topic FROM chats").fetchall()
    assert (answer.topic, topics) == (TOPIC, [(0,)])
    assert {m.topic for m in telegram.chat(FORUM).messages if m.text.splitlines()[0] in STANDING} == {0}


async def test_a_channel_hears_what_its_administrator_chose_and_as_loudly(tmp_path: Path) -> None:
    async with FakeBotApi(BOT_TOKEN) as telegram, feed() as urls:
        channel = telegram.chat(CHANNEL, kind="channel", title="News")
        channel.username, channel.admins = "news_of_goals", {OWNER, BOT}
        async with running(configuration(tmp_path, urls.stream, urls.api, telegram, NOBODY)):
            await said(telegram, OWNER, "/channel @news_of_goals alerts silent full_time")
            await said(telegram, OWNER, "/channel @news_of_goals alerts wait")
            menu = await said(telegram, OWNER, "/channel @news_of_goals")
            await tapped(telegram, menu, "⚽ Follow …")
            await telegram.until(lambda: menu.edits, within=10)
            await tapped(telegram, menu, "All matches")
            await full_time(telegram, CHANNEL)

    loud = {message.text.splitlines()[0]: not message.silent for message in channel.messages if not message.reply_to}
    assert loud[STANDING[-1]] is False and loud["Goal Rice 70'"] is True
    assert not any("awaiting" in version.html for message in channel.messages for version in message.versions)
    assert "This chat hears of things once they are confirmed" in telegram.chat(OWNER).messages[1].text
    assert set(shown(telegram, CHANNEL)[0]) <= set(STANDING)
