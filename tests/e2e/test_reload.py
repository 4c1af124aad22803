"""Rules that change while a match runs, by file, by signal and by an admin's message."""

from __future__ import annotations

from pathlib import Path

from bot.feed.simulator.script import Script, script_from_packets
from tests.e2e.stage import ADMIN, BOT_TOKEN, configuration, running
from tests.e2e.story import RULES, shown, stepped
from tests.fakes.bot_api import FakeBotApi
from tests.packets import FIXTURE, Story

LOUD = RULES.replace('text: "Goal {{ player }}', 'text: "GOOOL {{ player }}')


def match() -> Script:
    """A goal, a red card and another goal."""
    story = Story()
    story.add("Start Match", minute=1)
    story.goal("g1", minute=10, player="Saka", score=(1, 0))
    story.add("Red Card", action="r1", side="away", minute=30, player="Palmer")
    story.goal("g2", minute=70, player="Rice", score=(2, 0))
    return script_from_packets(FIXTURE, story.packets)


async def test_a_good_file_counts_from_the_next_packet_on_and_a_bad_one_changes_nothing(tmp_path: Path) -> None:
    async with FakeBotApi(BOT_TOKEN) as telegram, stepped(match()) as feed:
        config = configuration(tmp_path, feed.urls.stream, feed.urls.api, telegram, RULES)
        async with running(config) as bot:
            await feed.send_until("Goal")
            await telegram.until(lambda: shown(telegram)[0] == ["Goal Saka 10'"])
            configuration(tmp_path, feed.urls.stream, feed.urls.api, telegram, LOUD)
            await bot.says("configuration_reloaded")
            configuration(tmp_path, feed.urls.stream, feed.urls.api, telegram, RULES.replace("Red Card", "Red Crad"))
            await bot.says("configuration_refused")
            await feed.send_next()
            await telegram.until(lambda: len(shown(telegram)[0]) == 2)
            await feed.send_next()
            await telegram.until(lambda: len(shown(telegram)[0]) == 3)
            await telegram.until(lambda: telegram.chat(ADMIN).messages)
        sentences = [message.text for message in telegram.chat(ADMIN).messages]

    assert shown(telegram)[0] == ["Goal Saka 10'", "Red Palmer 30'", "GOOOL Rice 70'"]
    assert any("Red Crad" in sentence and "config.yaml:" in sentence for sentence in sentences)
