"""What a chat was sent, and why nothing is sent to it."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import insert, update

from bot.console.alerts import AlertQuery, AlertReader
from bot.console.chats import ChatDesk, describe_delivery, describe_suspension, read_chat_id
from bot.outbox.delivery import Delivery, DeliveryStatus, Reason
from bot.storage.schema import chats, entries, suspensions
from bot.subscribers import ChatRef
from tests.bot.news import KEY, NOW, REF, alert, pending
from tests.bot.telegram.conftest import World
from tests.packets import FIXTURE

pytestmark = pytest.mark.virtual_time


def make_desk(world: World, sent: list[str] | None = None) -> ChatDesk:
    async def send_sample(ref: ChatRef, name: str) -> None:
        if sent is not None:
            sent.append(f"{ref.chat_id} {name}")

    return ChatDesk(world.clock, world.db, world.chats, world.subscriptions, send_sample)


async def test_what_a_chat_was_told_lately_says_how_and_how_fast(world: World) -> None:
    await world.follow(1)
    await world.send(pending(1, "<b>maybe</b>", received_at=NOW.timestamp()), alert(2, "<b>goal</b>"), seconds=5)
    await world.follow(1, muted_until=NOW + dt.timedelta(days=1))
    await world.send(alert(1, "muted", action="h"))

    muted, goal = await make_desk(world).read_deliveries(ChatRef(1))

    assert (muted.what, muted.match) == ("not sent: the chat, or this match in it, was muted", FIXTURE.title)
    assert (goal.what, goal.text, goal.rule, goal.fixture_id) == ("sent, and corrected since", "goal", "goals", FIXTURE.id)
    assert goal.took_ms is not None
    assert await make_desk(world).read_deliveries(ChatRef(2)) == ()


async def test_a_damaged_row_keeps_no_other_chat_and_no_other_delivery_from_its_page(world: World) -> None:
    await world.follow(1, 2)
    await world.send(alert(1, "goal"), alert(1, "second", action="h"), seconds=5)
    async with world.db.transaction() as tx:
        await tx.execute(update(chats).where(chats.c.chat_id == 1).values(muted_until=1e20))
        await tx.execute(update(entries).where(entries.c.action_id == "h").values(status="of a newer version"))
    desk = make_desk(world)

    assert [one.chat.ref.chat_id for one in await desk.find_chats("")] == [1, 2]
    assert [one.text for one in await desk.read_deliveries(ChatRef(1))] == ["goal"]


async def test_a_suspended_chat_says_why_since_when_and_when_telegram_is_asked_again(world: World) -> None:
    await world.follow(1, 2)
    await world.chats.suspend(1, "Forbidden: bot was blocked by the user")
    async with world.db.transaction() as tx:
        await tx.execute(update(chats).where(chats.c.chat_id == 1).values(suspended_at=NOW.timestamp()))
        await tx.execute(insert(suspensions), {"chat_id": 1, "asked": 1, "next_at": NOW.timestamp() + 3600})
    desk = make_desk(world)

    gone, there = await desk.find_chats("")
    await desk.resume(1)
    back = (await desk.find_chats("1"))[0]

    assert gone.suspension == (
        "Forbidden: bot was blocked by the user, since 2026-08-15 14:30:00 UTC, "
        "Telegram is asked again at 2026-08-15 15:30:00 UTC"
    )
    assert (there.suspension, back.suspension, back.chat.is_active) == ("", "", True)


@pytest.mark.parametrize("words", ["--5", "-", "5-", "1" * 19, "-100 123"])
async def test_words_that_only_look_like_an_id_are_searched_for_as_words(world: World, words: str) -> None:
    assert read_chat_id(words) is None
    assert await make_desk(world).find_chats(words) == ()
    assert (await AlertReader(world.db).find_alerts(AlertQuery(chat=words))).rows == ()


def test_an_id_may_be_negative_and_have_blanks_around_it() -> None:
    assert (read_chat_id(" -1001234567890 "), read_chat_id("0")) == (-1001234567890, 0)


async def test_each_test_of_a_chat_has_a_name_of_its_own(world: World) -> None:
    sent: list[str] = []
    desk = make_desk(world, sent)

    await desk.send_test(REF)
    await desk.send_test(REF)

    assert len(set(sent)) == 2


def test_every_reason_has_words() -> None:
    for reason in Reason:
        words = describe_delivery(Delivery(KEY, REF, DeliveryStatus.DONE, reason.value, message_id=1))
        assert words.startswith(("sent", "not ", "held "))


def test_what_waits_says_whether_something_was_sent_before() -> None:
    assert describe_delivery(Delivery(KEY, REF)) == "waiting to be sent"
    assert describe_delivery(Delivery(KEY, REF, message_id=5)) == "sent; a correction is waiting to be sent"
    assert describe_delivery(Delivery(KEY, REF, is_uncertain=True, message_id=0)) == "sent, and Telegram's answer was lost"


def test_a_suspension_of_an_earlier_version_has_no_reason_and_no_time() -> None:
    assert describe_suspension("", None, None) == "Telegram says that the chat is gone"
