"""The fake Bot API knows ephemeral messages and coloured buttons as strictly as all else, and can be too old for them."""

from __future__ import annotations

from typing import Any

import pytest

from bot.fake_telegram import FakeChat
from tests.bot.fake_telegram.test_server import Caller, call

__all__ = ["call"]

BOT, GROUP = 7_000_000_001, -1_000_000_000_400


def make_ephemeral(**more: Any) -> dict[str, Any]:
    """The arguments of a message for one member."""
    return {"chat_id": GROUP, "text": "psst", "ephemeral_message_parameters": {"receiver_user_id": 5} | more}


@pytest.fixture
def group(call: Caller) -> FakeChat:
    found = call.api.chat(GROUP, title="Fans")
    found.admins = {BOT}
    return found


async def test_an_ephemeral_message_is_edited_and_deleted_by_a_number_of_its_own(call: Caller, group: FakeChat) -> None:
    sent = (await call("sendMessage", **make_ephemeral()))["result"]
    named = {"chat_id": GROUP, "receiver_user_id": 5, "ephemeral_message_id": sent["ephemeral_message_id"]}
    edited = await call("editEphemeralMessageText", text="louder", **named)
    stranger = await call("editEphemeralMessageText", text="mine", **(named | {"receiver_user_id": 6}))
    ordinary = await call("editMessageText", chat_id=GROUP, message_id=group.last.id, text="all")
    text = group.last.text
    deleted = await call("deleteEphemeralMessage", **named)

    assert sent["message_id"] == 0 and group.everything[0].receiver == 5 and text == "louder"
    assert (edited["result"], deleted["result"], group.messages) == (True, True, [])
    assert all("not found" in answer["description"] for answer in (stranger, ordinary))


async def test_a_bot_without_rights_whispers_only_in_answer(call: Caller, group: FakeChat) -> None:
    group.admins.clear()
    refused = await call("sendMessage", **make_ephemeral())
    posted = call.api.add(group, "a post", by_bot=True)
    query = call.api.press(GROUP, 5, posted, "x")
    pressed = await call("sendMessage", **make_ephemeral(callback_query_id=query))
    call.api.say(GROUP, 5, "/today", ephemeral=True)
    asked = call.api.updates[-1]["message"]
    answer = {"reply_parameters": {"ephemeral_message_id": asked["ephemeral_message_id"]}}
    answered = await call("sendMessage", **(make_ephemeral() | answer))

    assert "not enough rights" in refused["description"] and pressed["ok"] and answered["ok"]
    assert asked["message_id"] == 0 and asked["receiver_user"]["id"] == BOT


@pytest.mark.parametrize("wrong", [{"receiver_user_id": "five"}, {"receiver_user_id": 5, "to": 6}, {}])
async def test_wrong_parameters_are_refused(call: Caller, group: FakeChat, wrong: dict[str, Any]) -> None:
    answer = await call("sendMessage", chat_id=GROUP, text="psst", ephemeral_message_parameters=wrong)
    in_private = await call("sendMessage", **(make_ephemeral() | {"chat_id": 5}))

    assert "EphemeralMessageParameters" in answer["description"] and not in_private["ok"] and not group.messages


async def test_only_known_colours_and_fields_of_buttons_are_taken(call: Caller) -> None:
    def keyboard(**more: str) -> dict[str, Any]:
        return {"inline_keyboard": [[{"text": "Go", "callback_data": "x"} | more]]}

    answers = [
        await call("sendMessage", chat_id=42, text="hi", reply_markup=keyboard(**more))
        for more in ({"style": "primary"}, {"style": "pink"}, {"colour": "red"})
    ]
    call.api.lack("style")
    old = await call("sendMessage", chat_id=42, text="hi", reply_markup=keyboard(style="primary"))

    assert [answer["ok"] for answer in answers] == [True, False, False] and 'unsupported field "style"' in old["description"]
    assert call.api.chat(42).last.buttons[0][0].style == "primary"


async def test_an_old_server_knows_neither_the_parameter_nor_the_methods(call: Caller, group: FakeChat) -> None:
    call.api.lack("ephemeral_message_parameters", "editEphemeralMessageText")
    parameter = await call("sendMessage", **make_ephemeral())
    method = await call("editEphemeralMessageText", chat_id=GROUP, receiver_user_id=5, ephemeral_message_id=1, text="x")
    call.api.lack(ignores=True)
    ignored = await call("sendMessage", **make_ephemeral())

    assert "unsupported parameter" in parameter["description"] and method["error_code"] == 404
    assert "ephemeral_message_id" not in ignored["result"] and group.last.receiver == 0
