"""How long each step of an alert took."""

from __future__ import annotations

import pytest

from bot.outbox.latency import (
    LatencyTrace,
    Timestamps,
    format_latency,
    measure_latency,
    parse_latency,
)

FRAME = Timestamps(happened=99.0, received=100.0, stored=100.25, due=100.25)


def test_every_step_has_its_milliseconds() -> None:
    assert measure_latency(FRAME, 100.75, 101.0) == LatencyTrace(
        feed=1000.0, outbox=250.0, waited=0.0, request=500.0, telegram=250.0
    )


def test_a_chats_delay_and_telegrams_limits_are_not_taken_for_slowness() -> None:
    latency = measure_latency(Timestamps(99.0, 100.0, 100.25, due=130.25, intended_wait=30.0, held=2.0), 132.5, 133.0)

    assert (latency.waited, latency.request, latency.total) == (32_000.0, 250.0, 1000.0)


def test_what_is_not_known_stays_unknown() -> None:
    latency = measure_latency(Timestamps(happened=99.0), 200.0, 200.5)

    assert latency == LatencyTrace(telegram=500.0)
    assert latency.total is None


def test_a_clock_that_was_set_back_makes_no_time() -> None:
    assert measure_latency(FRAME, 50.0, 49.0) == LatencyTrace(1000.0, 250.0, 0.0, 0.0, 0.0)


@pytest.mark.parametrize("latency", [LatencyTrace(), LatencyTrace(812.4, 0.6, 30_000.0, 3.1, 51.7), LatencyTrace(telegram=5.0)])
def test_what_is_written_is_read(latency: LatencyTrace) -> None:
    assert parse_latency(format_latency(latency)) == latency
