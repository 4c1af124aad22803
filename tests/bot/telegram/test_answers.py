import datetime as dt

import pytest
import telegram.error as api

from bot import errors as ours
from bot.telegram.answers import NotSent, meaning


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
        (api.BadRequest("TOPIC_CLOSED"), ours.TopicGone),
        (api.BadRequest("Not enough rights to send text messages to the chat"), ours.ChatGone),
        (api.BadRequest("Chat not found"), ours.ChatGone),
        (api.BadRequest("Can't parse entities: unsupported start tag"), ours.TextRefused),
        (api.BadRequest("Message is too long"), ours.TextRefused),
        (api.BadRequest("Something new"), ours.TextRefused),
        (api.NetworkError("Bad Gateway"), ours.TelegramUnreachable),
        (api.TimedOut(), ours.TelegramUnreachable),
        (NotSent("no connection"), ours.TelegramUnreachable),
        (api.Conflict("another"), ours.TelegramUnreachable),
    ],
)
def test_every_answer_has_a_meaning(answer: api.TelegramError, meant: type[Exception]) -> None:
    assert type(meaning(answer)) is meant


@pytest.mark.parametrize(("answer", "maybe"), [(api.TimedOut(), True), (NotSent("no connection"), False)])
def test_only_a_request_that_left_may_have_arrived(answer: api.TelegramError, maybe: bool) -> None:
    found = meaning(answer)

    assert isinstance(found, ours.TelegramUnreachable)
    assert found.maybe_sent is maybe
