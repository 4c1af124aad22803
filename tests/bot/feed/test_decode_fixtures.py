"""Fixtures of the REST side, in all the shapes that the documentation shows or leaves open."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from hypothesis import given

from bot.errors import FrameUnreadable
from bot.feed.decode_fixtures import decode_fixture, decode_fixtures
from bot.feed.encode import fixture_to_object
from rules.football.action import Fixture, Team
from tests.bot.feed.test_decode import JSON

TEAMS = [{"id": "h", "name": "FC Helsingör"}, {"id": "n", "name": "Nyköbing FC"}]
COMPETITION = {"season": {"competition": {"id": "c", "name": "1st Division"}}}


def fixture(**changes: Any) -> Fixture:
    data = {"id": "f1", "name": "Nyköbing FC v FC Helsingör", "startDateUTC": "2026-04-04T20:30:00", "teams": TEAMS}
    return decode_fixture(json.dumps(data | {"stage": COMPETITION} | changes).encode())


def test_the_home_team_comes_from_the_name_and_never_from_the_order() -> None:
    assert (fixture().home.id, fixture().away.id) == ("n", "h")


def test_the_home_team_comes_from_a_flag_where_there_is_one() -> None:
    flagged = [TEAMS[0] | {"homeTeam": True}, TEAMS[1] | {"homeTeam": False}]

    assert fixture(teams=flagged).home.id == "h"


@pytest.mark.parametrize(
    "flags", [({"homeTeam": True}, {}), ({}, {"homeTeam": False}), ({"homeTeam": "true"}, {"homeTeam": None})]
)
def test_one_flag_is_enough(flags: tuple[dict[str, Any], dict[str, Any]]) -> None:
    one, other = TEAMS[0] | flags[0], TEAMS[1] | flags[1]

    for teams in ([one, other], [other, one]):
        assert (fixture(teams=teams).home.id, fixture(teams=teams).away.id) == ("h", "n")


@pytest.mark.parametrize("flag", [True, False])
def test_the_same_flag_on_both_teams_says_nothing(flag: bool) -> None:
    assert fixture(teams=[team | {"homeTeam": flag} for team in TEAMS]).home.id == "n"


def test_accents_do_not_hide_a_team_and_one_known_team_names_the_other() -> None:
    assert fixture(name="NYKOBING FC vs Helsingor").away.id == "h"


@pytest.mark.parametrize("changes", [{"name": "Final"}, {"teams": []}, {"teams": "none"}, {"name": "Ajax v PSV"}])
def test_teams_that_cannot_be_assigned_to_a_side_are_left_empty(changes: dict[str, Any]) -> None:
    assert (fixture(**changes).home, fixture(**changes).away) == (Team(), Team())


def test_a_kick_off_is_in_utc_and_midnight_is_a_placeholder() -> None:
    assert fixture().kickoff == dt.datetime(2026, 4, 4, 20, 30, tzinfo=dt.UTC)
    assert fixture().is_kickoff_known
    assert not fixture(startDateUTC="2026-04-04T00:00:00").is_kickoff_known
    assert fixture(startDateUTC=None).kickoff is None


@pytest.mark.parametrize(
    "written",
    [
        "2026-04-04 20:30",
        "1775334600",
        1775334600,
        1775334600000,
        "Sat, 04 Apr 2026 20:30:00 GMT",
        "Sat, 04 Apr 2026 22:30:00 +0200",
    ],
)
def test_a_kick_off_is_read_however_it_is_written(written: object) -> None:
    kickoff = dt.datetime(2026, 4, 4, 20, 30, tzinfo=dt.UTC)

    assert fixture(startDateUTC=written).kickoff == kickoff
    assert fixture(startDateUTC="soon", startDate=written).kickoff == kickoff


@pytest.mark.parametrize(
    ("value", "venue"),
    [
        ({"id": "v", "name": "Emirates Stadium"}, "Emirates Stadium"),
        ("Emirates Stadium", "Emirates Stadium"),
        (None, ""),
        ([], ""),
    ],
)
def test_a_venue_is_an_object_or_a_name(value: Any, venue: str) -> None:
    assert fixture(venue=value).venue == venue


@pytest.mark.parametrize(
    ("value", "level"),
    [
        ("Standard stream", "Standard Stream"),
        ("No Coverage", "No Coverage"),
        (0, "No Coverage"),
        ("4", "Video"),
        (None, ""),
        ("5G", "5G"),
    ],
)
def test_a_coverage_level_is_a_word_or_a_number(value: Any, level: str) -> None:
    assert fixture(coverageLevel=value).coverage_level == level


@pytest.mark.parametrize(("value", "status"), [("Live", "Live"), (7, "Unverified"), ("2", "Completed"), (None, "Scheduled")])
def test_a_status_is_a_word_or_a_number(value: Any, status: str) -> None:
    assert fixture(status=value).status == status


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"stage": {"competition": {"id": "c", "name": "1st Division"}}},
        {"stage": None, "competition": {"id": "c", "name": "1st Division"}},
        {"stage": {"season": {"id": "c", "name": "1st Division"}}},
        {"stage": {"id": "c", "name": "1st Division"}},
    ],
)
def test_a_competition_is_the_nearest_thing_with_a_name(changes: dict[str, Any]) -> None:
    assert fixture(**changes).competition == Team("c", "1st Division")


@pytest.mark.parametrize(
    ("fields", "detail"),
    [
        ({"country": "England"}, "England"),
        ({"country": {"id": "x", "name": "Nigeria"}}, "Nigeria"),
        ({"ageGroup": "U21", "gender": "Female"}, "U21 Women"),
        ({"country": "Brazil", "ageCategory": "Senior", "sex": "male"}, "Brazil Men"),
        ({"country": None, "gender": 7, "ageGroup": []}, ""),
    ],
)
def test_country_age_group_and_sex_tell_teams_and_competitions_of_one_name_apart(fields: dict[str, Any], detail: str) -> None:
    competition = {"season": {"competition": {"id": "c", "name": "Premier League"} | fields}}
    of_season = {"season": {"competition": {"id": "c", "name": "Premier League"}, **fields}}
    read = fixture(stage=competition, teams=[TEAMS[0], TEAMS[1] | fields])

    assert (read.competition.detail, read.home.detail, read.away.detail) == (detail, detail, "")
    assert fixture(stage=of_season).competition.detail == detail
    again = decode_fixture(json.dumps(fixture_to_object(read)).encode())
    assert (again.competition, again.home, again.away) == (read.competition, read.home, read.away)


def test_a_deleted_fixture_says_so() -> None:
    assert fixture(fixtureDeleted=True).is_deleted


@pytest.mark.parametrize(
    ("page", "last"),
    [
        ([{"id": "f"}], True),
        ({"content": [{"id": "f"}], "last": False}, False),
        ({"content": [{"id": "f"}], "pageable": {"pageNumber": 0, "totalPages": 2}}, False),
        ({"content": [{"id": "f"}], "number": 1, "totalPages": 2}, True),
        ({"content": [{"id": "f"}, {}, 7], "pageable": "INSTANCE"}, False),
        ({"id": "f"}, True),
    ],
)
def test_lists_pages_and_single_fixtures_are_understood(page: Any, last: bool) -> None:
    read = decode_fixtures(json.dumps(page).encode())

    assert ([f.id for f in read.fixtures], read.is_last) == (["f"], last)


@given(JSON)
def test_any_json_is_read_or_refused(data: Any) -> None:
    for shape in (data, [data], {"content": [data], "pageable": data, "last": data}, {"id": "f", "teams": data, "stage": data}):
        try:
            decode_fixtures(json.dumps(shape).encode())
        except FrameUnreadable:
            continue


def test_a_number_with_an_endless_exponent_costs_no_list() -> None:
    read = decode_fixtures(b'[{"id": "f", "rank": 1e9999999999999999999}]')

    assert [fixture.id for fixture in read.fixtures] == ["f"]
