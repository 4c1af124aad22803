"""Telegram answers late or not at all: a message is sent again once, then it waits aside, and nothing is held up by it."""

from __future__ import annotations

import asyncio

import pytest

from bot.errors import NotTelegram, RetryAfter, TelegramUnreachable
from tests.bot.news import LIVE_KINDS, alert, match_card, minor, pending, retracted
from tests.bot.telegram.conftest import World
from tests.packets import FIXTURE

pytestmark = pytest.mark.virtual_time

LOST = TelegramUnreachable("Timed out", maybe_sent=True, is_unanswered=True)
GATEWAY_TIMEOUT = NotTelegram("an answer that is not Telegram's (status 504)", maybe_sent=True, is_unanswered=True)
SHORT_NOTE = "\n↩️ <i>An earlier copy of this message no longer counts, if you got one.</i>"
NOTE = "\n↩️ <i>An earlier copy no longer counts, if you got one:</i>\n"


def texts(world: World, chat_id: int = 1) -> list[str]:
    return [message.html for message in world.shown(chat_id)]


@pytest.mark.parametrize("error", [LOST, GATEWAY_TIMEOUT], ids=["no answer", "gateway timeout"])
async def test_a_message_that_is_never_answered_is_in_the_chat_three_times_at_most(
    world: World, error: TelegramUnreachable
) -> None:
    await world.follow(1)
    world.telegram.lost_answers[1].extend([error] * 50)

    await world.send(alert(1), seconds=3000)

    assert texts(world) == ["goal"] * 3 and await world.outbox.count_waiting() == 0


async def test_it_is_parked_though_a_rescan_of_the_database_finds_it_again_while_it_is_on_its_way(world: World) -> None:
    await world.follow(1)
    world.telegram.answers_lost_until = 1000.0
    async with world.sending():
        await world.outbox.put([alert(1)])
        for _ in range(100):
            await asyncio.sleep(5)
            world.outbox.queue.rescan()

    assert texts(world) == ["goal"] * 2


async def test_it_is_sent_once_more_when_telegram_answers_again(world: World) -> None:
    await world.follow(1)
    world.telegram.answers_lost_until = 150.0

    await world.send(alert(1), seconds=250)

    assert texts(world) == ["goal"] * 3
    assert [op for _, op, _ in world.telegram.requests if op == "ping"][1:], "Telegram was asked until it answered"


async def test_it_holds_up_nothing_and_is_sent_once_more_when_another_message_of_its_chat_was_answered(world: World) -> None:
    await world.follow(1)
    world.telegram.fail(1, LOST, LOST)

    await world.send(alert(1), minor(2, action="card"), seconds=4)

    assert texts(world) == ["yellow", "goal"]


async def test_a_parked_message_whose_news_is_too_old_by_then_is_not_sent_again(world: World) -> None:
    await world.follow(1)
    world.telegram.answers_lost_until = 1000.0

    await world.send(alert(1), seconds=1500)
    await world.outbox.summarise_missed(FIXTURE.id)
    await world.send(seconds=5)

    assert [text.splitlines()[-1] for text in texts(world)] == ["goal", "goal", "• goal"]


async def test_a_goal_that_falls_while_it_is_parked_is_taken_back(world: World) -> None:
    await world.follow(1)
    world.telegram.lost_answers[1].extend([LOST] * 2)
    async with world.sending():
        await world.outbox.put([alert(1)])
        await asyncio.sleep(3)
        await world.outbox.put([retracted(2)])
        await asyncio.sleep(60)

    assert texts(world)[:2] == ["goal", "goal"]
    assert texts(world)[2][0] == "❌" and texts(world)[2].endswith(f"{NOTE}<s>goal</s>") and len(texts(world)) == 3


async def test_a_revision_that_shows_the_same_makes_no_further_copy(world: World) -> None:
    await world.follow(1)
    world.telegram.lost_answers[1].extend([LOST] * 2)
    async with world.sending():
        await world.outbox.put([alert(1)])
        await asyncio.sleep(2)
        await world.outbox.put([alert(2)])
        await asyncio.sleep(2)
        before = texts(world)
        await asyncio.sleep(60)

    assert (before, texts(world)) == (["goal"] * 2, ["goal"] * 3)


async def test_a_parked_goal_that_is_confirmed_is_sent_with_what_its_copy_shows(world: World) -> None:
    await world.follow(1)
    world.telegram.lost_answers[1].extend([LOST, LOST])

    await world.send(pending(1), seconds=2)
    await world.send(alert(2), seconds=2)

    assert texts(world)[2:] == [f"goal{SHORT_NOTE}"]


async def test_what_counts_as_sent_without_an_answer_is_corrected_by_a_message(world: World) -> None:
    await world.follow(1)
    world.telegram.lost_answers[1].extend([LOST] * 3)
    await world.send(pending(1), seconds=60)

    await world.send(alert(2), seconds=5)
    await world.send(retracted(3), seconds=5)

    unconfirmed = "goal\n⏳ <i>unconfirmed</i>"
    assert texts(world)[:4] == [unconfirmed] * 3 + ["<s>goal</s>"]
    assert world.shown()[3].versions[0] == f"goal{SHORT_NOTE}"
    assert world.shown()[4].reply_to == world.shown()[3].id and world.shown()[4].html.endswith(f"{NOTE}<s>goal</s>")


async def test_a_kill_loses_nothing_that_is_parked(world: World) -> None:
    await world.follow(1)
    world.telegram.fail(1, LOST, LOST)
    await world.send(alert(1), seconds=2)
    await world.restart()

    await world.send(seconds=2)

    assert texts(world) == ["goal"]


async def test_a_kill_after_the_first_lost_answer_leaves_one_repeat(world: World) -> None:
    await world.follow(1)
    world.telegram.lost_answers[1].extend([LOST] * 50)
    await world.send(alert(1), seconds=0.2)
    await world.restart()

    await world.send(seconds=2)

    assert texts(world) == ["goal", "goal"]


async def test_an_edit_that_is_not_answered_holds_nothing_up_and_is_made_in_the_end(world: World) -> None:
    await world.follow(1)
    await world.send(pending(1), seconds=2)
    world.telegram.fail(1, LOST, LOST)

    await world.send(alert(2), minor(3, action="card"), seconds=3)

    assert texts(world) == ["goal", "yellow"] and len(world.telegram.requests) == 5


async def test_a_reply_that_is_never_answered_is_in_the_chat_three_times_at_most(world: World) -> None:
    await world.follow(1)
    await world.send(alert(1), seconds=2)
    world.telegram.reply_answers_lost = True

    await world.send(retracted(2), seconds=3000)

    assert [text[0] for text in texts(world)] == ["<", "❌", "❌", "❌"] and await world.outbox.count_waiting() == 0


async def test_a_card_that_is_never_answered_is_not_sent_again_and_again(world: World) -> None:
    await world.follow(1, kinds_on=LIVE_KINDS)
    world.telegram.lost_answers[1].extend([LOST] * 500)
    async with world.sending():
        for minute in range(1, 30):
            await world.outbox.put_live(match_card(f"{minute}'"))
            await asyncio.sleep(60)

    assert len(world.shown()) == 6


async def test_a_telegram_that_is_slow_gets_each_message_once(world: World) -> None:
    await world.follow(1, 2)
    world.telegram.latency = 10.5

    await world.send(alert(1), minor(2, action="card"), alert(3, action="h"), seconds=60)

    assert [texts(world, chat) for chat in (1, 2)] == [["goal", "goal", "yellow"]] * 2


async def test_a_chat_whose_answers_are_lost_does_not_hold_up_another(world: World) -> None:
    await world.follow(1, 2)
    world.telegram.fail(1, LOST, LOST, RetryAfter(60))

    await world.send(alert(1), seconds=2)

    assert (texts(world, 1), texts(world, 2)) == ([], ["goal"])
