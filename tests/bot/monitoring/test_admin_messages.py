import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from bot.errors import ChatGone, RetryAfter, TelegramUnreachable, TokenRefused
from bot.monitoring.admin_messages import AdminMessages
from bot.telegram.html import TEXT_LIMIT
from tests.fakes.messenger import FakeMessenger
from tests.tasks import cancel_tasks

pytestmark = pytest.mark.virtual_time
Running = Callable[[AdminMessages], AbstractAsyncContextManager[None]]


@asynccontextmanager
async def running(admins: AdminMessages) -> AsyncIterator[None]:
    task = asyncio.create_task(admins.run())
    try:
        yield
        await asyncio.sleep(1)
    finally:
        await cancel_tasks(task)


def list_sent(telegram: FakeMessenger, user_id: int) -> list[str]:
    return [message.html for message in telegram.chats[user_id]]


async def test_every_admin_gets_a_sentence_that_is_loud_and_escaped() -> None:
    telegram = FakeMessenger()
    admins = AdminMessages(telegram, lambda: [7, 8])
    async with running(admins):
        admins.post_event("a < b & c")

    assert list_sent(telegram, 7) == list_sent(telegram, 8) == ["🛠 a &lt; b &amp; c"]
    assert not telegram.chats[7][0].silent


async def test_an_admin_who_never_started_the_bot_keeps_nothing_from_the_others() -> None:
    telegram = FakeMessenger()
    telegram.fail(7, ChatGone("Forbidden: bot can't initiate conversation with a user"))
    admins = AdminMessages(telegram, lambda: [7, 8])
    async with running(admins):
        admins.post_event("hello")

    assert (list_sent(telegram, 7), list_sent(telegram, 8)) == ([], ["🛠 hello"])


@pytest.mark.parametrize(
    "trouble", [TelegramUnreachable("down", maybe_sent=False), TokenRefused("no such bot"), RetryAfter(30)], ids=str
)
async def test_what_could_not_be_brought_is_tried_again_and_comes_once(trouble: Exception) -> None:
    telegram = FakeMessenger()
    telegram.fail(7, *[trouble] * 3)
    admins = AdminMessages(telegram, lambda: [7])
    async with running(admins):
        admins.post_event("hello")
        admins.post_event("again")
        await asyncio.sleep(200)

    assert list_sent(telegram, 7) == ["🛠 hello", "🛠 again"]


async def test_news_of_what_still_waits_takes_its_place() -> None:
    telegram = FakeMessenger()
    telegram.failure = TelegramUnreachable("down", maybe_sent=False)
    admins = AdminMessages(telegram, lambda: [7])
    async with running(admins):
        admins.post("feed-down", "it is down")
        admins.post("disk-low", "it is full")
        await asyncio.sleep(100)
        admins.post("feed-down", "it was down")
        telegram.failure = None
        await asyncio.sleep(100)

    assert list_sent(telegram, 7) == ["it is full", "it was down"]


async def test_an_admin_whom_telegram_asks_to_wait_keeps_nothing_from_the_others() -> None:
    telegram = FakeMessenger()
    telegram.fail(7, RetryAfter(3600))
    admins = AdminMessages(telegram, lambda: [7, 8])
    async with running(admins):
        admins.post("feed-down", "it is down")
        await asyncio.sleep(10)
        admins.post("disk-low", "it is full")
        await asyncio.sleep(1)
        assert list_sent(telegram, 8) == ["it is down", "it is full"]
        assert list_sent(telegram, 7) == []
        await asyncio.sleep(3600)

    assert list_sent(telegram, 7) == ["it is down", "it is full"]


async def test_a_message_that_is_too_long_for_telegram_is_cut() -> None:
    telegram = FakeMessenger()
    admins = AdminMessages(telegram, lambda: [7])
    async with running(admins):
        admins.post_event("\n".join(["rules.yaml:3:5: a mistake"] * 400))

    (sent,) = list_sent(telegram, 7)
    assert sent.startswith("🛠 rules.yaml:3:5") and sent.endswith("…") and len(sent) <= TEXT_LIMIT
