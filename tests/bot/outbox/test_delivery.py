"""What a chat has seen, revision by revision."""

from __future__ import annotations

from bot.outbox.delivery import HistoryLine, LatencyTrace, Reason, add_to_history, read_history
from rules.engine.alert import State
from tests.bot.news import NOW, alert, delivered

LATENCY = LatencyTrace(812.4, 0.6, 0.0, 3.1, 51.7)


def test_a_revision_is_remembered_with_its_way_and_a_reply_with_its_id() -> None:
    delivery = add_to_history(delivered(alert(1)), Reason.FIRST, NOW, LATENCY)
    delivery = add_to_history(delivery, Reason.RETRACTION, NOW, reply_id=57)

    assert read_history(delivery) == (
        HistoryLine(NOW.timestamp(), "first", State.CONFIRMED, 1, LATENCY),
        HistoryLine(NOW.timestamp(), "retraction", State.CONFIRMED, 1, reply_id=57),
    )


def test_lines_of_earlier_versions_are_read() -> None:
    delivery = delivered(alert(1), history="1786804200.0 first pending 1\n1786804209.5 revision confirmed 2")

    assert [(seen.state, seen.seq, seen.latency) for seen in read_history(delivery)] == [
        (State.PENDING, 1, None),
        (State.CONFIRMED, 2, None),
    ]


def test_only_the_latest_lines_are_kept() -> None:
    delivery = delivered(alert(1))
    for number in range(30):
        delivery = add_to_history(delivery, Reason.REVISION, NOW, reply_id=number + 1)

    assert [seen.reply_id for seen in read_history(delivery)] == list(range(11, 31))
