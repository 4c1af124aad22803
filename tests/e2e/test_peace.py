"""The whole bot and who wants peace: a match muted under its alert, scores hidden, tastes, all of it kept over a migration."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from bot.chat import texts
from bot.telegram.plan import MUTE_BUTTON_LABEL
from tests.e2e.stage import BOT_TOKEN, configuration, running
from tests.e2e.story import RULES, feed, shown
from tests.e2e.test_chat import OWNER, READER, said, tapped
from tests.fakes.bot_api import FakeBotApi
from tests.packets import FIXTURE

GROUP, SUPERGROUP = -500, -1_000_000_000_500
NOBODY = RULES[RULES.index("rules:") :]


def stored(folder: Path, query: str, chat_id: int) -> list[Any]:
    with closing(sqlite3.connect(folder / "touchline.db")) as database:
        return database.execute(f"{query} WHERE chat_id = ?", (chat_id,)).fetchall()


async def test_a_match_that_a_group_mutes_under_its_alert_is_silent_there_and_told_elsewhere(tmp_path: Path) -> None:
    async with FakeBotApi(BOT_TOKEN) as telegram, feed(speed=400.0) as urls:
        group = telegram.chat(GROUP)
        group.admins = {OWNER}
        async with running(configuration(tmp_path, urls.stream, urls.api, telegram, NOBODY)):
            await said(telegram, GROUP, "/spoilers on")
            await said(telegram, GROUP, "/subscribe all")
            await said(telegram, READER, "/subscribe all", READER)
            await said(telegram, READER, "/alerts all matches -red_card", READER)
            await telegram.until(lambda: MUTE_BUTTON_LABEL in group.last.labels, within=15)
            alert = group.last
            refused = await tapped(telegram, alert, MUTE_BUTTON_LABEL, READER)
            await tapped(telegram, alert, MUTE_BUTTON_LABEL)
            await telegram.until(lambda: len(alert.labels) > 1)
            note = await tapped(telegram, alert, "This match")
            await telegram.until(lambda: alert.labels == [MUTE_BUTTON_LABEL])
            telegram.say(GROUP, OWNER, "/mute 1h", edited=True)
            telegram.migrate(GROUP, SUPERGROUP)
            await telegram.until(lambda: "Goal Rice 70'" in shown(telegram, READER)[0], within=15)
            query = telegram.inline(READER, "arsenal")
            await telegram.until(lambda: query in telegram.inline_answers)

    first = alert.versions[0].html
    assert first.startswith("🔔 Arsenal v Chelsea\n<tg-spoiler>") and alert.labels == [MUTE_BUTTON_LABEL]
    assert refused == texts.administrators_only_text() and FIXTURE.title in note
    assert [m for m in telegram.chat(SUPERGROUP).messages if "Rice" in m.text] == []
    kept = stored(tmp_path, "SELECT muted_matches, muted_until, spoilers, tasted FROM chats", SUPERGROUP)
    assert kept == [(FIXTURE.id, None, 1, 0)]
    ((taste,),) = stored(tmp_path, "SELECT taste FROM subscriptions", READER)
    assert "red_card" not in json.loads(taste)["kinds"]
