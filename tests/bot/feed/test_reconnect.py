"""One table maps the cause of a failed connection to its remedy."""

from __future__ import annotations

import datetime as dt
import random
import socket
import ssl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.feed.reconnect import (
    REMEDIES,
    FailureCause,
    RetryDelays,
    WaitPolicy,
    choose_not_open_delay,
    classify_close_code,
    classify_network_error,
    classify_status,
    jittered_delays,
    parse_retry_after,
)

NOW = dt.datetime(2026, 8, 15, 14, 0, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("status", "cause"),
    [
        (401, FailureCause.REFUSED),
        (403, FailureCause.REFUSED),
        (404, FailureCause.NOT_OPEN),
        (204, FailureCause.NOT_OPEN),
        (429, FailureCause.BUSY),
        (500, FailureCause.SERVER),
        (503, FailureCause.SERVER),
        (400, FailureCause.REJECTED),
        (301, FailureCause.MOVED),
        (308, FailureCause.MOVED),
        (304, FailureCause.REJECTED),
    ],
)
def test_each_status_of_a_handshake_has_its_meaning(status: int, cause: FailureCause) -> None:
    assert classify_status(status) is cause


@pytest.mark.parametrize(
    ("code", "authorised", "cause"),
    [
        (1000, True, FailureCause.CLOSED),
        (1001, True, FailureCause.CLOSED),
        (1008, False, FailureCause.REFUSED),
        (1008, True, FailureCause.CLOSED),
        (1012, True, FailureCause.SERVER),
        (1013, True, FailureCause.BUSY),
        (None, True, FailureCause.NETWORK),
        (4999, True, FailureCause.NETWORK),
        (1014, True, FailureCause.SERVER),
        (3000, False, FailureCause.REFUSED),
        (4401, False, FailureCause.REFUSED),
        (4401, True, FailureCause.CLOSED),
        (4429, False, FailureCause.BUSY),
    ],
)
def test_each_close_code_has_its_meaning(code: int | None, authorised: bool, cause: FailureCause) -> None:
    assert classify_close_code(code, is_authorised=authorised) is cause


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (socket.gaierror("no such host"), FailureCause.DNS),
        (ssl.SSLError("old"), FailureCause.TLS),
        (OSError("gone"), FailureCause.NETWORK),
        (TimeoutError(), FailureCause.NETWORK),
    ],
)
def test_each_error_of_the_network_has_its_meaning(error: Exception, cause: FailureCause) -> None:
    assert classify_network_error(error) is cause


def test_every_trouble_has_a_remedy() -> None:
    assert set(REMEDIES) == set(FailureCause)
    assert REMEDIES[FailureCause.REFUSED].wait is WaitPolicy.REFUSED
    assert {cause for cause, remedy in REMEDIES.items() if remedy.switches_host} == {
        FailureCause.DNS,
        FailureCause.TLS,
        FailureCause.MOVED,
    }


@given(st.integers())
def test_no_luck_makes_more_than_ten_attempts_of_a_minute(seed: int) -> None:
    delays = jittered_delays(random.Random(seed))
    first = [next(delays) for _ in range(12)]

    assert sum(first[:10]) > 60
    assert all(1 <= delay <= 60 for delay in first)


def test_a_stream_not_open_yet_is_tried_faster_near_the_kick_off() -> None:
    assert choose_not_open_delay(NOW + dt.timedelta(minutes=14), NOW) == 30
    assert choose_not_open_delay(NOW + dt.timedelta(minutes=4), NOW) == 5
    assert choose_not_open_delay(None, NOW) == 30


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        ("99999", 600.0),
        ("Sat, 15 Aug 2026 14:00:09 GMT", 9.0),
        ("Sat, 15 Aug 2026 13:00:00 GMT", 0.0),
        ("soon", None),
        ("Sat, 15 Aug 2026 14:00:09 -0000", None),
        ("", None),
        (None, None),
    ],
)
def test_a_retry_after_is_seconds_or_a_date(header: str | None, seconds: float | None) -> None:
    assert parse_retry_after(header, NOW) == seconds


def test_delays_begin_anew_after_a_good_connection_but_not_more_than_eight_times_a_minute() -> None:
    delays = RetryDelays(random.Random(1))

    def choose() -> float:
        return delays.choose(FailureCause.NETWORK, NOW, None, retry_after=None, is_match_over=False)

    first = []
    for second in range(10):
        for _ in range(8):
            choose()
        delays.start_anew(float(second))
        first.append(choose())

    assert max(first[:8]) <= 2
    assert min(first[8:]) >= 15


def test_a_match_that_is_over_is_not_hurried_and_a_server_gets_the_time_that_it_asks_for() -> None:
    delays = RetryDelays(random.Random(1))

    assert delays.choose(FailureCause.CLOSED, NOW, None, retry_after=None, is_match_over=True) >= 21
    assert delays.choose(FailureCause.NOT_OPEN, NOW, None, retry_after=None, is_match_over=True) == 50
    assert delays.choose(FailureCause.BUSY, NOW, None, retry_after=99.0, is_match_over=False) == 99
    assert delays.choose(FailureCause.GAP, NOW, None, retry_after=99.0, is_match_over=True) == 0
