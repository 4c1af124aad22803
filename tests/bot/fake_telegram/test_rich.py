"""The fake Bot API knows rich messages as strictly as all else, and can be too old for them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.bot.fake_telegram.test_server import Caller, call

__all__ = ["call"]

CARD = (
    "<h3>A <b>1–0</b> B</h3><p>67' &amp; more</p><table bordered><tr><th>A</th><th>B</th></tr><tr><td>⚽ Saka</td><td></td></tr>"
    "</table><details><summary>All</summary><table><tr><td>12'</td></tr></table></details>"
)


async def send(call: Caller, **rich_message: Any) -> dict[str, Any]:
    return await call("sendRichMessage", chat_id=42, rich_message=rich_message)


async def test_a_rich_message_comes_back_as_its_blocks_and_is_edited_into_a_text_and_back(call: Caller) -> None:
    sent = (await send(call, html=CARD, skip_entity_detection=True))["result"]
    number = {"chat_id": 42, "message_id": sent["message_id"]}
    text = await call("editMessageText", text="<b>1–0</b>", parse_mode="HTML", **number)
    again = await call("editMessageText", rich_message={"html": "<p>2–0</p>"}, **number)
    # Another chat: a fourth request for one in a second is over its limit.
    other = (await call("sendRichMessage", chat_id=43, rich_message={"html": CARD}))["result"]["message_id"]
    same = await call("editMessageText", chat_id=43, message_id=other, rich_message={"html": CARD})

    blocks = sent["rich_message"]["blocks"]
    assert [block["type"] for block in blocks] == ["heading", "paragraph", "table", "details"]
    assert blocks[2]["cells"][0][0] == {"align": "left", "valign": "top", "text": "A", "is_header": True}
    assert blocks[2]["is_bordered"] and blocks[3]["summary"] == "All" and "is_open" not in blocks[3]
    assert text["ok"] and again["ok"] and "not modified" in same["description"]
    assert call.api.chat(42).last.is_rich and call.api.chat(42).last.text == "2–0"


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"html": "<p>1</p>", "markdown": "1"},
        {"html": "<p>1</p>", "colour": "red"},
        {"html": "  "},
        {"html": "<p>1"},
        {"html": "<p>1</b>"},
        {"html": "<div>1</div>"},
        {"html": "<p>&copy;</p>"},
        {"html": '<p class="x">1</p>'},
        {"html": "<td>1</td>"},
        {"html": "<table><tr><td><p>1</p></td></tr></table>"},
        {"html": "<p><table><tr><td>1</td></tr></table></p>"},
        {"html": "<details>1</details>"},
        {"html": f"<table><tr>{'<td>1</td>' * 21}</tr></table>"},
        {"html": "<p>1</p>" * 501},
        {"html": "<blockquote>" * 17 + "1" + "</blockquote>" * 17},
        {"html": f"<p>{'1' * 32_769}</p>"},
    ],
)
async def test_what_telegram_does_not_document_is_refused(call: Caller, wrong: dict[str, Any]) -> None:
    answer = await send(call, **wrong)

    assert answer["description"].startswith("Bad Request: can't parse rich message")


async def test_a_text_and_a_rich_message_are_not_given_together(call: Caller) -> None:
    number = (await send(call, html="<p>1</p>"))["result"]["message_id"]
    both = await call("editMessageText", chat_id=42, message_id=number, text="1", rich_message={"html": "<p>2</p>"})

    assert not both["ok"]


async def test_an_old_server_has_neither_the_method_nor_the_parameter(call: Caller) -> None:
    number = (await call("sendMessage", chat_id=42, text="1"))["result"]["message_id"]
    edit = {"chat_id": 42, "message_id": number, "rich_message": {"html": "<p>2</p>"}}
    call.api.lack("sendRichMessage", "rich_message")
    refused = [await send(call, html="<p>1</p>"), await call("editMessageText", **edit)]
    call.api.lack("rich_message", ignores=True)
    ignored = await call("editMessageText", **edit)

    assert [answer["error_code"] for answer in refused] == [404, 400]
    assert ignored["description"] == "Bad Request: message text is empty"
