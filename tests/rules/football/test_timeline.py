"""A match laid out in time: what counts, on whose side, when."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from rules.football.action import Side
from rules.football.match import Score
from rules.football.match_facts import is_first_goal
from rules.football.minute import Minute, Period
from rules.football.timeline import Event, EventKind, Stage, build_half_time_timeline, build_timeline
from tests.packets import KICKOFF, Story, play_scenario
from tests.recordings import each_recording, needs_recordings, truth
from tests.steps import replay_matches

TRUE_KINDS = {
    "goal": EventKind.GOAL,
    "penalty_goal": EventKind.PENALTY_GOAL,
    "own_goal": EventKind.OWN_GOAL,
    "yellow_card": EventKind.YELLOW_CARD,
    "second_yellow": EventKind.SECOND_YELLOW,
    "red_card": EventKind.RED_CARD,
    "penalty_missed": EventKind.PENALTY_MISSED,
}


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
    story.add("Goal Disallowed", side="home", related=("g",), minute=14, score=(0, 0))

    assert (_only(story).kind, _only(story).minute, _only(story).score) == (EventKind.DISALLOWED, Minute(12), None)


def test_the_running_score_is_left_out_where_goals_are_missing() -> None:
    story = Story()
    story.goal(minute=60, score=(2, 0))
    timeline = build_timeline(story.match)

    assert timeline.score == Score(2, 0) and timeline.events[0].score is None and timeline.half_time is None


def test_who_comes_is_beside_whom_the_feed_links() -> None:
    story = Story()
    for out, off in (("o1", "Rice"), ("o2", "Saka")):
        story.add("Substitution Out", action=out, side="home", player=off, minute=60)
    story.add("Substitution In", side="home", player="Jorginho", related=("o2",))

    subs = build_timeline(story.match).events
    assert [(event.player, event.replaced_player) for event in subs] == [("", "Rice"), ("Jorginho", "Saka")]


def test_who_comes_is_beside_who_went_just_before_where_the_feed_links_nobody() -> None:
    story = Story()
    for off, on, side in (("Rice", "Jorginho", "home"), ("Palmer", "Nkunku", "away"), ("Saka", "Nelson", "home")):
        story.add("Substitution Out", side=side, player=off, minute=60)
        story.add("Substitution In", side=side, player=on)

    subs = build_timeline(story.match).events
    assert [(e.player, e.replaced_player) for e in subs] == [("Jorginho", "Rice"), ("Nkunku", "Palmer"), ("Nelson", "Saka")]


def test_within_a_minute_all_events_stand_in_the_order_in_which_they_first_came() -> None:
    story = Story()
    story.goal(send="Pending", action="g", minute=68)
    story.add("Substitution In", side="home", player="Nelson")
    story.goal(action="g", player="Saka", score=(1, 0))

    assert [event.player for event in build_timeline(story.match).events] == ["Saka", "Nelson"]


def test_a_shootout_is_kept_apart_kick_by_kick() -> None:
    final = build_timeline(play_scenario("final"))

    assert (final.score, final.shootout, final.half_time) == (Score(3, 3), Score(4, 2), Score(2, 0))
    assert [kick.is_goal for kick in final.kicks] == [True, True, False, True, False, True, True, True]
    assert final.kicks[-1].score == Score(4, 2) and final.kicks[-1].player == "Montiel"


def test_the_periods_are_those_that_were_played() -> None:
    assert build_timeline(play_scenario("opener")).periods == (Period.FIRST_HALF, Period.SECOND_HALF)
    assert build_timeline(play_scenario("final")).periods[-1] is Period.EXTRA_SECOND


def test_a_shootout_without_extra_time_shows_none() -> None:
    story = Story()
    story.add("Start Period", minute=46)
    story.add("Start Period", period=5, clock=0)

    assert build_timeline(story.match).periods == (Period.FIRST_HALF, Period.SECOND_HALF)


@pytest.mark.parametrize(
    ("status", "stage"),
    [("Live", Stage.PLAY), ("Completed", Stage.FULL_TIME), ("Abandoned", Stage.LOST), ("Postponed", Stage.LOST)],
)
def test_the_stage_is_what_the_match_says(status: str, stage: Stage) -> None:
    story = Story()
    story.add("Start Period", status=status)

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
        story.add(kind, minute=minute)
        stages.append(build_timeline(story.match).stage)

    assert stages == [Stage.PLAY, Stage.HALF_TIME, Stage.HALF_TIME, Stage.PLAY, Stage.PLAY]


def test_an_end_of_the_first_half_that_is_taken_back_is_none() -> None:
    story = Story()
    story.add("End Period", action="e", minute=45)
    story.add("End Period", "Deleted", action="e", minute=45)

    assert build_timeline(story.match).stage is Stage.PLAY


def test_the_first_half_can_be_shown_later_and_without_its_end_as_it_is_known_by_then() -> None:
    story = Story()
    story.goal("g1", minute=20, player="Saka", score=(1, 0))
    assert build_half_time_timeline(story.match) is None
    story.goal("g2", minute=50, player="Rice", score=(2, 0))
    story.goal("g1", "home", "Deleted", minute=51, score=(1, 0))

    view = build_half_time_timeline(story.match)

    assert view and (view.stage, view.score, view.events, view.periods) == (Stage.HALF_TIME, Score(), (), (Period.FIRST_HALF,))


def test_a_card_before_kick_off_stands_at_its_beginning() -> None:
    story = Story()
    story.add("Yellow Card", side="away", player="Palmer", period=0, clock=0)

    assert (_only(story).period, _only(story).minute) == (Period.FIRST_HALF, Minute(0))


@pytest.mark.parametrize(
    ("kind", "sub", "shown"),
    [
        ("Goal", "", EventKind.GOAL),
        ("Goal", "Header", EventKind.GOAL),
        ("Goal", "Penalty", EventKind.PENALTY_GOAL),
        ("Own Goal", "", EventKind.OWN_GOAL),
        ("Penalty Missed", "Saved", EventKind.PENALTY_SAVED),
        ("Penalty Missed", "Wide", EventKind.PENALTY_MISSED),
        ("Yellow Card", "", EventKind.YELLOW_CARD),
        ("Red Card", "", EventKind.RED_CARD),
        ("Red Card", "Second Yellow", EventKind.SECOND_YELLOW),
    ],
)
def test_each_incident_is_shown_as_what_it_is(kind: str, sub: str, shown: EventKind) -> None:
    story = Story()
    story.add(kind, side="home", sub=sub, minute=12, player="Saka", score=(1, 0) if "Goal" in kind else (0, 0))

    event = _only(story)

    assert (event.kind, event.side, event.player, event.replaced_player) == (shown, Side.HOME, "Saka", "")
    assert event.score == (Score(1, 0) if "Goal" in kind else None)


def test_what_is_no_incident_or_has_no_side_is_not_on_it() -> None:
    story = Story()
    story.add("Corner", side="home", minute=12)
    story.add("Video Check Underway", side="home")
    story.add("Yellow Card", minute=13)

    assert build_timeline(story.match).events == ()


def test_a_pending_goal_that_is_disallowed_has_the_scorer_whom_the_disallowance_names() -> None:
    story = Story()
    story.goal(minute=12, score=(1, 0))
    story.add("Goal Disallowed", side="home", related=("g",), minute=14, score=(0, 0), player="Saka")

    assert (_only(story).kind, _only(story).player) == (EventKind.DISALLOWED, "Saka")


def test_a_disallowed_goal_keeps_its_own_scorer() -> None:
    story = Story()
    story.goal(minute=12, score=(1, 0), player="Rice")
    story.add("Goal Disallowed", side="home", related=("g",), minute=14, score=(0, 0), player="Saka")

    assert _only(story).player == "Rice"


@pytest.mark.parametrize(("minutes_later", "is_pair"), [(0, True), (1, True), (2, False)])
def test_who_comes_within_a_minute_is_beside_who_went(minutes_later: int, is_pair: bool) -> None:
    story = Story()
    story.add("Substitution Out", side="home", player="Rice", minute=60)
    story.add("Substitution In", side="home", player="Nelson", minute=60 + minutes_later)

    subs = [(event.player, event.replaced_player) for event in build_timeline(story.match).events]
    assert subs == ([("Nelson", "Rice")] if is_pair else [("", "Rice"), ("Nelson", "")])


def test_players_of_two_sides_or_periods_are_never_beside_each_other() -> None:
    story = Story()
    story.add("Substitution Out", side="home", player="Rice", minute=45)
    story.add("Substitution In", side="away", player="Nkunku", minute=45)
    story.add("Substitution In", side="home", player="Nelson", minute=46)

    events = build_timeline(story.match).events
    assert [(event.side, event.player, event.replaced_player) for event in events] == [
        (Side.HOME, "", "Rice"),
        (Side.AWAY, "Nkunku", ""),
        (Side.HOME, "Nelson", ""),
    ]


@pytest.mark.parametrize("links_from", ["Substitution Out", "Substitution In"])
def test_a_link_counts_in_both_directions_and_before_nearness(links_from: str) -> None:
    story = Story()
    link = {"related": ("in",)} if links_from == "Substitution Out" else {}
    story.add("Substitution Out", action="out", side="home", player="Rice", minute=60, **link)
    story.add("Substitution In", side="home", player="Nelson")
    back = {} if link else {"related": ("out",)}
    story.add("Substitution In", action="in", side="home", player="Jorginho", minute=70, **back)

    subs = {event.player: event.replaced_player for event in build_timeline(story.match).events}
    assert subs == {"Nelson": "", "Jorginho": "Rice"}


def test_of_several_who_went_the_one_sent_next_to_it_is_beside_who_comes() -> None:
    story = Story()
    story.add("Substitution Out", side="home", player="Rice", minute=60)
    story.add("Attack")
    story.add("Attack")
    story.add("Substitution In", side="home", player="Nelson")
    story.add("Substitution Out", side="home", player="Saka")

    subs = [(event.player, event.replaced_player) for event in build_timeline(story.match).events]
    assert ("Nelson", "Saka") in subs and ("", "Rice") in subs


@pytest.mark.parametrize(
    ("played", "period", "minute"),
    [
        ((1,), Period.FIRST_HALF, 45),
        ((1, 2), Period.SECOND_HALF, 90),
        ((1, 2, 3), Period.EXTRA_FIRST, 105),
        ((1, 2, 3, 4), Period.EXTRA_SECOND, 120),
        ((), Period.SECOND_HALF, 90),
    ],
)
def test_a_card_during_a_shootout_stands_at_the_end_of_what_was_played(
    played: tuple[int, ...], period: Period, minute: int
) -> None:
    story = Story()
    for number in played:
        story.add("Start Period", period=number, minute=1, clock={1: 0, 2: 2700, 3: 5400, 4: 6300}[number])
    story.add("Red Card", side="home", period=5, clock=0)

    assert (_only(story).period, _only(story).minute) == (period, Minute(minute))


def test_the_time_line_says_what_the_match_does() -> None:
    story = Story()
    story.goal(minute=12, score=(1, 0))
    story.add("Attack", minute=63, status="Suspended")

    view = build_timeline(story.match)

    assert [view.team_name(side) for side in Side] == ["Arsenal", "Chelsea"]
    assert (view.competition, view.kickoff, view.status, view.stage) == ("Premier League", KICKOFF, "Suspended", Stage.LOST)
    assert (view.period, view.minute, view.score, view.half_time) == (
        Period.SECOND_HALF, Minute(63), Score(1, 0), Score(1, 0),
    )  # fmt: skip
    assert (view.shootout, view.kicks) == (None, ())
    assert build_timeline(story.match, Stage.FULL_TIME).stage is Stage.FULL_TIME


def test_a_match_that_goes_on_shows_no_status_of_its_own() -> None:
    story = Story()
    assert build_timeline(story.match).stage is Stage.BEFORE
    story.add("Attack", minute=63)

    assert build_timeline(story.match).status == ""


def test_an_end_of_the_match_is_full_time_whatever_the_status_is() -> None:
    story = Story()
    story.add("End Match", minute=90)

    assert build_timeline(story.match).stage is Stage.FULL_TIME


@pytest.mark.parametrize(
    ("goals", "score"),
    [((), Score()), ((12,), Score(1, 0)), ((12, 44), Score(2, 0)), ((12, 50), Score(1, 0)), ((50,), Score())],
)
def test_the_score_at_half_time_is_that_of_the_goals_before_it(goals: tuple[int, ...], score: Score) -> None:
    story = Story()
    for number, minute in enumerate(goals, start=1):
        story.goal(f"g{number}", minute=minute, score=(number, 0))
    story.add("Attack", minute=60)

    assert build_timeline(story.match).half_time == score


def test_the_score_at_half_time_is_not_known_during_the_first_half_or_without_its_goals() -> None:
    story = Story()
    story.goal(minute=12, score=(1, 0))
    assert build_timeline(story.match).half_time is None

    unseen = Story()
    unseen.add("Attack", minute=60, score=(0, 1))
    assert build_timeline(unseen.match).half_time is None


def test_a_match_at_half_time_is_shown_with_its_own_score() -> None:
    story = Story()
    story.goal(minute=12, player="Saka", score=(1, 0))
    assert build_half_time_timeline(Story().match) is None
    assert build_half_time_timeline(story.match) is None
    story.add("End Period", minute=45, score=(2, 0))

    view = build_half_time_timeline(story.match)

    assert view and (view.score, view.period, view.minute, view.status) == (Score(2, 0), Period.FIRST_HALF, Minute(45), "")
    assert (view.half_time, view.shootout, view.kicks) == (None, None, ())
    assert [event.player for event in view.events] == ["Saka"]


def test_a_match_that_was_followed_from_its_middle_on_has_a_first_half_too() -> None:
    story = Story()
    story.add("Start Period", minute=91, period=3, clock=90 * 60)

    assert build_timeline(story.match).periods == (Period.FIRST_HALF, Period.SECOND_HALF, Period.EXTRA_FIRST)
    assert build_timeline(Story().match).periods == (Period.FIRST_HALF,)


def test_a_completed_match_has_two_halves_whatever_was_sent_of_it() -> None:
    story = Story()
    story.add("Status Updated", period=0, clock=0, status="Completed")

    assert build_timeline(story.match).periods == (Period.FIRST_HALF, Period.SECOND_HALF)


def test_a_kick_is_shown_once_it_is_confirmed_and_has_a_side() -> None:
    story = Story()
    for action, kind, side, send in (
        ("k1", "Goal", "home", "Confirmed"),
        ("k2", "Penalty Missed", "away", "Confirmed"),
        ("k3", "Goal", "home", "Pending"),
        ("k4", "Yellow Card", "home", "Confirmed"),
    ):
        story.add(kind, send, action, side, period=5, clock=0, player=action)

    kicks = build_timeline(story.match).kicks
    assert [(kick.player, kick.side, kick.is_goal) for kick in kicks] == [("k1", Side.HOME, True), ("k2", Side.AWAY, False)]


@needs_recordings
@each_recording
def test_every_recorded_incident_that_stands_is_on_the_time_line_and_no_other(path: Path) -> None:
    true = truth(path)
    standing = [one for one in true["incidents"] if one["standing"] and not one["kind"].startswith("shootout")]
    timeline = build_timeline(replay_matches(path)[-1])

    shown = [e for e in timeline.events if e.kind not in (EventKind.SUBSTITUTION, EventKind.DISALLOWED)]
    view = sorted((e.kind.value, str(e.minute), e.player) for e in shown)
    assert view == sorted((TRUE_KINDS[one["kind"]].value, one["minute"], one["player"]) for one in standing)
    assert (timeline.score.home, timeline.score.away) == (true["final"]["home"], true["final"]["away"])


@needs_recordings
@each_recording
def test_every_recorded_goal_has_its_score_and_every_substitution_both_players(path: Path) -> None:
    events = build_timeline(replay_matches(path)[-1]).events

    assert all(event.score for event in events if event.kind.is_goal)
    assert all(event.player and event.replaced_player for event in events if event.kind is EventKind.SUBSTITUTION)


def test_what_happens_in_one_second_stands_in_the_feeds_own_order() -> None:
    story = Story()
    story.add("Yellow Card", "Confirmed", "second", "home", minute=12, player="Rice", timeline=Decimal("1.0000006650000002"))
    story.add("Yellow Card", "Confirmed", "first", "away", minute=12, player="Palmer", timeline=Decimal("1.0000006650000001"))

    assert [event.player for event in build_timeline(story.match).events] == ["Palmer", "Rice"]


def test_a_revision_keeps_the_place_of_its_action() -> None:
    story = Story()
    story.add("Yellow Card", "Pending", "first", "home", minute=12, timeline=Decimal("1.0000006650000001"))
    story.add("Yellow Card", "Confirmed", "second", "away", minute=12, player="Palmer", timeline=Decimal("1.0000006650000002"))
    story.add("Yellow Card", "Confirmed", "first", "home", minute=12, player="Rice", timeline=Decimal("1.0000006650000003"))

    assert [event.player for event in build_timeline(story.match).events] == ["Rice", "Palmer"]


def test_a_kick_that_comes_late_stands_where_it_was_taken() -> None:
    story = Story()
    story.add("Start Period", period=5, clock=0)
    story.add(
        "Penalty Missed", "Confirmed", "k2", "away", period=5, clock=0, player="Palmer", timeline=Decimal("5.0000000000000002")
    )
    story.add(
        "Penalty Missed", "Confirmed", "k1", "home", period=5, clock=0, player="Saka", timeline=Decimal("5.0000000000000001")
    )

    assert [kick.player for kick in build_timeline(story.match).kicks] == ["Saka", "Palmer"]


def test_the_first_goal_of_a_minute_is_the_first_in_the_feeds_own_order() -> None:
    story = Story()
    late = story.goal("g2", "home", minute=12, score=(1, 0), timeline=Decimal("1.0000006900000002"))
    early = story.goal("g1", "away", minute=12, score=(1, 1), timeline=Decimal("1.0000006650000001"))

    assert (is_first_goal(late), is_first_goal(early)) == (True, True)
    assert not is_first_goal(story.goal("g2", "home", minute=12, player="Rice", timeline=Decimal("1.0000006900000002")))
