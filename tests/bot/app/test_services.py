"""A changed configuration is taken over in a running process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.app.services import ConfigApplier
from bot.clock import ManualClock
from bot.config.load import Config, load_config
from bot.config.reload import CurrentConfig
from bot.config.rule_versions import RuleOrigin, RuleVersionRepository, RuleVersions
from bot.errors import StorageUnusable
from bot.storage.database import Database
from tests.bot.chat.fixtures import NOW
from tests.sqlite import new_sqlite

GOALS = "rules: [{name: goals, match: {action_type: Goal}, alert: {kind: goal, text: Goal}}]\n"
LOUD = GOALS.replace("text: Goal", "text: GOAL")
CHATS = "chats: [{chat: 5, subscribe: [all]}]\n"


class Process:
    """What a reload reaches."""

    def __init__(self, folder: Path, db: Database) -> None:
        self.path, self.done, self.failing = folder / "config.yaml", list[str](), False
        config = self.read(GOALS)
        self.current = CurrentConfig(config)
        self.book = RuleVersions(
            RuleVersionRepository(db), ManualClock(NOW), config, lambda rules, _: self.done.append(rules.rules[0].name)
        )
        self.takeover = ConfigApplier(self.current, self.book, self._settle, lambda: self.done.append("woken"), self._tell)

    def read(self, text: str) -> Config:
        self.path.write_text(text)
        return load_config(self.path, {})

    async def _settle(self, config: Config) -> None:
        if self.failing:
            raise StorageUnusable("the database failed")
        self.done.append(f"{len(config.chats)} chats")

    async def _tell(self, sentence: str) -> None:
        self.done.append(sentence)


@pytest.fixture
async def process(tmp_path: Path) -> AsyncIterator[Process]:
    db = await Database.open(new_sqlite(tmp_path))
    yield Process(tmp_path, db)
    await db.close()


async def test_rules_are_replaced_and_everybody_looks_again(process: Process) -> None:
    config = process.read(LOUD)
    await process.takeover(config)

    assert process.done == ["goals", "woken"] and process.current.config is config


async def test_the_chats_of_the_configuration_are_stored_only_when_they_changed(process: Process) -> None:
    await process.takeover(process.read(GOALS + CHATS))
    await process.takeover(process.read(LOUD + CHATS))

    assert process.done == ["1 chats", "goals", "woken", "goals", "woken"]


async def test_what_cannot_be_stored_changes_nothing(process: Process) -> None:
    process.failing = True
    before = process.current.config

    with pytest.raises(StorageUnusable):
        await process.takeover(process.read(LOUD + CHATS))
    assert process.done == [] and process.current.config is before


async def test_the_admins_hear_that_rules_from_telegram_are_over(process: Process) -> None:
    await process.book.apply(LOUD, "sent.yaml", RuleOrigin.SENT, process.book.active.fingerprint, (7, "Ann"))
    await process.takeover(process.read(GOALS.replace("name: goals", "name: other")))

    assert process.done[-1].startswith("The rules of config.yaml have changed")
