"""One table says what to do about a connection that failed."""

from __future__ import annotations

import datetime as dt
import random
import socket
import ssl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.feed.backoff import (
    REMEDIES,
    Trouble,
    Wait,
    full_jitter,
    not_open_delay,
    of_close,
    of_error,
    of_status,
    retry_after,
)

NOW = dt.datetime(2026, 8, 15, 14, 0, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("status", "trouble"),
    [
        (401, Trouble.REFUSED),
        (403, Trouble.REFUSED),
        (404, Trouble.NOT_OPEN),
        (204, Trouble.NOT_OPEN),
        (429, Trouble.BUSY),
        (500, Trouble.SERVER),
        (503, Trouble.SERVER),
        (400, Trouble.REJECTED),
    ],
)
def test_each_status_of_a_handshake_has_its_meaning(status: int, trouble: Trouble) -> None:
    assert of_status(status) is trouble


@pytest.mark.parametrize(
    ("code", "authorised", "trouble"),
    [
        (1000, True, Trouble.CLOSED),
        (1001, True, Trouble.CLOSED),
        (1008, False, Trouble.REFUSED),
        (1008, True, Trouble.CLOSED),
        (1012, True, Trouble.SERVER),
        (1013, True, Trouble.BUSY),
        (None, True, Trouble.NETWORK),
        (4999, True, Trouble.NETWORK),
    ],
)
def test_each_close_code_has_its_meaning(code: int | None, authorised: bool, trouble: Trouble) -> None:
    assert of_close(code, authorised=authorised) is trouble


@pytest.mark.parametrize(
    ("error", "trouble"),
    [
        (socket.gaierror("no such host"), Trouble.DNS),
        (ssl.SSLError("old"), Trouble.TLS),
        (OSError("gone"), Trouble.NETWORK),
        (TimeoutError(), Trouble.NETWORK),
    ],
)
def test_each_error_of_the_network_has_its_meaning(error: Exception, trouble: Trouble) -> None:
    assert of_error(error) is trouble


def test_every_trouble_has_a_remedy() -> None:
    assert set(REMEDIES) == set(Trouble)
    assert REMEDIES[Trouble.REFUSED].wait is Wait.REFUSED
    assert {trouble for trouble, remedy in REMEDIES.items() if remedy.next_host} == {Trouble.DNS, Trouble.TLS}


@given(st.integers())
def test_no_luck_makes_more_than_ten_attempts_of_a_minute(seed: int) -> None:
    delays = full_jitter(random.Random(seed))
    first = [next(delays) for _ in range(12)]

    assert sum(first[:10]) > 60
    assert all(1 <= delay <= 60 for delay in first)


def test_a_stream_not_open_yet_is_tried_faster_near_the_kick_off() -> None:
    assert not_open_delay(NOW + dt.timedelta(minutes=14), NOW) == 30
    assert not_open_delay(NOW + dt.timedelta(minutes=4), NOW) == 5
    assert not_open_delay(None, NOW) == 30


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
    assert retry_after(header, NOW) == seconds
