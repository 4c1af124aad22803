from __future__ import annotations

import pytest

from bot.console.traces import RevisionTrace, TraceSums, describe_trace, format_frame, format_milliseconds
from bot.outbox.delivery import HistoryLine
from bot.outbox.latency import LatencyTrace
from rules.engine.alert import State
from tests.bot.news import NOW


def test_the_last_chat_counts_with_what_it_waited_and_a_reply_does_not_count() -> None:
    sums = TraceSums()
    sums.add((HistoryLine(1.0, "first", State.CONFIRMED, 4, LatencyTrace(80.0, 2.0, 0.0, 10.0, 50.0)),))
    sums.add(
        (
            HistoryLine(9.0, "first", State.CONFIRMED, 4, LatencyTrace(80.0, 2.0, 30_000.0, 12.0, 40.0)),
            HistoryLine(9.5, "graver", State.CONFIRMED, 4, LatencyTrace(None, None, 0.0, 1.0, 1.0), reply_id=7),
        )
    )

    (trace,) = sums.make_traces(())

    assert (trace.chats, trace.first_ms, trace.last_ms, trace.last_waited_ms) == (2, 62.0, 30_054.0, 30_000.0)
    assert describe_trace(trace) == (
        "frame arrived 80 ms after the feed's own time",
        "decided after 2.0 ms",
        "in the first chat after 62 ms",
        "in the last of 2 chats after 30.1 s, 30.0 s of it for its delay, quiet hours or Telegram's limits",
    )


def test_steps_of_which_the_time_is_not_known_are_left_out_of_a_trace() -> None:
    assert describe_trace(RevisionTrace(1, received_at=NOW)) == ("frame arrived at 14:30:00.000 UTC",)
    assert describe_trace(RevisionTrace(1, chats=3)) == ("in 3 chats, how fast is not known",)


def test_a_frame_that_is_no_json_is_shown_as_it_is() -> None:
    assert format_frame(b"\xff<html>") == "\ufffd<html>"


@pytest.mark.parametrize(("milliseconds", "text"), [(0.64, "0.6 ms"), (52.4, "52 ms"), (1234.0, "1.2 s"), (185_000.0, "3 min")])
def test_times_are_told_as_short_as_they_matter(milliseconds: float, text: str) -> None:
    assert format_milliseconds(milliseconds) == text
