"""A proxy, a firewall or a login page answers in Telegram's place: nothing is known of any chat, text or token."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.clock import SystemClock
from bot.errors import ChatGone, TextRefused
from bot.fake_telegram import Page, RefusedError
from bot.outbox.outbox import Outbox
from bot.storage.chats import ChatRepository
from bot.storage.database import Database
from bot.storage.subscriptions import SubscriptionRepository
from bot.subscribers import AlertFilter, Chat, ChatRef, Scope, Subscription
from bot.telegram.http import ApiHealth
from bot.telegram.limits.rate_limits import Unlimited
from bot.telegram.messenger import BotMessenger, build_bot
from bot.telegram.sender import Sender
from rules.engine.alert import Alert
from tests.bot.news import alert
from tests.fakes.bot_api import FakeBotApi
from tests.rows import copy_chat
from tests.sqlite import new_sqlite
from tests.waiting import until

CHATS = range(1, 9)


class World:
    """A sender with real connections to a fake Bot API, and eight chats."""

    def __init__(self, api: FakeBotApi, db: Database) -> None:
        self.api, self.db = api, db
        self.health = ApiHealth(SystemClock())
        self.chats = ChatRepository(db)
        self.outbox = Outbox(db, SystemClock())
        self.refused: list[tuple[str, ...]] = []

    @asynccontextmanager
    async def sending(self) -> AsyncIterator[Sender]:
        async with build_bot(self.api.token, self.api.url, health=self.health) as bot:
            sender = Sender(self.outbox.queue, BotMessenger(bot), Unlimited(), SystemClock(), chats=self.chats)
            sender.failures.on_text_refused = lambda *words: self.refused.append(words)
            sender.failures.on_request_refused = lambda *words: self.refused.append(words)
            task = asyncio.create_task(sender.run())
            try:
                yield sender
            finally:
                await sender.stop()
                await task

    async def put(self, *alerts: Alert) -> None:
        for one in alerts:
            now = SystemClock().now()
            await self.outbox.put([Alert(**{name: getattr(one, name) for name in one.__struct_fields__} | {"at": now})])

    def shown(self, chat_id: int) -> list[str]:
        return [message.html for message in self.api.chat(chat_id).messages]

    async def active(self) -> int:
        return sum(chat.is_active for chat in await self.chats.get_all())


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    db = await Database.open(new_sqlite(tmp_path))
    async with FakeBotApi() as api:
        made = World(api, db)
        await made.chats.save(Chat(ChatRef(CHATS[0]), filter=AlertFilter(all_kinds=True)))
        await SubscriptionRepository(db).add(ChatRef(CHATS[0]), Subscription(Scope.ALL))
        await copy_chat(db, CHATS[0], CHATS[1:])
        yield made
    await db.close()


@pytest.mark.slow
@pytest.mark.parametrize(
    "page",
    [
        Page(403),
        Page(400),
        Page(401),
        Page(404),
        Page(429),
        Page(407, b"", "text/plain"),
        Page(200),
        Page(403, b'{"error": "blocked by policy"}', "application/json"),
    ],
    ids=lambda page: f"{page.code} {page.content_type}",
)
async def test_a_page_in_telegrams_place_suspends_nobody_and_blames_nothing_and_the_goal_comes_once_it_is_gone(
    world: World, page: Page
) -> None:
    async with world.sending():
        proxy = world.api.answer_as_proxy(page)
        await world.put(alert(1, "<b>goal</b>"))
        await until(lambda: len(world.api.calls("sendMessage")) >= 4)
        failing, refused, reason = world.health.failing_since, world.health.refused_since, world.health.failure
        world.api.end_trouble(proxy)
        await until(lambda: all(world.shown(chat) for chat in CHATS))
        await until(lambda: not world.health.failing_since)

    assert failing is not None and refused is None and f"status {page.code}" in reason
    assert (await world.active(), world.refused) == (len(CHATS), [])
    assert all(world.shown(chat)[-1] == "<b>goal</b>" for chat in CHATS)


@pytest.mark.slow
async def test_while_a_page_stands_in_only_probes_are_made(world: World) -> None:
    async with world.sending():
        world.api.answer_as_proxy(Page(403))
        await world.put(alert(1, "goal"), alert(2, "another", action="h"))
        await until(lambda: len(world.api.calls("sendMessage")) >= 12)

    first = world.api.calls("sendMessage")
    # All eight chats at once, and then two at a time, a second and more apart.
    assert first[-1].at - first[8].at > 0.9


async def test_an_answer_without_a_result_leaves_the_message_uncertain_and_it_is_sent_again(world: World) -> None:
    world.api.answer_as_proxy(Page(200, b'{"ok": true}', "application/json"), "sendMessage", times=1)
    async with world.sending():
        await world.put(alert(1, "goal"))
        await until(lambda: all(world.shown(chat) for chat in CHATS))

    assert await world.active() == len(CHATS) and len(world.api.calls("sendMessage")) >= len(CHATS) + 1


@pytest.mark.slow
async def test_a_refusal_in_unknown_words_is_tried_again_and_given_up_with_its_own_words(world: World) -> None:
    world.api.refuse(3, RefusedError(400, "Bad Request: PREMIUM_FLUX_REQUIRED"))
    async with world.sending():
        await world.put(alert(1, "<b>goal</b>"), alert(2, "<b>another</b>", action="h"))
        await until(lambda: len(world.refused) == 2)
        await until(lambda: all(len(world.shown(chat)) == 2 for chat in CHATS if chat != 3))

    tried = [request for request in world.api.calls("sendMessage") if request.chat_id == 3]
    assert [request.params["text"] for request in tried] == ["<b>goal</b>"] * 2 + ["goal"] + ["<b>another</b>"] * 2 + ["another"]
    assert world.refused == [("Bad Request: PREMIUM_FLUX_REQUIRED",)] * 2 and await world.active() == len(CHATS)


async def test_a_refusal_in_unknown_words_that_passes_costs_nothing(world: World) -> None:
    world.api.refuse(3, RefusedError(400, "Bad Request: INTERNAL_HICCUP"), times=1)
    async with world.sending():
        await world.put(alert(1, "<b>goal</b>"))
        await until(lambda: all(world.shown(chat) for chat in CHATS))

    assert (world.shown(3), world.refused) == (["<b>goal</b>"], [])


async def test_a_tag_that_an_older_server_lacks_is_left_out_and_not_asked_for_again(world: World) -> None:
    world.api.lack_tag("tg-time")
    async with world.sending():
        await world.put(alert(1, '<b>goal</b> <tg-time unix="1790000000">21:00</tg-time>'))
        await until(lambda: all(world.shown(chat) for chat in CHATS))

    texts = [request.params["text"] for request in world.api.calls("sendMessage")]
    assert texts.count("<b>goal</b> 21:00") == len(CHATS) and world.refused == []


async def test_a_tag_that_telegram_never_had_is_the_fault_of_the_text(world: World) -> None:
    async with build_bot(world.api.token, world.api.url) as bot:
        with pytest.raises(TextRefused) as found:
            await BotMessenger(bot).send(ChatRef(1), "<bold>goal</bold>", silent=True)

    assert found.value.tag == "bold"


@pytest.mark.slow
async def test_real_refusals_for_every_chat_suspend_nobody(world: World) -> None:
    refusals: list[tuple[str, int, int]] = []
    async with world.sending() as sender:
        sender.failures.on_mass_refusal = lambda *facts: refusals.append(facts)
        world.api.refuse_all_chats()
        await world.put(alert(1, "goal"))
        await until(lambda: refusals and refusals[-1][1:] == (len(CHATS), len(CHATS)))

        async def is_everybody_active() -> bool:
            return await world.active() == len(CHATS)

        await until(is_everybody_active)

    assert refusals[0][0] == "Chat not found" and not any(world.shown(chat) for chat in CHATS)


async def test_whether_a_chat_is_there_again_is_asked_by_calls_that_nobody_notices(world: World) -> None:
    async with build_bot(world.api.token, world.api.url) as bot:
        messenger = BotMessenger(bot)
        await messenger.check_chat(1)
        world.api.block(2)
        with pytest.raises(ChatGone):
            await messenger.check_chat(2)

    assert not any(world.shown(chat) for chat in CHATS)
