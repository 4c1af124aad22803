"""The whole bot through the accidents of a match day: each leaves the chat in the true state."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from bot.fake_telegram import Message
from tests.e2e.stage import BOT_TOKEN, configuration, running, starting
from tests.e2e.story import (
    CHAT,
    CONFIRMATION,
    END,
    FALL,
    FALLEN,
    FALLING_GOAL,
    GOAL,
    LAST_GOAL,
    RED,
    RULES,
    SHOWN,
    STANDING,
    TAKEN_BACK,
    play,
    shown,
    stepped,
    until_shown,
)
from tests.fakes.bot_api import FakeBotApi
from tests.fakes.stepped_feed import SteppedFeed

SEND, EDIT = "sendMessage", "editMessageText"


def alerts(telegram: FakeBotApi) -> dict[str, Message]:
    """By its first line, each alert of the chat; of what came twice, because its sender was killed, the second copy counts."""
    messages = [message for message in telegram.chat(CHAT).messages if message.reply_to is None]
    return {message.text.splitlines()[0]: message for message in messages}


def is_taken_back(telegram: FakeBotApi) -> bool:
    """Return True if a message says that something fell, under its alert or without knowing whether that arrived."""
    return any(message.text.startswith(TAKEN_BACK) for message in telegram.chat(CHAT).messages)


def is_correct(telegram: FakeBotApi, packets: int) -> bool:
    """Return True if the chat shows what it should after so many packets; what fell is taken back, or was never sent."""
    sent, (standing, fallen) = alerts(telegram), SHOWN[packets]
    awaiting = packets != GOAL and any("unconfirmed" in sent[line].text for line in standing if line in sent)
    return set(standing) <= set(sent) and not awaiting and (is_taken_back(telegram) or not set(fallen) & set(sent))


def is_complete_but_for_repeats(sent: list[str], kills: int) -> bool:
    """Return True if all that stands was sent and nothing else but what fell, and each kill repeated one message at most."""
    extra = Counter(sent) - Counter(STANDING + FALLEN)
    return set(STANDING) <= set(sent) <= set(STANDING + FALLEN) and extra.total() <= kills


class KilledBot:
    """The bot, killed when a request has left and was not answered, and started again."""

    def __init__(self, feed: SteppedFeed, telegram: FakeBotApi, config: Path) -> None:
        self._feed, self._telegram, self._config = feed, telegram, config
        self._unanswered: tuple[str, int] | None = None

    def _count_answered(self, method: str) -> int:
        return sum(call.status != 0 for call in self._telegram.calls(method))

    async def _wait_for_repeat(self) -> None:
        """Wait until the request that the last kill left unanswered, or another in its place, has come and was answered."""
        if self._unanswered:
            method, before = self._unanswered
            await self._telegram.until(lambda: self._count_answered(method) > before)

    async def kill(self, packet: int, method: str) -> None:
        """Start, play up to this packet, and kill when its request is carried out and not answered."""
        held = self._telegram.hold_answer(method) if self._feed.sent() >= packet else None
        async with starting(self._config) as bot:
            if held is None:
                await self._wait_for_repeat()
                await self._play(packet - 1)
                held = self._telegram.hold_answer(method)
                await self._feed.send_next()
            await held.until_reached()
            await bot.end("SIGKILL")
        self._unanswered = (method, self._count_answered(method))

    async def finish(self) -> None:
        """Start, and play to the end."""
        async with running(self._config):
            await self._wait_for_repeat()
            await self._play(END)

    async def _play(self, packets: int) -> None:
        await self._telegram.until(lambda: is_correct(self._telegram, self._feed.sent()))
        while self._feed.sent() < packets:
            await self._feed.send_next()
            await self._telegram.until(lambda: is_correct(self._telegram, self._feed.sent()))


async def test_a_match_without_accidents_has_a_line_an_alert_with_its_whole_way_and_a_restart_says_nothing_again(
    tmp_path: Path,
) -> None:
    async with FakeBotApi(BOT_TOKEN) as telegram, stepped() as feed:
        config = configuration(tmp_path, feed.urls.stream, feed.urls.api, telegram, RULES)
        async with running(config) as bot:
            await feed.until_connected()
            await play(feed, telegram)
            await bot.says('"rule": "full time"')
            await bot.says("match_ended")
        before = len(telegram.chat(CHAT).messages)
        async with running(config) as again:
            await again.says("fixtures_refreshed")
            telegram.say(CHAT, CHAT, "/help")
            await telegram.until(lambda: len(telegram.chat(CHAT).messages) > before)

    logged = [json.loads(line) for line in bot.lines if '"alert_delivered"' in line]
    assert {line["kind"] for line in logged} == {"goal", "red_card", "full_time"}
    assert len({(line["action"], line["number"]) for line in logged}) == len(logged)
    assert all(line["outbox_ms"] > 0 and 0 < line["telegram_ms"] < line["total_ms"] for line in logged)
    assert len(telegram.chat(CHAT).messages) == before + 1
    standing, fallen = shown(telegram)
    assert (standing[: len(STANDING)], fallen) == (STANDING, FALLEN)


@pytest.mark.parametrize(
    "kills",
    [
        [(GOAL, SEND), (CONFIRMATION, EDIT), (RED, SEND), (FALLING_GOAL, SEND), (FALL, EDIT), (LAST_GOAL, SEND)],
        [(FALLING_GOAL, SEND)] * 3,
    ],
    ids=["one kill after the other", "three kills at the same message"],
)
async def test_kills_in_the_middle_leave_the_true_state_and_at_most_a_duplicate_each(
    tmp_path: Path, kills: list[tuple[int, str]]
) -> None:
    async with FakeBotApi(BOT_TOKEN) as telegram, stepped() as feed:
        config = configuration(tmp_path, feed.urls.stream, feed.urls.api, telegram, RULES)
        bot = KilledBot(feed, telegram, config)
        for packet, method in kills:
            await bot.kill(packet, method)
        await bot.finish()
        standing, fallen = shown(telegram)

    assert is_complete_but_for_repeats(standing + fallen, len(kills)), (standing, fallen)


async def test_what_happened_while_the_process_was_dead_is_told_when_it_comes_back_also_after_the_end(tmp_path: Path) -> None:
    async with FakeBotApi(BOT_TOKEN) as telegram, stepped() as feed:
        config = configuration(tmp_path, feed.urls.stream, feed.urls.api, telegram, RULES)
        bot = KilledBot(feed, telegram, config)
        await bot.kill(GOAL, SEND)
        await feed.send_until("Red Card")
        await bot.kill(FALLING_GOAL, SEND)
        await feed.send_rest()
        await bot.finish()
        standing, fallen = shown(telegram)

    assert is_complete_but_for_repeats(standing + fallen, 2), (standing, fallen)
    assert is_taken_back(telegram)


async def test_a_feed_that_goes_and_comes_back_in_the_middle_loses_and_doubles_nothing(tmp_path: Path) -> None:
    async with (
        FakeBotApi(BOT_TOKEN) as telegram,
        stepped() as feed,
        running(configuration(tmp_path, feed.urls.stream, feed.urls.api, telegram, RULES)),
    ):
        await play(feed, telegram, to=RED)
        await feed.go_away()
        await feed.send_next()
        feed.come_back()
        await until_shown(telegram, FALLING_GOAL)
        await play(feed, telegram)

    assert shown(telegram) == (STANDING, FALLEN)
