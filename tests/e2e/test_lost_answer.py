"""The real process loses the answer to a goal's message, and the goal falls before anything gets through again."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from bot.feed.simulator.script import Script, script_from_packets
from tests.e2e.stage import BOT_TOKEN, configuration, running, starting
from tests.e2e.story import CHAT, RULES, TAKEN_BACK, stepped
from tests.fakes.bot_api import FakeBotApi
from tests.packets import FIXTURE, Story


def match() -> Script:
    """A goal that falls three minutes later, and a red card."""
    story = Story()
    story.add("Start Match", minute=1)
    story.goal("g1", minute=2, player="Havertz", score=(1, 0))
    story.goal("g1", send="Deleted", minute=5, player="Havertz", score=(0, 0))
    story.add("Red Card", action="r1", side="away", minute=7, player="Palmer")
    return script_from_packets(FIXTURE, story.packets)


def shown(telegram: FakeBotApi) -> list[str]:
    return [message.text.splitlines()[0] for message in telegram.chat(CHAT).messages]


def is_taken_back(telegram: FakeBotApi) -> bool:
    """Return True if the bot tried to say so."""
    return any(str(call.params["text"]).startswith(TAKEN_BACK) for call in telegram.calls("sendMessage"))


@pytest.mark.parametrize("killed", [False, True], ids=["alive", "killed"])
async def test_a_goal_that_falls_before_its_lost_answer_is_known_is_taken_back(tmp_path: Path, killed: bool) -> None:
    async with FakeBotApi(BOT_TOKEN) as telegram, stepped(match()) as feed:
        config = configuration(tmp_path, feed.urls.stream, feed.urls.api, telegram, RULES)
        telegram.lose_answer("sendMessage")
        telegram.fail("sendMessage", times=None)
        async with AsyncExitStack() as stack:
            bot = await stack.enter_async_context(starting(config))
            await feed.send_until("Goal")
            await telegram.until(lambda: shown(telegram))
            if killed:
                await bot.end("SIGKILL")
            await feed.send_until("Goal", send="Deleted")
            if killed:
                await stack.enter_async_context(running(config))
            await telegram.until(lambda: is_taken_back(telegram))
            telegram.troubles.clear()
            await feed.send_rest()
            await telegram.until(lambda: len(shown(telegram)) == 3)

    goal, reply, card = shown(telegram)
    assert (goal, reply[0], card) == ("Goal Havertz 2'", "❌", "Red Palmer 7'")
