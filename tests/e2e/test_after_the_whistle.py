"""The real process after a final whistle: it is started anew, a penalty is given, and the chat is told how the result changed."""

from __future__ import annotations

from pathlib import Path

from bot.feed.simulator.script import Script, script_from_packets
from tests.e2e.stage import BOT_TOKEN, configuration, running
from tests.e2e.story import CHAT, RULES, shown, stepped
from tests.fakes.bot_api import FakeBotApi
from tests.packets import FIXTURE, Story


def late_penalty() -> Script:
    """A match whose winning penalty is given after its End Match."""
    story = Story()
    story.add("Start Match", minute=1)
    story.goal("g1", minute=12, player="Saka", score=(1, 0))
    story.add("End Match", action="end", minute=96, status="Completed")
    story.goal("g2", "away", minute=100, player="Palmer", sub="Penalty", score=(1, 1), status="Completed")
    return script_from_packets(FIXTURE, story.packets)


async def test_a_penalty_after_the_whistle_is_told_by_a_process_that_was_started_after_it(tmp_path: Path) -> None:
    async with FakeBotApi(BOT_TOKEN) as telegram, stepped(late_penalty()) as feed:
        config = configuration(tmp_path, feed.urls.stream, feed.urls.api, telegram, RULES)
        async with running(config) as bot:
            await feed.until_connected()
            await feed.send_until("End Match")
            await telegram.until(lambda: "Full time 1–0" in shown(telegram)[0])
            await bot.says("match_ended")
            await bot.end()
        async with running(config):
            await feed.until_connected()
            await feed.send_rest()
            await telegram.until(lambda: "The result has changed" in telegram.chat(CHAT).last.text)

    assert shown(telegram)[0] == ["Goal Saka 12'", "Full time 1–1", "Goal Palmer 90+10'"]
    assert telegram.chat(CHAT).last.text.splitlines() == ["✏️ The result has changed: 1–0 → 1–1", "Full time 1–1"]
