"""The whole bot in several languages at once."""

from __future__ import annotations

from pathlib import Path

from bot.feed.simulator.script import Script, script_from_packets
from tests.e2e.stage import BOT_TOKEN, configuration, running
from tests.e2e.story import ask, stepped
from tests.fakes.bot_api import FakeBotApi
from tests.packets import FIXTURE, Story

SPANISH, GERMAN = 43, 45


def match() -> Script:
    """A red card, a goal that falls, and the end."""
    story = Story()
    story.add("Start Match", minute=1)
    story.add("Red Card", action="r1", side="away", minute=20, player="Palmer")
    story.goal("g1", send="Pending", minute=30, player="Saka")
    story.goal("g1", send="Deleted", minute=55, player="Saka", score=(0, 0))
    story.add("End Match", minute=70, status="Completed")
    return script_from_packets(FIXTURE, story.packets)


def first_lines(telegram: FakeBotApi, chat_id: int) -> list[str]:
    return [message.text.splitlines()[0] for message in telegram.chat(chat_id).messages]


async def test_each_chat_gets_the_match_in_its_own_language_and_language_changes_it(tmp_path: Path) -> None:
    async with (
        FakeBotApi(BOT_TOKEN) as telegram,
        stepped(match()) as feed,
        running(configuration(tmp_path, feed.urls.stream, feed.urls.api, telegram)),
    ):

        async def until_sent(spanish: str, german: str) -> None:
            for chat, words in ((SPANISH, spanish), (GERMAN, german)):
                await telegram.until(lambda chat=chat, words=words: any(words in line for line in first_lines(telegram, chat)))

        telegram.languages |= {SPANISH: "es-AR", GERMAN: "en"}
        chosen = await ask(telegram, GERMAN, "/language Deutsch", GERMAN)
        followed = await ask(telegram, SPANISH, "/subscribe all", SPANISH)
        await ask(telegram, GERMAN, "/subscribe all", GERMAN)
        await feed.until_connected()
        await feed.send_until("Red Card")
        await until_sent("🟥", "🟥")
        await feed.send_until("Goal", send="Pending")
        await until_sent("⚽", "⚽")
        await feed.send_next()
        await until_sent("❌", "❌")
        await feed.send_rest()
        await until_sent("🏁 Final: ", "🏁 Ende: ")

    spanish, german = first_lines(telegram, SPANISH), first_lines(telegram, GERMAN)
    assert followed.text.startswith("✅ Sigues: todos los partidos.") and chosen.text.startswith("🌍 Sprache: Deutsch")
    assert "🟥 Chelsea: roja para Palmer 20'" in spanish and "🟥 Chelsea: Palmer vom Platz 20'" in german
    assert "❌ Arsenal: no es gol, 0–0" in spanish and "❌ Arsenal: kein Tor, 0:0" in german
    struck = next(message for message in telegram.chat(SPANISH).messages if message.struck)
    assert "Arsenal [1]–0 Chelsea" in struck.text and "sin confirmar" in struck.versions[0].html
    assert "all_private_chats:es" in telegram.commands
