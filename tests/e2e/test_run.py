"""The whole bot: a match at 120 times its speed, from the vendor's side to a chat."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from tests.e2e.stage import BOT_TOKEN, FEED_TOKEN, configuration, running, simulator
from tests.fakes.bot_api import FakeBotApi, Message
from tests.recordings import needs_recordings, recording, truth
from tests.truth import RULES

CHAT = 42


def standing(messages: list[Message]) -> list[str]:
    """What the chat shows in the end: first messages that are not struck through."""
    return [message.text for message in messages if message.reply_to is None and not message.struck]


def untrue(shown: list[str], true: dict[str, Any]) -> list[str]:
    """Everything that the chat shows and is not so, or does not show and is."""
    final = f"{true['home']} {true['final']['home']}–{true['final']['away']} {true['away']}"
    wrong = [] if shown[-1] == final else [f"full time: {shown[-1]} is not {final}"]
    wrong += [f"awaits confirmation for ever: {text}" for text in shown if "awaiting" in text]
    left = list(shown[:-1])
    for incident in (i for i in true["incidents"] if i["standing"]):
        who = re.compile(rf"{re.escape(incident['minute'] + chr(39))} {re.escape(incident['player'])}(?: \(.*\))?$")
        told = next((text for text in left if who.search(text)), None)
        wrong += [] if told else [f"not shown: {incident}"]
        left = [text for text in left if text is not told]
    return wrong + [f"shown and not so: {text}" for text in left]


@needs_recordings
async def test_a_match_leaves_the_chat_as_the_truth_has_it(tmp_path: Path) -> None:
    path = recording("tottenham-hotspur-leicester-city")
    true = truth(path)
    async with (
        FakeBotApi(BOT_TOKEN, strict_limits=True) as telegram,
        simulator([path], tmp_path, "--speed", "120") as (_, stream, api),
        running(configuration(tmp_path, stream, api, telegram, RULES)) as bot,
    ):
        telegram.say(CHAT, CHAT, "/subscribe Tottenham")
        telegram.say(CHAT, CHAT, "/alerts all")
        await telegram.until(lambda: len(telegram.chat(CHAT).messages) >= 2)
        answers = {message.id for message in telegram.chat(CHAT).messages}
        await bot.says("match_over", within=110)
        await telegram.until(
            lambda: any(f"5–4 {true['away']}" == m.text.removeprefix(f"{true['home']} ") for m in telegram.chat(CHAT).messages),
            within=30,
        )
        await bot.says("stopping") if await bot.end() else None
        told = [message for message in telegram.chat(CHAT).messages if message.id not in answers]

    assert untrue(standing(told), true) == []
    assert [call.status for call in telegram.log if call.status == 429] == []
    assert not any(secret in bot.output for secret in (BOT_TOKEN, FEED_TOKEN))
