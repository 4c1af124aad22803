"""A match is moved to the wall clock."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from bot.errors import UserMistake
from bot.feed.encode import encode_packet
from bot.feed.match_source import open_match
from bot.feed.recording import RecordingWriter
from bot.feed.simulator.script import PlaybackClock, Script, script_from_match, script_from_packets, script_from_recording
from rules.football.action import Fixture
from tests.packets import FIXTURE, KICKOFF, Story
from tests.recordings import PATHS, needs_recordings

START = dt.datetime(2026, 11, 1, 20, 0, tzinfo=dt.UTC)


def script() -> Script:
    """A lineup an hour before, a start, a goal in the tenth minute, the end."""
    story = Story()
    lineups = replace(story.packet("Lineups", period=0, status="Scheduled"), at=KICKOFF - dt.timedelta(hours=1))
    start = replace(story.packet("Start Match"), at=KICKOFF + dt.timedelta(minutes=2))
    goal = replace(story.packet("Goal", score=(1, 0)), at=KICKOFF + dt.timedelta(minutes=12))
    end = replace(story.packet("End Match", status="Completed"), at=KICKOFF + dt.timedelta(minutes=112))
    return script_from_packets(FIXTURE, [lineups, start, goal, end])


def sent(timeline: PlaybackClock, number: int) -> dict[str, Any]:
    frame: dict[str, Any] = json.loads(timeline.frames[number].frame)
    return frame


def test_what_is_earlier_than_the_lead_is_sent_at_once_and_the_rest_in_time() -> None:
    assert [timed.due for timed in PlaybackClock(script(), START, 1.0).frames] == [0.0, 60.0, 660.0, 6660.0]


def test_speed_divides_all_times_and_none_is_as_fast_as_possible() -> None:
    assert [timed.due for timed in PlaybackClock(script(), START, 60.0).frames] == [0.0, 1.0, 11.0, 111.0]
    assert PlaybackClock(script(), START, 0.0).end == 0.0


def test_a_frame_bears_the_instant_at_which_it_is_sent() -> None:
    timeline = PlaybackClock(script(), START, 60.0)

    assert sent(timeline, 2)["fixtureAction"]["timestamp"] == "2026-11-01T20:00:11.000000Z"


def test_the_kick_off_is_moved_alike() -> None:
    assert PlaybackClock(script(), START, 1.0).fixture_object(0.0)["startDateUTC"] == "2026-11-01T19:59:00"


def test_a_kick_off_is_never_moved_to_midnight() -> None:
    midnight = dt.datetime(2026, 11, 1, 0, 1, tzinfo=dt.UTC)

    assert PlaybackClock(script(), midnight, 1.0).fixture_object(0.0)["startDateUTC"] == "2026-11-01T00:00:01"


def test_the_fixture_stands_as_its_match_does() -> None:
    timeline = PlaybackClock(script(), START, 60.0)

    assert [timeline.fixture_object(now)["status"] for now in (0.0, 1.0, 111.0)] == ["Scheduled", "Live", "Completed"]


def test_a_listing_that_changes_is_read_when_it_is_due_and_moves_by_as_much_at_any_speed() -> None:
    script = script_from_match(open_match("moved"))
    lead = script.play_started_at - script.begins_at
    timeline = PlaybackClock(script, START, 60.0, lead)
    second = (script.listings[1].at - script.begins_at).total_seconds() / 60

    listed = [timeline.fixture_object(now)["startDateUTC"][11:16] for now in (-1.0, 0.0, second - 1, second)]
    # The first one is 170 minutes away, in a sixtieth of the time.
    assert listed == ["20:02", "20:32", "20:32", "21:17"]

    timeline.restart(START, 100.0)
    listed = [timeline.fixture_object(now)["startDateUTC"][11:16] for now in (99.0, 100.0, 100 + second)]
    assert listed == ["20:02", "20:32", "21:17"]


def test_later_kick_offs_move_with_the_first() -> None:
    moved = script_from_match(open_match("moved")).move_kickoff(START)

    assert moved.fixture.kickoff == START
    assert [(listing.fixture.kickoff or START) - START for listing in moved.listings] == [
        dt.timedelta(minutes=30),
        dt.timedelta(minutes=75),
    ]


def test_a_match_without_packets_cannot_be_played(tmp_path: Path) -> None:
    with pytest.raises(UserMistake, match="without packets"):
        script_from_packets(FIXTURE, [])

    (tmp_path / "match.jsonl").touch()
    with pytest.raises(UserMistake, match="no packet"):
        script_from_recording(tmp_path / "match.jsonl")


def test_a_recording_alone_gives_its_teams_where_its_packets_do(tmp_path: Path) -> None:
    with RecordingWriter(tmp_path / "match.jsonl") as writer:
        for packet in (Story().packet("Foul", side="home"), Story().packet("Foul", side="away")):
            writer.write(packet.at, encode_packet(packet))
        writer.write(KICKOFF, b"garbage")

    assert script_from_recording(tmp_path / "match.jsonl").fixture == Fixture(
        FIXTURE.id, FIXTURE.home, FIXTURE.away, name="Arsenal v Chelsea"
    )


@needs_recordings
def test_the_instants_of_periods_are_moved_alike() -> None:
    timeline = PlaybackClock(script_from_recording(PATHS[-1]), START, 1.0)
    first = sent(timeline, len(timeline.frames) - 1)["fixtureSummary"]["periods"][0]

    assert first["start"].startswith("2026-11-01T20:00:59")
    assert first["end"] > first["start"]
