"""The whole bot where less is wanted: a match muted, scores hidden, overrides of a subscription, kept over a migration."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from bot.chat import texts
from bot.telegram.alert_keyboard import MUTE_BUTTON_LABEL
from tests.e2e.stage import BOT_TOKEN, configuration, running
from tests.e2e.story import NOBODY, RED, STANDING, ask, shown, stepped, tap
from tests.fakes.bot_api import FakeBotApi
from tests.packets import FIXTURE

READER, OWNER, GROUP, SUPERGROUP = 43, 44, -500, -1_000_000_000_500


def read_rows(folder: Path, query: str, chat_id: int) -> list[Any]:
    with closing(sqlite3.connect(folder / "touchline.db")) as database:
        return database.execute(f"{query} WHERE chat_id = ?", (chat_id,)).fetchall()


async def test_a_match_that_a_group_mutes_under_its_alert_is_silent_there_and_told_elsewhere(tmp_path: Path) -> None:
    async with FakeBotApi(BOT_TOKEN) as telegram, stepped() as feed:
        group = telegram.chat(GROUP)
        group.admins = {OWNER}
        config = configuration(tmp_path, feed.urls.stream, feed.urls.api, telegram, NOBODY)
        # How many chats wanted an alert is logged by the page of chats, so only when asked for.
        async with running(config, "--log-level", "info,outbox.fanout=debug") as bot:
            await ask(telegram, GROUP, "/spoilers on", OWNER)
            await ask(telegram, GROUP, "/subscribe all", OWNER)
            await ask(telegram, READER, "/subscribe all", READER)
            await ask(telegram, READER, "/alerts all matches -red_card", READER)
            await feed.until_connected()
            await feed.send_until("Goal", send="Confirmed")
            await telegram.until(lambda: MUTE_BUTTON_LABEL in group.last.labels and STANDING[0] in shown(telegram, READER)[0])
            alert = group.last
            refused = await tap(telegram, alert, MUTE_BUTTON_LABEL, READER)
            await tap(telegram, alert, MUTE_BUTTON_LABEL, OWNER)
            await telegram.until(lambda: len(alert.labels) > 1)
            note = await tap(telegram, alert, "This match", OWNER)
            await telegram.until(lambda: alert.labels == [MUTE_BUTTON_LABEL])
            telegram.say(GROUP, OWNER, "/mute 1h", edited=True)
            telegram.migrate(GROUP, SUPERGROUP)
            await feed.send_next(RED - feed.sent())
            red = json.loads(await bot.says('"action": "r1"'))
            await feed.send_until("Goal", action="g3")
            await telegram.until(lambda: STANDING[2] in shown(telegram, READER)[0])
            goal = json.loads(await bot.says('"action": "g3"'))
            query = telegram.inline(READER, "arsenal")
            await telegram.until(lambda: query in telegram.inline_answers)

    first = alert.versions[0].html
    assert first.startswith("🔔 Arsenal v Chelsea\n<tg-spoiler>") and alert.labels == [MUTE_BUTTON_LABEL]
    assert refused == texts.administrators_only_text() and FIXTURE.title in note
    assert (red["muted"], red["unwanted"], goal["muted"], goal["first"]) == (1, 1, 1, 1)
    assert [m for m in telegram.chat(SUPERGROUP).messages if "Rice" in m.text] == []
    assert STANDING[1] not in shown(telegram, READER)[0]
    kept = read_rows(tmp_path, "SELECT muted_matches, muted_until, spoilers, tasted FROM chats", SUPERGROUP)
    assert kept == [(FIXTURE.id, None, 1, 0)]
    ((taste,),) = read_rows(tmp_path, "SELECT taste FROM subscriptions", READER)
    assert "red_card" not in json.loads(taste)["kinds"]
