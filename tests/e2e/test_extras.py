"""The whole bot and a chat that asks for match cards and pictures: a recorded match, and a kill in the middle of it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from bot.fake_telegram import Message
from bot.feed.simulator.script import script_from_recording
from tests.e2e.stage import BOT_TOKEN, FEED_TOKEN, configuration, running, starting
from tests.e2e.story import ask
from tests.fakes.bot_api import FakeBotApi
from tests.fakes.stepped_feed import SteppedFeed
from tests.recordings import needs_recordings, recording, truth
from tests.truth import RULES

CHAT = 42
FIRST_HALF = {40: "0–1", 57: "1–1", 119: "1–2"}
"""How it stands after so many packets of the recording."""


def cards(telegram: FakeBotApi) -> list[Message]:
    """The messages that are pinned, or were."""
    pinned = {call.params["message_id"] for call in telegram.calls("pinChatMessage")}
    return [message for message in telegram.chat(CHAT).messages if message.id in pinned]


def pictures(telegram: FakeBotApi) -> list[str]:
    """What stands below the pictures, in one line each."""
    return [message.text.replace("\n", " · ") for message in telegram.chat(CHAT).messages if message.photo]


def is_picture_stored(folder: Path) -> bool:
    """Tell whether it is stored that the picture of the first half was sent: a kill before may send it again."""
    query = "SELECT message_id FROM entries WHERE action_id = 'picture:half_time' AND message_id IS NOT NULL"
    with closing(sqlite3.connect(folder / "touchline.db")) as database:
        return bool(database.execute(query).fetchall())


@needs_recordings
async def test_a_match_is_one_card_and_two_pictures_through_a_kill_and_as_the_truth_has_it(tmp_path: Path) -> None:
    path = recording("tottenham-hotspur-leicester-city")
    true = truth(path)
    async with FakeBotApi(BOT_TOKEN) as telegram, SteppedFeed([script_from_recording(path)], FEED_TOKEN) as feed:
        config = configuration(tmp_path, feed.urls.stream, feed.urls.api, telegram, RULES)
        async with starting(config) as bot:
            await ask(telegram, CHAT, "/subscribe all", CHAT)
            await ask(telegram, CHAT, "/alerts none", CHAT)
            await ask(telegram, CHAT, "/alerts +card +picture", CHAT)
            await feed.until_connected()
            for packets, score in FIRST_HALF.items():
                await feed.send_next(packets - feed.sent())
                await telegram.until(lambda score=score: cards(telegram) and f" {score} " in cards(telegram)[0].text)  # type: ignore[misc]
            await feed.send_until("End Period")
            await telegram.until(lambda: pictures(telegram) and is_picture_stored(tmp_path))
            assert len(pictures(telegram)) == 1 and cards(telegram)[0].pinned
            await bot.end("SIGKILL")
        async with running(config):
            await feed.send_rest()
            await telegram.until(lambda: len(pictures(telegram)) == 2 and not cards(telegram)[0].pinned)
            await telegram.until(lambda: "\nFull time" in cards(telegram)[0].text)

    (card,) = cards(telegram)
    head, below, *lines = card.text.split("\n")
    assert head == f"{true['home']} {true['final']['home']}–{true['final']['away']} {true['away']}"
    assert below.startswith("Full time") and "unconfirmed" not in card.text
    for incident in (one for one in true["incidents"] if one["standing"]):
        assert any(incident["player"] in line and f"{incident['minute']}'" in line for line in lines), incident
    assert [line.split(" · ")[1] for line in pictures(telegram)] == ["Half time", "Full time"]
    assert pictures(telegram)[1].startswith(head)
