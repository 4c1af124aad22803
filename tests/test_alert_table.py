"""What a locked phone shows of each shipped alert: the table of docs/chat.md, and what has to be in it."""

from __future__ import annotations

import msgspec
import pytest

from bot.i18n.football import current_wording, format_score, load_wordings, translate_team
from bot.i18n.language import current_language, use_language
from bot.telegram.render import render_body, render_message, render_restoration, render_retraction
from docs.make_alert_table import PAGE, insert_table, list_rows, list_rule_names, preview
from rules.engine.alert import Alert, State
from rules.engine.evaluate import evaluate, translate_alert
from rules.engine.text import LANGUAGES
from rules.football.action import Team
from rules.football.match import Moment
from rules.loading.loader import load_pack
from tests.packets import FIXTURE, Story

RULES = load_pack()

LONG_NAMES = ("Borussia Mönchengladbach", "Brighton & Hove Albion", "Wolverhampton Wanderers", "Olympique de Marseille")
"""As long as names of clubs are. A phone that speaks English shows side and score of these too."""

NAMES = ("West Bromwich Albion", "Paris Saint-Germain", "Manchester United", "Deportivo La Coruña", "Germany", "Netherlands")

PLACES = [("en", name) for name in LONG_NAMES] + [(language, name) for language in LANGUAGES for name in NAMES]


@pytest.mark.slow
def test_the_page_has_the_table_of_today() -> None:
    page = PAGE.read_text(encoding="utf-8")

    assert page == insert_table(page), "made anew by `python -m docs.make_alert_table`"


@pytest.mark.slow
def test_the_table_has_every_rule_that_ships() -> None:
    names = {row.name.partition(":")[0].partition(" (")[0] for row in list_rows()}

    assert names == list_rule_names()


def play(name: str, side: str) -> Story:
    """A match in which the team of this name plays on a side."""
    home, away = (Team("h", name), Team("a", "Chelsea")) if side == "home" else (Team("h", "Chelsea"), Team("a", name))
    return Story(msgspec.structs.replace(FIXTURE, home=home, away=away))


def alert_of(moment: Moment) -> Alert:
    wordings = [wording for wording in load_wordings() if wording.language == current_language()]
    return translate_alert(evaluate(RULES, moment)[0], RULES, wordings)


def shown(alert: Alert) -> str:
    return preview(render_message(render_body(alert), alert.state)).removesuffix("…")


@pytest.mark.parametrize("side", ["home", "away"])
@pytest.mark.parametrize(("language", "name"), PLACES)
def test_a_goal_and_what_becomes_of_it_say_side_and_score(language: str, name: str, side: str) -> None:
    story, score = play(name, side), ((1, 0) if side == "home" else (0, 1))
    with use_language(language):
        team, sign = translate_team(name), current_wording().score_sign
        goal = alert_of(story.goal(send="Pending", side=side, minute=16))
        taken_back = alert_of(story.goal(send="Deleted", side=side, minute=16))
        again = alert_of(story.goal(send="Updated", side=side, minute=16, score=score))
        fallen, again_shown = preview(render_retraction(taken_back, "goal")), preview(render_restoration(again))

        # The team that scored may be the second that is named: then the brackets round its goals say whose they are.
        assert (f"{team} [1]{sign}0" if side == "home" else f"Chelsea 0{sign}[1]") in shown(goal)
        assert goal.state is State.PENDING
        assert team in fallen and format_score("0–0") in fallen
        assert team in again_shown


@pytest.mark.parametrize(("language", "name"), PLACES)
def test_a_goal_that_falls_by_an_action_of_its_own_says_side_and_score(language: str, name: str) -> None:
    with use_language(language):
        alert = alert_of(play(name, "home").add("Goal Disallowed", side="home", sub="Offside"))

        assert translate_team(name) in shown(alert) and format_score("0–0") in shown(alert)


@pytest.mark.parametrize(("language", "name"), PLACES)
def test_a_penalty_and_a_card_say_the_side(language: str, name: str) -> None:
    kinds = ("Penalty Awarded", "Penalty Missed", "Yellow Card", "Red Card", "Second Yellow Card")
    with use_language(language):
        alerts = [alert_of(play(name, "home").add(kind, side="home", player="Xherdan Shaqiri")) for kind in kinds]

        assert [alert.kind for alert in alerts if translate_team(name) not in shown(alert)] == []


@pytest.mark.parametrize(("language", "name"), PLACES)
def test_half_time_and_full_time_say_the_score(language: str, name: str) -> None:
    story = play(name, "home")
    with use_language(language):
        story.goal(side="home", score=(1, 0), player="Xherdan Shaqiri")
        half, full = alert_of(story.add("End Period", minute=45)), alert_of(story.add("End Match", minute=90))

        assert [format_score("1–0") in shown(alert) for alert in (half, full)] == [True, True]
