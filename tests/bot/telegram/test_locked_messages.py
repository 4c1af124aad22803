"""A message that stands and cannot be edited: another one says what counts."""

from __future__ import annotations

import asyncio

import pytest

from bot.errors import (
    ChatMigrated,
    DeliveryError,
    MessageGone,
    MessageLocked,
    RequestRefused,
    RetryAfter,
    TextRefused,
    TopicClosed,
)
from bot.subscribers import ChatRef
from tests.bot.news import alert, minor, pending, retracted
from tests.bot.telegram.conftest import World
from tests.bot.telegram.test_digests import of
from tests.packets import FIXTURE

pytestmark = pytest.mark.virtual_time

GROUP, SUPERGROUP = -5, -1005


@pytest.mark.parametrize(
    "answers",
    [
        [MessageLocked("Bad Request: message can't be edited")],
        [TopicClosed("Bad Request: TOPIC_CLOSED")],
        [TextRefused("Bad Request: can't parse entities"), TextRefused("Bad Request: message is too long")],
        [RequestRefused("Bad Request: SOMETHING_NEW")] * 3,
    ],
    ids=lambda answers: type(answers[0]).__name__,
)
async def test_a_silent_message_says_what_counts_and_is_edited_from_then_on(world: World, answers: list[DeliveryError]) -> None:
    await world.follow(1)
    await world.send(pending(1, "goal by Havertz"))
    world.telegram.fail(1, *answers)
    await world.send(alert(2, "goal by Saka"))
    await world.send(alert(3, "goal by Saka, assist Rice"))

    first, second = world.shown()
    assert len(first.versions) == 1 and second.silent
    assert second.versions[0].startswith("goal by Saka") and "earlier copy" in second.html and "Havertz" in second.html
    assert second.html.startswith("goal by Saka, assist Rice")


async def test_a_retraction_is_told_once_and_names_the_goal(world: World) -> None:
    await world.follow(1)
    await world.send(alert(1, "goal by Havertz"))
    world.telegram.fail(1, MessageLocked("Bad Request: message can't be edited"))
    await world.send(retracted(2))

    _, reply = world.shown()
    assert "❌" in reply.html and "<s>goal by Havertz</s>" in reply.html and not reply.silent


async def test_what_counts_is_said_also_while_the_reply_of_an_earlier_revision_waits(world: World) -> None:
    await world.follow(1)
    await world.send(alert(1, "goal by Havertz"), retracted(2))
    world.telegram.latency = 2
    telling = asyncio.create_task(world.send(alert(3, "goal by Havertz"), alert(4, "goal by Saka")))
    await asyncio.sleep(2.5)
    # The edit of the restored goal has arrived, and its reply waits behind the next edit.
    world.telegram.fail(1, MessageLocked("Bad Request: message can't be edited"))
    await telling

    _, _, goal, stands = world.shown()
    assert goal.html.startswith("goal by Saka") and "Havertz" in goal.html and goal.silent
    assert "✅" in stands.html and (stands.reply_to, stands.silent) == (goal.id, False)


async def test_a_message_that_somebody_deleted_is_not_explained(world: World) -> None:
    await world.follow(1)
    await world.send(pending(1))
    world.telegram.fail(1, MessageGone("Bad Request: message to edit not found"))
    await world.send(alert(2))

    assert len(world.shown()) == 1


@pytest.mark.parametrize("is_told_by_refusal", [True, False])
async def test_what_a_group_was_told_before_it_moved_is_corrected_at_its_new_place(
    world: World, is_told_by_refusal: bool
) -> None:
    await world.follow(GROUP)
    await world.send(pending(1, "goal by Havertz"), alert(2, "second", action="h"), minor(3, action="card"))
    if is_told_by_refusal:
        world.telegram.fail(GROUP, ChatMigrated(SUPERGROUP))
    else:
        await world.chats.migrate(GROUP, SUPERGROUP)
    await world.send(alert(4, "goal by Saka"), retracted(5, action="h"), minor(6, action="card"))

    corrected, taken_back = world.shown(SUPERGROUP)
    assert corrected.html.startswith("goal by Saka") and "Havertz" in corrected.html and corrected.silent
    assert "❌" in taken_back.html and "<s>second</s>" in taken_back.html


async def test_a_group_that_is_sent_round_in_a_circle_is_suspended_with_what_it_follows(world: World) -> None:
    await world.follow(GROUP)
    world.telegram.fail(GROUP, *[ChatMigrated(SUPERGROUP)] * 50)
    world.telegram.fail(SUPERGROUP, *[ChatMigrated(GROUP)] * 50)
    await world.send(alert())

    chat = await world.chats.get(ChatRef(SUPERGROUP))
    assert chat and not chat.is_active and len(world.telegram.requests) < 5


async def test_a_group_that_moves_to_itself_is_not_erased(world: World) -> None:
    await world.follow(GROUP)
    await world.chats.migrate(GROUP, GROUP)
    await world.send(alert())

    assert [shown.html for shown in world.shown(GROUP)] == ["goal"]


async def test_a_digest_that_cannot_be_edited_is_followed_by_one_that_says_what_counts(world: World) -> None:
    await world.follow(1)
    world.telegram.fail(1, RetryAfter(400))
    await world.send(alert(1, "goal by Havertz"), alert(1, "second", action="h"), seconds=450)
    await world.outbox.summarise_missed(FIXTURE.id)
    await world.send()
    world.telegram.fail(1, MessageLocked("Bad Request: message can't be edited"))
    await world.send(retracted(2))
    await world.send(retracted(2, action="h"))

    first, second = world.shown()
    assert "<s>" not in first.html and second.silent and second.versions[0].count("<s>") == 1 and second.html.count("<s>") == 2
    assert "earlier copy" in second.html


async def test_a_burst_that_cannot_be_edited_is_followed_by_a_reply_that_names_the_line(world: World) -> None:
    await world.follow(1, digests=True)
    await world.send(*(of(match, alert(1)) for match in ("f1", "f2", "f3")), seconds=20)
    world.telegram.fail(1, MessageLocked("Bad Request: message can't be edited"))
    await world.send(of("f3", retracted(2)))

    assert len(world.shown()) == 3 and world.shown()[-1].text[0] == "❌"
