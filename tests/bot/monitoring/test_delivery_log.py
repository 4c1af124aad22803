"""One line an alert, with the latency of each step."""

from __future__ import annotations

import datetime as dt
import io
import json
import re
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
import structlog

from bot.clock import ManualClock
from bot.logs import configure_logging
from bot.monitoring.delivery_log import SUMMARY_DELAY, DeliveryLog
from bot.outbox.delivery import Delivery, DeliveryResult, QueueItem, Reason
from bot.outbox.latency import LatencyTrace
from bot.subscribers import ChatRef
from bot.telegram.plan import Edit, MessagePlan, Reply, Send
from rules.engine.alert import Alert
from tests.bot.news import NOW, alert, retracted

LATENCY = LatencyTrace(812.44, 0.6, 0.0, 3.1, 51.7)


@pytest.fixture
def out() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    configure_logging(stream=stream)
    yield stream
    structlog.reset_defaults()


def delivered(by: Alert, chat: int = 1, op: str = "send", latency: LatencyTrace = LATENCY) -> tuple[MessagePlan, DeliveryResult]:
    delivery = Delivery(by.key, ChatRef(chat))
    plans: dict[str, MessagePlan] = {
        "send": Send(delivery, by, by.text, False, Reason.FIRST),
        "edit": Edit(delivery, by, by.text, Reason.FIRST),
        "reply": Reply(delivery, by, by.text, False, Reason.FIRST),
    }
    return plans[op], DeliveryResult(QueueItem(by.key, ChatRef(chat), 0, by.seq, 0.0), delivery, 7, latency=latency)


def lines(out: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_an_alert_is_one_line_with_the_latency_of_each_step(out: io.StringIO) -> None:
    delivery_log = DeliveryLog(ManualClock(NOW))
    delivery_log.on_delivered(*delivered(alert(3)))

    (line,) = lines(out)
    named = {"event": "alert_delivered", "fixture": "f1", "action": "g", "number": 3, "rule": "goals", "kind": "goal"}
    named |= {"op": "send", "reason": "first", "state": "confirmed", "chat": 1}
    steps = {"feed_ms": 812.4, "outbox_ms": 0.6, "waited_ms": 0.0, "request_ms": 3.1, "telegram_ms": 51.7, "total_ms": 55.4}
    assert {key: line[key] for key in named | steps} == named | steps


def test_all_revisions_have_the_same_trace_id_and_each_has_that_of_the_feed(out: io.StringIO) -> None:
    delivery_log = DeliveryLog(ManualClock(NOW))
    for number, feed_trace in ((1, "feed-1"), (2, "feed-2"), (3, "")):
        delivery_log.on_delivered(*delivered(msgspec.structs.replace(alert(number), feed_trace_id=feed_trace)))
    delivery_log.on_delivered(*delivered(alert(1, action="other")))

    found = lines(out)
    assert [line["feed_trace_id"] for line in found] == ["feed-1", "feed-2", None, None]
    ours = [line["trace_id"] for line in found]
    assert ours[0] == ours[1] == ours[2] != ours[3]
    assert re.fullmatch("[0-9a-f]{12}", ours[0])


def test_chats_that_do_not_get_an_alert_are_one_line_for_each_reason(out: io.StringIO) -> None:
    clock = ManualClock(NOW)
    delivery_log = DeliveryLog(clock)
    key = alert(1).key
    for _ in range(1000):
        delivery_log.on_skipped(key, Reason.EXPIRED)
    delivery_log.on_skipped(key, Reason.MUTED)
    delivery_log.log_completed()
    assert lines(out) == []
    clock.move_to(NOW + dt.timedelta(seconds=SUMMARY_DELAY))
    delivery_log.log_completed()
    delivery_log.log_completed()

    assert [(line["event"], line["reason"], line["chats"], line["trace_id"]) for line in lines(out)] == [
        ("alert_skipped", "expired", 1000, key.trace_id),
        ("alert_skipped", "muted", 1, key.trace_id),
    ]


def test_many_chats_are_one_line_more_and_each_revision_has_its_own(out: io.StringIO) -> None:
    clock = ManualClock(NOW)
    delivery_log = DeliveryLog(clock)
    for chat in (1, 2, 3):
        delivery_log.on_delivered(*delivered(alert(1), chat, latency=LatencyTrace(telegram=10.0 * chat, outbox=1.0, request=1.0)))
    delivery_log.on_delivered(*delivered(retracted(2), op="edit"))
    clock.move_to(NOW.replace(minute=59))
    delivery_log.log_completed()

    found = lines(out)
    assert [line["event"] for line in found] == ["alert_delivered", "alert_delivered", "alert_reached_chats"]
    assert (found[2]["number"], found[2]["chats"], found[2]["slowest_ms"]) == (1, 3, 32.0)


def test_a_chat_with_a_delay_makes_no_further_line(out: io.StringIO) -> None:
    clock = ManualClock(NOW)
    delivery_log = DeliveryLog(clock)
    delivery_log.on_delivered(*delivered(alert(1)))
    clock.move_to(NOW + dt.timedelta(minutes=5))
    delivery_log.log_completed()
    delivery_log.on_delivered(*delivered(alert(1), chat=2))
    delivery_log.log_completed()

    assert [line["event"] for line in lines(out)] == ["alert_delivered"]


def test_an_alert_that_still_reaches_chats_is_not_summed_up(out: io.StringIO) -> None:
    clock = ManualClock(NOW)
    delivery_log = DeliveryLog(clock)
    for chat in range(1, 11):
        clock.move_to(NOW + dt.timedelta(seconds=chat * (SUMMARY_DELAY - 0.5)))
        delivery_log.on_delivered(*delivered(alert(1), chat))
        delivery_log.log_completed()

    assert [line["event"] for line in lines(out)] == ["alert_delivered"]


def test_a_match_card_that_is_changed_every_minute_is_no_line(out: io.StringIO) -> None:
    delivery_log = DeliveryLog(ManualClock(NOW))
    for number in (1, 2):
        delivery_log.on_delivered(*delivered(alert(number, kind="card", rule="")))

    assert lines(out) == []
