"""Frames are decoded as documented, as sampled, and in unexpected shapes."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import FrameUnreadable
from bot.feed.decode import Control, ControlKind, decode_frame, find_trace_id
from bot.feed.recording import read_recording
from rules.football.action import Packet, Player, SendType, Side, Team
from tests.recordings import each_recording, needs_recordings

RECEIVED = dt.datetime(2026, 8, 15, 14, 0, tzinfo=dt.UTC)
ACTION: dict[str, Any] = {
    "actionId": "a1",
    "fixtureId": "f1",
    "period": 2,
    "sendType": "Confirmed",
    "clockTime": "91:51",
    "timestamp": "2022-07-08T19:54:23.469160Z",
    "fixtureSeqNum": 757,
    "fixtureActionType": "Goal",
}


def frame(summary: Any = None, finished: Any = False, **changes: Any) -> str:
    """A frame whose action is changed so; None takes a key away."""
    action = {key: value for key, value in (ACTION | changes).items() if value is not None}
    return json.dumps({"fixtureAction": action, "finished": finished} | ({} if summary is None else {"fixtureSummary": summary}))


def packet(summary: Any = None, finished: Any = False, **changes: Any) -> Packet:
    read = decode_frame(frame(summary, finished, **changes), RECEIVED, "f1")
    assert isinstance(read, Packet)
    return read


def test_a_documented_frame_is_read_whole() -> None:
    related = {"relatedFixtureActionIds": ["g1"], "team": {"id": "t", "name": "Groningen", "homeTeam": False}}
    read = packet({"homeTeamScore": 1, "awayTeamScore": 2, "currentClockTime": "91:52"}, **related)

    assert (read.action_id, read.seq, read.period_id, read.clock) == ("a1", 757, 2, 91 * 60 + 51)
    assert (read.team, read.team_side, read.related) == (Team("t", "Groningen"), Side.AWAY, ("g1",))
    assert (read.summary.home, read.summary.away, read.summary.clock) == (1, 2, 91 * 60 + 52)
    assert read.at == dt.datetime(2022, 7, 8, 19, 54, 23, 469160, dt.UTC)


def test_periods_are_those_of_the_packets_own_match_and_one_object_while_they_stay_the_same() -> None:
    def read_periods(fixture_id: str, home: int) -> object:
        text = frame({"periods": [{"id": 1, "label": "1st half", "homeTeamScore": home}]}, fixtureId=fixture_id)
        read = decode_frame(text, RECEIVED, fixture_id)
        assert isinstance(read, Packet) and [period.home for period in read.summary.periods] == [home]
        return read.summary.periods

    first, other = read_periods("f1", 0), read_periods("f2", 1)
    assert read_periods("f1", 0) is first and read_periods("f2", 1) is other
    assert read_periods("f1", 1) is not first


@pytest.mark.parametrize("word", ["pending", "PENDING", " Pending "])
def test_the_letter_case_of_a_send_type_does_not_matter(word: str) -> None:
    assert packet(sendType=word).send_type is SendType.PENDING


def test_an_unknown_send_type_is_no_error_and_keeps_its_word() -> None:
    assert (packet(sendType=" Reviewed ").send_type, packet(sendType=" Reviewed ").send_type_word) == (SendType.OTHER, "Reviewed")
    assert packet(sendType="Pending").send_type_word == ""


@pytest.mark.parametrize("value", ["3.0000000000000687", '"3.0000000000000687"'])
@pytest.mark.parametrize("number", ["757", '"757"', "757.0"])
def test_the_place_in_the_order_of_play_keeps_every_digit(value: str, number: str) -> None:
    text = frame().replace('"period": 2', f'"period": 2, "timelineSequence": {value}').replace(": 757", f": {number}")

    read = decode_frame(text, RECEIVED, "f1")

    assert isinstance(read, Packet)
    assert (read.timeline, read.seq) == (Decimal("3.0000000000000687"), 757)


@pytest.mark.parametrize("value", ["soon", None, True, [], "NaN", ""])
def test_a_place_in_the_order_of_play_that_cannot_be_read_costs_nothing_else(value: Any) -> None:
    assert (packet(timelineSequence=value).timeline, packet(timelineSequence=value).seq) == (None, 757)


def test_a_packet_keeps_the_feeds_name_for_it() -> None:
    text = frame().replace('{"fixtureAction"', '{"traceId": "2da87bad", "fixtureAction"')

    read = decode_frame(text, RECEIVED, "f1")

    assert isinstance(read, Packet)
    assert (read.trace_id, packet().trace_id) == ("2da87bad", "")


def test_the_feeds_name_for_a_frame_is_found_though_the_frame_cannot_be_read() -> None:
    assert find_trace_id(b'{"traceId" : "2da87bad", "fixtureAction": {') == "2da87bad"
    assert find_trace_id("no JSON") == ""


def test_numbers_may_be_quoted() -> None:
    read = packet({"homeTeamScore": "2", "currentPeriod": "1"}, fixtureSeqNum="12", period="1", timelineSequence="1.0E-16")

    assert (read.seq, read.period_id, read.summary.home, read.summary.period_id) == (12, 1, 2, 1)


def test_a_timeline_sequence_of_any_kind_is_passed_over() -> None:
    text = frame().replace('"period": 2', '"period": 2, "timelineSequence": 1.0E-16')

    assert isinstance(decode_frame(text), Packet)


@pytest.mark.parametrize(
    ("value", "at"),
    [
        ("2026-05-06T19:05:08.376Z", dt.datetime(2026, 5, 6, 19, 5, 8, 376000, dt.UTC)),
        ("2026-05-06T19:05:08", dt.datetime(2026, 5, 6, 19, 5, 8, 0, dt.UTC)),
        ("2026-05-06T21:05:08+02:00", dt.datetime(2026, 5, 6, 19, 5, 8, 0, dt.UTC)),
        ("yesterday", RECEIVED),
        (None, RECEIVED),
        (17, RECEIVED),
    ],
)
def test_a_time_is_in_utc_and_falls_back_to_the_arrival(value: Any, at: dt.datetime) -> None:
    assert packet(timestamp=value).at == at


@pytest.mark.parametrize(
    ("player", "name"),
    [
        ({"id": "p", "name": "H. Kane"}, "H. Kane"),
        ({"id": "p", "fullName": "Harry Kane", "firstName": "H", "lastName": "K"}, "Harry Kane"),
        ({"id": "p", "firstName": "Harry", "lastName": "Kane", "shirtNumber": "10"}, "Harry Kane"),
        ({"id": "p", "lastName": "Kane"}, "Kane"),
    ],
)
def test_a_player_is_named_by_whatever_keys_there_are(player: dict[str, str], name: str) -> None:
    assert packet(player=player).player == Player("p", name)


@pytest.mark.parametrize(
    "wrong",
    [
        {"player": 7},
        {"player": []},
        {"team": [1]},
        {"metadata": ["a", "list"]},
        {"relatedFixtureActionIds": "g1"},
        {"relatedFixtureActionIds": [None, {}]},
        {"clockTime": 12},
        {"clockTime": "ten"},
        {"period": "first"},
        {"period": -1},
        {"fixtureSeqNum": True},
        {"fixtureSeqNum": 10**30},
        {"fixtureActionSubType": {}},
        {"summary": "2-1"},
        {"summary": {"periods": 2, "homeTeamScore": {}}},
        {"summary": {"periods": [1, {"id": "1", "label": None}]}},
        {"finished": "yes"},
    ],
)
def test_a_wrong_type_in_an_optional_field_does_not_lose_the_packet(wrong: dict[str, Any]) -> None:
    assert packet(**wrong).action_id == "a1"


@pytest.mark.parametrize("field", ["timelineSequence", "fixtureSeqNum", "period", "clockTime", "metadata", "player", "traceId"])
def test_a_number_with_an_endless_exponent_costs_its_field_alone(field: str) -> None:
    number = "1e9999999999999999999"
    text = frame(**{field: "?"}).replace('"?"', f'{{"x": {number}}}' if field == "metadata" else number)

    read = decode_frame(text, RECEIVED, "f1")

    assert isinstance(read, Packet) and read.action_id == "a1"


@pytest.mark.parametrize("depth", [30, 700, 2000])
def test_metadata_of_any_depth_lose_no_packet_that_can_be_read_at_all(depth: int) -> None:
    text = frame(metadata="?").replace('"?"', '{"x":' * depth + "1" + "}" * depth)

    try:
        read = decode_frame(text, RECEIVED, "f1")
    except FrameUnreadable as error:
        assert error.kind == "not-json" and depth == 2000
    else:
        assert isinstance(read, Packet) and read.action_id == "a1"


@pytest.mark.parametrize("action_id", ["a" * 3000, "a\tb", "a\nb"])
def test_an_id_that_cannot_be_stored_has_one_that_can_and_stays_related(action_id: str) -> None:
    goal = packet(actionId=action_id)
    check = packet(actionId="v1", relatedFixtureActionIds=[action_id])

    assert check.related == (goal.action_id,) and len(goal.action_id) == 64 and goal.action_id.isalnum()
    assert packet(actionId=action_id + "x").action_id != goal.action_id


def test_a_name_alone_is_a_player_and_a_team() -> None:
    read = packet(player="H. Kane", team="Tottenham")

    assert (read.player, read.team) == (Player("", "H. Kane"), Team("", "Tottenham"))


def test_nulls_are_as_good_as_absent() -> None:
    optional = ("team", "player", "relatedFixtureActionIds", "metadata", "delayStatus", "fixtureActionSubType", "fixtureSeqNum")
    action = ACTION | dict.fromkeys(optional)

    assert decode_frame(json.dumps({"fixtureAction": action, "fixtureSummary": None})) == decode_frame(frame(fixtureSeqNum=None))


def test_teams_and_periods_that_repeat_are_kept_once() -> None:
    periods = [{"id": 1, "label": "1st half", "homeTeamScore": 1, "end": None}]
    first, second = (packet({"periods": periods}, team={"id": "t", "name": "Groningen"}, actionId=name) for name in "ab")

    assert first.summary.periods and first.summary.periods is second.summary.periods
    assert first.team is second.team


def test_a_wrong_type_in_a_team_or_a_period_costs_that_field_alone() -> None:
    read = packet({"homeTeamScore": 1, "periods": [{"id": "x", "homeTeamScore": 2}]}, team={"id": 7, "name": "Groningen"})

    assert (read.team, read.summary.home) == (Team("7", "Groningen"), 1)
    assert [(period.id, period.home) for period in read.summary.periods] == [(0, 2)]


def test_a_very_long_value_is_read_and_not_remembered() -> None:
    periods = [{"id": number, "label": "half"} for number in range(200)]

    assert [period.id for period in packet({"periods": periods}).summary.periods] == list(range(200))


def test_a_delayed_packet_and_a_finished_one_say_so() -> None:
    assert packet(delayStatus="DELAYED").is_delayed
    assert packet(finished=True).is_finished
    assert packet({"finished": True}).is_finished


def test_a_status_may_be_a_number() -> None:
    assert packet({"currentStatus": 2, "collectionStatus": 4}).summary.status == "Completed"


def test_a_packet_without_a_fixture_is_of_the_connection() -> None:
    assert packet(fixtureId=None).fixture_id == "f1"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("{", "not-json"),
        (b"\xff\xfe", "not-json"),
        ("[" * 100_000, "not-json"),
        ("[]", "not-an-object"),
        ("7", "not-an-object"),
        ("{}", "incomplete"),
        ('{"fixtureAction": 7}', "incomplete"),
        (frame(actionId=None), "incomplete"),
        (frame(fixtureActionType=""), "incomplete"),
        (frame(sendType=None), "incomplete"),
        (frame(fixtureId="f2"), "other-fixture"),
    ],
)
def test_an_unreadable_frame_says_of_which_kind(text: str | bytes, kind: str) -> None:
    with pytest.raises(FrameUnreadable) as raised:
        decode_frame(text, RECEIVED, "f1")

    assert raised.value.kind == kind


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ('{"message":"Authorisation accepted","level":"INFO"}', ControlKind.ACCEPTED),
        ('{"message":"authorized","level":"info"}', ControlKind.ACCEPTED),
        ('{"message":"Not authorised","level":"INFO"}', ControlKind.REFUSED),
        ('{"message":"Heartbeat sent at 2026-08-15T14:00:00Z","level":"INFO"}', ControlKind.HEARTBEAT),
        ('{"message":"Authentication message had incorrect format","level":"ERROR"}', ControlKind.REFUSED),
        ('{"error":"no","status":401}', ControlKind.REFUSED),
        ('{"errorMessage":"Supplied token could not be authenticated"}', ControlKind.REFUSED),
        ('"go away"', ControlKind.REFUSED),
        ("{The supplied authentication is invalid}", ControlKind.REFUSED),
        ('{"message":"soon closing","level":"WARN"}', ControlKind.NOTICE),
    ],
)
def test_a_frame_without_data_is_known_by_its_words(text: str, kind: ControlKind) -> None:
    read = decode_frame(text)

    assert isinstance(read, Control)
    assert read.kind is kind


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
KEYS = st.sampled_from([*ACTION, "team", "player", "metadata", "relatedFixtureActionIds", "delayStatus"])
SUMMARY_KEYS = st.sampled_from(["homeTeamScore", "currentStatus", "currentClockTime", "periods", "finished", "currentPeriod"])
FRAMES = st.fixed_dictionaries(
    {"fixtureAction": st.dictionaries(KEYS, JSON).map(lambda changed: ACTION | changed)},
    optional={"fixtureSummary": st.dictionaries(SUMMARY_KEYS, JSON) | JSON, "finished": JSON},
)


@given(st.binary() | st.text() | JSON.map(json.dumps) | FRAMES.map(json.dumps))
def test_whatever_a_frame_holds_nothing_else_is_raised(text: str | bytes) -> None:
    try:
        assert isinstance(decode_frame(text, RECEIVED, "f1"), Packet | Control)
    except FrameUnreadable as error:
        assert error.kind in {"not-json", "not-an-object", "incomplete", "other-fixture"}


@needs_recordings
@each_recording
def test_every_frame_of_a_recording_is_a_packet(path: Path) -> None:
    packets = [decode_frame(recorded.frame) for recorded in read_recording(path)]

    assert packets and all(isinstance(packet, Packet) for packet in packets)


@pytest.mark.parametrize("as_read", [str, str.encode])
def test_the_character_that_no_database_takes_is_left_out(as_read: Callable[[str], str | bytes]) -> None:
    read = decode_frame(as_read(frame(actionId="a\0b\0", fixtureActionType="Go\\u0000al")), RECEIVED, "f1")

    assert isinstance(read, Packet) and (read.action_id, read.type) == ("ab", "Go\\u0000al")
