"""The whole bot: a recorded match from the vendor's side to a chat, and the simulator that plays such recordings to others."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

from bot.fake_telegram import Message
from bot.fake_telegram.state import keeps_pace
from bot.feed.simulator.script import script_from_recording
from rules.loading.loader import load_rules
from tests.e2e.recorded import list_expected_alerts, play
from tests.e2e.stage import BOT_TOKEN, FEED_TOKEN, configuration, running, simulator, touchline
from tests.e2e.story import ask
from tests.fakes.bot_api import FakeBotApi
from tests.fakes.stepped_feed import SteppedFeed
from tests.recordings import needs_recordings, recording, truth
from tests.truth import RULES

CHAT = 42


def list_standing(messages: list[Message]) -> list[str]:
    """What the chat shows in the end: first messages that are not struck through."""
    return [message.text for message in messages if message.reply_to is None and not message.struck]


def find_problems(shown: list[str], true: dict[str, Any]) -> list[str]:
    """Everything that the chat shows and is not so, or does not show and is."""
    final = f"{true['home']} {true['final']['home']}–{true['final']['away']} {true['away']}"
    wrong = [] if shown[-1] == final else [f"full time: {shown[-1]} is not {final}"]
    wrong += [f"awaits confirmation for ever: {text}" for text in shown if "unconfirmed" in text]
    left = list(shown[:-1])
    for incident in (i for i in true["incidents"] if i["standing"]):
        who = re.compile(rf"{re.escape(incident['minute'] + chr(39))} {re.escape(incident['player'])}(?: \(.*\))?$")
        found = next((text for text in left if who.search(text)), None)
        wrong += [] if found else [f"not shown: {incident}"]
        left = [text for text in left if text is not found]
    return wrong + [f"shown and not so: {text}" for text in left]


def actions(path: Path) -> list[tuple[str, str]]:
    """The action id and the send type of every packet of a recording."""
    sent = [frame.frame["fixtureAction"] for frame in script_from_recording(path).frames]
    return [(one["actionId"], one["sendType"]) for one in sent]


@needs_recordings
async def test_a_match_leaves_the_chat_as_the_truth_has_it(tmp_path: Path) -> None:
    path = recording("swansea-city-stoke-city")
    true = truth(path)
    async with (
        FakeBotApi(BOT_TOKEN) as telegram,
        SteppedFeed([script_from_recording(path)], FEED_TOKEN) as feed,
        running(configuration(tmp_path, feed.urls.stream, feed.urls.api, telegram, RULES)) as bot,
    ):
        await ask(telegram, CHAT, "/subscribe Swansea", CHAT)
        await ask(telegram, CHAT, "/alerts all", CHAT)
        answers = {message.id for message in telegram.chat(CHAT).messages}

        def list_messages() -> list[Message]:
            return [m for m in telegram.chat(CHAT).messages if m.id not in answers and m.reply_to is None]

        await feed.until_connected()
        since, before = asyncio.get_running_loop().time(), len(telegram.log)
        await play(feed, list_expected_alerts(path, load_rules(RULES)), list_messages)
        await bot.says("match_ended")
        await telegram.until(lambda: find_problems(list_standing(list_messages()), true) == [])
        await bot.end()

    assert keeps_pace([call for call in telegram.log[before:] if call.chat_id == CHAT], since, limit=3, seconds=3.0)
    assert not any(secret in bot.output for secret in (BOT_TOKEN, FEED_TOKEN))


@needs_recordings
async def test_the_simulator_plays_a_recording_that_can_be_recorded_again(tmp_path: Path) -> None:
    path = recording("huddersfield-town-arsenal")
    async with FakeBotApi(BOT_TOKEN) as telegram, simulator([path], tmp_path, "--speed", "0") as (_, stream, api):
        config = configuration(tmp_path, stream, api, telegram)
        recorder = await touchline("record", "--config", config, script_from_recording(path).fixture.id, folder=tmp_path)
        code = await recorder.wait()

    assert code == 0
    assert actions(tmp_path / recorder.output.strip()) == actions(path)
