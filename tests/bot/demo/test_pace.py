"""The pace of the demo: time to read each message, and no long waits."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise
from pathlib import Path

import pytest

from bot.demo.play import compute_show_times, pace_script
from bot.feed.match_source import open_match
from bot.feed.simulator.script import ScriptFrame, script_from_match
from rules.football.action import SendType
from tests.recordings import recording


def _has_type(frame: ScriptFrame, action_type: str) -> bool:
    return bool(frame.frame["fixtureAction"]["fixtureActionType"] == action_type)


@pytest.mark.parametrize("name", ["opener", "final", "a recording"])
def test_the_whole_match_takes_the_requested_seconds_and_begins_at_once(name: str) -> None:
    named: str | Path = recording("newcastle-united-chelsea") if name == "a recording" else name
    whole = script_from_match(open_match(named))
    paced = pace_script(whole, 60)
    instants = [frame.at for frame in paced.frames]

    assert [frame.frame for frame in paced.frames] == [frame.frame for frame in whole.frames]
    assert instants == sorted(instants) and instants[0] == whole.frames[0].at
    assert instants[-1] - instants[0] == pytest.approx(dt.timedelta(seconds=60), abs=dt.timedelta(milliseconds=1))
    if name != "a recording":
        kick_off = next(frame.at for frame in paced.frames if _has_type(frame, "Start Match"))
        assert kick_off - instants[0] < dt.timedelta(seconds=1)


@pytest.mark.parametrize("name", ["opener", "final"])
def test_a_goal_is_shown_for_more_than_a_second_and_no_wait_is_longer_than_four(name: str) -> None:
    frames = pace_script(script_from_match(open_match(name)), 60).frames
    waits = [(one, (two.at - one.at).total_seconds()) for one, two in pairwise(frames)]
    goals = [wait for frame, wait in waits if _has_type(frame, "Goal")]

    assert len(goals) > 3 and min(goals) > 1
    assert max(wait for _, wait in waits) < 4


def test_no_packets_and_one_packet_can_be_paced() -> None:
    assert compute_show_times((), 60) == ()
    assert compute_show_times([("Goal", SendType.PENDING)], 60) == (0.0,)
