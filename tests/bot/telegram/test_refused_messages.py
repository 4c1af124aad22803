from __future__ import annotations

import pytest

from bot.outbox.delivery import QueueItem
from bot.subscribers import ChatRef
from bot.telegram.refused_messages import RefusedMessages
from rules.engine.alert import AlertKey

HOUR = 3600.0


def item(chat_id: int = 1, action: str = "a") -> QueueItem:
    return QueueItem(AlertKey("f1", action), ChatRef(chat_id), 0, 1, 0.0)


def test_a_refused_message_is_tried_twice_more_then_as_plain_text_and_then_given_up() -> None:
    refused, seen = RefusedMessages(), []
    for _ in range(3):
        seen.append((refused.record_refusal(item()), refused.find_retry_delay(item()), refused.should_send_as_plain_text(item())))

    assert seen == [(True, 1.0, False), (True, 5.0, True), (False, 0.0, False)]
    assert not refused.was_refused(item()), "what is given up is forgotten"


def test_refusals_are_counted_by_message_and_end_when_telegram_takes_it() -> None:
    refused = RefusedMessages()
    refused.record_refusal(item())

    assert [refused.was_refused(one) for one in (item(), item(2), item(action="b"))] == [True, False, False]
    refused.forget(item())
    assert not refused.was_refused(item())


@pytest.mark.parametrize(("is_forbidden", "refusals"), [(False, 2), (True, 1)])
def test_a_picture_is_uploaded_once_more_unless_the_chat_forbids_photos_and_then_the_chat_gets_text_for_an_hour(
    is_forbidden: bool, refusals: int
) -> None:
    refused, taken = RefusedMessages(), []
    for _ in range(refusals):
        taken.append(refused.takes_picture(item(), 0.0))
        refused.on_picture_refused(item(), 0.0, is_forbidden=is_forbidden)

    assert all(taken)
    assert [refused.takes_picture(item(action="b"), now) for now in (0.0, HOUR - 1, HOUR)] == [False, False, True]
    assert refused.takes_picture(item(2), 0.0), "another chat takes photos"


def test_a_message_that_is_tried_as_plain_text_goes_without_its_picture() -> None:
    refused = RefusedMessages()
    refused.record_refusal(item())
    assert refused.takes_picture(item(), 0.0)
    refused.record_refusal(item())
    assert not refused.takes_picture(item(), 0.0)


def test_chats_whose_hour_is_over_are_forgotten() -> None:
    refused = RefusedMessages()
    refused.on_picture_refused(item(1), 0.0, is_forbidden=True)
    refused.on_picture_refused(item(2), HOUR - 1, is_forbidden=True)
    refused.on_picture_refused(item(3), HOUR, is_forbidden=True)

    assert [refused.takes_picture(item(chat), HOUR) for chat in (1, 2, 3)] == [True, False, False]
