"""A changed configuration is taken over in a running process."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import aiohttp
import pytest

from bot.app.services import Services
from bot.clock import ManualClock
from bot.config.load import Config, load_config
from bot.config.rule_versions import RuleOrigin
from bot.errors import StorageUnusable
from bot.storage.database import Database
from bot.subscribers import Chat, Subscription
from bot.telegram.http import ApiHealth
from bot.telegram.limits.rate_limits import RateLimiter
from bot.telegram.messenger import build_bot
from tests.bot.chat.fixtures import NOW
from tests.sqlite import new_sqlite

GOALS = "rules: [{name: goals, match: {action_type: Goal}, alert: {kind: goal, text: Goal}}]\n"
LOUD = GOALS.replace("text: Goal", "text: GOAL")
CHATS = "chats: [{chat: 5, subscribe: [all]}]\n"


class Process:
    """The services of a process, and what a reload calls in them."""

    def __init__(self, folder: Path, db: Database, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch) -> None:
        self.path, self.calls, self.is_failing = folder / "config.yaml", list[str](), False
        clock = ManualClock(NOW)
        self.services = Services(
            self.read(GOALS),
            clock,
            db,
            "test",
            build_bot("1:test", "http://127.0.0.1:1"),
            RateLimiter(30),
            http,
            ApiHealth(clock),
        )
        self.services.on_rules_changed.append(lambda rules, _: self.calls.append(rules.rules[0].name))
        self.services.on_settings_changed.append(lambda: self.calls.append("settings"))
        monkeypatch.setattr(self.services.subscriptions, "store_configured_chats", self._store_configured_chats)
        monkeypatch.setattr(self.services.admins, "post_event", self._post_event)

    def read(self, text: str) -> Config:
        self.path.write_text(text)
        return load_config(self.path, {})

    async def _store_configured_chats(self, wanted: list[tuple[Chat, Sequence[Subscription]]]) -> dict[int, int]:
        if self.is_failing:
            raise StorageUnusable("the database failed")
        self.calls.append(f"{len(wanted)} chats")
        return {}

    def _post_event(self, sentence: str) -> None:
        self.calls.append(sentence)


@pytest.fixture
async def process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Process]:
    db = await Database.open(new_sqlite(tmp_path))
    async with aiohttp.ClientSession() as http:
        process = Process(tmp_path, db, http, monkeypatch)
        await process.services.configured_chats.store(process.services.config)
        process.calls.clear()
        yield process
    await db.close()


async def test_rules_are_replaced_and_everybody_looks_again(process: Process) -> None:
    config = process.read(LOUD)
    await process.services.apply_config(config)

    assert process.calls == ["goals", "settings"] and process.services.config is config


async def test_the_chats_of_the_configuration_are_stored_only_when_they_changed(process: Process) -> None:
    await process.services.apply_config(process.read(GOALS + CHATS))
    await process.services.apply_config(process.read(LOUD + CHATS))

    assert process.calls == ["1 chats", "goals", "settings", "goals", "settings"]


async def test_what_cannot_be_stored_changes_nothing(process: Process) -> None:
    process.is_failing = True
    before = process.services.config

    with pytest.raises(StorageUnusable):
        await process.services.apply_config(process.read(LOUD + CHATS))
    assert process.calls == [] and process.services.config is before


async def test_a_file_that_is_put_back_puts_back_chats_that_were_stored_without_their_rules(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(_: Config) -> str:
        raise StorageUnusable("the database failed")

    with monkeypatch.context() as patch, pytest.raises(StorageUnusable):
        patch.setattr(process.services.rule_versions, "load", fail)
        await process.services.apply_config(process.read(GOALS + CHATS))
    await process.services.apply_config(process.read(GOALS))

    assert process.calls == ["1 chats", "0 chats", "goals", "settings"]


async def test_the_admins_are_informed_that_rules_from_telegram_are_no_longer_in_effect(process: Process) -> None:
    rule_versions = process.services.rule_versions
    await rule_versions.apply(LOUD, "sent.yaml", RuleOrigin.SENT, rule_versions.active.fingerprint, (7, "Ann"))
    await process.services.apply_config(process.read(GOALS.replace("name: goals", "name: other")))

    assert process.calls[-1].startswith("The rules of config.yaml have changed")


@pytest.mark.parametrize(
    ("tokens", "used"),
    [
        (["1:other"], ["1:other"]),
        (["2:one"], []),
        (["2:one", "2:two"], []),
        (["2:one", "1:other"], ["1:other"]),
        (["2:one", "1:test"], []),
        (["1:other", "2:one", "1:other"], ["1:other"]),
        (["1:other", "2:one", "1:test"], ["1:other", "1:test"]),
        (["2:one", "", "2:two"], []),
    ],
)
async def test_a_token_is_used_at_once_if_it_is_of_the_bot_in_use_whatever_the_file_said_before(
    process: Process, tokens: list[str], used: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    replaced = list[str]()
    monkeypatch.setattr("bot.app.services.replace_token", lambda _, new: replaced.append(new))
    for token in ("1:test", *tokens):
        await process.services.apply_config(process.read(f"{GOALS}telegram: {{token: '{token}'}}\n"))

    assert replaced == used


@pytest.mark.parametrize("is_notified", [False, True])
async def test_what_happens_to_a_group_reaches_the_sender_and_the_list_of_who_may_use_the_bot(
    process: Process, is_notified: bool
) -> None:
    services, opened, changed = process.services, list[int](), list[str]()
    services.on_topic_opened.append(opened.append)
    services.on_chats_changed.append(lambda: changed.append("chats"))
    services.config = process.read(GOALS + "telegram: {allowed_chats: [-5]}\n")
    if is_notified:
        # By another process on the same database, which may be of an earlier version that says nothing.
        for payload in ("opened -5", "moved -5 -1005", "", "something new"):
            services._on_chats_notification(payload)
    else:
        await services.chats.announce_opened_topic(-5)
        await services.chats.migrate(-5, -1005)

    assert (opened, len(changed)) == ([-5], 3 if is_notified else 1)
    assert services.configured_chats.list_allowed_chats() == ("-5", "-1005")
    # The process that made the change tells the admins, and no other one.
    assert [call for call in process.calls if "-1005" in call] == ([] if is_notified else process.calls[-1:])
