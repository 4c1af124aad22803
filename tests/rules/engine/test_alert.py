"""Alerts as the outbox stores them: JSON whose names two versions share during an upgrade."""

import enum

import msgspec
import pytest
from msgspec.structs import replace

from rules.engine.alert import (
    DEFAULT_KINDS,
    LIVE_MESSAGE_IDS,
    SHIPPED_KINDS,
    Alert,
    ConditionResult,
    Importance,
    State,
    make_facts,
)
from rules.football.action import Fixture, SendType, Side, Team
from rules.football.match import Match
from rules.football.minute import Period
from rules.football.timeline import Event, EventKind, Kick, Stage
from rules.loading.loader import list_packs, load_pack
from tests.packets import FIXTURE, Story

STORED_NAMES: list[tuple[type[msgspec.Struct], str]] = [
    (
        Alert,
        "key seq state at fixture facts home away rule kind importance gravity max_age text takes_back follow_up timeline rich"
        " over fault texts because received delayed feed_trace",
    ),
    (Fixture, "id home away competition kickoff status collection_status name deleted kickoff_known venue coverage"),
    (Event, "side kind period minute player off score"),
    (Kick, "side player scored score"),
]


@pytest.mark.parametrize(("struct", "names"), STORED_NAMES)
def test_what_is_stored_keeps_its_names(struct: type[msgspec.Struct], names: str) -> None:
    assert [field.encode_name for field in msgspec.structs.fields(struct)] == names.split()


STORED_WORDS: list[tuple[type[enum.StrEnum], str]] = [
    (State, "pending, confirmed, retracted"),
    (Importance, "major, minor"),
    (SendType, "Pending, Confirmed, Updated, Deleted, Cancelled, Other"),
    (Side, "home, away"),
    (
        Period,
        "before kick-off, first half, second half, first half of extra time, second half of extra time, shootout",
    ),
    (Stage, "before kick-off, in play, half time, full time, lost"),
    (
        EventKind,
        "goal, penalty goal, own goal, goal disallowed, penalty missed, penalty saved, yellow card, second yellow, red card,"
        " substitution, penalty awarded, sin bin, injury, water break, added time, video check, abandoned, resumed, half time,"
        " extra time, shootout, full time",
    ),
]


@pytest.mark.parametrize(("words", "stored"), STORED_WORDS)
def test_what_is_stored_keeps_its_words(words: type[enum.StrEnum], stored: str) -> None:
    assert list(words) == stored.split(", ")


def test_the_shipped_kinds_are_those_of_the_packs_and_a_chat_gets_some_of_them() -> None:
    assert {rule.alert.kind for pack in list_packs() for rule in load_pack(pack).rules} == {*SHIPPED_KINDS}
    assert {*SHIPPED_KINDS} > DEFAULT_KINDS


def test_the_stored_keys_of_cards_and_pictures_stay() -> None:
    assert LIVE_MESSAGE_IDS == ("card", "picture:half_time", "picture:full_time")


def test_a_stored_condition_result_without_groups_is_still_read() -> None:
    result = msgspec.json.decode('["minute", "from 80", "88", false]', type=ConditionResult)

    assert result == ConditionResult("minute", "from 80", "88", holds=False)


FIXTURE_DEFAULTS = {
    "home": {"id": "", "name": "", "detail": ""},
    "away": {"id": "", "name": "", "detail": ""},
    "competition": {"id": "", "name": "", "detail": ""},
    "kickoff": None,
    "status": "Scheduled",
    "collection_status": "",
    "name": "",
    "deleted": False,
    "kickoff_known": True,
    "venue": "",
    "coverage": "",
}
NIL_NIL = {"home": 0, "away": 0}


def test_what_an_earlier_version_did_not_store_of_an_alert_is_read_as_nothing() -> None:
    stored = {
        "key": {"fixture_id": "f1", "action_id": "a1"},
        "seq": 7,
        "state": "confirmed",
        "at": "2026-08-15T14:30:00Z",
        "fixture": {"id": "f1"},
        "facts": {},
    }

    read = msgspec.to_builtins(msgspec.convert(stored, Alert))

    assert not any(read.pop("facts").values())
    assert read == {
        "key": stored["key"],
        "seq": 7,
        "state": "confirmed",
        "at": "2026-08-15T14:30:00Z",
        "fixture": {"id": "f1"} | FIXTURE_DEFAULTS,
        "home": 0,
        "away": 0,
        "rule": "",
        "kind": "",
        "importance": "major",
        "gravity": 0,
        "max_age": 300.0,
        "text": "",
        "takes_back": "",
        "follow_up": False,
        "timeline": None,
        "rich": {},
        "over": False,
        "fault": "",
        "texts": {},
        "because": {},
        "received": 0.0,
        "delayed": False,
        "feed_trace": "",
    }


def test_what_an_earlier_version_did_not_store_of_a_match_is_read_as_a_match_before_kick_off() -> None:
    read = msgspec.to_builtins(msgspec.convert({"fixture": {"id": "f1"}}, Match))

    assert read == {
        "fixture": {"id": "f1"} | FIXTURE_DEFAULTS,
        "score": NIL_NIL,
        "shootout": None,
        "period": "before kick-off",
        "minute": None,
        "clock": 0,
        "status": "",
        "collection_status": "",
        "seq": 0,
        "ended_by": "",
        "highest_score": {"home": 0, "away": 0},
        "unshown_goals": {},
        "uncounted": {},
        "alert_numbers": {},
        "records": {},
        "displayed_score": NIL_NIL,
        "summary_score": NIL_NIL,
        "score_when_coverage_lost": NIL_NIL,
        "colours": {"home": None, "away": None},
        "lineups": {side: {"starting": (), "substitutes": (), "formation": ""} for side in ("home", "away")},
        "played_periods": (),
        "last_ended_period": None,
        "is_cut_off": False,
        "cut_offs": 0,
    }


def test_a_team_that_the_fixture_does_not_name_yet_is_named_as_the_packet_does() -> None:
    unknown = replace(FIXTURE, home=Team("h"), away=Team("a"))

    assert (make_facts(Story(unknown).goal()).team, make_facts(Story().goal()).team) == ("Arsenal", "Arsenal")
