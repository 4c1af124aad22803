"""The pace of the demo: time to read each message, and no long waits."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise

import pytest

from bot.demo.play import compute_show_times, pace_packets
from rules.football.action import Packet
from rules.scenarios.builder import build_packets
from rules.scenarios.parser import load_scenario

START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


@pytest.mark.parametrize("name", ["opener", "final"])
def test_the_whole_match_takes_the_requested_seconds_and_begins_at_once(name: str) -> None:
    packets = pace_packets(build_packets(load_scenario(name), quiet_interval=60), START, 60)

    assert packets[0].at == START
    assert packets[-1].at - START == pytest.approx(dt.timedelta(seconds=60), abs=dt.timedelta(milliseconds=1))
    kick_off = next(p for p in packets if p.type == "Start Match")
    assert kick_off.at - START < dt.timedelta(seconds=1)


@pytest.mark.parametrize("name", ["opener", "final"])
def test_a_goal_is_shown_for_more_than_a_second_and_no_wait_is_longer_than_four(name: str) -> None:
    packets = build_packets(load_scenario(name), quiet_interval=60)
    waits = [
        (one, after - before) for one, (before, after) in zip(packets, pairwise(compute_show_times(packets, 60)), strict=False)
    ]

    assert all(wait > 1 for packet, wait in waits if packet.type == "Goal")
    assert max(wait for _, wait in waits) < 4


def test_no_packets_and_one_packet_can_be_paced() -> None:
    one: tuple[Packet, ...] = build_packets(load_scenario("final"))[:1]

    assert compute_show_times((), 60) == ()
    assert compute_show_times(one, 60) == (0.0,)
