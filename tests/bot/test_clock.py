"""The machine's clock, set right where the feed and Telegram agree that it is wrong."""

from __future__ import annotations

import datetime as dt
from email.utils import format_datetime

import pytest

from bot.clock import CorrectedClock, ManualClock, choose_clock_correction
from bot.telegram.http import ApiHealth
from tests.packets import KICKOFF

HOUR = 3600.0


def seconds(number: float) -> dt.timedelta:
    return dt.timedelta(seconds=number)


@pytest.mark.parametrize(
    ("feed", "telegram", "correction"),
    [
        (HOUR + 0.4, HOUR, HOUR),
        (-HOUR + 0.4, -HOUR, -HOUR),
        (0.4, 0.1, 0.0),
        (300.0, 0.2, 0.0),  # the feed is late
        (0.4, HOUR, 0.0),  # a proxy's date
        (HOUR, 2 * HOUR, 0.0),  # two witnesses who disagree
        (4.0, 4.0, 0.0),
    ],
)
def test_a_clock_is_wrong_if_two_witnesses_agree(feed: float, telegram: float, correction: float) -> None:
    assert choose_clock_correction(feed, telegram) == correction


def test_a_clock_an_hour_ahead_gives_the_time_of_the_feed_and_telegram() -> None:
    machine = ManualClock(KICKOFF + seconds(HOUR))
    skew: float | None = HOUR
    clock = CorrectedClock(machine, lambda: skew)
    before = clock.now()
    clock.on_live_packet(KICKOFF - seconds(0.5))
    corrected = clock.now()
    skew = None  # Telegram is away
    clock.on_live_packet(KICKOFF)
    while_away = clock.now()
    machine.move_to(machine.now() + seconds(10))
    later = clock.now()

    assert (before, corrected, while_away) == (KICKOFF + seconds(HOUR), KICKOFF, KICKOFF)
    assert later == KICKOFF + seconds(10)


def test_a_packet_that_was_long_on_its_way_says_nothing_about_the_clock() -> None:
    clock = CorrectedClock(ManualClock(KICKOFF), lambda: 100.0)
    clock.on_live_packet(KICKOFF - seconds(0.3))
    clock.on_live_packet(KICKOFF - seconds(100))

    assert clock.now() == KICKOFF


def test_processes_on_a_database_have_its_time_and_small_differences_move_nothing() -> None:
    machine = ManualClock(KICKOFF + seconds(30))
    clock = CorrectedClock(machine, lambda: None)
    clock.on_database_time(KICKOFF.timestamp() - 0.25, round_trip=0.5)
    at_first = clock.now()
    clock.on_database_time(KICKOFF.timestamp() + 0.1, round_trip=0.02)
    clock.on_database_time(KICKOFF.timestamp() + 100, round_trip=8.0)

    assert (at_first, clock.now()) == (KICKOFF, KICKOFF)


def test_a_database_an_hour_ahead_is_corrected_by_the_feed_and_telegram_and_a_wrong_machine_is_no_second_error() -> None:
    wrong_database = CorrectedClock(ManualClock(KICKOFF), lambda: 0.0)
    wrong_database.on_database_time(KICKOFF.timestamp() + HOUR, round_trip=0.0)
    wrong_machine = CorrectedClock(ManualClock(KICKOFF + seconds(HOUR)), lambda: HOUR)
    wrong_machine.on_database_time(KICKOFF.timestamp(), round_trip=0.0)
    for clock in (wrong_database, wrong_machine):
        clock.on_live_packet(KICKOFF - seconds(0.5))

    assert (wrong_database.now(), wrong_machine.now()) == (KICKOFF, KICKOFF)


class SettableClock(ManualClock):
    """A machine whose clock is set while it runs: the monotonic one goes on."""

    ahead = dt.timedelta()

    def now(self) -> dt.datetime:
        return super().now() + self.ahead


@pytest.mark.parametrize("step", [HOUR, -HOUR])
def test_a_clock_that_is_set_an_hour_wrong_is_right_again_at_the_next_packet(step: float) -> None:
    machine = SettableClock(KICKOFF)
    telegram = ApiHealth(machine)
    clock = CorrectedClock(machine, lambda: telegram.clock_skew)
    telegram.on_response(200, format_datetime(KICKOFF, usegmt=True))
    for _ in range(30):
        machine.move_to(ManualClock.now(machine) + seconds(1))
        clock.on_live_packet(ManualClock.now(machine) - seconds(0.3))
    machine.ahead = seconds(step)

    clock.on_live_packet(ManualClock.now(machine) - seconds(0.3))
    wrong_by = abs(clock.now() - ManualClock.now(machine))
    machine.ahead = seconds(0)  # somebody sets it right
    clock.on_live_packet(ManualClock.now(machine) - seconds(0.3))

    assert wrong_by < seconds(1)
    assert clock.now() == ManualClock.now(machine)


def test_a_process_on_a_shared_database_does_not_notice_that_its_machine_is_set() -> None:
    machine = SettableClock(KICKOFF)
    clock = CorrectedClock(machine, lambda: None)
    clock.on_database_time(KICKOFF.timestamp(), round_trip=0.0)
    machine.ahead = seconds(HOUR)
    machine.move_to(KICKOFF + seconds(5))

    assert clock.now() == KICKOFF + seconds(5)
