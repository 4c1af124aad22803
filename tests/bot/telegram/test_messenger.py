"""The real messenger, over real HTTP, to the strict fake Bot API on loopback."""

from collections.abc import AsyncIterator

import pytest
from structlog.testing import capture_logs
from telegram.error import InvalidToken
from telegram.ext import ExtBot

from bot.errors import (
    ChatGone,
    ChatMigrated,
    DeliveryError,
    MessageGone,
    RequestRefused,
    RetryAfter,
    TelegramUnreachable,
    TextRefused,
    TokenRefused,
)
from bot.fake_telegram import BAD_GATEWAY, BLOCKED, Page, RefusedError
from bot.media.renderer import PictureAttachment, render_picture
from bot.subscribers import ChatRef
from bot.telegram.alert_keyboard import MUTE_BUTTON, MUTE_BUTTON_DATA
from bot.telegram.messenger import BotMessenger, build_bot, replace_token
from tests.bot.media.timelines import full
from tests.fakes.bot_api import FakeBotApi

REF = ChatRef(42)


def picture(png: bytes, *, is_spoiler: bool = False) -> PictureAttachment:
    return PictureAttachment(full(), "en", is_spoiler, png)


@pytest.fixture
async def api() -> AsyncIterator[FakeBotApi]:
    async with FakeBotApi() as opened:
        yield opened


@pytest.fixture
async def bot(api: FakeBotApi) -> AsyncIterator[ExtBot[str]]:
    async with build_bot(api.token, api.url) as made:
        yield made


@pytest.fixture
def messenger(bot: ExtBot[str]) -> BotMessenger:
    return BotMessenger(bot)


async def test_a_message_is_sent_and_edited(api: FakeBotApi, messenger: BotMessenger) -> None:
    number = await messenger.send(REF, "<b>goal</b> & more &lt;", silent=True)
    await messenger.edit(REF, number, "<s>goal</s>")
    await messenger.edit(REF, number, "<s>goal</s>")

    shown = api.chat(42).last
    assert (shown.id, shown.silent, shown.struck, len(shown.edits)) == (number, True, True, 1)


async def test_a_button_stands_below_a_message_until_an_edit_leaves_it_away(api: FakeBotApi, messenger: BotMessenger) -> None:
    number = await messenger.send(REF, "goal", silent=True, keyboard=MUTE_BUTTON)
    await messenger.edit(REF, number, "<s>goal</s>", keyboard=MUTE_BUTTON)
    shown = api.chat(42).last
    buttons = shown.buttons

    await messenger.edit(REF, number, "goal")

    assert [[button.data for button in row] for row in buttons] == [[MUTE_BUTTON_DATA]]
    assert (shown.struck, shown.buttons) == (False, ())


async def test_a_reply_to_a_message_that_is_gone_is_sent_all_the_same(api: FakeBotApi, messenger: BotMessenger) -> None:
    number = await messenger.send(REF, "goal", silent=False)

    await messenger.send(REF, "reply", silent=False, reply_to=number)
    await messenger.send(REF, "reply", silent=False, reply_to=999)

    assert [m.reply_to for m in api.chat(42).messages] == [None, number, None]


async def test_a_message_goes_to_its_topic(api: FakeBotApi, messenger: BotMessenger) -> None:
    await messenger.send(ChatRef(-1001, 7), "goal", silent=False)

    assert api.chat(-1001).last.topic == 7


@pytest.mark.parametrize(
    ("answer", "raised"),
    [
        (RefusedError(429, "Too Many Requests: retry after 7", retry_after=7), RetryAfter),
        (RefusedError(400, "Bad Request: group chat was upgraded", migrate_to_chat_id=-100), ChatMigrated),
        (BLOCKED, ChatGone),
        (BAD_GATEWAY, TelegramUnreachable),
        (RefusedError(401, "Unauthorized"), TokenRefused),
    ],
)
async def test_a_refusal_is_told_by_its_meaning(
    api: FakeBotApi, messenger: BotMessenger, answer: RefusedError, raised: type[DeliveryError]
) -> None:
    api.fail("sendMessage", answer)

    with pytest.raises(raised):
        await messenger.send(REF, "goal", silent=False)


async def test_an_unknown_message_and_a_broken_text_are_told_apart(messenger: BotMessenger) -> None:
    with pytest.raises(MessageGone):
        await messenger.edit(REF, 999, "goal")
    with pytest.raises(TextRefused):
        await messenger.send(REF, "<b>goal", silent=False)


async def test_a_lost_answer_may_have_been_a_message_and_names_no_token(api: FakeBotApi, messenger: BotMessenger) -> None:
    api.lose_answer("sendMessage")

    with pytest.raises(TelegramUnreachable) as lost:
        await messenger.send(REF, "goal", silent=False)

    assert lost.value.maybe_sent and lost.value.is_unanswered
    assert api.token not in str(lost.value) + repr(lost.value.__cause__)


async def test_without_a_server_nothing_was_sent(refusing_port: int) -> None:
    bot = build_bot("1:test", f"http://127.0.0.1:{refusing_port}")
    await bot.request.initialize()
    with pytest.raises(TelegramUnreachable) as refused:
        await BotMessenger(bot).send(REF, "goal", silent=False)

    assert not refused.value.maybe_sent and not refused.value.is_unanswered
    await bot.request.shutdown()


async def test_no_answer_in_time_may_have_been_a_message(api: FakeBotApi) -> None:
    api.hang("sendMessage")
    bot = build_bot(api.token, api.url, read_timeout=0.01)
    await bot.request.initialize()  # `async with bot` asks who it is, and on a busy machine the answer takes longer than that
    with pytest.raises(TelegramUnreachable) as late:
        await BotMessenger(bot).send(REF, "goal", silent=False)

    assert late.value.maybe_sent and late.value.is_unanswered
    await bot.request.shutdown()


async def test_an_answer_that_takes_half_a_minute_is_waited_for(messenger: BotMessenger) -> None:
    assert messenger._bot.request.read_timeout == 60.0


async def test_a_server_error_is_an_answer(api: FakeBotApi, messenger: BotMessenger) -> None:
    api.fail("sendMessage")

    with pytest.raises(TelegramUnreachable) as failed:
        await messenger.send(REF, "goal", silent=False)

    assert failed.value.maybe_sent and not failed.value.is_unanswered


async def test_a_ping_asks_for_the_bot_and_raises_if_telegram_does_not_answer(api: FakeBotApi, messenger: BotMessenger) -> None:
    await messenger.ping()
    api.fail("getMe")

    with pytest.raises(TelegramUnreachable):
        await messenger.ping()


async def test_a_file_can_be_sent_too(api: FakeBotApi, bot: ExtBot[str]) -> None:
    with pytest.raises(InvalidToken):  # the fake knows no files: 404
        await bot.send_document(42, b"rules: []", filename="rules.yaml")

    (request,) = api.calls("sendDocument")
    assert {"chat_id", "document"} <= request.params.keys()


async def test_a_picture_is_sent_with_its_words(api: FakeBotApi, messenger: BotMessenger) -> None:
    png = render_picture(full())
    number = await messenger.send(REF, "<b>Half time</b>", silent=True, picture=picture(png))

    shown = api.chat(42).last
    assert (shown.id, shown.photo, shown.text, shown.silent) == (number, png, "Half time", True)


async def test_a_picture_whose_answer_cannot_be_read_is_not_sent_for_ever(api: FakeBotApi, messenger: BotMessenger) -> None:
    api.answer_as_proxy(Page(200, b'{"ok": true, "result": {"message_id": 1}}', "application/json"), "sendPhoto")

    with pytest.raises(TelegramUnreachable) as lost:
        await messenger.send(REF, "", silent=False, picture=picture(render_picture(full())))

    assert lost.value.maybe_sent and lost.value.is_unanswered


async def test_a_picture_that_is_too_large_for_a_proxy_is_no_outage(api: FakeBotApi, messenger: BotMessenger) -> None:
    api.answer_as_proxy(Page(413), "sendPhoto")

    with pytest.raises(RequestRefused):
        await messenger.send(REF, "", silent=False, picture=picture(render_picture(full())))


async def test_a_picture_for_many_chats_is_uploaded_once(api: FakeBotApi, messenger: BotMessenger) -> None:
    png = render_picture(full())
    for chat in (1, 2, 3):
        await messenger.send(ChatRef(chat), "", silent=False, picture=picture(png))

    uploads = [not isinstance(request.params["photo"], str) for request in api.calls("sendPhoto")]
    assert uploads == [True, False, False]
    assert all(api.chat(chat).last.photo == png for chat in (1, 2, 3))


async def test_a_group_that_takes_no_photos_is_not_gone(api: FakeBotApi, messenger: BotMessenger) -> None:
    api.fail("sendPhoto", RefusedError(400, "Bad Request: not enough rights to send photos to the chat"))

    with pytest.raises(TextRefused):
        await messenger.send(REF, "", silent=False, picture=picture(render_picture(full())))


async def test_a_picture_that_telegram_no_longer_knows_is_uploaded_at_the_next_try(
    api: FakeBotApi, messenger: BotMessenger
) -> None:
    png = render_picture(full())
    await messenger.send(REF, "", silent=False, picture=picture(png))
    api.downloads.clear()
    with pytest.raises(TextRefused):
        await messenger.send(REF, "", silent=False, picture=picture(png))

    assert await messenger.send(REF, "", silent=False, picture=picture(png))


async def test_a_picture_is_replaced_with_its_words_by_what_was_uploaded_before(api: FakeBotApi, messenger: BotMessenger) -> None:
    first, second = render_picture(full()), render_picture(full(), dark=True)
    number = await messenger.send(REF, "1–0", silent=True, picture=picture(first, is_spoiler=True))
    await messenger.edit(REF, number, "<b>1–1</b>", picture=picture(second))
    await messenger.edit(REF, number, "<b>1–1</b>", picture=picture(second))
    await messenger.edit(REF, number, "<b>1–1</b>", picture=picture(first))

    shown = api.chat(42).last
    assert (shown.photo, shown.text, len(shown.edits), shown.spoiler) == (first, "1–1", 2, False)
    assert ["attach://" in call.params["media"] for call in api.calls("editMessageMedia")] == [True, False, False]


async def test_a_message_is_pinned_silently_and_where_that_is_not_allowed_nothing_is_done(
    api: FakeBotApi, messenger: BotMessenger
) -> None:
    group = ChatRef(-500)
    for chat in (REF, group):
        number = await messenger.send(chat, "card", silent=True)
        await messenger.pin(chat, number, is_pinned=True)
    pinned = [api.chat(chat).last.pinned for chat in (42, -500)]
    await messenger.pin(REF, api.chat(42).last.id, is_pinned=False)

    assert (pinned, api.chat(42).last.pinned) == ([True, False], False)
    assert [call.params.get("disable_notification") for call in api.calls("pinChatMessage")] == [True, True]


async def test_a_pin_in_a_chat_that_is_gone_says_so(api: FakeBotApi, messenger: BotMessenger) -> None:
    number = await messenger.send(REF, "card", silent=True)
    api.refuse(42, BLOCKED)

    with pytest.raises(ChatGone):
        await messenger.pin(REF, number, is_pinned=True)


RICH = "<h3>Arsenal 1–0 Chelsea</h3>"


async def test_a_rich_message_goes_to_its_topic_and_is_edited_as_one(api: FakeBotApi, messenger: BotMessenger) -> None:
    group = ChatRef(-1001, 7)
    number = await messenger.send(group, "1–0", silent=True, rich=RICH, keyboard=MUTE_BUTTON)
    first = api.chat(-1001).last.text
    await messenger.edit(group, number, "2–0", rich=RICH.replace("1", "2"))
    await messenger.edit(group, number, "2–0", rich=RICH.replace("1", "2"))

    shown = api.chat(-1001).last
    assert (shown.id, shown.topic, shown.silent, shown.is_rich) == (number, 7, True, True)
    assert (first, shown.text, len(shown.edits)) == ("Arsenal 1–0 Chelsea", "Arsenal 2–0 Chelsea", 1)


@pytest.mark.parametrize("ignores", [False, True])
async def test_a_server_without_rich_messages_is_sent_text_and_asked_once(
    api: FakeBotApi, messenger: BotMessenger, ignores: bool
) -> None:
    number = await messenger.send(REF, "0–0", silent=True)
    api.lack("sendRichMessage", "rich_message", ignores=ignores)
    with capture_logs() as logs:
        await messenger.edit(REF, number, "1–0", rich=RICH)
        await messenger.edit(REF, number, "2–0", rich=RICH)
        await messenger.send(REF, "3–0", silent=True, rich=RICH)

    assert [m.text for m in api.chat(42).messages] == ["2–0", "3–0"]
    assert [line["feature"] for line in logs if line["event"] == "telegram_feature_missing"] == ["rich messages"]
    assert [call.status for call in api.log if "rich_message" in call.params] == [400]


async def test_a_server_that_knows_no_such_method_is_sent_text(api: FakeBotApi, messenger: BotMessenger) -> None:
    api.lack("sendRichMessage")
    for _ in range(2):
        await messenger.send(REF, "1–0", silent=True, rich=RICH)

    assert [m.text for m in api.chat(42).messages] == ["1–0", "1–0"] and len(api.calls("sendRichMessage")) == 1


async def test_a_rich_message_that_is_refused_is_text_and_the_next_is_tried_again(
    api: FakeBotApi, messenger: BotMessenger
) -> None:
    await messenger.send(REF, "1–0", silent=True, rich="<div>1–0</div>")
    await messenger.send(REF, "2–0", silent=True, rich=RICH)

    assert [m.is_rich for m in api.chat(42).messages] == [False, True]


async def test_a_rich_message_to_a_chat_that_is_gone_says_so(api: FakeBotApi, messenger: BotMessenger) -> None:
    api.refuse(42, BLOCKED)

    with pytest.raises(ChatGone):
        await messenger.send(REF, "1–0", silent=True, rich=RICH)


async def test_a_token_that_was_revoked_is_replaced_for_whatever_the_bot_asks(
    api: FakeBotApi, bot: ExtBot[str], messenger: BotMessenger
) -> None:
    identity, _, _ = api.token.partition(":")
    api.token = f"{identity}:AAnewTokenFromBotFather0123456789abc"
    with pytest.raises(TokenRefused):
        await messenger.send(REF, "goal", silent=False)
    replace_token(bot, api.token)
    api.downloads["pictures/1.png"] = b"picture"
    number = await messenger.send(REF, "goal", silent=False)
    picture_of_match = await messenger.send(REF, "half time", silent=False, picture=picture(render_picture(full())))
    file = await bot.request.retrieve(f"{api.url}/file/bot{bot.token}/pictures/1.png")
    updates = await bot.get_updates(timeout=0)

    assert [message.id for message in api.chat(42).messages] == [number, picture_of_match]
    assert (file, updates) == (b"picture", ())
