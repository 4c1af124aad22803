"""Chats that the configuration names as @name: found at Telegram, kept while it is away, reported where they cannot be used."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.app.configured_chats import ConfiguredChats, make_configured_chat
from bot.config.load import Config, load_config
from bot.fake_telegram import RefusedError
from bot.storage.chats import ChatRepository
from bot.storage.database import Database
from bot.storage.subscriptions import SubscriptionRepository
from bot.subscribers import CardForm, Scope
from bot.telegram.messenger import build_bot
from tests.fakes.bot_api import FakeBotApi
from tests.sqlite import new_sqlite
from tests.tasks import cancel_tasks
from tests.waiting import until

NEWS, FANS, FAMILY = -1_001_000_000_001, -1_001_000_000_002, -1_001_000_000_003
CONFIG = f"""
chats:
  - {{chat: "@News", subscribe: [{{team: Arsenal}}], language: de}}
  - {{chat: {FAMILY}, subscribe: all}}
"""


class World:
    """A bot with a database, whose process may be started anew."""

    def __init__(self, folder: Path, api: FakeBotApi, database: Database) -> None:
        self.path, self.api, self.database = folder / "config.yaml", api, database
        self.repository, self.chats = SubscriptionRepository(database), ChatRepository(database)
        self.config, self.bot = self.write(CONFIG), build_bot("1:test", api.url)
        self.problems: list[str] = []
        self.work: asyncio.Task[None] | None = None

    def write(self, text: str) -> Config:
        self.path.write_text(text)
        return load_config(self.path, {})

    async def start(self) -> ConfiguredChats:
        """Start a process: its chats are stored first, and looked up once Telegram can be asked."""
        await self.stop()
        configured = ConfiguredChats(self.repository, self.chats, self.bot, lambda: self.config)
        configured.on_problem = self.problems.append
        await configured.store(self.config)
        await self.bot.initialize()
        self.work = asyncio.create_task(configured.run())
        return configured

    async def stop(self) -> None:
        if self.work:
            await cancel_tasks(self.work)

    async def following(self) -> dict[int, list[str]]:
        """Return what each chat of the configuration follows."""
        found = {}
        for chat in await self.chats.get_all():
            if followed := await self.repository.get_all(chat.ref):
                found[chat.ref.chat_id] = [one.name or one.scope.value for one in followed]
        return found

    async def until_following(self, *chats: int) -> None:
        async def follow() -> bool:
            return set(await self.following()) == set(chats)

        await until(follow)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    database = await Database.open(new_sqlite(tmp_path))
    async with FakeBotApi(strict_chats=True) as api:
        news = api.chat(NEWS, kind="channel", title="News")
        news.username = "news"
        news.admins.add(api.me["id"])
        api.chat(FAMILY, title="Family")
        made = World(tmp_path, api, database)
        yield made
        await made.stop()
        await made.bot.shutdown()
    await database.close()


async def test_a_name_is_found_in_any_letter_case_and_follows_what_the_file_says(world: World) -> None:
    await world.start()
    await world.until_following(FAMILY, NEWS)
    channel = next(chat for chat in await world.chats.get_all() if chat.ref.chat_id == NEWS)

    assert await world.following() == {NEWS: ["Arsenal"], FAMILY: [Scope.ALL.value]}
    assert (channel.type, channel.title, channel.language, channel.is_configured) == ("channel", "News", "de", True)
    assert world.problems == []


async def test_a_name_that_was_found_before_needs_no_telegram_at_the_next_start(world: World) -> None:
    await world.start()
    await world.until_following(FAMILY, NEWS)
    await world.stop()
    configured = ConfiguredChats(world.repository, world.chats, world.bot, lambda: world.config)
    world.config = world.write(CONFIG.replace("Arsenal", "Chelsea"))
    await configured.store(world.config)

    assert await world.following() == {NEWS: ["Chelsea"], FAMILY: [Scope.ALL.value]}


async def test_a_name_that_moved_to_another_chat_is_followed_there(world: World) -> None:
    await world.start()
    await world.until_following(FAMILY, NEWS)
    world.api.chat(NEWS).username = "old_news"
    moved = world.api.chat(FANS, kind="channel", title="News 2")
    moved.username = "news"
    moved.admins.add(world.api.me["id"])
    await world.start()
    await world.until_following(FAMILY, FANS)

    assert world.problems == []


@pytest.mark.parametrize(
    ("trouble", "sentence"),
    [
        ("unknown", "Telegram knows no channel or public group of this name: correct it, or write the chat's number"),
        ("absent", "the bot is not a member: add it"),
        ("silent", "the bot may not post messages there: give it that right"),
    ],
)
async def test_what_is_wrong_with_a_name_is_said_once_and_mended_without_a_restart(
    world: World, trouble: str, sentence: str
) -> None:
    news = world.api.chat(NEWS)
    if trouble == "unknown":
        news.username = "others"
    elif trouble == "absent":
        # As Telegram answers of a public channel that the bot is not in: it shows the chat, and not its members.
        world.api.fail("getChatMember", RefusedError(400, "Bad Request: member list is inaccessible"), times=None)
    else:
        news.admins.clear()
    configured = await world.start()
    await until(lambda: len(world.problems) == 1)
    first = list(world.problems)
    configured.request_look()
    lookups = len(world.api.calls("getChat"))
    await until(lambda: len(world.api.calls("getChat")) > lookups)
    news.username = "news"
    news.admins.add(world.api.me["id"])
    world.api.troubles.clear()
    configured.request_look()
    await world.until_following(FAMILY, NEWS)
    await until(lambda: not configured._problems)

    assert first == world.problems == [f"{world.path}:3:3: chats: @News: {sentence}"]


async def test_a_group_that_became_a_supergroup_is_followed_there_and_admins_are_told_its_number_once(world: World) -> None:
    world.config = world.write("telegram: {allowed_chats: [-5, 7]}\nchats: [{chat: -5, subscribe: all}]\n")
    configured = await world.start()
    before = configured.list_allowed_chats()
    await world.chats.migrate(-5, FANS)
    for _ in range(2):
        configured.on_chat_migrated(-5, FANS)
        configured.report_moves()
    told = list(world.problems)
    await configured.store(world.config)

    sentence = f"the group -5 has become a supergroup; replace the number by {FANS}"
    settings = (("1:27", "telegram.allowed_chats"), ("2:8", "chats"))
    assert sorted(told) == [f"{world.path}:{place}: {setting}: {sentence}" for place, setting in settings]
    assert await world.following() == {FANS: [Scope.ALL.value]}
    assert (before, configured.list_allowed_chats()) == (("-5", "7"), ("-5", "7", str(FANS)))


async def test_after_a_restart_the_number_of_a_group_that_moved_is_still_known_and_told(world: World) -> None:
    world.config = world.write("telegram: {allowed_chats: [-5]}\nchats: [{chat: -5, subscribe: all}]\n")
    await world.start()
    await world.chats.migrate(-5, FANS)
    configured = await world.start()
    await until(lambda: len(world.problems) == 2)

    assert await world.following() == {FANS: [Scope.ALL.value]}
    assert configured.list_allowed_chats() == ("-5", str(FANS))


def test_a_fixed_chat_may_hide_scores_and_group_bursts(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(
        "chats: [{chat: -1, subscribe: [all], spoilers: true, bursts: true}, {chat: 2, subscribe: [all]}]"
    )
    config = load_config(tmp_path / "config.yaml", {})

    stored = [make_configured_chat(chat, config)[0] for chat in config.chats]

    assert [(chat.spoilers, chat.digests, chat.filter.all_kinds) for chat in stored] == [(True, True, True), (False, False, True)]


def test_match_cards_have_a_form_in_general_and_one_of_each_fixed_chat(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("""
telegram: {match_cards: Table}
chats: [{chat: -1, subscribe: [all], card: picture}, {chat: 2, subscribe: [all]}]
""")
    config = load_config(tmp_path / "config.yaml", {})

    assert config.telegram.match_cards is CardForm.RICH
    assert [make_configured_chat(chat, config)[0].card_form for chat in config.chats] == [CardForm.PICTURE, CardForm.RICH]
