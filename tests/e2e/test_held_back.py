"""The whole bot with `limits.matches`: a chat that follows a match without a place is told once."""

from __future__ import annotations

from pathlib import Path

from bot.feed.simulator.script import script_from_packets
from tests.e2e.crew import fixture
from tests.e2e.stage import BOT_TOKEN, FEED_TOKEN, configuration, running
from tests.fakes.bot_api import FakeBotApi
from tests.fakes.stepped_feed import SteppedFeed
from tests.packets import Story

FIRST, SECOND, LATER = 801, 802, 803
MATCHES = [fixture(0), fixture(1)]
SETTINGS = f"""
limits: {{matches: 1}}
chats:
  - {{chat: {FIRST}, subscribe: [{{match: "{MATCHES[0].name}"}}]}}
  - {{chat: {SECOND}, subscribe: [{{match: "{MATCHES[1].name}"}}]}}
rules:
  - {{name: goals, match: {{action_type: Goal}}, alert: {{kind: goal, text: "Goal"}}}}
"""


async def test_a_match_without_a_place_is_told_once_and_in_the_answer_also_after_a_restart(tmp_path: Path) -> None:
    stories = []
    for _ in MATCHES:
        story = Story()
        story.add("Start Match", minute=1)
        stories.append(story)
    scripts = [script_from_packets(match, story.packets) for match, story in zip(MATCHES, stories, strict=True)]
    async with FakeBotApi(BOT_TOKEN, strict_limits=False) as telegram, SteppedFeed(scripts, FEED_TOKEN) as feed:
        config = configuration(tmp_path, feed.urls.stream, feed.urls.api, telegram, SETTINGS)

        def list_notices(chat: int) -> list[str]:
            return [message.text for message in telegram.chat(chat).messages if message.text.startswith("⏳")]

        async with running(config):
            await telegram.until(lambda: list_notices(FIRST) or list_notices(SECOND))
            held_back, followed = (FIRST, SECOND) if list_notices(FIRST) else (SECOND, FIRST)
            name = MATCHES[held_back - FIRST].name
            telegram.say(LATER, LATER, f"/subscribe {name}")
            await telegram.until(lambda: telegram.chat(LATER).messages)
            answer = telegram.chat(LATER).messages[0].text
        async with running(config) as process:
            await process.says("match_held_back")
            telegram.say(LATER, LATER, "/help")
            await telegram.until(lambda: len(telegram.chat(LATER).messages) >= 2)

    assert f"No alerts for {name} yet" in list_notices(held_back)[0]
    assert f"No alerts for {name} yet" in answer
    assert (len(list_notices(held_back)), list_notices(followed), list_notices(LATER)) == (1, [], [])
