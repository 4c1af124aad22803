"""The fake Bot API behaves as Telegram's does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from bot.fake_telegram import BAD_GATEWAY, Request
from bot.fake_telegram.state import keeps_pace
from tests.fakes.bot_api import FakeBotApi


class Caller:
    """A client of the fake without any library between."""

    def __init__(self, api: FakeBotApi, http: aiohttp.ClientSession) -> None:
        self.api, self._http = api, http

    async def __call__(self, method: str, **params: Any) -> dict[str, Any]:
        async with self._http.post(f"{self.api.url}/bot{self.api.token}/{method}", json=params) as answer:
            body: dict[str, Any] = await answer.json()
            assert body["ok"] is (answer.status == 200)
            return body

    async def form(self, method: str, **params: str) -> dict[str, Any]:
        async with self._http.post(f"{self.api.url}/bot{self.api.token}/{method}", data=params) as answer:
            return dict(await answer.json())


@pytest.fixture
async def call() -> AsyncIterator[Caller]:
    async with FakeBotApi(strict_limits=True) as api, aiohttp.ClientSession() as http:
        yield Caller(api, http)


async def test_an_inline_query_is_answered_once_and_not_with_the_same_id_twice(call: Caller) -> None:
    query = call.api.inline(42, "arsenal")
    card = {"type": "article", "id": "a", "title": "A", "input_message_content": {"message_text": "A"}}
    twice = await call("answerInlineQuery", inline_query_id=query, results=[card, card])
    answers = [await call("answerInlineQuery", inline_query_id=query, results=[card]) for _ in range(2)]

    assert "RESULT_ID_DUPLICATE" in twice["description"] and [answer["ok"] for answer in answers] == [True, False]
    assert call.api.inline_answers == {query: [card]}


async def test_a_channel_is_found_by_its_name_and_says_what_the_bot_may_do(call: Caller) -> None:
    channel = call.api.chat(-1_001_000_000_001, kind="channel")
    channel.username, channel.admins, channel.lacks = "news", {7_000_000_001}, {"can_post_messages"}
    found = await call("getChat", chat_id="@News")
    me = await call("getChatMember", chat_id=channel.id, user_id=7_000_000_001)

    assert found["result"]["id"] == channel.id and me["result"]["can_post_messages"] is False
    assert not (await call("getChat", chat_id="@nobody"))["ok"]


async def test_a_message_is_kept_with_its_html_and_its_plain_text(call: Caller) -> None:
    sent = await call("sendMessage", chat_id=42, text="<b>Goal</b> &amp; more", parse_mode="HTML", disable_notification=True)

    message = call.api.chat(42).last
    assert (message.id, message.html, message.text) == (sent["result"]["message_id"], "<b>Goal</b> &amp; more", "Goal & more")
    assert message.silent and not message.struck


async def test_forms_are_read_like_json(call: Caller) -> None:
    first = await call.form("sendMessage", chat_id="42", text="one")
    message_id = first["result"]["message_id"]
    await call.form("sendMessage", chat_id="42", text="two", reply_parameters=f'{{"message_id": {message_id}}}')

    assert call.api.chat(42).last.reply_to == message_id


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("<b>Goal", "can't parse entities: Can't find end tag corresponding to start tag \"b\""),
        ("Goal</b>", "can't parse entities: Unexpected end tag at byte offset 4"),
        ("é <goal>x</goal>", 'can\'t parse entities: Unsupported start tag "goal" at byte offset 3'),
        (
            '<tg-time unix="soon">x</tg-time>',
            'can\'t parse entities: Tag "tg-time" must have a valid time and format at byte offset 0',
        ),
        ("a < b", 'can\'t parse entities: Unsupported start tag "" at byte offset 2'),
        ("<b><i>x</b></i>", 'can\'t parse entities: Unmatched end tag at byte offset 7, expected "</i>", found "</b>"'),
        ("<b> </b>", "message text is empty"),
        ("⚽" * 2000 + "😀" * 1049, "message is too long"),
    ],
)
async def test_a_text_that_telegram_refuses_is_refused_in_its_words(call: Caller, text: str, sentence: str) -> None:
    answer = await call("sendMessage", chat_id=42, text=text, parse_mode="HTML")

    assert (answer["error_code"], answer["description"]) == (400, f"Bad Request: {sentence}")


async def test_tags_do_not_count_towards_the_limit(call: Caller) -> None:
    answer = await call("sendMessage", chat_id=42, text="<b>" + "x" * 4096 + "</b>", parse_mode="HTML")

    assert answer["ok"]


async def test_an_edit_leaves_a_history_and_an_equal_one_is_refused(call: Caller) -> None:
    sent = await call("sendMessage", chat_id=42, text="Goal", parse_mode="HTML")
    where = {"chat_id": 42, "message_id": sent["result"]["message_id"], "parse_mode": "HTML"}
    await call("editMessageText", **where, text="<s>Goal</s>")
    again = await call("editMessageText", **where, text="<s>Goal</s>")
    gone = await call("editMessageText", chat_id=42, message_id=999, text="x")

    assert call.api.chat(42).last.struck and len(call.api.chat(42).last.edits) == 1
    assert again["description"].startswith("Bad Request: message is not modified")
    assert gone["description"] == "Bad Request: message to edit not found"


async def test_a_reply_to_nothing_is_refused_unless_it_may_stand_alone(call: Caller) -> None:
    refused = await call("sendMessage", chat_id=42, text="x", reply_parameters={"message_id": 9})
    alone = {"message_id": 9, "allow_sending_without_reply": True}
    sent = await call("sendMessage", chat_id=42, text="x", reply_parameters=alone)

    assert refused["description"] == "Bad Request: message to be replied not found"
    assert sent["ok"]


async def test_a_button_holds_no_more_than_64_bytes(call: Caller) -> None:
    rows = [[{"text": "Press", "callback_data": "é" * 33}]]
    answer = await call("sendMessage", chat_id=42, text="x", reply_markup={"inline_keyboard": rows})

    assert answer["description"] == "Bad Request: BUTTON_DATA_INVALID"


async def test_too_many_messages_to_one_chat_are_asked_to_wait(call: Caller) -> None:
    call.api.monotonic = lambda: 0.0
    answers = [await call("sendMessage", chat_id=42, text="x") for _ in range(4)]

    assert [a["ok"] for a in answers] == [True, True, True, False]
    assert answers[3]["parameters"] == {"retry_after": 3}


async def test_thirty_messages_a_second_are_the_most(call: Caller) -> None:
    call.api.monotonic = lambda: 0.0
    answers = [await call("sendMessage", chat_id=chat, text="x") for chat in range(1, 32)]

    assert [a["ok"] for a in answers].count(False) == 1
    assert answers[-1]["error_code"] == 429


async def test_an_unknown_method_and_a_wrong_token_are_told_apart(call: Caller) -> None:
    unknown = await call("sendGoal")
    call.api.token = "1:other"
    async with aiohttp.ClientSession() as http, http.get(f"{call.api.url}/bot1:test/getMe") as answer:
        body = await answer.json()

    assert unknown == {"ok": False, "error_code": 404, "description": "Not Found"}
    assert body == {"ok": False, "error_code": 401, "description": "Unauthorized"}


async def test_updates_come_again_until_they_are_confirmed_by_the_offset(call: Caller) -> None:
    call.api.say(42, 42, "/start")
    call.api.say(42, 42, "hello")
    first = await call("getUpdates", timeout=5)
    again = await call("getUpdates", timeout=5)
    last = await call("getUpdates", offset=first["result"][-1]["update_id"], timeout=5)

    assert first == again and len(first["result"]) == 2
    assert [u["message"]["text"] for u in last["result"]] == ["hello"]


async def test_a_long_poll_ends_when_something_is_said(call: Caller) -> None:
    poll = asyncio.create_task(call("getUpdates", timeout=50))
    await call.api.until(lambda: call.api.calls("getUpdates"))
    call.api.say(42, 42, "/help")
    answer = await poll

    assert answer["result"][0]["message"]["entities"] == [{"type": "bot_command", "offset": 0, "length": 5}]


async def test_a_second_poller_ends_the_first(call: Caller) -> None:
    first = asyncio.create_task(call("getUpdates", timeout=50))
    await call.api.until(lambda: call.api.calls("getUpdates"))
    second = asyncio.create_task(call("getUpdates", timeout=50))
    await call.api.until(lambda: len(call.api.calls("getUpdates")) == 2)
    call.api.say(42, 42, "hello")

    assert (await first)["error_code"] == 409
    assert (await second)["result"][0]["message"]["text"] == "hello"


async def test_a_request_that_hangs_does_nothing(call: Caller) -> None:
    held = call.api.hang("sendMessage", nth=2)
    await call("sendMessage", chat_id=42, text="x")
    hanging = asyncio.create_task(call("sendMessage", chat_id=42, text="y"))
    request = await held.until_reached()
    hanging.cancel()

    assert request.params["text"] == "y" and request.status == 0
    assert [message.text for message in call.api.chat(42).messages] == ["x"]


async def test_a_press_is_answered_once(call: Caller) -> None:
    call.api.say(42, 42, "x")
    query = call.api.press(42, 42, call.api.chat(42).everything[0], "h:0")
    first = await call("answerCallbackQuery", callback_query_id=query, text="Done")
    second = await call("answerCallbackQuery", callback_query_id=query)

    assert first["ok"] and second["description"].startswith("Bad Request: query is too old")
    assert (call.api.answer(query) or {})["text"] == "Done"


async def test_only_kinds_of_updates_that_were_asked_for_come(call: Caller) -> None:
    call.api.say(42, 42, "hello")
    call.api.my_chat_member(42, 42, "member", "kicked")
    answer = await call("getUpdates", allowed_updates=["my_chat_member"])

    assert [sorted(u) for u in answer["result"]] == [["my_chat_member", "update_id"]]


async def test_commands_are_kept_for_each_scope(call: Caller) -> None:
    commands = [{"command": "help", "description": "Help"}]
    await call("setMyCommands", commands=commands, scope={"type": "all_group_chats"})
    refused = await call("setMyCommands", commands=[{"command": "Help!", "description": "Help"}])

    assert call.api.commands == {"all_group_chats": commands}
    assert refused["description"] == "Bad Request: BOT_COMMAND_INVALID"


async def test_scripted_trouble_comes_as_often_as_it_is_told(call: Caller) -> None:
    call.api.fail("sendMessage", BAD_GATEWAY, times=1)
    first = await call("sendMessage", chat_id=42, text="x")
    second = await call("sendMessage", chat_id=42, text="x")

    assert (first["error_code"], second["ok"]) == (502, True)


async def test_an_answer_is_lost_after_the_message_was_sent(call: Caller) -> None:
    call.api.lose_answer("sendMessage")
    with pytest.raises(aiohttp.ClientError):
        await call("sendMessage", chat_id=42, text="x")

    assert call.api.chat(42).last.text == "x"


async def test_a_blocked_bot_is_refused_and_told_of_it(call: Caller) -> None:
    call.api.block(42)
    refused = await call("sendMessage", chat_id=42, text="x")
    updates = await call("getUpdates")

    assert refused["description"] == "Forbidden: bot was blocked by the user"
    assert updates["result"][0]["my_chat_member"]["new_chat_member"]["status"] == "kicked"


async def test_a_migrated_group_names_its_new_id(call: Caller) -> None:
    call.api.migrate(-5, -1_000_000_000_005)
    refused = await call("sendMessage", chat_id=-5, text="x")

    assert refused["parameters"] == {"migrate_to_chat_id": -1_000_000_000_005}


@pytest.mark.parametrize("dropped", [False, True])
async def test_a_held_answer_comes_when_the_test_says_so_though_the_message_is_there(call: Caller, dropped: bool) -> None:
    held = call.api.hold_answer("sendMessage", nth=2)
    await call("sendMessage", chat_id=42, text="first")
    assert not held.reached
    asking = asyncio.create_task(call("sendMessage", chat_id=42, text="second"))
    request = await held.until_reached()
    await call("sendMessage", chat_id=42, text="third")

    assert request.params["text"] == "second" and [m.text for m in call.api.chat(42).messages] == ["first", "second", "third"]
    assert not asking.done() and request.status == 0
    if dropped:
        held.drop()
        with pytest.raises(aiohttp.ServerDisconnectedError):
            await asking
    else:
        held.release()
        assert (await asking)["result"]["text"] == "second"


async def test_all_answers_from_the_nth_on_can_be_held_in_one_chat(call: Caller) -> None:
    held = call.api.hold_answer("sendMessage", nth=2, chat_id=42, times=None)
    asking = [asyncio.create_task(call("sendMessage", chat_id=chat, text="Hello")) for chat in (42, 42, 43, 42)]
    await call.api.until(lambda: len(held.requests) == 2)

    done, _ = await asyncio.wait(asking[:1] + asking[2:3])
    assert len(done) == 2
    held.release()
    assert all(answer["ok"] for answer in await asyncio.gather(*asking))


def test_a_pace_is_kept_or_not_whenever_requests_arrive() -> None:
    requests = [Request(at, "sendMessage", {}) for at in (10.1, 10.2, 10.9, 13.1)]

    assert keeps_pace(requests, since=10.0, limit=3, seconds=3.0)
    assert not keeps_pace(requests, since=10.2, limit=3, seconds=3.0)
    assert not keeps_pace(requests, since=10.0, limit=2, seconds=3.0)
