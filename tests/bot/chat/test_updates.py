"""Polling through every failure, on virtual time, and updates that Telegram brings to the webhook."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs
from telegram import Update
from telegram.error import NetworkError, TimedOut
from telegram.ext import ExtBot

from bot.chat.dialogue import Screen
from bot.chat.replies import ReplySender
from bot.chat.update_origin import read_origin
from bot.chat.updates import (
    ALLOWED_UPDATES,
    MAX_ANSWERED_IN_BATCH,
    SECOND_PROCESS,
    WEBHOOK_SET,
    UpdatePoller,
    WebhookServer,
    delete_webhook,
)
from bot.config.models import WebhookSettings as Settings
from bot.errors import StorageUnavailable, UserMistake
from bot.fake_telegram.state import BAD_GATEWAY, RefusedError, too_many
from bot.telegram.messenger import build_bot
from tests.fakes.bot_api import FakeBotApi
from tests.fakes.polls import Answer, ScriptedPolls
from tests.tasks import cancel_tasks
from tests.waiting import until

CONFLICT = RefusedError(409, "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running")
UNAUTHORIZED = RefusedError(401, "Unauthorized")
UNREADABLE = {"update_id": 11, "message": {"message_id": "?", "date": [], "chat": 7}}


def make_update(update_id: int) -> dict[str, Any]:
    chat = {"id": 42, "type": "private", "first_name": "Anna"}
    return {"update_id": update_id, "message": {"message_id": update_id, "date": 1_790_000_000, "chat": chat, "text": "/today"}}


class PolledUpdates:
    """Polls as scripted for so many seconds, then stops."""

    def __init__(self, *answers: Answer, others: Sequence[Answer] = ()) -> None:
        """`others` are the answers to what is no poll; what comes after them succeeds."""
        self.polls, self.others = ScriptedPolls(*answers), ScriptedPolls(*others)
        self.taken: list[int] = []
        self.conflicts: list[tuple[str, str]] = []
        self.poll_count = 0
        bot = ExtBot[Any]("1:test", request=self.others, get_updates_request=self.polls)
        self.updates = UpdatePoller(bot, self.on_update, self.on_conflict, self.on_polling)

    async def on_update(self, update: Update) -> None:
        self.taken.append(update.update_id)

    def on_conflict(self, condition: str, sentence: str) -> None:
        self.conflicts.append((condition, sentence))

    def on_polling(self) -> None:
        self.poll_count += 1

    async def run(self, seconds: float = 60.0) -> PolledUpdates:
        task = asyncio.create_task(self.updates.run())
        await asyncio.wait({task}, timeout=seconds)
        assert not task.done(), task
        self.stopped_at = asyncio.get_running_loop().time()
        await cancel_tasks(task)
        return self


@pytest.mark.virtual_time
async def test_updates_are_handed_over_in_order_and_confirmed_by_the_next_poll() -> None:
    polled = await PolledUpdates([make_update(10), make_update(11)], [make_update(12)]).run()

    assert polled.taken == [10, 11, 12]
    assert polled.polls.offsets[:3] == [0, 12, 13]


@pytest.mark.virtual_time
async def test_a_flood_of_one_user_is_dropped_before_it_is_parsed_and_others_lose_nothing() -> None:
    def sent(update_id: int, user: int) -> dict[str, Any]:
        update = make_update(update_id)
        update["message"]["from"] = {"id": user, "is_bot": False, "first_name": "User"}
        return update

    flood = [sent(number, 5) for number in range(1, 100)]
    migration = sent(101, 5)
    migration["message"]["migrate_to_chat_id"] = -1001
    del migration["message"]["text"]
    polled = await PolledUpdates([*flood, sent(100, 6), migration], [sent(102, 5)]).run()

    assert polled.taken == [*range(1, MAX_ANSWERED_IN_BATCH + 1), 100, 101, 102]
    assert polled.polls.offsets[:2] == [0, 102]


@pytest.mark.virtual_time
async def test_what_people_write_to_each_other_uses_up_nothing_of_what_they_may_ask() -> None:
    def said_in_group(update_id: int, text: str) -> dict[str, Any]:
        update = make_update(update_id)
        update["message"] |= {"from": {"id": 5, "is_bot": False, "first_name": "User"}, "text": text}
        update["message"]["chat"] = {"id": -100, "type": "supergroup", "title": "Fans"}
        return update

    talk = [said_in_group(number, "What a match") for number in range(1, 2 * MAX_ANSWERED_IN_BATCH)]
    polled = await PolledUpdates([*talk, said_in_group(90, "/mute 2h")]).run()

    assert polled.taken == [*range(1, 2 * MAX_ANSWERED_IN_BATCH), 90]


@pytest.mark.virtual_time
async def test_an_update_that_cannot_be_read_loses_no_other_and_does_not_come_again() -> None:
    polled = await PolledUpdates([make_update(10), UNREADABLE, make_update(12)]).run()

    assert (polled.taken, polled.polls.offsets[1]) == ([10, 12], 13)


@pytest.mark.virtual_time
@pytest.mark.parametrize("strange", [17, None, {}, {"update_id": "x"}, [make_update(9)]])
async def test_what_is_no_update_is_passed_over(strange: Any) -> None:
    polled = await PolledUpdates([strange, make_update(10)]).run()

    assert (polled.taken, polled.polls.offsets[1]) == ([10], 11)


@pytest.mark.virtual_time
@pytest.mark.parametrize("answer", [[{}], b'{"ok": true, "result": true}', b'"no"', b'{"ok": true}'])
async def test_answers_that_bring_nothing_do_not_spin(answer: Answer) -> None:
    polled = await PolledUpdates(*[answer] * 100).run(60)

    assert len(polled.polls.at) < 15


@pytest.mark.virtual_time
@pytest.mark.parametrize(("refusal", "conflicts"), [(CONFLICT, {SECOND_PROCESS}), (UNAUTHORIZED, set())])
async def test_a_problem_that_needs_a_person_is_polled_slowly(refusal: RefusedError, conflicts: set[tuple[str, str]]) -> None:
    polled = await PolledUpdates(*[refusal] * 100).run(300)

    assert (set(polled.conflicts), polled.poll_count) == (conflicts, 0)
    assert len(polled.polls.at) < 20


@pytest.mark.virtual_time
async def test_a_second_process_that_gets_every_other_answer_is_named_each_time_and_so_is_its_end() -> None:
    polled = await PolledUpdates(CONFLICT, [make_update(10)], CONFLICT, [make_update(11)], CONFLICT, [make_update(12)]).run(20)

    assert (polled.taken, polled.conflicts, polled.poll_count) == ([10, 11, 12], [SECOND_PROCESS] * 3, 3)


HAS_WEBHOOK = RefusedError(
    409, "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete it first"
)


@pytest.mark.virtual_time
async def test_a_webhook_that_could_not_be_removed_at_the_start_is_removed_as_soon_as_that_works() -> None:
    polled = await PolledUpdates(HAS_WEBHOOK, HAS_WEBHOOK, [make_update(10)], others=[BAD_GATEWAY]).run()

    assert (polled.conflicts, polled.taken, len(polled.others.at)) == ([WEBHOOK_SET], [10], 2)


@pytest.mark.virtual_time
async def test_a_webhook_that_somebody_sets_while_updates_come_is_named_and_left_alone() -> None:
    polled = await PolledUpdates([make_update(10)], HAS_WEBHOOK).run()

    assert (polled.conflicts, polled.others.at) == ([WEBHOOK_SET], [])


@pytest.mark.virtual_time
async def test_too_many_requests_wait_as_long_as_asked() -> None:
    polled = await PolledUpdates(too_many(7), [make_update(10)]).run()

    assert polled.taken == [10]
    assert polled.polls.at[1] == pytest.approx(7.5)


@pytest.mark.virtual_time
@pytest.mark.parametrize("failure", [NetworkError("down"), BAD_GATEWAY, b"<html>captive portal</html>", b"[]"])
async def test_polling_goes_on_after_an_outage_of_the_network(failure: Answer) -> None:
    polled = await PolledUpdates(*[failure] * 12, [make_update(10)]).run(300)

    assert (polled.taken, polled.conflicts) == ([10], [])
    assert 60 < polled.polls.at[12] < 300


@pytest.mark.virtual_time
async def test_a_poll_without_an_answer_is_repeated_soon() -> None:
    polled = await PolledUpdates(TimedOut(), [make_update(10)]).run()

    assert polled.polls.at[1] < 1


@pytest.mark.virtual_time
async def test_a_stop_confirms_the_last_updates() -> None:
    polled = await PolledUpdates([make_update(10)], None).run(5)

    assert polled.polls.offsets == [0, 11, 11]


@pytest.mark.virtual_time
async def test_a_stop_with_nothing_to_confirm_asks_nothing() -> None:
    polled = await PolledUpdates([make_update(10)], [], None).run(5)

    assert polled.polls.offsets == [0, 11, 11]


@pytest.mark.virtual_time
async def test_a_stop_does_not_wait_for_a_telegram_that_is_silent() -> None:
    polled = await PolledUpdates([make_update(10)], None, None).run(5)

    assert asyncio.get_running_loop().time() - polled.stopped_at <= 1.01


SECRET = {"X-Telegram-Bot-Api-Secret-Token": "proof-42"}
UPDATE = {
    "update_id": 7,
    "message": {"message_id": 1, "date": 1_790_000_000, "chat": {"id": 42, "type": "private"}, "text": "/today"},
}


def settings(port: int = 0) -> Settings:
    return Settings.model_validate(
        {"url": "https://bot.example.org/telegram", "listen": f"127.0.0.1:{port}", "secret_token": SecretStr("proof-42")}
    )


class ReceivedUpdates:
    """A webhook and the updates that it takes; the database is away for the first few."""

    def __init__(self, telegram: FakeBotApi, failures: int = 0) -> None:
        self.taken: list[int] = []
        self._failures = failures
        self.webhook = WebhookServer(build_bot(telegram.token, telegram.url), settings(), self.on_update)

    async def on_update(self, update: Update) -> None:
        self._failures -= 1
        if self._failures >= 0:
            raise StorageUnavailable("away")
        self.taken.append(update.update_id)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[aiohttp.ClientSession]:
        async with self.webhook.serve() as port, aiohttp.ClientSession(f"http://127.0.0.1:{port}") as http:
            yield http


async def deliver(http: aiohttp.ClientSession, body: Any = UPDATE, path: str = "/telegram", headers: Any = SECRET) -> int:
    """Deliver an update as Telegram does. Return the status of the answer."""
    async with http.post(path, json=body, headers=headers) as answer:
        return answer.status


@pytest.fixture
async def telegram() -> AsyncIterator[FakeBotApi]:
    async with FakeBotApi() as api:
        yield api


async def test_an_update_is_answered_after_it_was_handled(telegram: FakeBotApi) -> None:
    received = ReceivedUpdates(telegram)
    async with received.open() as http:
        assert await deliver(http) == 200

    assert received.taken == [7]


@pytest.mark.parametrize("headers", [{}, {"X-Telegram-Bot-Api-Secret-Token": "wrong"}, {"X-Telegram-Bot-Api-Secret-Token": ""}])
async def test_a_request_without_the_secret_is_refused(telegram: FakeBotApi, headers: dict[str, str]) -> None:
    received = ReceivedUpdates(telegram)
    async with received.open() as http:
        assert await deliver(http, headers=headers) == 403
        assert await deliver(http, path="/other") == 404

    assert received.taken == []


async def test_a_secret_that_is_not_utf_8_is_refused_and_logged_once(telegram: FakeBotApi) -> None:
    received, answers = ReceivedUpdates(telegram), []
    with capture_logs() as lines:
        async with received.webhook.serve() as port:
            for _ in range(3):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(b"POST /telegram HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n")
                writer.write(b"X-Telegram-Bot-Api-Secret-Token: \xff\xfe\r\n\r\n{}")
                answers.append(await reader.readline())
                writer.close()
                await writer.wait_closed()

    assert answers == [b"HTTP/1.1 403 Forbidden\r\n"] * 3
    assert [line["event"] for line in lines] == ["webhook_request_refused"] and received.taken == []


async def test_an_update_for_which_the_database_was_away_comes_again(telegram: FakeBotApi) -> None:
    received = ReceivedUpdates(telegram, failures=1)
    async with received.open() as http:
        answers = [await deliver(http), await deliver(http)]

    assert (answers, received.taken) == ([503, 200], [7])


@pytest.mark.parametrize("body", [{"update_id": 7, "message": {"message_id": "?", "chat": 7}}, [], "words", {"no": "number"}])
async def test_an_unreadable_update_does_not_come_again(telegram: FakeBotApi, body: Any) -> None:
    received = ReceivedUpdates(telegram)
    async with received.open() as http:
        assert await deliver(http, body) == 200

    assert received.taken == []


async def test_the_webhook_is_registered_again_until_telegram_takes_it(telegram: FakeBotApi) -> None:
    telegram.fail("setWebhook", times=1)
    async with build_bot(telegram.token, telegram.url) as bot:
        running = asyncio.create_task(WebhookServer(bot, settings(), ReceivedUpdates(telegram).on_update).run())
        with capture_logs() as logs:
            await telegram.until(lambda: [call for call in telegram.calls("setWebhook") if call.status == 200])
            await until(lambda: logs[-1]["event"] == "webhook_set")
        await cancel_tasks(running)
        await delete_webhook(bot)
    given = telegram.calls("setWebhook")[-1].params

    assert given["url"] == "https://bot.example.org/telegram"
    assert given["secret_token"] == "proof-42"
    # Its path may be a secret, as its password is.
    assert logs[-1]["host"] == "bot.example.org" and "/telegram" not in str(logs)
    assert all(kind in given["allowed_updates"] for kind in ALLOWED_UPDATES)
    assert len(telegram.calls("deleteWebhook")) == 1


async def test_a_webhook_that_somebody_removes_is_registered_again(telegram: FakeBotApi) -> None:
    async with build_bot(telegram.token, telegram.url) as bot:
        webhook = WebhookServer(bot, settings(), ReceivedUpdates(telegram).on_update, check_interval=0.01)
        telegram.fail("getWebhookInfo", BAD_GATEWAY)
        running = asyncio.create_task(webhook.run())
        await telegram.until(lambda: len(telegram.calls("getWebhookInfo")) > 1)
        assert len(telegram.calls("setWebhook")) == 1
        await delete_webhook(bot)
        await telegram.until(lambda: len(telegram.calls("setWebhook")) > 1)
        await cancel_tasks(running)


async def test_an_answer_about_the_webhook_that_cannot_be_read_ends_nothing(telegram: FakeBotApi) -> None:
    yes, odd = b'{"ok": true, "result": true}', (b'{"ok": true, "result": {}}', b'{"ok": true, "result": []}')
    removed = b'{"ok": true, "result": {"url": "", "has_custom_certificate": false, "pending_update_count": 0}}'
    answers = ScriptedPolls(yes, *odd, yes, removed, yes)
    bot = ExtBot[Any]("1:test", request=answers)
    webhook = WebhookServer(bot, settings(), ReceivedUpdates(telegram).on_update, check_interval=0.01)
    running = asyncio.create_task(webhook.run())

    # The last one registers it again.
    await until(lambda: running.done() or len(answers.at) > 5)

    assert not running.done()
    await cancel_tasks(running)


async def test_a_port_that_is_taken_is_named(telegram: FakeBotApi) -> None:
    port = int(telegram.url.rpartition(":")[2])
    webhook = WebhookServer(build_bot(telegram.token, telegram.url), settings(port), ReceivedUpdates(telegram).on_update)

    with pytest.raises(
        UserMistake, match=rf"telegram\.webhook\.listen: cannot listen on 127\.0\.0\.1:{port}: the port is taken; choose another"
    ):
        await webhook.run()


async def test_an_update_is_answered_and_a_stop_does_not_wait_though_telegram_holds_its_reply_back(telegram: FakeBotApi) -> None:
    async def reply(update: Update) -> None:
        origin = read_origin(update)
        assert origin is not None
        await replies.send(origin, Screen("<b>3</b> matches"))

    telegram.refuse(42, too_many(50))
    async with build_bot(telegram.token, telegram.url) as bot:
        replies = ReplySender(bot)
        async with (
            WebhookServer(bot, settings(), reply, replies.cancel_waiting).serve() as port,
            aiohttp.ClientSession(f"http://127.0.0.1:{port}") as http,
        ):
            with capture_logs() as logged:
                assert await deliver(http) == 200

    assert [entry["event"] for entry in logged] == ["reply_retry_scheduled"]
    assert len(telegram.calls("sendMessage")) == 1
