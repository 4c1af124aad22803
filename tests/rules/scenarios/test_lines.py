"""The lines of a scenario: what each says, and its details."""

from __future__ import annotations

import pytest

from rules.football.action import Side
from rules.football.minute import Minute
from rules.football.timeline import EventKind
from rules.scenarios.lines import LineInvalid, find_side, parse_kick, parse_line
from rules.scenarios.scenario import EventLifecycle, ScenarioEvent, ScenarioKick

TEAMS = {Side.HOME: "Arsenal", Side.AWAY: "Köln"}


def lifecycle(line: str) -> EventLifecycle:
    return parse_line(f"10' {line}", TEAMS).lifecycle


@pytest.mark.parametrize(
    ("line", "kind", "is_goal", "pending"),
    [
        ("10' goal X (Arsenal)", EventKind.GOAL, True, 20),
        ("10' penalty goal X (Arsenal)", EventKind.PENALTY_GOAL, True, 18),
        ("10' own goal X (Arsenal)", EventKind.OWN_GOAL, True, 25),
        ("10' penalty awarded (Arsenal)", EventKind.PENALTY_AWARDED, False, 15),
        ("10' penalty missed X (Arsenal)", EventKind.PENALTY_MISSED, False, 0),
        ("10' penalty saved X (Arsenal)", EventKind.PENALTY_SAVED, False, 0),
        ("10' yellow card X (Arsenal)", EventKind.YELLOW_CARD, False, 9),
        ("10' second yellow X (Arsenal)", EventKind.SECOND_YELLOW, False, 9),
        ("10' red card X (Arsenal)", EventKind.RED_CARD, False, 12),
        ("10' substitution X for Y (Arsenal)", EventKind.SUBSTITUTION, False, 0),
        ("10' video check", EventKind.VIDEO_CHECK, False, 0),
        ("45' half time", EventKind.HALF_TIME, False, 0),
        ("90' extra time", EventKind.EXTRA_TIME, False, 0),
        ("120' shootout", EventKind.SHOOTOUT, False, 0),
        ("90+4' full time", EventKind.FULL_TIME, False, 0),
    ],
)
def test_each_line_begins_with_what_happens_and_takes_its_time_to_be_confirmed(
    line: str, kind: EventKind, is_goal: bool, pending: int
) -> None:
    event = parse_line(line, TEAMS)

    assert (event.kind, event.kind.is_goal, event.lifecycle) == (kind, is_goal, EventLifecycle(confirmed_after=pending))
    assert event.side is (Side.HOME if "Arsenal" in line else None)


def test_a_line_is_read_in_any_letter_case_and_with_any_space() -> None:
    event = parse_line("  45+2'   GOAL  Harry   Kane  ( koln ) , header ", TEAMS)

    assert event == ScenarioEvent(
        Minute(45, 2), EventKind.GOAL, Side.AWAY, "Harry Kane", "", EventLifecycle(confirmed_after=20, sub_type="Header")
    )


def test_a_substitution_names_who_comes_and_who_goes() -> None:
    event = parse_line("60' substitution Van der Berg for De Jong (Arsenal)", TEAMS)

    assert (event.player, event.replaced_player) == ("Van der Berg", "De Jong")


@pytest.mark.parametrize(
    ("details", "expected"),
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
def test_a_goal_takes_details(details: str, expected: EventLifecycle) -> None:
    assert lifecycle(f"goal X (Arsenal), {details}") == expected


def test_a_yellow_card_may_turn_red_and_a_penalty_goal_be_sent_twice() -> None:
    assert lifecycle("yellow card X (Arsenal), red after 30s") == EventLifecycle(9, red_card_after=30)
    assert lifecycle("penalty goal X (Arsenal), sent twice") == EventLifecycle(18, is_sent_twice=True)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("10' goal X (Arsenal), sent twice", "only a penalty goal is sent twice"),
        ("10' goal X (Arsenal), red after 9s", "only a yellow card turns red"),
        ("10' red card X (Arsenal), disallowed", "only a goal is disallowed"),
        ("10' goal X (Arsenal), forgotten", 'unknown detail "forgotten"; known details: pending 20s, '),
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
        ("10' yelow card X (Arsenal)", '"yelow card X" does not begin with a known event, did you mean "yellow card"?'),
        ("10' zzz (Arsenal)", '"zzz" does not begin with a known event: goal, penalty goal, own goal, '),
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
