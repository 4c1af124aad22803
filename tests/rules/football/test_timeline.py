"""A match laid out in time: what counts, on whose side, when."""

from __future__ import annotations

from pathlib import Path

import pytest

from rules.football.action import Side
from rules.football.advance import advance
from rules.football.match import Match, Score
from rules.football.minute import Minute, Period
from rules.football.timeline import Event, EventKind, Stage, Timeline, build_half_time_timeline, build_timeline
from rules.scenarios.builder import build_packets
from rules.scenarios.parser import load_scenario
from tests.packets import Story
from tests.recordings import each_recording, needs_recordings, truth
from tests.steps import recorded

TRUE_KINDS = {
    "goal": EventKind.GOAL,
    "penalty_goal": EventKind.PENALTY_GOAL,
    "own_goal": EventKind.OWN_GOAL,
    "yellow_card": EventKind.YELLOW_CARD,
    "second_yellow": EventKind.SECOND_YELLOW,
    "red_card": EventKind.RED_CARD,
    "penalty_missed": EventKind.PENALTY_MISSED,
}


def _told(name: str) -> Timeline:
    scenario = load_scenario(name)
    match = Match(scenario.fixture)
    for packet in build_packets(scenario):
        match = advance(match, packet).after
    return build_timeline(match)


def _only(story: Story) -> Event:
    (event,) = build_timeline(story.match).events
    return event


def test_a_goal_stands_with_the_score_after_it() -> None:
    story = Story()
    story.goal(minute=12, player="Saka", score=(1, 0))

    assert _only(story) == Event(Side.HOME, EventKind.GOAL, Period.FIRST_HALF, Minute(12), "Saka", score=Score(1, 0))


def test_a_pending_goal_is_not_yet_on_it() -> None:
    story = Story()
    story.goal(send="Pending", minute=12, score=(1, 0))

    assert build_timeline(story.match).events == ()


def test_a_goal_that_was_only_deleted_never_was() -> None:
    story = Story()
    story.goal(minute=12, score=(1, 0))
    story.goal(send="Deleted", minute=13, score=(0, 0))

    assert build_timeline(story.match).events == ()


def test_a_disallowed_goal_stays_as_what_it_was() -> None:
    story = Story()
    story.goal(minute=12, player="Saka", score=(1, 0))
    story.tell("Goal Disallowed", side="home", related=("g",), minute=14, score=(0, 0))

    assert (_only(story).kind, _only(story).minute, _only(story).score) == (EventKind.DISALLOWED, Minute(12), None)


def test_the_running_score_is_left_out_where_goals_are_missing() -> None:
    story = Story()
    story.goal(minute=60, score=(2, 0))
    timeline = build_timeline(story.match)

    assert timeline.score == Score(2, 0) and timeline.events[0].score is None and timeline.half_time is None


def test_who_comes_is_beside_whom_the_feed_links() -> None:
    story = Story()
    for out, off in (("o1", "Rice"), ("o2", "Saka")):
        story.tell("Substitution Out", action=out, side="home", player=off, minute=60)
    story.tell("Substitution In", side="home", player="Jorginho", related=("o2",))

    subs = build_timeline(story.match).events
    assert [(event.player, event.replaced_player) for event in subs] == [("", "Rice"), ("Jorginho", "Saka")]


def test_who_comes_is_beside_who_went_just_before_where_the_feed_links_nobody() -> None:
    story = Story()
    for off, on, side in (("Rice", "Jorginho", "home"), ("Palmer", "Nkunku", "away"), ("Saka", "Nelson", "home")):
        story.tell("Substitution Out", side=side, player=off, minute=60)
        story.tell("Substitution In", side=side, player=on)

    subs = build_timeline(story.match).events
    assert [(e.player, e.replaced_player) for e in subs] == [("Jorginho", "Rice"), ("Nkunku", "Palmer"), ("Nelson", "Saka")]


def test_within_a_minute_all_stands_in_the_order_in_which_it_was_first_told() -> None:
    story = Story()
    story.goal(send="Pending", action="g", minute=68)
    story.tell("Substitution In", side="home", player="Nelson")
    story.goal(action="g", player="Saka", score=(1, 0))

    assert [event.player for event in build_timeline(story.match).events] == ["Saka", "Nelson"]


def test_a_shootout_is_kept_apart_kick_by_kick() -> None:
    final = _told("final")

    assert (final.score, final.shootout, final.half_time) == (Score(3, 3), Score(4, 2), Score(2, 0))
    assert [kick.is_goal for kick in final.kicks] == [True, True, False, True, False, True, True, True]
    assert final.kicks[-1].score == Score(4, 2) and final.kicks[-1].player == "Montiel"


def test_the_periods_are_those_that_were_played() -> None:
    assert _told("opener").periods == (Period.FIRST_HALF, Period.SECOND_HALF)
    assert _told("final").periods[-1] is Period.EXTRA_SECOND


def test_a_shootout_without_extra_time_shows_none() -> None:
    story = Story()
    story.tell("Start Period", minute=46)
    story.tell("Start Period", period=5, clock=0)

    assert build_timeline(story.match).periods == (Period.FIRST_HALF, Period.SECOND_HALF)


@pytest.mark.parametrize(
    ("status", "stage"),
    [("Live", Stage.PLAY), ("Completed", Stage.FULL_TIME), ("Abandoned", Stage.LOST), ("Postponed", Stage.LOST)],
)
def test_the_stage_is_what_the_match_says(status: str, stage: Stage) -> None:
    story = Story()
    story.tell("Start Period", status=status)

    assert build_timeline(story.match).stage is stage


def test_half_time_lasts_from_the_end_of_the_first_half_to_the_start_of_the_second() -> None:
    story, stages = Story(), []
    for kind, minute in (
        ("Start Period", 1),
        ("End Period", 45),
        ("Substitution In", 45),
        ("Start Period", 46),
        ("End Period", 90),
    ):
        story.tell(kind, minute=minute)
        stages.append(build_timeline(story.match).stage)

    assert stages == [Stage.PLAY, Stage.HALF_TIME, Stage.HALF_TIME, Stage.PLAY, Stage.PLAY]


def test_an_end_of_the_first_half_that_is_taken_back_is_none() -> None:
    story = Story()
    story.tell("End Period", action="e", minute=45)
    story.tell("End Period", "Deleted", action="e", minute=45)

    assert build_timeline(story.match).stage is Stage.PLAY


def test_the_first_half_can_be_told_later_and_without_its_end_as_it_is_known_by_then() -> None:
    story = Story()
    story.goal("g1", minute=20, player="Saka", score=(1, 0))
    assert build_half_time_timeline(story.match) is None
    story.goal("g2", minute=50, player="Rice", score=(2, 0))
    story.goal("g1", "home", "Deleted", minute=51, score=(1, 0))

    told = build_half_time_timeline(story.match)

    assert told and (told.stage, told.score, told.events, told.periods) == (Stage.HALF_TIME, Score(), (), (Period.FIRST_HALF,))


def test_a_card_before_kick_off_stands_at_its_beginning() -> None:
    story = Story()
    story.tell("Yellow Card", side="away", player="Palmer", period=0, clock=0)

    assert (_only(story).period, _only(story).minute) == (Period.FIRST_HALF, Minute(0))


@needs_recordings
@each_recording
def test_every_recorded_incident_that_stands_is_on_the_time_line_and_no_other(path: Path) -> None:
    true = truth(path)
    standing = [one for one in true["incidents"] if one["standing"] and not one["kind"].startswith("shootout")]
    timeline = build_timeline(recorded(path)[-1])

    shown = [e for e in timeline.events if e.kind not in (EventKind.SUBSTITUTION, EventKind.DISALLOWED)]
    told = sorted((e.kind.value, str(e.minute), e.player) for e in shown)
    assert told == sorted((TRUE_KINDS[one["kind"]].value, one["minute"], one["player"]) for one in standing)
    assert (timeline.score.home, timeline.score.away) == (true["final"]["home"], true["final"]["away"])


@needs_recordings
@each_recording
def test_every_recorded_goal_has_its_score_and_every_substitution_both_players(path: Path) -> None:
    events = build_timeline(recorded(path)[-1]).events

    assert all(event.score for event in events if event.kind.is_goal)
    assert all(event.player and event.replaced_player for event in events if event.kind is EventKind.SUBSTITUTION)
