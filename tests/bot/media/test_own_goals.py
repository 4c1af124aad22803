"""An own goal belongs to the club that gets it, and its player to his own, wherever it is shown."""

from __future__ import annotations

import pytest

from bot.media.card import build_card_timeline, render_card
from bot.media.labels import translate_labels
from bot.media.layout import build_layout
from bot.telegram.render import render_line
from rules.engine.alert import Alert
from rules.engine.evaluate import evaluate
from rules.engine.text import visible_text
from rules.football.action import Side
from rules.football.match import Match
from rules.football.timeline import build_half_time_timeline, build_timeline
from rules.loading.loader import load_pack
from tests.packets import Story

# The feed does not say whether the team of an own goal is that of the player or the one that gets the goal: the score decides.
TEAMS = pytest.mark.parametrize("team_of_the_feed", ["home", "away"])

TYPES = pytest.mark.parametrize(("kind", "sub"), [("Goal", "Own Goal"), ("Own Goal", "")])


def score_an_own_goal(kind: str, sub: str, team: str) -> tuple[Match, Alert]:
    """T. Silva of Chelsea scores for Arsenal in the 23rd minute."""
    story = Story()
    moment = story.add(kind, "Confirmed", "g", team, sub=sub, player="T. Silva", minute=23, score=(1, 0))
    (alert,) = evaluate(load_pack(), moment)
    story.add("End Period", minute=45)
    return story.match, alert


@TEAMS
@TYPES
def test_the_alert_and_the_line_of_a_summary_name_the_club_of_the_player(kind: str, sub: str, team_of_the_feed: str) -> None:
    _, alert = score_an_own_goal(kind, sub, team_of_the_feed)

    assert alert.text == "⚽ <b>Arsenal [1]–0 Chelsea</b>\n23' T. Silva (own goal)"
    assert render_line(alert) == "23' ⚽ T. Silva (Chelsea, own goal) · Arsenal 1–0 Chelsea"


@TEAMS
@TYPES
def test_the_card_has_it_below_the_club_that_gets_it(kind: str, sub: str, team_of_the_feed: str) -> None:
    match, _ = score_an_own_goal(kind, sub, team_of_the_feed)

    card = visible_text(render_card(match, timeline=build_card_timeline(match)))

    assert "Arsenal\n⚽ T. Silva 23' (own goal)" in card and "Chelsea\n" not in card.partition("⚽")[2]


@TEAMS
@TYPES
def test_the_picture_has_it_on_the_side_that_gets_it(kind: str, sub: str, team_of_the_feed: str) -> None:
    match, _ = score_an_own_goal(kind, sub, team_of_the_feed)
    half = build_half_time_timeline(match)
    assert half is not None

    for timeline in (build_timeline(match), half):
        (row,) = (row for band in build_layout(timeline, translate_labels()).bands for row in band.rows)
        assert row.event.side is Side.HOME and row.event.player == "T. Silva"
