"""Topics of a forum that are closed while its general topic is closed too: what they follow waits, and nothing else does."""

from __future__ import annotations

import asyncio

import pytest

from bot.errors import TopicGone
from bot.subscribers import ChatRef, Scope, Subscription
from tests.bot.news import alert
from tests.bot.telegram.conftest import World
from tests.chats import make_chat

pytestmark = pytest.mark.virtual_time

FORUM = -1005
GENERAL, CLOSED, OPEN = ChatRef(FORUM), ChatRef(FORUM, 5), ChatRef(FORUM, 6)


async def follow(world: World, *refs: ChatRef) -> None:
    for ref in refs:
        await world.chats.save(make_chat(ref, "supergroup", all_kinds=True))
        await world.subscriptions.add(ref, Subscription(Scope.ALL))


def shown_in(world: World, ref: ChatRef) -> list[str]:
    return [shown.html for shown in world.shown(FORUM) if shown.topic == ref.topic]


async def is_suspended(world: World) -> bool:
    return any(not chat.is_active for chat in await world.chats.get_all())


async def test_the_other_topics_of_the_forum_go_on_and_a_closed_one_gets_its_news_in_order_once_it_is_opened(
    world: World,
) -> None:
    await follow(world, CLOSED, OPEN)
    world.telegram.closed_topics = {GENERAL, CLOSED}
    goals = [alert(number, f"goal {number}", action=f"g{number}", max_age=7200.0) for number in range(1, 4)]
    await world.send(*goals, seconds=3600)
    while_closed = shown_in(world, OPEN), shown_in(world, CLOSED), len(world.telegram.requests)
    world.telegram.closed_topics.clear()
    await world.send(seconds=1000)

    texts = [goal.text for goal in goals]
    # Three for the open topic, and two for each try of the closed one: fewer and fewer.
    assert while_closed == (texts, [], 3 + 2 * 10)
    assert shown_in(world, CLOSED) == shown_in(world, OPEN) == texts
    assert not await is_suspended(world)


async def test_a_topic_that_is_opened_gets_its_news_at_once(world: World) -> None:
    await follow(world, CLOSED)
    world.telegram.closed_topics = {GENERAL, CLOSED}
    async with world.sending():
        await world.outbox.put([alert(1, max_age=7200.0)])
        await asyncio.sleep(1000)
        # The general topic: it takes what the closed one cannot.
        world.telegram.closed_topics = {CLOSED}
        world.sender.failures.on_topic_opened(FORUM)
        await asyncio.sleep(1)

    assert shown_in(world, GENERAL) == ["goal"]


async def test_the_wait_begins_anew_after_the_topic_took_a_message(world: World) -> None:
    await follow(world, CLOSED)
    for number in range(1, 3):
        world.telegram.closed_topics = {GENERAL, CLOSED}
        await world.send(alert(number, f"goal {number}", action=f"g{number}", max_age=7200.0), seconds=200)
        world.telegram.closed_topics.clear()
        await world.send(seconds=200)

    assert shown_in(world, CLOSED) == ["goal 1", "goal 2"]
    # Each time five tries in the general topic too, and the one that succeeds.
    assert len(world.telegram.requests) == 2 * (2 * 5 + 1)


async def test_a_general_topic_that_is_closed_waits_by_itself(world: World) -> None:
    await follow(world, GENERAL, OPEN)
    world.telegram.closed_topics = {GENERAL}
    await world.send(alert(), seconds=60)

    assert (shown_in(world, GENERAL), shown_in(world, OPEN)) == ([], ["goal"])
    assert not await is_suspended(world)


async def test_a_general_topic_that_is_said_to_be_deleted_does_not_suspend_its_forum_at_once(world: World) -> None:
    await follow(world, GENERAL)
    world.telegram.fail(FORUM, TopicGone("Bad Request: message thread not found"))
    await world.send(alert(), seconds=20)

    assert shown_in(world, GENERAL) == ["goal"]
    assert not await is_suspended(world)
