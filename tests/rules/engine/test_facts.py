"""The facts of a moment, all of them: the variables of texts."""

from __future__ import annotations

import datetime as dt

import msgspec
import pytest
from msgspec.structs import replace

from rules.engine.alert import Facts, make_facts
from rules.football.match import Match, Moment
from rules.football.relisting import compare_listing, make_relisting_moments
from tests.packets import FIXTURE, KICKOFF, Story

BASIC = Facts(
    home="Arsenal",
    away="Chelsea",
    competition="Premier League",
    venue="Emirates Stadium",
    kickoff="14:00 UTC",
    kickoff_date="2026-08-15 14:00 UTC",
    score_before="0–0",
)
"""What is the same at every moment of the match."""


def story() -> Story:
    return Story(replace(FIXTURE, venue="Emirates Stadium"))


def test_a_goal_has_its_team_its_player_its_minute_and_the_score_that_it_makes() -> None:
    played = story()
    first = make_facts(played.goal(minute=67, player="Bukayo Saka", sub="Header", score=(1, 0)))
    second = make_facts(played.goal(minute=70, player="Cole Palmer", side="away", action="h", send="Pending", score=(1, 1)))

    assert first == replace(
        BASIC,
        match="Arsenal 1–0 Chelsea",
        score="1–0",
        goal_score="[1]–0",
        home_score=1,
        team="Arsenal",
        opponent="Chelsea",
        side="home",
        player="Bukayo Saka",
        player_goals=1,
        minute="67",
        minute_number=67,
        period="second half",
        action_type="Goal",
        sub_action_type="Header",
    )
    assert second == replace(
        BASIC,
        match="Arsenal 1–1 Chelsea",
        score="1–1",
        goal_score="1–[1]",
        home_score=1,
        away_score=1,
        team="Chelsea",
        opponent="Arsenal",
        side="away",
        player="Cole Palmer",
        player_goals=1,
        minute="70",
        minute_number=70,
        period="second half",
        action_type="Goal",
        pending=True,
    )


def test_a_card_has_the_official_score_its_added_minutes_and_how_many_the_player_has() -> None:
    played = story()
    played.add("Yellow Card", side="away", player="Cole Palmer", minute=44)
    facts = make_facts(played.add("Red Card", action="r", side="away", player="Cole Palmer", minute=92), reason="Offside")

    assert facts == replace(
        BASIC,
        match="Arsenal 0–0 Chelsea",
        score="0–0",
        goal_score="0–0",
        team="Chelsea",
        opponent="Arsenal",
        side="away",
        player="Cole Palmer",
        player_cards=2,
        minute="90+2",
        minute_number=90,
        added=2,
        period="second half",
        action_type="Red Card",
        reason="Offside",
    )


def test_what_concerns_nobody_has_no_team_and_no_minute_before_the_kick_off() -> None:
    facts = make_facts(story().add("Beach Ball", period=0))

    assert facts == replace(BASIC, match="Arsenal 0–0 Chelsea", score="0–0", goal_score="0–0", action_type="Beach Ball")


@pytest.mark.parametrize(
    ("change", "action_type", "before", "now"),
    [
        ({"venue": "Wembley"}, "Venue Changed", {"venue_before": "Emirates Stadium"}, {"venue": "Wembley"}),
        (
            {"kickoff": KICKOFF + dt.timedelta(hours=2)},
            "Kick-off Moved",
            {"kickoff_before": "2026-08-15 14:00 UTC"},
            {"kickoff": "16:00 UTC", "kickoff_date": "2026-08-15 16:00 UTC"},
        ),
        (
            {"coverage_level": "Standard Stream"},
            "Coverage Reduced",
            {"coverage_before": "In Venue"},
            {"coverage": "Standard Stream"},
        ),
    ],
    ids=["venue", "kick-off", "coverage"],
)
def test_a_fixture_that_changes_has_what_it_was_and_what_it_is(
    change: dict[str, object], action_type: str, before: dict[str, str], now: dict[str, str]
) -> None:
    known = replace(FIXTURE, venue="Emirates Stadium", coverage_level="In Venue")
    listed = compare_listing(known, replace(known, **change))
    (moment,) = make_relisting_moments(Match(listed.after), known, listed, 1, KICKOFF - dt.timedelta(days=1))

    facts = msgspec.structs.asdict(make_facts(moment))

    assert {
        name: value for name, value in facts.items() if name.endswith("_before") and name != "score_before" and value
    } == before
    assert {name: facts[name] for name in now} == now and facts["action_type"] == action_type


def with_metadata(moment: Moment, **metadata: object) -> Moment:
    return replace(moment, action=replace(moment.action, metadata=metadata))


def test_what_the_feed_itself_calls_so_is_read_as_text_alone() -> None:
    foreign = with_metadata(story().add("Venue Changed"), venueBefore=7, kickoffBefore=["x"])

    facts = make_facts(foreign)

    assert (facts.venue_before, facts.kickoff_before) == ("", "")
    assert make_facts(with_metadata(story().add("Corner"), coverageLevel="Video")).coverage_before == ""
