"""`touchline doctor`: each thing that a bot needs, as it is and as it is not."""

from __future__ import annotations

import datetime as dt
import socket
import sqlite3
import sys
from pathlib import Path

import pytest

from bot.clock import Clock, SystemClock
from bot.commands.doctor import CheckResult, Outcome, examine
from bot.config.load import Config, load_config
from bot.feed.simulator.server import Simulator
from tests.bot.feed.simulator.test_script import script
from tests.fakes.bot_api import FakeBotApi

BOT_ID = 7_000_000_001
GROUP, CHANNEL = -1_001_000_000_001, -1_001_000_000_002


class LateClock(SystemClock):
    """A clock that is wrong by some seconds."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds

    def now(self) -> dt.datetime:
        return super().now() - dt.timedelta(seconds=self._seconds)


def config(folder: Path, telegram: str, feed: str, *, token: str = "1:test", more: str = "", storage: str = "") -> Config:
    path = folder / "config.yaml"
    path.write_text(f"""
feed: {{token: feed-token, api_url: "{feed}"}}
telegram: {{token: "{token}", api_url: "{telegram}", admins: [42]}}
storage: {{url: "{storage or f"sqlite:///{folder}/touchline.db"}"}}
http: {{listen: null}}
{more}""")
    return load_config(path, {})


async def find_by_name(config: Config, clock: Clock | None = None) -> dict[str, CheckResult]:
    return {finding.subject: finding async for finding in examine(config, clock or SystemClock())}


def list_failures(findings: dict[str, CheckResult]) -> dict[str, str]:
    """Return what is not all right, by its subject."""
    return {one.subject: f"{one.outcome.value} {one.sentence}" for one in findings.values() if one.outcome is not Outcome.GO}


def files_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


CHATS = f"chats: [{{chat: {GROUP}, subscribe: [{{team: Arsenal}}]}}, {{chat: {CHANNEL}, subscribe: [{{team: Arsenal}}]}}]"


async def test_where_nothing_is_wrong_each_line_says_what_was_found(tmp_path: Path) -> None:
    async with FakeBotApi() as telegram, Simulator([script()], 1.0, "feed-token").serve() as urls:
        telegram.chat(42)
        telegram.chat(GROUP, title="Family")
        telegram.chat(CHANNEL, kind="channel", title="News").admins.add(BOT_ID)
        findings = await find_by_name(config(tmp_path, telegram.url, urls.api, more=CHATS))

    assert list_failures(findings) == {}
    assert findings["bot"].sentence == "@touchline_bot" and findings["clock"].sentence == "as Telegram's"
    assert findings["feed"].sentence.startswith("1 fixtures in 7 days") and "will be made" in findings["database"].sentence
    assert [findings[f"chat {chat}"].sentence for chat in (GROUP, CHANNEL)] == ["Family", "News"]
    # Nothing was written, and nobody was written to.
    assert not telegram.calls("sendMessage") and files_in(tmp_path) == ["config.yaml"]


async def test_what_telegram_says_is_told_and_the_token_is_not(tmp_path: Path) -> None:
    async with FakeBotApi(strict_chats=True) as telegram, Simulator([script()], 1.0, "another").serve() as urls:
        telegram.me["supports_inline_queries"] = False
        telegram.webhook_url = "https://elsewhere.example.org/hook"
        telegram.chat(CHANNEL, kind="channel", title="News")
        findings = await find_by_name(config(tmp_path, telegram.url, urls.api, more=CHATS), LateClock(90))

    sentences = list_failures(findings)
    assert sentences.pop("feed").startswith("✗ the fixtures cannot be read: HTTP 401")
    assert sentences.pop("clock") in {f"✗ {seconds} s behind Telegram's: let NTP set it" for seconds in (89, 90, 91)}
    assert sentences == {
        "bot": "! inline cards are off: /setinline at @BotFather turns them on",
        "webhook": "! one is set for elsewhere.example.org: `touchline run` removes it",
        "admin 42": "! Bad Request: chat not found: they have to write to the bot first",
        f"chat {GROUP}": "✗ Bad Request: chat not found: add the bot to it, or correct the id",
        f"chat {CHANNEL}": "✗ News: the bot is no administrator who may post messages",
    }


async def test_chats_by_name_are_looked_up(tmp_path: Path) -> None:
    chats = ", ".join(f"{{chat: '@{name}', subscribe: all}}" for name in ("news", "strangers", "nobody"))
    async with FakeBotApi(strict_chats=True) as telegram, Simulator([script()], 1.0, "feed-token").serve() as urls:
        for chat, name in ((CHANNEL, "news"), (GROUP, "strangers")):
            telegram.chat(chat, kind="channel", title=name.title()).username = name
        telegram.chat(42)
        telegram.chat(CHANNEL).admins.add(BOT_ID)
        findings = await find_by_name(config(tmp_path, telegram.url, urls.api, more=f"chats: [{chats}]"))

    assert findings["chat @news"].sentence == "News"
    assert list_failures(findings) == {
        "chat @strangers": "✗ Strangers: the bot is no administrator who may post messages",
        "chat @nobody": "✗ Telegram knows no channel or public group of this name: correct it, or write the chat's number",
    }


# The Bot API takes a token without its colon for a part of another address.
@pytest.mark.parametrize("token", ["2:secret-of-another", "secret"])
async def test_a_wrong_token_and_hosts_that_cannot_be_reached_are_failures(
    token: str, tmp_path: Path, refusing_port: int
) -> None:
    nowhere = f"http://127.0.0.1:{refusing_port}"
    async with FakeBotApi() as telegram:
        wrong = list_failures(await find_by_name(config(tmp_path, telegram.url, nowhere, token=token)))
    away = list_failures(await find_by_name(config(tmp_path, nowhere, nowhere)))

    assert wrong["bot"] == "✗ Telegram refuses telegram.token: put the one that @BotFather gave"
    assert (
        away["bot"] == "✗ 127.0.0.1 cannot be reached: connection refused: nothing listens on that port"
        and "cannot be reached" in away["feed"]
    )
    assert "clock" not in away and "secret" not in str([wrong, away])


async def test_a_driver_that_is_not_installed_is_named_with_what_installs_it(
    tmp_path: Path, refusing_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "asyncpg", None)
    nowhere = f"http://127.0.0.1:{refusing_port}"
    finding = (await find_by_name(config(tmp_path, nowhere, nowhere, storage="postgresql://db.example/touchline")))["database"]

    assert finding.outcome is Outcome.NO_GO and finding.sentence.startswith("PostgreSQL needs asyncpg: install it with ")


@pytest.mark.parametrize("kind", ["a folder that is not there", "another file", "a database"])
async def test_a_database_is_looked_at_and_never_migrated(kind: str, tmp_path: Path, refusing_port: int) -> None:
    nowhere, file = f"http://127.0.0.1:{refusing_port}", tmp_path / "old.db"
    if kind == "a database":
        with sqlite3.connect(file) as old:
            old.execute("CREATE TABLE chats (id)")
            old.execute("INSERT INTO chats VALUES (1), (2)")
        old.close()
    elif kind == "another file":
        file.write_text("dear diary" * 100)
    else:
        file = tmp_path / "nowhere" / "old.db"
    before = file.read_bytes() if file.exists() else b""
    finding = (await find_by_name(config(tmp_path, nowhere, nowhere, storage=f"sqlite:///{file}")))["database"]

    expected = {
        "a folder that is not there": (Outcome.NO_GO, f"the folder of {file} does not exist or cannot be written"),
        "another file": (Outcome.NO_GO, f"{file} cannot be read: file is not a database"),
        "a database": (Outcome.GO, f"{file}, 2 chats, 0.0 MB"),
    }
    assert (finding.outcome, finding.sentence) == expected[kind]
    assert (file.read_bytes() if file.exists() else b"") == before


async def test_a_port_that_is_taken_is_no_go(tmp_path: Path, refusing_port: int) -> None:
    nowhere = f"http://127.0.0.1:{refusing_port}"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        path = config(tmp_path, nowhere, nowhere).path
        path.write_text(path.read_text().replace("listen: null", f"listen: '127.0.0.1:{port}'"))
        finding = (await find_by_name(load_config(path, {})))["port http.listen"]

    assert finding.outcome is Outcome.NO_GO and finding.sentence.startswith(f"127.0.0.1:{port}: ")
