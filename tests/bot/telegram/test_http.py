import asyncio
import datetime as dt
import time
from functools import partial
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from telegram import File
from telegram.error import TelegramError, TimedOut
from telegram.ext import ExtBot
from yarl import URL

from bot.clock import ManualClock
from bot.errors import ChatGone, TelegramUnreachable
from bot.fake_telegram import BAD_GATEWAY, BLOCKED
from bot.subscribers import ChatRef
from bot.telegram.http import ApiHealth, BotApiSession
from bot.telegram.messenger import BotMessenger, build_bot
from bot.telegram.responses import AnswerLost, NotSent
from tests.fakes.bot_api import FakeBotApi
from tests.fakes.metric_changes import MetricChanges
from tests.fakes.proxy import FakeProxy
from tests.packets import KICKOFF
from tests.waiting import until

DATE = "Sun, 22 Nov 2026 21:00:00 GMT"
NINE = dt.datetime(2026, 11, 22, 21, tzinfo=dt.UTC)


def after(clock: ManualClock, seconds: float) -> dt.datetime:
    clock.move_to(clock.now() + dt.timedelta(seconds=seconds))
    return clock.now()


def test_trouble_is_dated_from_its_first_failure_until_something_gets_through() -> None:
    clock = ManualClock(KICKOFF)
    api_health = ApiHealth(clock)
    first = after(clock, 10)
    api_health.on_failure()
    after(clock, 10)
    api_health.on_response(502, None)
    lasting = api_health.failing_since
    api_health.on_response(429, None)

    assert (lasting, api_health.failing_since) == (first, None)


def test_a_refused_token_got_through_and_is_refused_until_another_answer() -> None:
    clock = ManualClock(KICKOFF)
    api_health = ApiHealth(clock)
    api_health.on_response(401, None)
    after(clock, 10)
    api_health.on_response(404, None)
    refused = api_health.refused_since
    api_health.on_response(400, None)

    assert (refused, api_health.failing_since, api_health.refused_since) == (KICKOFF, None, None)


@pytest.mark.parametrize(("ahead", "skew"), [(0.5, 0.0), (-9.5, -10.0), (63.5, 63.0)])
def test_the_clocks_are_compared(ahead: float, skew: float) -> None:
    api_health = ApiHealth(ManualClock(NINE + dt.timedelta(seconds=ahead)))
    api_health.on_response(200, DATE)

    assert api_health.clock_skew == pytest.approx(skew)


def test_a_comparison_of_long_ago_says_nothing_of_now() -> None:
    clock = ManualClock(NINE + dt.timedelta(seconds=60))
    api_health = ApiHealth(clock)
    api_health.on_response(200, DATE)
    after(clock, 599)
    lately = api_health.clock_skew
    after(clock, 1)

    assert (lately, api_health.clock_skew) == (pytest.approx(59.5), None)


def test_a_date_that_cannot_be_read_says_nothing() -> None:
    api_health = ApiHealth(ManualClock(NINE))
    api_health.on_response(200, "yesterday")

    assert api_health.clock_skew is None


async def test_a_file_that_is_gone_says_nothing_of_the_token() -> None:
    api_health = ApiHealth(ManualClock(NINE))
    async with FakeBotApi() as api, build_bot(api.token, api.url, health=api_health) as bot:
        file = File("id", "unique", 3, f"{api.url}/file/bot{api.token}/gone", api_kwargs=None)
        file.set_bot(bot)
        with pytest.raises(TelegramError):
            await file.download_as_bytearray()

    assert api_health.refused_since is None


async def test_requests_are_counted_by_their_answers_and_tell_how_the_wire_is() -> None:
    clock, changes = ManualClock(NINE), MetricChanges()
    api_health, chat = ApiHealth(clock), ChatRef(42)
    async with FakeBotApi() as api, build_bot(api.token, api.url, health=api_health) as bot:
        messenger = BotMessenger(bot)
        sent = await messenger.send(chat, "hello", silent=True)
        await messenger.edit(chat, sent, "hello again")
        await messenger.edit(chat, sent, "hello again")
        api.fail("sendMessage", BAD_GATEWAY)
        with pytest.raises(TelegramUnreachable):
            await messenger.send(chat, "lost", silent=True, reply_to=sent)
        failing = api_health.failing_since
        api.refuse(42, BLOCKED)
        with pytest.raises(ChatGone):
            await messenger.send(chat, "blocked", silent=True)

    assert (failing, api_health.failing_since) == (NINE, None) and api_health.clock_skew is not None
    assert changes("touchline_telegram_requests_total", op="send", answer="ok") == 1
    assert changes("touchline_telegram_requests_total", op="edit", answer="ok") == 2
    assert changes("touchline_telegram_requests_total", op="reply", answer="unreachable") == 1
    assert changes("touchline_telegram_requests_total", op="send", answer="gone") == 1


class Trickle:
    """A server that answers with a byte now and then, and never to the end."""

    def __init__(self) -> None:
        self.sent = 0
        self.app = web.Application()
        self.app.router.add_post("/send", self._answer)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b" ")
            self.sent += 1
            await asyncio.sleep(0.001)

    async def go_on(self) -> None:
        """Wait until another byte was sent and read: the next one is sent only after the client had its turn."""
        before = self.sent
        await until(lambda: self.sent >= before + 2)


async def test_an_answer_that_trickles_in_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    leapt = 0.0
    # Of the loop that runs the real sockets, so that the timeouts of a minute and more pass at once.
    monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: time.monotonic() + leapt)
    trickle = Trickle()
    async with TestServer(trickle.app) as server:
        session = BotApiSession(read_timeout=60.0, connect_timeout=60.0)
        await session.initialize()
        call = asyncio.create_task(session.call_method(server.make_url("/send"), {}))
        await until(lambda: trickle.sent)
        for _ in range(4):
            await trickle.go_on()
            assert not call.done()
            leapt += 50.0  # no byte is ever waited for longer than for this
        await until(call.done)
        with pytest.raises(TimedOut):
            await call
        await session.shutdown()


async def test_an_answer_has_its_minute_however_long_the_name_of_the_host_was_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    leapt, loop = 0.0, asyncio.get_running_loop()
    monkeypatch.setattr(loop, "time", lambda: time.monotonic() + leapt)
    find_addresses = loop.getaddrinfo

    async def find_addresses_late(*words: Any, **more: Any) -> Any:
        nonlocal leapt
        leapt += 40.0
        await asyncio.sleep(0.01)
        return await find_addresses(*words, **more)

    monkeypatch.setattr(loop, "getaddrinfo", find_addresses_late)
    trickle = Trickle()
    async with TestServer(trickle.app) as server:
        session = BotApiSession(connect_timeout=60.0)
        await session.initialize()
        call = asyncio.create_task(session.call_method(server.make_url("/send").with_host("localhost"), {}))
        await until(lambda: trickle.sent or call.done())
        leapt += 50.0
        await trickle.go_on()
        assert (leapt, call.done()) == (90.0, False)
        call.cancel()
        await session.shutdown()


async def test_a_request_whose_host_is_looked_up_for_ever_has_not_left(monkeypatch: pytest.MonkeyPatch) -> None:
    leapt, loop, asked = 0.0, asyncio.get_running_loop(), asyncio.Event()
    monkeypatch.setattr(loop, "time", lambda: time.monotonic() + leapt)

    async def find_nothing(*_words: Any, **_more: Any) -> Any:
        asked.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(loop, "getaddrinfo", find_nothing)
    session = BotApiSession()
    await session.initialize()
    call = asyncio.create_task(session.call_method(URL("http://bot.example/send"), {}))
    await asked.wait()
    # Both limits are over at once: that of the wait for a connection, and that of the whole request.
    leapt += 130.0
    with pytest.raises(NotSent):
        await call
    await session.shutdown()


async def test_an_answer_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.telegram.http._MAX_ANSWER_SIZE", 100)
    async with TestServer(Trickle().app) as server:
        session = BotApiSession(connect_timeout=60.0)
        await session.initialize()
        with pytest.raises(AnswerLost):
            await session.call_method(server.make_url("/send"), {})
        await session.shutdown()


@pytest.mark.parametrize("closes", [False, True])
@pytest.mark.parametrize(("scheme", "maybe_sent"), [("https", False), ("http", True)])
async def test_what_a_proxy_opened_no_tunnel_for_has_not_been_sent(closes: bool, scheme: str, maybe_sent: bool) -> None:
    # Without TLS there is no tunnel: the proxy gets the request itself, and may have passed it on.
    async with FakeProxy(None, closes=closes) as proxy:
        bot = build_bot("1:test", f"{scheme}://api.telegram.org", proxy=proxy.url, read_timeout=0.05)
        await bot.request.initialize()
        for send in (partial(BotMessenger(bot).send, ChatRef(1), "goal", silent=True), partial(BotMessenger(bot).check_chat, 1)):
            with pytest.raises(TelegramUnreachable) as caught:
                await send()
            assert (caught.value.maybe_sent, caught.value.is_unanswered) == (maybe_sent, maybe_sent)
        with pytest.raises(TelegramError) as refused:
            await bot.send_message(1, "goal")
        await bot.request.shutdown()

    assert isinstance(refused.value, NotSent) is not maybe_sent
    assert {method for method, _ in proxy.asked} == {"CONNECT" if scheme == "https" else "POST"}


async def test_a_tls_handshake_that_hangs_has_sent_nothing_however_the_time_is_counted() -> None:
    # As a server it accepts connections, and waits for the end of a request that never comes.
    async with FakeProxy(None) as server:
        session = BotApiSession(read_timeout=0.05, connect_timeout=0.05)
        bot = ExtBot("1:test", base_url=f"{server.url.replace('http', 'https')}/bot", request=session)
        await session.initialize()
        with pytest.raises(TelegramUnreachable) as caught:
            await BotMessenger(bot).send(ChatRef(1), "goal", silent=True)
        await session.shutdown()

    assert not caught.value.maybe_sent
