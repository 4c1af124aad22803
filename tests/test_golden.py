"""What the shared recordings send is what the golden files have: moving code changes no message."""

from __future__ import annotations

import html
import json
from pathlib import Path
from typing import Any

import pytest

from tests.golden import PACKS, WHOLE, digest, read_digests, read_golden, replay
from tests.recordings import PATHS, each_recording, name_of, needs_recordings, truth

SAMPLE = [(pack, path) for number, pack in enumerate(PACKS) for path in (PATHS if pack == "default" else PATHS[number::6])]
"""All recordings under the default pack, two or three under each other one: `python -m tests.golden --check` takes all."""


@needs_recordings
@each_recording
def test_a_recording_sends_every_message_as_before(path: Path, tmp_path: Path) -> None:
    assert replay(WHOLE, [path], tmp_path) == read_golden(path)


@needs_recordings
@pytest.mark.slow
@pytest.mark.parametrize(("pack", "path"), SAMPLE, ids=[f"{pack}-{name_of(path)}" for pack, path in SAMPLE])
def test_a_recording_sends_the_same_under_the_other_packs(pack: str, path: Path, tmp_path: Path) -> None:
    assert digest(replay(pack, [path], tmp_path)) == read_digests()[pack, name_of(path)]


GOALS = ("goal", "penalty_goal", "own_goal")


def play_order(incident: dict[str, Any]) -> tuple[int, int]:
    """Return minute and added minute."""
    minute, _, added = incident["minute"].partition("+")
    return int(minute), int(added or 0)


@needs_recordings
@each_recording
def test_the_first_message_of_each_goal_has_side_score_and_minute_right_when_it_is_sent(path: Path) -> None:
    true, sent = truth(path), [json.loads(line) for line in read_golden(path)]
    goals = [incident for incident in true["incidents"] if incident["kind"] in GOALS]

    for goal in goals:
        # Whatever becomes of it: the goals that stand before it, and this one.
        before = [one["side"] for one in goals if one["standing"] and play_order(one) < play_order(goal)]
        home, away = (before.count(side) + (goal["side"] == side) for side in ("home", "away"))
        score = f"[{home}]–{away}" if goal["side"] == "home" else f"{home}–[{away}]"
        first = next(row for row in sent if row["action_id"] == goal["action_id"])
        heading, below, *_ = html.unescape(first["text"]).split("\n")

        assert (first["op"], heading) == ("send", f"⚽ <b>{true['home']} {score} {true['away']}</b>")
        assert below.startswith(f"{goal['minute']}' ")


@needs_recordings
@each_recording
def test_every_retraction_names_side_and_minute_and_the_player_whom_the_feed_has_named(path: Path) -> None:
    incidents = {incident["action_id"]: incident for incident in truth(path)["incidents"]}
    rows = [json.loads(line) for line in read_golden(path)]

    for row in rows:
        if row["op"] == "reply" and row["state"] == "retracted":
            incident = incidents[row["action_id"]]
            heading, below = html.unescape(row["text"]).split("\n")
            names = {one["player"] for one in rows if one["action_id"] == row["action_id"]} - {None}
            assert heading.startswith(f"❌ <b>{incident['team']}: ")
            assert below.startswith(f"{incident['minute']}' ") and all(name in below for name in names)
