"""The lines of a scenario: what each says, and what becomes of it."""

from __future__ import annotations

import datetime as dt

import pytest

from rules.football.action import Side, Team
from rules.football.minute import Minute
from rules.scenarios.lines import LineInvalid, find_side, parse_kick, parse_line
from rules.scenarios.parser import ScenarioInvalid, load_scenario, parse_scenario
from rules.scenarios.scenario import EventLifecycle, ScenarioEvent, ScenarioEventType, ScenarioKick, make_id

TEAMS = {Side.HOME: "Arsenal", Side.AWAY: "Köln"}


def lifecycle(line: str) -> EventLifecycle:
    return parse_line(f"10' {line}", TEAMS).lifecycle


@pytest.mark.parametrize(
    ("line", "event_type", "is_goal", "pending"),
    [
        ("10' goal X (Arsenal)", ScenarioEventType.GOAL, True, 20),
        ("10' penalty goal X (Arsenal)", ScenarioEventType.PENALTY_GOAL, True, 18),
        ("10' own goal X (Arsenal)", ScenarioEventType.OWN_GOAL, True, 25),
        ("10' penalty awarded (Arsenal)", ScenarioEventType.PENALTY_AWARDED, False, 15),
        ("10' penalty missed X (Arsenal)", ScenarioEventType.PENALTY_MISSED, False, 0),
        ("10' penalty saved X (Arsenal)", ScenarioEventType.PENALTY_SAVED, False, 0),
        ("10' yellow card X (Arsenal)", ScenarioEventType.YELLOW_CARD, False, 9),
        ("10' second yellow X (Arsenal)", ScenarioEventType.SECOND_YELLOW, False, 9),
        ("10' red card X (Arsenal)", ScenarioEventType.RED_CARD, False, 12),
        ("10' substitution X for Y (Arsenal)", ScenarioEventType.SUBSTITUTION, False, 0),
        ("10' video check", ScenarioEventType.VIDEO_CHECK, False, 0),
        ("45' half time", ScenarioEventType.HALF_TIME, False, 0),
        ("90' extra time", ScenarioEventType.EXTRA_TIME, False, 0),
        ("120' shootout", ScenarioEventType.SHOOTOUT, False, 0),
        ("90+4' full time", ScenarioEventType.FULL_TIME, False, 0),
    ],
)
def test_each_line_begins_with_what_happens_and_takes_its_time_to_be_confirmed(
    line: str, event_type: ScenarioEventType, is_goal: bool, pending: int
) -> None:
    event = parse_line(line, TEAMS)

    assert (event.type, event.type.is_goal, event.lifecycle) == (event_type, is_goal, EventLifecycle(confirmed_after=pending))
    assert event.side is (Side.HOME if "Arsenal" in line else None)


def test_a_line_is_read_in_any_letter_case_and_with_any_space() -> None:
    event = parse_line("  45+2'   GOAL  Harry   Kane  ( koln ) , header ", TEAMS)

    assert event == ScenarioEvent(
        Minute(45, 2), ScenarioEventType.GOAL, Side.AWAY, "Harry Kane", "", EventLifecycle(confirmed_after=20, sub_type="Header")
    )


def test_a_substitution_names_who_comes_and_who_goes() -> None:
    event = parse_line("60' substitution Van der Berg for De Jong (Arsenal)", TEAMS)

    assert (event.player, event.replaced_player) == ("Van der Berg", "De Jong")


@pytest.mark.parametrize(
    ("clauses", "expected"),
    [
        ("pending 3s", EventLifecycle(3)),
        ("cancelled after 9s", EventLifecycle(20, cancelled_after=9)),
        ("disallowed", EventLifecycle(20, disallowed_after=30)),
        ("disallowed for offside", EventLifecycle(20, disallowed_after=30, reason="Offside")),
        ("disallowed after 45s", EventLifecycle(20, disallowed_after=45)),
        ("disallowed for a foul before it after 45s", EventLifecycle(20, disallowed_after=45, reason="A Foul Before It")),
        ("disallowed after a video check", EventLifecycle(20, disallowed_after=90, has_video_check=True)),
        (
            "disallowed for handball after a video check, pending 5s",
            EventLifecycle(5, disallowed_after=75, has_video_check=True, reason="Handball"),
        ),
        ("deleted after 60s, restored after 90s", EventLifecycle(20, deleted_after=60, restored_after=90)),
        ("corrected to Van der Berg after 50s", EventLifecycle(20, correction=("Van der Berg", 50))),
        ("header", EventLifecycle(20, sub_type="Header")),
        ("inside the box", EventLifecycle(20, sub_type="Inside The Box")),
        ("outside the box, header", EventLifecycle(20, sub_type="Header")),
    ],
)
def test_a_goal_says_what_becomes_of_it(clauses: str, expected: EventLifecycle) -> None:
    assert lifecycle(f"goal X (Arsenal), {clauses}") == expected


def test_a_yellow_card_may_turn_red_and_a_penalty_goal_be_sent_twice() -> None:
    assert lifecycle("yellow card X (Arsenal), red after 30s") == EventLifecycle(9, red_card_after=30)
    assert lifecycle("penalty goal X (Arsenal), sent twice") == EventLifecycle(18, is_sent_twice=True)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("10' goal X (Arsenal), sent twice", "only a penalty goal is sent twice"),
        ("10' goal X (Arsenal), red after 9s", "only a yellow card turns red"),
        ("10' red card X (Arsenal), disallowed", "only a goal is disallowed"),
        ("10' goal X (Arsenal), forgotten", '"forgotten" is nothing that becomes of it; one may write: pending 20s, '),
        ("0' goal X (Arsenal)", "there is no minute 0"),
        ("121' goal X (Arsenal)", "there is no minute 121"),
        ("44+1' goal X (Arsenal)", "there is no minute 44+1"),
        ("+3' goal X (Arsenal)", "'+3' is not a minute such as 45 or 45+2"),
        ("60' resumed", "a match that was abandoned is resumed as in: 67' resumed after 22h"),
        ("46' half time", "half time comes after minute 45 or 105, not 46"),
        ("120' extra time", "extra time comes after minute 90, not 120"),
        ("105' shootout", "shootout comes after minute 90 or 120, not 105"),
        ("10' video check (Arsenal)", "video check belongs to no team"),
        ("10' goal X (Spurs)", '"Spurs" does not play: the teams are Arsenal and Köln'),
        ("60' substitution for Y (Arsenal)", "a substitution is of the form: 60' substitution NAME for NAME (TEAM)"),
        ("10' yelow card X (Arsenal)", '"yelow card X" does not begin with something that happens, did you mean "yellow card"?'),
        ("10' zzz (Arsenal)", '"zzz" does not begin with something that happens: goal, penalty goal, own goal, '),
    ],
)
def test_a_line_that_cannot_be_read_says_why(line: str, sentence: str) -> None:
    with pytest.raises(LineInvalid) as invalid:
        parse_line(line, TEAMS)

    assert str(invalid.value).startswith(sentence)


@pytest.mark.parametrize("minute", ["1", "45", "45+9", "90+1", "105+1", "120", "120+3"])
def test_every_minute_that_is_played_may_be_written(minute: str) -> None:
    assert str(parse_line(f"{minute}' video check", TEAMS).minute) == minute


@pytest.mark.parametrize("outcome", ["scored", "saved", "missed"])
def test_a_kick_has_its_player_its_team_and_its_outcome(outcome: str) -> None:
    assert parse_kick(f" Van der  Berg (köln)  {outcome}", TEAMS) == ScenarioKick(Side.AWAY, "Van der Berg", outcome)


def test_a_team_is_found_without_its_accents() -> None:
    assert [find_side(name, TEAMS) for name in ("ARSENAL", "Koln", "köln")] == [Side.HOME, Side.AWAY, Side.AWAY]


def test_a_scenario_without_more_than_its_teams_has_a_kick_off_and_nothing_that_happens() -> None:
    scenario = parse_scenario("match: Arsenal v  Köln")

    assert (scenario.fixture.title, scenario.fixture.name, scenario.fixture.competition) == (
        "Arsenal v Köln", "Arsenal v Köln", Team(),
    )  # fmt: skip
    assert scenario.fixture.kickoff == dt.datetime(2026, 8, 15, 14, tzinfo=dt.UTC)
    assert (scenario.events, scenario.kicks) == ((), ())


def test_a_kick_off_is_kept_in_utc_and_the_competition_by_its_name() -> None:
    fixture = parse_scenario("match: A v B\nkickoff: 2026-08-15T16:00:00+02:00\ncompetition: La Liga").fixture

    assert (str(fixture.kickoff), fixture.competition.name) == ("2026-08-15 14:00:00+00:00", "La Liga")


def test_ids_follow_from_names_and_the_kick_off_and_are_those_of_earlier_versions() -> None:
    first = parse_scenario("match: A v B\ncompetition: C").fixture
    again = parse_scenario("match: A v B\ncompetition: C\nkickoff: 2026-08-15T14:00:00Z").fixture
    later = parse_scenario("match: A v B\ncompetition: C\nkickoff: 2026-08-16T14:00:00Z").fixture

    assert (first, first.home.id, later.home.id) == (again, make_id("team", "A"), first.home.id)
    assert len({first.id, later.id, first.home.id, first.away.id, first.competition.id}) == 5
    assert make_id("team", "A") == "a4c86e05-28cf-5604-9d90-72a627bc27b9"
    assert load_scenario("opener").fixture.id == "84b25e52-433e-5c08-8482-e1d0cccc8473"
    assert load_scenario("argentina-france") == load_scenario("final")


@pytest.mark.parametrize(
    ("lines", "mistake"),
    [
        (["45' half time", "45+1' video check"], "video check comes after half time"),
        (["45' half time", "46' video check"], ""),
        (["90' extra time", "90+1' video check"], "video check comes after extra time"),
        (["120' full time", "120' video check"], "video check comes after full time"),
        (["60' abandoned", "61' video check"], "after abandoned comes resumed, in the same minute, and nowhere else"),
        (["60' video check", "60' resumed after 20h"], "after abandoned comes resumed, in the same minute, and nowhere else"),
        (["10' video check", "10' video check"], ""),
        (["45+2' video check", "45+1' video check"], "minute 45+1 comes after minute 45+2: write them in order"),
    ],
)
def test_events_are_written_in_order_and_none_after_the_end_of_its_period(lines: list[str], mistake: str) -> None:
    text = "match: A v B\nevents:\n" + "".join(f"- {line}\n" for line in lines)
    try:
        parse_scenario(text, "s.yaml")
        found = ""
    except ScenarioInvalid as invalid:
        (found,) = invalid.mistakes

    assert found == (f"s.yaml:4:3: {mistake}" if mistake else "")


@pytest.mark.parametrize("kickoff", ["2026-08-15T14:00:00", "noon"])
def test_a_kick_off_without_a_time_zone_is_no_instant(kickoff: str) -> None:
    with pytest.raises(ScenarioInvalid, match=r"s.yaml:2:10: .* is not an instant such as 2022-11-22T10:00:00Z"):
        parse_scenario(f"match: A v B\nkickoff: {kickoff}", "s.yaml")


@pytest.mark.parametrize("text", ["match: {A: B}", "match: A v B\nevents:\n- a: b"])
def test_a_line_with_a_colon_wants_quotes(text: str) -> None:
    with pytest.raises(ScenarioInvalid, match="a line of text is expected here; where it holds `: `, put it in quotes"):
        parse_scenario(text)
