"""Rules that change while a match runs, by file, by signal and by an admin's message."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.stage import ADMIN, BOT_TOKEN, configuration, running
from tests.e2e.story import RULES, feed, full_time, shown
from tests.fakes.bot_api import FakeBotApi

LOUD = RULES.replace('text: "Goal {{ player }}', 'text: "GOOOL {{ player }}')


async def test_a_good_file_counts_from_the_next_packet_on_and_a_bad_one_changes_nothing(tmp_path: Path) -> None:
    async with FakeBotApi(BOT_TOKEN) as telegram, feed(speed=250.0) as urls:
        config = configuration(tmp_path, urls.stream, urls.api, telegram, RULES)
        async with running(config) as bot:
            await telegram.until(lambda: shown(telegram)[0][:1] == ["Goal Saka 10'"], within=20)
            configuration(tmp_path, urls.stream, urls.api, telegram, LOUD)
            await bot.says("configuration_reloaded")
            configuration(tmp_path, urls.stream, urls.api, telegram, RULES.replace("Red Card", "Red Crad"))
            await bot.says("configuration_refused")
            await full_time(telegram)
        sentences = [message.text for message in telegram.chat(ADMIN).messages]

    assert shown(telegram)[0] == ["Goal Saka 10'", "Red Palmer 30'", "GOOOL Rice 70'", "Full time 2–0"]
    assert any("Red Crad" in sentence and "config.yaml:" in sentence for sentence in sentences)
