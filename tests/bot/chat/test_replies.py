"""How replies are sent, and repeated after a 429."""

from __future__ import annotations

import asyncio
import datetime as dt
from types import SimpleNamespace

import pytest
from structlog.testing import capture_logs
from telegram import CallbackQuery, User
from telegram.constants import ChatType
from telegram.error import BadRequest, RetryAfter

from bot.chat import replies
from bot.chat.application import on_error
from bot.chat.dialogue import Screen
from bot.chat.replies import ReplySender
from bot.chat.reply_retrier import ReplyRetrier
from bot.chat.update_origin import UpdateOrigin
from bot.errors import StorageUnavailable
from bot.fake_telegram import RefusedError
from bot.fake_telegram.state import too_many
from bot.subscribers import ChatRef
from bot.telegram.messenger import build_bot
from tests.bot.chat.conftest import World
from tests.fakes.bot_api import FakeBotApi
from tests.rates import count_busiest


@pytest.mark.parametrize("note", ["", "✅ Arsenal"])
async def test_a_press_is_acknowledged_with_exactly_its_note(note: str) -> None:
    async with FakeBotApi() as api, build_bot(api.token, api.url) as bot:
        api.queries.add("5")
        query = CallbackQuery("5", User(42, "Somebody", is_bot=False), "5")
        query.set_bot(bot)

        await ReplySender(bot).acknowledge(query, note)

        answer = api.answer("5")
        assert answer is not None and answer["text"] == note


async def test_a_command_is_answered_though_telegram_asks_to_wait(world: World) -> None:
    world.api.fail("sendMessage", too_many(1))

    answer = await world.ask(42, 42, "/help")

    assert "/subscribe" in answer.text and len(world.api.calls("sendMessage")) == 2


async def test_a_press_is_answered_and_shown_though_telegram_asks_to_wait(world: World) -> None:
    await world.ask(42, 42, "/language")
    before = world.api.chat(42).last.text
    world.api.fail("editMessageText", too_many(1))
    world.api.fail("answerCallbackQuery", too_many(61))

    world.api.tap(42, 42, "Português")
    await world.api.until(lambda: world.api.chat(42).last.text != before)

    assert len(world.api.calls("editMessageText")) == 2


class RefusedRequest:
    """A request that is refused a few times; records when it was tried."""

    def __init__(self, *refusals: Exception) -> None:
        self._refusals = list(refusals)
        self.at: list[float] = []

    async def __call__(self) -> None:
        self.at.append(asyncio.get_running_loop().time())
        if self._refusals:
            raise self._refusals.pop(0)


def refused_for(seconds: float, times: int = 1) -> list[Exception]:
    return [RetryAfter(dt.timedelta(seconds=seconds)) for _ in range(times)]


@pytest.mark.virtual_time
async def test_a_reply_refused_with_a_429_is_sent_after_the_time_that_telegram_asks_for() -> None:
    request, retrier = RefusedRequest(*refused_for(7), *refused_for(20), *refused_for(100, 3)), ReplyRetrier()

    await retrier.call(42, request)
    is_still_waiting = bool(retrier.waiting_count)
    await asyncio.sleep(400)

    assert is_still_waiting and not retrier.waiting_count
    assert [round(at - request.at[0]) for at in request.at] == [0, 8, 28, 128, 229, 330]


@pytest.mark.virtual_time
async def test_while_one_reply_waits_those_of_other_chats_are_sent_and_later_ones_of_its_chat_follow_it() -> None:
    retrier, held, later, free = ReplyRetrier(), RefusedRequest(*refused_for(30)), RefusedRequest(), RefusedRequest()

    for chat, request in ((42, held), (42, later), (43, free)):
        await retrier.call(chat, request)
    await asyncio.sleep(60)

    assert free.at == held.at[:1] and len(held.at) == 2
    assert later.at[0] > held.at[1]


@pytest.mark.virtual_time
async def test_150_answers_that_are_refused_together_all_arrive_and_not_in_one_moment() -> None:
    retrier, requests = ReplyRetrier(), [RefusedRequest(*refused_for(5)) for _ in range(150)]

    await asyncio.gather(*(retrier.call(chat, request) for chat, request in enumerate(requests)))
    await asyncio.sleep(60)

    assert all(len(request.at) == 2 for request in requests)
    assert count_busiest(request.at[-1] for request in requests) <= 21


@pytest.mark.virtual_time
@pytest.mark.parametrize("refusal", [RetryAfter(dt.timedelta(seconds=901)), BadRequest("no")])
async def test_a_request_refused_for_long_or_for_good_raises(refusal: Exception) -> None:
    request = RefusedRequest(refusal)

    with pytest.raises(type(refusal)):
        await ReplyRetrier().call(42, request)

    assert len(request.at) == 1


@pytest.mark.virtual_time
async def test_a_reply_that_is_refused_for_good_after_it_waited_holds_up_no_later_one() -> None:
    retrier, request, later = ReplyRetrier(), RefusedRequest(*refused_for(5), BadRequest("no")), RefusedRequest()

    with capture_logs() as logged:
        await retrier.call(42, request)
        await retrier.call(42, later)
        await asyncio.sleep(10)

    assert len(later.at) == 1 and [line["event"] for line in logged] == ["reply_retry_scheduled", "reply_not_sent"]


@pytest.mark.virtual_time
async def test_a_request_is_not_repeated_while_too_many_wait_already() -> None:
    retrier, late = ReplyRetrier(max_waiting=1), RefusedRequest(*refused_for(5))

    await retrier.call(1, RefusedRequest(*refused_for(5)))
    with pytest.raises(RetryAfter):
        await retrier.call(2, late)
    await asyncio.sleep(10)
    again = RefusedRequest(*refused_for(5))
    await retrier.call(2, again)
    await asyncio.sleep(10)

    assert (len(late.at), len(again.at)) == (1, 2)


@pytest.mark.virtual_time
async def test_cancelling_ends_every_wait() -> None:
    retrier, request = ReplyRetrier(), RefusedRequest(*refused_for(50))

    with capture_logs() as logged:
        await retrier.call(42, request)
        await asyncio.sleep(1)
        retrier.cancel_all()
        await asyncio.sleep(100)

    assert len(request.at) == 1 and logged[-1] == {"event": "waiting_replies_dropped", "log_level": "info", "count": 1}


async def test_an_update_that_the_stop_cuts_off_is_no_error() -> None:
    async with FakeBotApi() as api, build_bot(api.token, api.url) as bot:
        sender, cut_off = ReplySender(bot), SimpleNamespace(error=StorageUnavailable("closed"))
        events = []
        for _ in range(2):
            with capture_logs() as logged:
                await on_error(sender, None, cut_off)  # type: ignore[arg-type]
            events.append([(line["event"], line["log_level"]) for line in logged])
            sender.cancel_waiting()

    assert events == [[("update_failed", "error")], [("update_not_finished", "info")]]


CHANNEL = UpdateOrigin(ChatRef(-1_001_234_567_890), ChatType.CHANNEL, "Daily Goals", None, 0)


async def test_a_stop_removes_the_answers_that_stand_in_channels_and_one_that_comes_during_it() -> None:
    async with FakeBotApi() as api, build_bot(api.token, api.url) as bot:
        channel, sender = api.chat(CHANNEL.ref.chat_id, kind="channel", title=CHANNEL.title), ReplySender(bot)
        await sender.send(CHANNEL, Screen("Following Arsenal."))
        sender.cancel_waiting()
        await sender.send(CHANNEL, Screen("Muted."))
        await sender.finish_removals()

        assert [(one.text, one.deleted) for one in channel.everything] == [("Following Arsenal.", True), ("Muted.", True)]


async def test_a_stop_does_not_wait_long_for_the_removal_of_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replies, "_REMOVAL_SECONDS", 0.05)
    async with FakeBotApi() as api, build_bot(api.token, api.url) as bot:
        api.chat(CHANNEL.ref.chat_id, kind="channel", title=CHANNEL.title)
        api.hang("deleteMessage")
        sender = ReplySender(bot)
        await sender.send(CHANNEL, Screen("Following Arsenal."))
        sender.cancel_waiting()
        with capture_logs() as logged:
            await sender.finish_removals()

    assert logged == [{"event": "answers_not_removed", "count": 1, "log_level": "warning"}]


async def test_a_server_that_knows_no_dates_gets_the_plain_form_and_is_not_asked_again(world: World) -> None:
    world.api.lack_tag("tg-time")
    with capture_logs() as logs:
        first = await world.ask(42, 42, "/today")
        await world.ask(42, 42, "/today")
        await world.tap(42, 42, "▶")

    assert "15:00 Arsenal v Chelsea" in first.versions[0].html
    assert [request.method for request in world.api.log if request.method in ("sendMessage", "editMessageText")] == [
        "sendMessage", "sendMessage", "sendMessage", "editMessageText",
    ]  # fmt: skip
    assert [entry["tag"] for entry in logs if entry["event"] == "tag_not_supported"] == ["tg-time"]


async def test_a_kick_off_is_sent_as_a_date(world: World) -> None:
    message = await world.ask(42, 42, "/today")

    dates = [entity for entity in message.now.parsed.entities if entity["type"] == "date_time"]
    assert len(dates) == 2 and {entity["date_time_format"] for entity in dates} == {"t"}


async def test_a_press_whose_acknowledgement_fails_shows_its_new_screen_all_the_same(world: World) -> None:
    message = await world.ask(42, 42, "/alerts")
    world.api.fail("answerCallbackQuery", RefusedError(502, "Bad Gateway"))

    world.api.press(42, 42, message, "ka")
    await world.api.until(lambda: message.edits)

    assert (await world.load_chat(42)).filter.all_kinds
