"""The most recent change of the rules wins: that of the files, or of an admin in Telegram."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.clock import ManualClock
from bot.config.load import load_config
from bot.config.rule_versions import RuleOrigin, RulesOutdated, RuleVersionRepository, RuleVersions
from bot.config.sent_rules import parse_sent_rules
from bot.storage.database import Database
from rules.engine.rule import RuleSet
from rules.football.catalogue import Catalogue, load_catalogue
from rules.loading.loader import RulesInvalid
from tests.bot.chat.fixtures import NOW
from tests.sqlite import new_sqlite

GOALS = "rules: [{name: goals, match: {action_type: Goal}, alert: {kind: goal, text: Goal}}]\n"
CARDS = "rules: [{name: cards, match: {action_type: Red Card}, alert: {kind: red_card, text: Red}}]\n"
CORNERS = "[{name: corners, match: {action_type: Corner}, alert: {kind: corner, text: Corner}}]\n"
ANN = (7, "Ann")


class Bot:
    """A bot that starts, reloads and restarts, with its file and its database."""

    def __init__(self, folder: Path, db: Database) -> None:
        self.path, self.db, self.repository = folder / "config.yaml", db, RuleVersionRepository(db)
        self.used: list[RuleSet] = []
        self.versions = self._make_versions(GOALS)

    def _make_versions(self, text: str) -> RuleVersions:
        self.path.write_text(text)
        return RuleVersions(self.repository, ManualClock(NOW), load_config(self.path, {}), self._use)

    def _use(self, rules: RuleSet, _: Catalogue) -> None:
        self.used.append(rules)

    async def start(self, text: str = GOALS) -> str:
        self.versions = self._make_versions(text)
        return await self.versions.load(self.versions.config)

    async def reload(self, text: str) -> str:
        self.path.write_text(text)
        return await self.versions.load(load_config(self.path, {}))

    async def apply(self, text: str, name: str = "sent.yaml") -> None:
        await self.versions.apply(text, name, RuleOrigin.SENT, self.versions.active.fingerprint, ANN)

    def list_used_rules(self) -> list[str]:
        """The names of the rules that are used."""
        return [rule.name for rule in self.used[-1].rules]


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[Bot]:
    db = await Database.open(new_sqlite(tmp_path))
    made = Bot(tmp_path, db)
    await made.start()
    yield made
    await db.close()


async def test_the_files_rules_are_in_effect_at_first(bot: Bot) -> None:
    assert bot.list_used_rules() == ["goals"] and bot.versions.active.from_files


async def test_applied_rules_are_used_and_remembered(bot: Bot) -> None:
    await bot.apply(CORNERS)

    (version,) = await bot.repository.recent()
    assert bot.list_used_rules() == ["corners"] and not bot.versions.active.from_files
    assert (version.user_id, version.user_name, version.name, version.at) == (7, "Ann", "sent.yaml", NOW)


async def test_applied_rules_survive_a_restart_and_a_reload_of_other_settings(bot: Bot) -> None:
    await bot.apply(CORNERS)
    notices = [await bot.start(), await bot.reload(f"schedule: {{connect_before_kickoff: 5m}}\n# a remark\n{GOALS}")]

    assert notices == ["", ""] and bot.list_used_rules() == ["corners"]


@pytest.mark.parametrize("restarted", [True, False])
async def test_the_files_rules_win_when_they_change(bot: Bot, restarted: bool) -> None:
    await bot.apply(CORNERS)
    notice = await (bot.start(CARDS) if restarted else bot.reload(CARDS))

    assert notice == "The rules of config.yaml have changed: they are in effect, sent.yaml from Telegram is not any more."
    assert bot.list_used_rules() == ["cards"] and (await bot.repository.recent(1))[0].origin is RuleOrigin.FILES


async def test_what_the_files_ended_does_not_come_back(bot: Bot) -> None:
    await bot.apply(CORNERS)
    await bot.reload(CARDS)
    await bot.reload(GOALS)

    assert bot.list_used_rules() == ["goals"]


async def test_rules_are_not_applied_on_others_than_those_that_were_seen(bot: Bot) -> None:
    seen = bot.versions.active.fingerprint
    await bot.apply(CORNERS)

    with pytest.raises(RulesOutdated):
        await bot.versions.apply(CARDS, "sent.yaml", RuleOrigin.SENT, seen, ANN)
    assert bot.list_used_rules() == ["corners"]


async def test_an_empty_text_stands_for_the_files(bot: Bot) -> None:
    await bot.apply(CORNERS)
    await bot.apply("", "config.yaml")

    assert bot.list_used_rules() == ["goals"] and bot.versions.active.from_files


async def test_rules_that_cannot_be_read_any_more_give_way_to_the_files(bot: Bot) -> None:
    await bot.apply(CORNERS)
    version = (await bot.repository.recent(1))[0]
    await bot.repository.add(type(version)(NOW, RuleOrigin.SENT, "broken.yaml", "[{name: x}]", version.base_fingerprint))
    notice = await bot.start()

    assert notice.startswith("broken.yaml from Telegram cannot be read any more") and bot.list_used_rules() == ["goals"]


async def test_bad_rules_are_never_applied(bot: Bot) -> None:
    with pytest.raises(RulesInvalid):
        await bot.apply("[{name: x}]")

    assert bot.list_used_rules() == ["goals"] and await bot.repository.recent() == ()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "there are no rules in this file"),
        ("# nothing", "there are no rules in this file"),
        ("rules: []", "there are no rules in this file"),
        ("include: /etc/*.yaml", "a file from Telegram cannot include others"),
        ("telegram: {admins: [1]}", 'unknown key "telegram"'),
    ],
)
def test_a_sent_file_holds_rules_and_nothing_else(text: str, sentence: str) -> None:
    with pytest.raises(RulesInvalid, match=sentence):
        parse_sent_rules(text, "sent.yaml", load_catalogue())


def test_a_variable_in_a_sent_file_is_not_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FEED_TOKEN", "very-secret")
    text = CORNERS.replace("text: Corner", "text: '${FEED_TOKEN}'")

    assert parse_sent_rules(text, "sent.yaml", load_catalogue()).rules.rules[0].alert.text.source == "${FEED_TOKEN}"


def test_what_looks_wrong_is_handed_over() -> None:
    sent = parse_sent_rules(CORNERS.replace("action_type: Corner", ""), "sent.yaml", load_catalogue())

    assert "match is empty" in sent.warnings[0]


async def test_rules_that_one_process_applied_are_taken_over_by_another_once_it_looks(bot: Bot, tmp_path: Path) -> None:
    await bot.start()
    other = Bot(tmp_path, bot.db)
    await other.start()
    await bot.apply(CARDS)
    await other.versions.load_latest()
    await other.versions.load_latest()

    assert other.list_used_rules() == ["cards"]
    assert len(other.used) == 2
    assert other.versions.active.fingerprint == bot.versions.active.fingerprint
