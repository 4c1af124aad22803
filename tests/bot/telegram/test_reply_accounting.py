"""Answers to people leave at once, and what the sender sends next makes room for them."""

import pytest
from telegram.error import BadRequest

from bot.clock import ManualClock
from bot.subscribers import ChatRef
from bot.telegram.limits.rate_limits import RateLimiter
from bot.telegram.messenger import BotMessenger, build_bot
from bot.telegram.reply_accounting import ReplyAccounting
from tests.fakes.bot_api import FakeBotApi
from tests.packets import KICKOFF

CLOCK = ManualClock(KICKOFF)
"""It stands still: no room comes back while a slow machine is at work."""


def free(limits: RateLimiter, chat_id: int) -> bool:
    """Tell whether the sender might send to a chat at once."""
    return limits.next_chat_send_at(chat_id, CLOCK.monotonic()) <= CLOCK.monotonic()


async def test_answers_count_in_their_own_chat_and_are_not_held_back() -> None:
    limits = RateLimiter()
    async with FakeBotApi() as api, build_bot(api.token, api.url, ReplyAccounting(limits, CLOCK)) as bot:
        for number in range(4):
            await bot.send_message(42, f"answer {number}")

        assert [message.text for message in api.chat(42).messages] == [f"answer {number}" for number in range(4)]
        assert (free(limits, 42), free(limits, 43)) == (False, True)


async def test_what_the_sender_counted_is_not_counted_twice() -> None:
    limits = RateLimiter()
    async with FakeBotApi() as api, build_bot(api.token, api.url, ReplyAccounting(limits, CLOCK)) as bot:
        for number in range(4):
            await BotMessenger(bot).send(ChatRef(42), f"goal {number}", silent=True)

        assert free(limits, 42)


async def test_requests_that_show_nothing_in_a_chat_do_not_count() -> None:
    limits = RateLimiter()
    async with FakeBotApi() as api, build_bot(api.token, api.url, ReplyAccounting(limits, CLOCK)) as bot:
        for _ in range(4):
            await bot.get_chat_member(-42, 7)
            await bot.send_chat_action(-42, "typing")

        assert free(limits, -42)


async def test_a_refused_answer_counts_and_its_error_is_passed_on() -> None:
    limits = RateLimiter()
    async with FakeBotApi() as api, build_bot(api.token, api.url, ReplyAccounting(limits, CLOCK)) as bot:
        for _ in range(3):
            with pytest.raises(BadRequest, match=r"(?i)message text is empty"):
                await bot.send_message(42, " ")

        assert not free(limits, 42)


@pytest.mark.parametrize(
    ("method", "counts"),
    [
        ("sendMessage", True),
        ("editMessageText", True),
        ("editMessageReplyMarkup", True),
        ("sendDocument", True),
        ("sendPhoto", True),
        ("editMessageMedia", True),
        ("deleteMessage", False),
        ("answerCallbackQuery", False),
    ],
)
async def test_each_request_that_shows_something_in_a_chat_counts_and_has_its_answer(method: str, counts: bool) -> None:
    limits = RateLimiter()
    accounting = ReplyAccounting(limits, CLOCK)

    async def request(word: str, *, times: int) -> str:
        return word * times

    for _ in range(3):
        assert await accounting.process_request(request, ("a",), {"times": 2}, method, {"chat_id": 42}, None) == "aa"
    await accounting.process_request(request, ("a",), {"times": 2}, method, {"chat_id": "@channel"}, None)

    assert free(limits, 42) is not counts
