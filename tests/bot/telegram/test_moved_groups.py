"""Groups that became supergroups, while the configuration or what waits for them still names the old id."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import delete, update

from bot.errors import ChatMigrated, RetryAfter
from bot.outbox.fanout import FIRST_PAGE_SIZE, reach_next_chats
from bot.outbox.news_store import read_unfinished_news
from bot.storage.schema import entries, moved_chats
from bot.subscribers import Chat, ChatRef, Scope, Subscription
from bot.telegram.suspensions import SuspendedChatsCheck, SuspensionRepository
from tests.bot.news import alert, pending, retracted
from tests.bot.telegram.conftest import World
from tests.chats import make_chat

pytestmark = pytest.mark.virtual_time
GROUP, SUPERGROUP = -5, -1005
EVERYTHING = Subscription(Scope.ALL)


def configure(*ids: int) -> list[tuple[Chat, tuple[Subscription, ...]]]:
    return [(make_chat(ChatRef(chat_id), "supergroup", all_kinds=True, is_configured=True), (EVERYTHING,)) for chat_id in ids]


async def forget_moves(world: World) -> None:
    """Leave the database as a version of Touchline left it that did not remember who moved."""
    async with world.db.transaction() as tx:
        await tx.execute(delete(moved_chats))


@pytest.mark.parametrize("is_restarted", [True, False])
@pytest.mark.parametrize("is_remembered", [True, False])
async def test_a_configuration_that_names_the_old_id_doubles_no_goal_and_leaves_no_false_one(
    world: World, is_restarted: bool, is_remembered: bool
) -> None:
    await world.subscriptions.store_configured_chats(configure(GROUP))
    world.telegram.fail(GROUP, *[ChatMigrated(SUPERGROUP)] * 50)
    await world.send(pending(1, "goal by Havertz"), seconds=20)
    if is_restarted:
        await world.restart()
    if not is_remembered:
        await forget_moves(world)
    await world.subscriptions.store_configured_chats(configure(GROUP))
    await world.send(alert(2, "goal by Saka"), alert(2, "second", action="h"), seconds=20)
    await world.send(retracted(3), seconds=20)

    goal, second, taken_back = world.shown(SUPERGROUP)
    assert goal.versions[1:] == ["goal by Saka", "<s>goal by Saka</s>"] and second.html == "second"
    assert "❌" in taken_back.html and taken_back.reply_to == goal.id
    assert [(chat.ref, chat.is_configured) for chat in await world.chats.get_all()] == [(ChatRef(SUPERGROUP), True)]


async def test_of_what_both_ids_were_sent_the_message_that_can_be_edited_explains_the_other(world: World) -> None:
    await world.follow(GROUP, SUPERGROUP)
    await world.send(pending(1, "goal by Havertz"), seconds=20)
    await world.chats.migrate(GROUP, SUPERGROUP)
    await world.send(alert(2, "goal by Saka"), seconds=20)

    (goal,) = world.shown(SUPERGROUP)
    assert goal.html.startswith("goal by Saka") and "earlier copy" in goal.html and "Havertz" in goal.html


async def test_a_revision_that_waits_for_the_old_id_alone_is_sent_to_the_new_one(world: World) -> None:
    await world.follow(GROUP, SUPERGROUP)
    await world.send(pending(1, "goal by Havertz"), seconds=20)
    world.telegram.fail(GROUP, RetryAfter(30))
    await world.send(alert(2, "goal by Saka"), seconds=5)
    async with world.db.transaction() as tx:
        # As if the fan-out of the revision had not come to the new id yet.
        values = {"message_id": None, "status": "dropped", "reason": "muted"}
        await tx.execute(update(entries).where(entries.c.chat_id == SUPERGROUP).values(values))
    await world.chats.migrate(GROUP, SUPERGROUP)
    await world.restart()
    await world.send(seconds=40)

    assert [shown.html for shown in world.shown(SUPERGROUP)][1].startswith("goal by Saka")


@pytest.mark.parametrize("has_goal", [False, True])
async def test_a_group_that_moves_while_chats_are_reached_is_not_passed_over(world: World, has_goal: bool) -> None:
    # They lie between the two ids, and so many that one step of the fan-out does not reach them all.
    others = range(-900, -900 + FIRST_PAGE_SIZE)
    await world.follow(GROUP, *others)
    if has_goal:
        await world.send(alert(1, "goal by Havertz"), seconds=20)
    await world.outbox.put([alert(2, "goal by Saka")])
    async with world.db.transaction() as tx:
        (news,) = await read_unfinished_news(tx)
        for _ in range(4 if has_goal else 1):
            await reach_next_chats(tx, news, world.clock.now())
    await world.chats.migrate(GROUP, SUPERGROUP)
    await world.restart()
    await world.send(seconds=20)

    assert world.shown(SUPERGROUP)[-1].html.startswith("goal by Saka")
    assert all(len(world.shown(chat)) == 1 for chat in others)


async def test_a_suspended_group_that_became_a_supergroup_is_found_when_it_is_asked_for(world: World) -> None:
    await world.follow(GROUP)
    await world.chats.suspend(GROUP, "Forbidden: the group chat was deleted")
    asked = []

    async def ask(chat_id: int) -> None:
        asked.append(chat_id)
        if chat_id == GROUP:
            raise ChatMigrated(SUPERGROUP)

    check = SuspendedChatsCheck(SuspensionRepository(world.db), world.chats, ask, world.clock)
    await check.ask_for_due()
    await asyncio.sleep(3 * 3600)
    await check.ask_for_due()

    chat = await world.chats.get(ChatRef(SUPERGROUP))
    assert asked == [GROUP, SUPERGROUP] and chat and chat.is_active
