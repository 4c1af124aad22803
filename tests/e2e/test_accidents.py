"""The whole bot through the accidents of a match day: each leaves the chat in the true state."""

from __future__ import annotations

import json
from collections import Counter
from functools import partial
from pathlib import Path

import pytest

from tests.e2e.stage import BOT_TOKEN, configuration, running, touchline
from tests.e2e.story import (
    CHAT,
    FALLEN,
    RULES,
    STANDING,
    TAKEN_BACK,
    completed,
    feed,
    full_time,
    play,
    shown,
    stepped,
    until_shown,
)
from tests.fakes.bot_api import FakeBotApi


def has_messages(telegram: FakeBotApi, count: int) -> bool:
    """Tell whether the chat has so many."""
    return len(telegram.chat(CHAT).messages) >= count


def all_but_doubles(told: list[str], kills: int) -> bool:
    """What stands was told, nothing was invented, each kill doubled one message at most. What fell may never have been told."""
    extra = Counter(told) - Counter(STANDING + FALLEN)
    return set(STANDING) <= set(told) <= set(STANDING + FALLEN) and extra.total() <= kills


async def test_a_match_without_accidents_has_a_line_an_alert_with_its_whole_way(tmp_path: Path) -> None:
    async with (
        FakeBotApi(BOT_TOKEN) as telegram,
        stepped() as feed,
        running(configuration(tmp_path, feed.urls.stream, feed.urls.api, telegram, RULES)) as bot,
    ):
        await feed.until_connected()
        await play(feed, telegram)
        await bot.says('"rule": "full time"')

    told = [json.loads(line) for line in bot.lines if '"alert_told"' in line]
    assert shown(telegram) == (STANDING, FALLEN)
    assert {line["kind"] for line in told} == {"goal", "red_card", "full_time"}
    assert len({(line["action"], line["number"]) for line in told}) == len(told)
    assert all(line["outbox_ms"] > 0 and 0 < line["accepted_ms"] < line["own_ms"] for line in told)


@pytest.mark.parametrize("messages", [(1,), (2, 3), (3, 4, 5)])
async def test_kills_in_the_middle_leave_the_true_state_and_at_most_a_duplicate_each(
    tmp_path: Path, messages: tuple[int, ...]
) -> None:
    async with FakeBotApi(BOT_TOKEN) as telegram, feed(speed=350.0) as urls:
        config = configuration(tmp_path, urls.stream, urls.api, telegram, RULES)
        for count in messages:
            bot = await touchline("run", "--config", config, folder=tmp_path)
            await telegram.until(partial(has_messages, telegram, count), within=20)
            await bot.end("SIGKILL")
        async with running(config):
            await full_time(telegram)
        standing, fallen = shown(telegram)
        taken_back = any(message.text.startswith(TAKEN_BACK) for message in telegram.chat(CHAT).messages)

    assert all_but_doubles(standing + fallen, len(messages)), (standing, fallen)
    assert taken_back or not set(standing + fallen) & set(FALLEN)


async def test_what_happened_while_the_process_was_dead_is_told_when_it_comes_back_also_after_the_end(tmp_path: Path) -> None:
    async with FakeBotApi(BOT_TOKEN) as telegram, feed(speed=700.0) as urls:
        config = configuration(tmp_path, urls.stream, urls.api, telegram, RULES)
        bot = await touchline("run", "--config", config, folder=tmp_path)
        await telegram.until(partial(has_messages, telegram, 2), within=20)
        await bot.end("SIGKILL")
        await completed(urls.api)
        async with running(config):
            await full_time(telegram)
        standing, fallen = shown(telegram)

    assert all_but_doubles(standing + fallen, 1), (standing, fallen)


async def test_a_restart_after_the_match_says_nothing_again(tmp_path: Path) -> None:
    async with FakeBotApi(BOT_TOKEN) as telegram, feed() as urls:
        config = configuration(tmp_path, urls.stream, urls.api, telegram, RULES)
        async with running(config) as bot:
            await bot.says("match_over", within=20)
            await full_time(telegram)
        before = len(telegram.chat(CHAT).messages)
        async with running(config) as bot:
            await bot.says("fixtures_refreshed")
            telegram.say(CHAT, CHAT, "/help")
            await telegram.until(lambda: len(telegram.chat(CHAT).messages) > before)

    assert len(telegram.chat(CHAT).messages) == before + 1
    assert shown(telegram)[0][: len(STANDING)] == STANDING


async def test_a_feed_that_goes_and_comes_back_in_the_middle_loses_and_doubles_nothing(tmp_path: Path) -> None:
    async with (
        FakeBotApi(BOT_TOKEN) as telegram,
        stepped() as feed,
        running(configuration(tmp_path, feed.urls.stream, feed.urls.api, telegram, RULES)),
    ):
        await play(feed, telegram, until=4)
        await feed.go_away()
        await feed.send_next()
        feed.come_back()
        await until_shown(telegram, 5)
        await play(feed, telegram)

    assert shown(telegram) == (STANDING, FALLEN)
