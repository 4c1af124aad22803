import asyncio

import pytest

from bot.errors import ChatGone, TelegramUnreachable
from bot.watch.admins import AGAIN_AFTER, Admins
from tests.fakes.messenger import FakeMessenger

pytestmark = pytest.mark.virtual_time


def told(telegram: FakeMessenger, user_id: int) -> list[str]:
    return [message.html for message in telegram.chats[user_id]]


async def test_every_admin_hears_a_sentence_that_rings_and_is_escaped() -> None:
    telegram = FakeMessenger()
    await Admins(telegram, [7, 8]).tell("a < b & c")

    assert told(telegram, 7) == told(telegram, 8) == ["🛠 a &lt; b &amp; c"]
    assert not telegram.chats[7][0].silent


async def test_a_sentence_is_not_repeated_until_some_time_has_passed() -> None:
    telegram = FakeMessenger()
    admins = Admins(telegram, [7])
    for _ in range(3):
        await admins.tell("once")
    await admins.tell("another")
    await asyncio.sleep(AGAIN_AFTER)
    await admins.tell("once")

    assert told(telegram, 7) == ["🛠 once", "🛠 another", "🛠 once"]


async def test_an_admin_who_never_started_the_bot_keeps_nothing_from_the_others() -> None:
    telegram = FakeMessenger()
    telegram.fail(7, ChatGone("Forbidden: bot can't initiate conversation with a user"))
    admins = Admins(telegram, [7, 8])
    await admins.tell("hello")
    await admins.tell("hello")

    assert (told(telegram, 7), told(telegram, 8)) == ([], ["🛠 hello"])


async def test_what_could_not_be_brought_to_telegram_is_not_taken_for_told() -> None:
    telegram = FakeMessenger()
    telegram.fail(7, TelegramUnreachable("down", maybe_sent=False))
    admins = Admins(telegram, [7])
    await admins.tell("hello")
    await admins.tell("hello")

    assert told(telegram, 7) == ["🛠 hello"]


async def test_a_refusal_by_many_connections_is_told_once_and_again_when_the_feed_had_let_us_in() -> None:
    telegram = FakeMessenger()
    admins = Admins(telegram, [7])
    for reason in ("HTTP 401", "The supplied authentication is invalid") * 33:
        await admins.feed_refused(reason)
    once = len(told(telegram, 7))
    await admins.feed_accepted()
    await admins.feed_refused("HTTP 401")

    assert (once, len(told(telegram, 7))) == (1, 2)
    assert "HTTP 401. Check feed.token" in told(telegram, 7)[0]
