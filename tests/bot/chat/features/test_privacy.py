"""/stop and /privacy: a chat that leaves takes everything with it, or changes its mind."""

from __future__ import annotations

import json

from bot.fake_telegram.html import parse
from bot.subscribers import ChatRef
from tests.bot.chat.conftest import World


async def test_stop_unfollows_everything_and_undo_follows_it_again(world: World) -> None:
    await world.ask(42, 42, "/subscribe Arsenal")
    await world.ask(42, 42, "/subscribe all")

    answer = await world.ask(42, 42, "/stop")
    assert answer.text.startswith("Stopped: 2 subscriptions removed") and await world.list_followed(42) == []

    await world.tap(42, 42, "↩ Undo")
    assert sorted(await world.list_followed(42)) == ["Arsenal", "all"]


async def test_undo_brings_back_the_settings_of_a_subscription(world: World) -> None:
    await world.ask(42, 42, "/subscribe Arsenal")
    await world.ask(42, 42, "/alerts Arsenal scorers")
    before = await world.subscriptions.get_all(ChatRef(42))
    assert before[0].overrides.scorers_only

    await world.ask(42, 42, "/stop")
    await world.tap(42, 42, "↩ Undo")

    assert await world.subscriptions.get_all(ChatRef(42)) == before


async def test_stop_where_nothing_is_followed_says_so(world: World) -> None:
    answer = await world.ask(42, 42, "/stop")

    assert answer.text.startswith("Nothing is followed,")


async def test_an_undo_that_is_not_remembered_is_out_of_date(world: World) -> None:
    answer = await world.ask(42, 42, "/privacy")

    assert (await world.press(42, 42, answer, "p!:undo")).startswith("This button is outdated")


async def test_the_export_holds_settings_and_what_is_followed(world: World) -> None:
    await world.ask(42, 42, "/subscribe Arsenal")
    await world.ask(42, 42, "/timezone Madrid")
    await world.ask(42, 42, "/privacy")

    await world.tap(42, 42, "📄 Export")

    stored = json.loads(parse(world.api.chat(42).last.html).text)
    assert (stored["follows"], stored["followed_before_stop"]) == (["team: Arsenal"], [])
    assert (stored["chat"]["id"], stored["settings"]["timezone"]) == (42, "Europe/Madrid")


async def test_erase_asks_once_and_leaves_nothing(world: World) -> None:
    await world.ask(42, 42, "/subscribe Arsenal")
    await world.ask(42, 42, "/privacy")

    await world.tap(42, 42, "🗑 Erase data…")
    assert await world.chats.get(ChatRef(42)) is not None
    await world.tap(42, 42, "🗑 Erase")

    assert await world.chats.get(ChatRef(42)) is None
    assert await world.list_followed(42) == []


async def test_a_member_of_a_group_may_neither_stop_nor_erase(world: World) -> None:
    world.api.chat(-100).admins = {7}
    await world.ask(-100, 7, "/subscribe Arsenal")

    await world.ask(-100, 99, "/stop")
    world.api.say(-100, 99, "/privacy")
    await world.wait_until_idle()

    assert await world.list_followed(-100) == ["Arsenal"]
