"""Encoded packets have the shape of the vendor's, and decode to the same packets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bot.feed.decode import Control, ControlKind, decode_frame
from bot.feed.decode_fixtures import decode_fixture
from bot.feed.encode import Dialect, encode_accepted, encode_heartbeat, encode_packet, encode_refused, fixture_to_object
from bot.feed.recording import read_recording
from rules.football.action import Packet
from tests.packets import FIXTURE, KICKOFF, Story
from tests.recordings import each_recording, needs_recordings


def action(packet: Packet, **dialect: Any) -> dict[str, Any]:
    """The `fixtureAction` of an encoded packet."""
    action_object: dict[str, Any] = json.loads(encode_packet(packet, Dialect(**dialect)))["fixtureAction"]
    return action_object


@pytest.mark.parametrize("keys", ["name", "fullName"])
def test_a_packet_comes_back_as_it_was(keys: str) -> None:
    packet = Story().packet("Goal", "Pending", "g", "home", sub="Header", player="Bukayo Saka", related=("v",), minute=50)

    assert decode_frame(encode_packet(packet, Dialect(player_keys=keys))) == packet


@pytest.mark.parametrize("keys", ["name", "fullName"])
def test_a_packet_with_a_value_of_a_wrong_type_loses_nothing_else(keys: str) -> None:
    """Such a frame is read by other code than one without a mistake."""
    packet = Story().packet("Goal", "Pending", "g", "home", sub="Header", player="Bukayo Saka", related=("v",), minute=50)
    frame = json.loads(encode_packet(packet, Dialect(player_keys=keys)))
    frame["fixtureAction"]["delayStatus"] = ["of no use"]

    assert decode_frame(json.dumps(frame)) == packet


@needs_recordings
@each_recording
def test_every_packet_of_a_recording_comes_back_as_it_was(path: Path) -> None:
    packets = [decode_frame(recorded.frame) for recorded in read_recording(path)]

    assert [decode_frame(encode_packet(packet)) for packet in packets if isinstance(packet, Packet)] == packets


def test_version_1_knows_neither_sides_nor_related_actions() -> None:
    action_object = action(Story().packet("Goal", side="home", related=("x",)), api_version=1)

    assert "relatedFixtureActionIds" not in action_object
    assert "homeTeam" not in action_object["team"]


def test_own_goals_and_second_yellows_may_be_types_of_their_own() -> None:
    own = action(Story().packet("Goal", sub="Own Goal"), own_goal_as="type")
    second = action(Story().packet("Red Card", sub="Second Yellow"), second_yellow_as="type")

    assert (own["fixtureActionType"], second["fixtureActionType"]) == ("Own Goal", "Second Yellow Card")


@pytest.mark.parametrize(
    ("names", "dialect", "expected"),
    [
        (("Goal", "Penalty"), {"penalty_goal_as": "type"}, ("Penalty Scored", None)),
        (("Goal", "Penalty"), {"penalty_goal_as": "kick"}, ("Penalty Kick", "Scored")),
        (("Penalty Missed", "Saved"), {"saved_penalty_as": "type"}, ("Penalty Saved", None)),
        (("Penalty Missed", ""), {"saved_penalty_as": "type"}, ("Penalty Missed", None)),
    ],
)
def test_a_penalty_may_be_told_in_several_ways(
    names: tuple[str, str], dialect: dict[str, str], expected: tuple[str, str | None]
) -> None:
    found = action(Story().packet(names[0], sub=names[1]), **dialect)

    assert (found["fixtureActionType"], found.get("fixtureActionSubType")) == expected


def test_a_full_name_is_split_for_the_dialect_that_wants_it() -> None:
    player = action(Story().packet("Goal", player="Bukayo Saka"), player_keys="fullName")["player"]

    assert (player["fullName"], player["firstName"], player["lastName"]) == ("Bukayo Saka", "Bukayo", "Saka")


def test_control_frames_are_known_for_what_they_are() -> None:
    kinds = [
        read.kind
        for frame in (encode_accepted(), encode_refused(), encode_heartbeat(KICKOFF))
        if isinstance(read := decode_frame(frame), Control)
    ]

    assert kinds == [ControlKind.ACCEPTED, ControlKind.REFUSED, ControlKind.HEARTBEAT]


def test_a_fixture_comes_back_as_it_was() -> None:
    fixture = msgspec.structs.replace(FIXTURE, venue="Emirates Stadium", coverage_level="Standard Stream")
    read = decode_fixture(json.dumps(fixture_to_object(fixture)).encode())

    assert read == msgspec.structs.replace(fixture, collection_status="CollectionScheduled")
