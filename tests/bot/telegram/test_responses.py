import datetime as dt
import re
from pathlib import Path

import msgspec
import pytest
import telegram
import telegram.error as api

from bot import errors as ours
from bot.outbox.delivery import Reason
from bot.telegram import responses
from bot.telegram.responses import ForeignAnswer, NotSent, check_answer, classify_error, parse_response

DOCS = (Path(__file__).parents[3] / "docs" / "delivery.md").read_text(encoding="utf-8")
ROWS = [line.strip("| ").split(" | ") for line in DOCS.splitlines() if re.match(r"\| `[345\d]", line)]


@pytest.mark.parametrize(
    ("answer", "meant"),
    [
        (api.RetryAfter(dt.timedelta(seconds=7)), ours.RetryAfter),
        (api.ChatMigrated(-100), ours.ChatMigrated),
        (api.Forbidden("Forbidden: bot was blocked by the user"), ours.ChatGone),
        (api.InvalidToken(), ours.TokenRefused),
        (api.BadRequest("Message is not modified: specified new message content"), type(None)),
        (api.BadRequest("Message to edit not found"), ours.MessageGone),
        (api.BadRequest("Message to be replied not found"), ours.MessageGone),
        (api.BadRequest("Message thread not found"), ours.TopicGone),
        (api.BadRequest("TOPIC_CLOSED"), ours.TopicClosed),
        (api.BadRequest("Not enough rights to send text messages to the chat"), ours.ChatGone),
        (api.BadRequest("Chat not found"), ours.ChatGone),
        (api.BadRequest("Can't parse entities: unsupported start tag"), ours.TextRefused),
        (api.BadRequest("Message is too long"), ours.TextRefused),
        (api.BadRequest("Something new"), ours.RequestRefused),
        (api.EndPointNotFound("no such method"), ours.MethodUnknown),
        (api.NetworkError("Bad Gateway"), ours.TelegramUnreachable),
        (api.TimedOut(), ours.TelegramUnreachable),
        (NotSent("no connection"), ours.TelegramUnreachable),
        (api.Conflict("another"), ours.TelegramUnreachable),
    ],
)
def test_every_answer_has_a_meaning(answer: api.TelegramError, meant: type[Exception]) -> None:
    assert type(classify_error(answer)) is meant


@pytest.mark.parametrize(("answer", "maybe"), [(api.TimedOut(), True), (NotSent("no connection"), False)])
def test_only_a_request_that_left_may_have_arrived(answer: api.TelegramError, maybe: bool) -> None:
    found = classify_error(answer)

    assert isinstance(found, ours.TelegramUnreachable)
    assert found.maybe_sent is maybe


def _names(error: type[ours.DeliveryError]) -> set[str]:
    """The names of all that is a kind of this error."""
    kinds = error.__subclasses__()
    return {kind.__name__ for kind in kinds}.union(*map(_names, kinds))


def test_the_documentation_gives_every_refusal_the_meaning_that_it_has() -> None:
    documented = {words: error for answer, error, _ in ROWS if answer.startswith("`400`") for words in answer[6:].split(" · ")}
    special = {"with a new id of the group", "any other", "message is not modified"}
    special.add("unsupported start tag, for a tag that Telegram documents")

    known = {words: made.__name__ for words, made in responses._REFUSAL_MEANINGS}
    assert {words: error for words, error in documented.items() if words not in special} == known
    assert {error for _, error, _ in ROWS} == {*_names(ours.DeliveryError), "–"}


def test_the_documentation_names_every_reason() -> None:
    assert [reason for reason in Reason if not re.search(rf"^\|.*\b{reason}\b", DOCS, re.MULTILINE)] == []


@pytest.mark.parametrize(
    ("status", "body", "meant"),
    [
        (429, {"description": "Too Many Requests", "parameters": {"retry_after": 7}}, ours.RetryAfter),
        (429, {"description": "Too Many Requests"}, ours.RetryAfter),
        (420, {"description": "FLOOD_WAIT_9"}, ours.RetryAfter),
        (429, {"description": "Too Many Requests", "parameters": {"retry_after": 1e18}}, ours.RetryAfter),
        (400, {"description": "Bad Request: SOMETHING_NEW"}, ours.RequestRefused),
        (402, {"description": "Payment Required"}, ours.RequestRefused),
        (400, {"description": "Bad Request: BALANCE_TOO_LOW"}, ours.PaymentRefused),
        (400, {"description": "Bad Request: not enough Telegram Stars"}, ours.PaymentRefused),
        (406, {"description": "Not Acceptable"}, ours.RequestRefused),
        (413, {"description": "Request Entity Too Large"}, ours.RequestRefused),
        (408, {"description": "Request Timeout"}, ours.TelegramUnreachable),
        (400, {"description": "Bad Request: CHAT_SEND_PLAIN_FORBIDDEN"}, ours.ChatGone),
        (400, {"description": "Bad Request: message caption is too long"}, ours.TextRefused),
        (400, {"description": "Bad Request: MESSAGE_EDIT_TIME_EXPIRED"}, ours.MessageLocked),
        (400, {"description": "Bad Request: MESSAGE_NOT_MODIFIED"}, type(None)),
        (400, {"description": "Bad Request: upgraded", "parameters": {"migrate_to_chat_id": -100}}, ours.ChatMigrated),
        (400, {"description": "Bad Request: chat not found"}, ours.ChatGone),
        (403, {"description": "Forbidden: bot was kicked"}, ours.ChatGone),
        (401, {"description": "Unauthorized"}, ours.TokenRefused),
        (404, {"description": "Not Found"}, ours.TokenRefused),
        (500, {"description": "Internal Server Error"}, ours.TelegramUnreachable),
        (502, b"<html>", ours.NotTelegram),
        (403, b"<html>", ours.NotTelegram),
        (200, b"cut", ours.NotTelegram),
        (200, {"ok": True}, ours.NotTelegram),
    ],
)
def test_every_status_and_body_has_a_meaning(status: int, body: object, meant: type[Exception]) -> None:
    with pytest.raises(api.TelegramError) as refused:
        parse_response(status, body if isinstance(body, bytes) else msgspec.json.encode(body))

    assert type(classify_error(refused.value)) is meant


@pytest.mark.parametrize(("answer", "number"), [({"message_id": 7, "date": 1}, 7), (True, 0)])
def test_what_was_done_gives_the_messages_id(answer: object, number: int) -> None:
    assert parse_response(200, msgspec.json.encode({"ok": True, "result": answer})) == number


@pytest.mark.parametrize(
    ("body", "seconds"),
    [
        ({"description": "Too Many Requests: retry after 17"}, 17.0),
        ({"description": "FLOOD_WAIT_17"}, 17.0),
        ({"description": "Too Many Requests"}, 5.0),
        ({"description": "Too Many Requests", "parameters": {"retry_after": 0}}, 5.0),
        ({"description": "Too Many Requests", "parameters": {"retry_after": -5}}, 1.0),
        ({"description": "Too Many Requests", "parameters": {"retry_after": 1e18}}, 86_400.0),
    ],
)
def test_whatever_time_is_named_the_chat_waits_a_second_at_least_and_a_day_at_most(
    body: dict[str, object], seconds: float
) -> None:
    with pytest.raises(api.RetryAfter) as refused:
        parse_response(429, msgspec.json.encode(body))
    found = classify_error(refused.value)

    assert isinstance(found, ours.RetryAfter) and found.seconds == seconds


@pytest.mark.parametrize(
    ("status", "body", "is_unanswered"),
    [
        (200, b"", True),
        (200, b'{"ok": true, "result": {"mess', True),
        (200, b'{"ok": true}', True),
        (200, b"<html>sign in</html>", False),
        (503, b"<html>", False),
        (504, b"<html>", True),
    ],
)
def test_a_success_that_is_cut_off_counts_as_carried_out(status: int, body: bytes, is_unanswered: bool) -> None:
    with pytest.raises(ForeignAnswer) as foreign:
        check_answer("sendMessage", status, "application/json", body)
    found = classify_error(foreign.value)

    assert isinstance(found, ours.NotTelegram) and found.is_unanswered is is_unanswered


def test_a_page_is_of_a_proxy_however_its_content_type_is_written() -> None:
    with pytest.raises(ForeignAnswer, match=r"status 200, text/html\)") as foreign:
        check_answer("sendMessage", 200, "Text/HTML; charset=UTF-8", b"Please log in")
    found = classify_error(foreign.value)

    assert isinstance(found, ours.NotTelegram) and not found.is_unanswered


def test_a_request_that_is_too_large_for_a_proxy_concerns_no_other() -> None:
    with pytest.raises(api.BadRequest) as refused:
        check_answer("sendPhoto", 413, "text/html", b"<html>413 Request Entity Too Large</html>")

    assert isinstance(classify_error(refused.value), ours.RequestRefused)


@pytest.mark.parametrize("wait", [7, dt.timedelta(seconds=7)])
def test_the_seconds_to_wait_are_those_that_telegram_names(wait: int | dt.timedelta) -> None:
    found = classify_error(api.RetryAfter(wait))

    assert isinstance(found, ours.RetryAfter) and found.seconds == 7.0


def test_a_group_that_moved_has_its_new_id() -> None:
    found = classify_error(api.ChatMigrated(-100123))

    assert isinstance(found, ours.ChatMigrated) and found.new_chat_id == -100123


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (api.Forbidden("Forbidden: bot was kicked"), "bot was kicked"),
        (api.BadRequest("Chat not found"), "Chat not found"),
        (api.BadRequest("Something new"), "Something new"),
        (api.NetworkError("Bad Gateway"), "Bad Gateway"),
        (api.InvalidToken(), "Telegram does not know the bot's token"),
    ],
)
def test_an_error_says_what_telegram_said(answer: api.TelegramError, words: str) -> None:
    assert words in str(classify_error(answer))


@pytest.mark.parametrize(
    ("status", "body", "error", "words"),
    [
        (200, {"ok": False, "description": "Odd"}, api.NetworkError, "Odd"),
        (201, {"ok": True, "result": {"message_id": 7}}, ForeignAnswer, "an answer that is not Telegram's (status 201)"),
        (400, {"description": "Bad Request: chat not found"}, api.BadRequest, "Chat not found"),
        (403, {"description": "Forbidden: no"}, api.Forbidden, "Forbidden: no"),
        (401, {"description": "Unauthorized"}, api.InvalidToken, "Unauthorized"),
        (404, {}, ForeignAnswer, "an answer that is not Telegram's (status 404)"),
        (502, {"description": "Bad Gateway"}, api.NetworkError, "Bad Gateway"),
    ],
)
def test_a_refusal_is_the_librarys_error_with_its_words(
    status: int, body: dict[str, object], error: type[api.TelegramError], words: str
) -> None:
    with pytest.raises(api.TelegramError) as refused:
        parse_response(status, msgspec.json.encode(body))

    assert isinstance(refused.value, error) and words in refused.value.message


def test_a_refusal_with_parameters_has_their_values() -> None:
    with pytest.raises(api.RetryAfter) as slow:
        parse_response(429, b'{"ok": false, "parameters": {"retry_after": 7}}')
    with pytest.raises(api.ChatMigrated) as moved:
        parse_response(400, b'{"ok": false, "parameters": {"migrate_to_chat_id": -100, "retry_after": 7}}')

    assert (slow.value.retry_after, moved.value.new_chat_id) == (dt.timedelta(seconds=7), -100)


def test_the_labels_of_answers_in_metrics_stay() -> None:
    assert {kind.__name__ if kind else "": label for kind, label in responses.RESULT_LABELS.items()} == {
        "": "ok",
        "RetryAfter": "429",
        "ChatGone": "gone",
        "ChatMigrated": "migrated",
        "TopicGone": "topic_gone",
        "TopicClosed": "topic_closed",
        "MessageGone": "message_gone",
        "MessageLocked": "message_locked",
        "TextRefused": "refused",
        "PictureRefused": "picture_refused",
        "PictureForbidden": "picture_forbidden",
        "PaymentRefused": "payment_refused",
        "RequestRefused": "not_understood",
        "MethodUnknown": "method_unknown",
        "TokenRefused": "token_refused",
        "NotTelegram": "not_telegram",
        "TelegramUnreachable": "unreachable",
    }


PAGE = b"<!DOCTYPE html><html><title>Blocked</title></html>"


@pytest.mark.parametrize("status", [200, 302, 400, 401, 403, 404, 407, 429, 502])
@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (PAGE, "text/html"),
        (b"", ""),
        (b"Forbidden", "text/plain"),
        (b'{"error": "forbidden"}', "application/json"),
        (b'{"ok": false}', "application/json"),
        (b'{"ok": true}', "application/json"),
        (b"[1, 2]", "application/json"),
    ],
)
def test_only_telegram_speaks_for_telegram(status: int, body: bytes, content_type: str) -> None:
    with pytest.raises(ForeignAnswer) as found:
        check_answer("sendMessage", status, content_type, body)

    meant = classify_error(found.value)
    assert type(meant) is ours.NotTelegram and str(status) in str(meant)


@pytest.mark.parametrize(
    ("status", "body", "maybe"),
    [
        (403, PAGE, False),
        (200, PAGE, False),
        (302, b"", False),
        (502, PAGE, True),
        (200, b'{"ok": true}', True),
        (200, b'{"ok": tr', True),
    ],
)
def test_a_page_in_place_of_an_answer_kept_the_request_to_itself_and_a_broken_answer_may_not_have(
    status: int, body: bytes, maybe: bool
) -> None:
    with pytest.raises(ForeignAnswer) as found:
        check_answer("sendMessage", status, "text/html", body)

    assert found.value.maybe_sent is maybe


@pytest.mark.parametrize(("status", "is_slow"), [(504, True), (524, True), (408, True), (502, False), (403, False)])
def test_a_proxy_that_waited_too_long_for_telegram_is_a_slow_answer(status: int, is_slow: bool) -> None:
    with pytest.raises(ForeignAnswer) as found:
        check_answer("sendMessage", status, "text/html", PAGE)

    meaning = classify_error(found.value)
    assert isinstance(meaning, ours.NotTelegram) and meaning.is_unanswered is is_slow


@pytest.mark.parametrize(
    ("method", "status", "description", "refused"),
    [
        ("getMe", 401, "Unauthorized", True),
        ("sendMessage", 404, "Not Found", True),
        ("sendMessage", 403, "Forbidden: bot was blocked by the user", False),
        ("sendRichMessage", 404, "Not Found", None),
        ("sendMessage", 404, "Not Found: method not found", None),
    ],
)
def test_a_method_that_a_server_lacks_is_no_refused_token(
    method: str, status: int, description: str, refused: bool | None
) -> None:
    body = msgspec.json.encode({"ok": False, "error_code": status, "description": description})

    if refused is None:
        with pytest.raises(api.EndPointNotFound):
            check_answer(method, status, "application/json", body)
    else:
        assert check_answer(method, status, "application/json", body) is refused


@pytest.mark.parametrize(
    ("words", "tag"),
    [
        ('Can\'t parse entities: Unsupported start tag "tg-time" at byte offset 7', "tg-time"),
        ('Can\'t parse entities: Unsupported start tag "bold" at byte offset 7', "bold"),
        ("Can't parse entities: unclosed start tag at byte offset 7", ""),
    ],
)
def test_a_tag_that_is_not_supported_is_named(words: str, tag: str) -> None:
    found = classify_error(api.BadRequest(words))

    assert isinstance(found, ours.TextRefused) and found.tag == tag


def test_what_every_server_has_are_methods_of_the_bot_api() -> None:
    assert [method for method in responses._METHODS_OF_EVERY_SERVER if not hasattr(telegram.Bot, method)] == []
