"""The real process and the file of its database: one process on it, whatever ended the one before."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.stage import BOT_TOKEN, configuration, running, starting, touchline
from tests.e2e.story import GOAL, RULES, play, shown, stepped
from tests.fakes.bot_api import FakeBotApi


async def test_a_second_process_on_the_same_file_is_refused_in_one_sentence_and_commands_work_beside_the_first(
    tmp_path: Path,
) -> None:
    async with FakeBotApi(BOT_TOKEN) as telegram, stepped() as feed:
        config = configuration(tmp_path, feed.urls.stream, feed.urls.api, telegram, RULES)
        (tmp_path / "link.db").symlink_to(tmp_path / "touchline.db")
        by_link = tmp_path / "link.yaml"
        by_link.write_text(config.read_text().replace("/touchline.db", "/link.db"))
        async with running(config):
            await feed.until_connected()
            refused = []
            for again in (config, by_link):
                async with starting(again) as second:
                    refused.append((await second.wait(), second.output))
            beside = [
                await touchline(*words, folder=tmp_path)
                for words in (
                    ("backup", "--config", config, tmp_path / "backup.db"),
                    ("check", "--config", config),
                    ("copy", "--from", f"sqlite:///{tmp_path}/touchline.db", "--to", f"sqlite:///{tmp_path}/copy.db"),
                )
            ]
            codes = [await command.wait() for command in beside]
            await play(feed, telegram, to=GOAL)
            told = shown(telegram)[0]

    sentence = (
        f"storage.url: another Touchline runs on {tmp_path}/touchline.db; stop it first, or give this one a file of its own\n"
    )
    assert refused == [(1, sentence)] * 2
    assert codes == [0, 0, 0]
    assert told == ["Goal Saka 10'"]


async def test_after_a_kill_the_file_is_free(tmp_path: Path) -> None:
    async with FakeBotApi(BOT_TOKEN) as telegram, stepped() as feed:
        config = configuration(tmp_path, feed.urls.stream, feed.urls.api, telegram, RULES)
        async with running(config) as bot:
            await bot.end("SIGKILL")
        async with running(config) as again:
            await again.says('"started"')
            code = await again.end()

    assert code == 0
