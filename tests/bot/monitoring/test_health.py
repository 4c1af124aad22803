"""Not ready: which thing, and since when."""

from __future__ import annotations

import datetime as dt

import pytest
from msgspec.structs import replace

from bot.feed.session import SessionState
from bot.feed.source import ConnectionStatus
from bot.monitoring.health import DatabaseProblem, ProcessHealth, TelegramHealth, reasons_not_ready
from tests.bot.monitoring.samples import ago, facts, status
from tests.packets import FIXTURE


def iso(instant: dt.datetime) -> str:
    return f"{instant:%Y-%m-%dT%H:%M:%SZ}"


NO_FRAME = f"feed: fixture {FIXTURE.id} (Arsenal v Chelsea) has had no frame since "


@pytest.mark.parametrize(
    "well",
    [
        facts(),
        facts(status()),
        facts(status(seconds_since_frame=29)),
        facts(status(SessionState.WAITING, seconds_since_frame=4)),
        facts(status(SessionState.CONNECTING, seconds_since_frame=None, wanted_since=ago(4))),
        facts(status(SessionState.WAITING, seconds_since_frame=None, is_not_open=True)),
        facts(status(SessionState.WAITING, seconds_since_frame=3000, is_ended=True)),
        facts(feed=None),
        facts(telegram=TelegramHealth(failing_since=ago(9))),
        facts(telegram=TelegramHealth(clock_skew=60.0)),
        facts(free_disk_bytes=0),
    ],
)
def test_a_healthy_process_has_no_reason_not_to_be_ready(well: ProcessHealth) -> None:
    assert reasons_not_ready(well) == ()


@pytest.mark.parametrize(
    ("silent", "since", "state"),
    [
        (status(seconds_since_frame=31), ago(31), "live"),
        (status(SessionState.WAITING, seconds_since_frame=6), ago(6), "waiting"),
        (status(SessionState.REFUSED, seconds_since_frame=None), ago(600), "refused"),
        (status(SessionState.WAITING, seconds_since_frame=None, is_not_open=True, kickoff=ago(301)), ago(600), "waiting"),
    ],
)
def test_a_due_connection_without_a_frame_is_named(silent: ConnectionStatus, since: dt.datetime, state: str) -> None:
    assert reasons_not_ready(facts(status(), silent)) == (f"{NO_FRAME}{iso(since)}, {state}",)


def test_every_reason_not_to_be_ready_has_its_line() -> None:
    telegram = TelegramHealth(failing_since=ago(11), refused_since=ago(12))
    lines = reasons_not_ready(
        facts(status(seconds_since_frame=40), telegram=telegram, database=DatabaseProblem("it is away", ago(13)))
    )

    assert lines == (
        f"database: cannot be used since {iso(ago(13))}: it is away",
        f"telegram: the bot token is refused since {iso(ago(12))}",
        f"telegram: no request got through since {iso(ago(11))}",
        f"{NO_FRAME}{iso(ago(40))}, live",
    )


def test_a_process_that_still_waits_for_telegram_is_not_ready() -> None:
    waiting = facts(status(seconds_since_frame=40), is_working=False, telegram=TelegramHealth(failing_since=ago(5)))

    assert reasons_not_ready(waiting) == (f"start: Telegram has not let the bot in since {iso(ago(3600))}",)


@pytest.mark.parametrize(("read", "since"), [(None, 3600), (1801, 1801)])
def test_fixtures_that_cannot_be_read_leave_it_open_what_is_due(read: float | None, since: float) -> None:
    known = facts()
    assert known.feed
    old = replace(known, feed=replace(known.feed, fixtures_read_at=None if read is None else ago(read)))

    assert reasons_not_ready(old) == (f"feed: the fixtures could not be read since {iso(ago(since))}",)
