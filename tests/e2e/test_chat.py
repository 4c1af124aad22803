"""The whole bot in private chats, a forum and a channel: what is chosen there is what comes."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from bot.chat.features import sample
from tests.e2e.stage import BOT_TOKEN, configuration, running
from tests.e2e.story import CONFIRMATION, GOAL, NOBODY, RED, SHORT_END, STANDING, ask, short_match, shown, stepped, tap
from tests.fakes.bot_api import FakeBotApi
from tests.fakes.stepped_feed import SteppedFeed

READER, OWNER, FORUM, CHANNEL, TOPIC = 43, 44, -1_000_000_000_600, -1_000_000_000_700, 9
BOT = 7_000_000_001
SAMPLE = "This is the test alert of /test. No rule made it; it came the way real alerts come."


async def test_buttons_survive_a_restart_and_a_sample_is_sent_as_real_alerts_are(tmp_path: Path) -> None:
    async with FakeBotApi(BOT_TOKEN) as telegram, stepped() as feed:
        config = configuration(tmp_path, feed.urls.stream, feed.urls.api, telegram, NOBODY)
        async with running(config) as bot:
            await bot.says("fixtures_refreshed")
            message = await ask(telegram, READER, "/subscribe", READER)
        async with running(config) as bot:
            await bot.says("fixtures_refreshed")
            await tap(telegram, message, "Premier League", READER)
            await telegram.until(lambda: message.edits)
            noted = await tap(telegram, message, "Arsenal", READER)
            chosen = list(telegram.chat(READER).messages)

            telegram.say(OWNER, OWNER, "/test")
            logged = json.loads(await bot.says('"alert_delivered"'))
            await telegram.until(lambda: len(telegram.chat(OWNER).messages) == 2)
            answers = {message.html: message.id for message in telegram.chat(OWNER).messages}
            telegram.say(OWNER, OWNER, "/why", reply_to=answers[sample.sample_alert_text()])
            await telegram.until(lambda: len(telegram.chat(OWNER).messages) == 3)
            why = telegram.chat(OWNER).last
            await tap(telegram, why, "🔎 Details", OWNER)
            await telegram.until(lambda: why.edits)

    assert noted == "✅ Arsenal" and chosen == [message]
    assert set(answers) == {sample.sample_alert_text(), "🧪 Test alert on its way."} and logged["rule"] == "sample"
    assert logged["telegram_ms"] > 0 and logged["waited_ms"] == 0
    assert SAMPLE in why.html and " · Telegram " in why.text


async def follow_in_a_topic_that_is_deleted(telegram: FakeBotApi) -> int:
    """A forum's administrator follows everything in a topic, which is then gone; the topic of the bot's answer."""
    telegram.chat(FORUM, is_forum=True).admins = {OWNER}
    answer = await ask(telegram, FORUM, "/subscribe@touchline_bot all", OWNER, topic=TOPIC)
    telegram.chat(FORUM).topics = {1}
    return answer.topic


async def choose_for_a_channel(telegram: FakeBotApi) -> None:
    """A channel's administrator follows everything there: full time silent, goals once they are confirmed."""
    await ask(telegram, OWNER, "/channel @news_of_goals alerts silent full_time", OWNER)
    await ask(telegram, OWNER, "/channel @news_of_goals alerts wait", OWNER)
    menu = await ask(telegram, OWNER, "/channel @news_of_goals", OWNER)
    await tap(telegram, menu, "⚽ Follow a team", OWNER)
    await telegram.until(lambda: menu.edits)
    await tap(telegram, menu, "All matches", OWNER)


async def play_to_both(telegram: FakeBotApi, feed: SteppedFeed) -> None:
    """The short match; the channel does not get the goal before it is confirmed."""
    await feed.until_connected()
    for packet, line in ((GOAL, STANDING[0]), (CONFIRMATION, STANDING[0]), (RED, STANDING[1]), (RED + 1, SHORT_END)):
        await feed.send_next(packet - feed.sent())
        chats = (FORUM,) if packet == GOAL else (FORUM, CHANNEL)
        await telegram.until(lambda line=line, chats=chats: all(line in shown(telegram, chat)[0] for chat in chats))


async def test_a_deleted_topic_falls_back_to_the_general_one_and_a_channel_gets_what_was_chosen_as_loud_as_that(
    tmp_path: Path,
) -> None:
    async with FakeBotApi(BOT_TOKEN) as telegram, stepped(short_match()) as feed:
        channel = telegram.chat(CHANNEL, kind="channel", title="News")
        channel.username, channel.admins = "news_of_goals", {OWNER, BOT}
        async with running(configuration(tmp_path, feed.urls.stream, feed.urls.api, telegram, NOBODY)):
            topic = await follow_in_a_topic_that_is_deleted(telegram)
            await choose_for_a_channel(telegram)
            await play_to_both(telegram, feed)

    with closing(sqlite3.connect(tmp_path / "touchline.db")) as database:
        topics = database.execute("SELECT DISTINCT topic FROM subscriptions UNION SELECT topic FROM chats").fetchall()
    assert (topic, topics) == (TOPIC, [(0,)])
    assert {m.topic for m in telegram.chat(FORUM).messages if m.text.splitlines()[0] in (*STANDING, SHORT_END)} == {0}
    loud = {message.text.splitlines()[0]: not message.silent for message in channel.messages if not message.reply_to}
    assert loud == {STANDING[0]: True, STANDING[1]: True, SHORT_END: False}
    assert not any("unconfirmed" in version.html for message in channel.messages for version in message.versions)
    assert "Alerts now wait for confirmation." in telegram.chat(OWNER).messages[1].text
