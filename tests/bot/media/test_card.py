"""The card of a match: what counts is on it, what does not count says so, and the score is the official one."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from bot.media.card import render_card
from rules.football.match import Match
from tests.fakes.telegram_html import parse
from tests.packets import Story
from tests.recordings import each_recording, needs_recordings, truth
from tests.steps import recorded


def shown(match: Match, *, is_closed: bool = False) -> list[str]:
    """The lines that a reader sees."""
    return parse(render_card(match, is_closed=is_closed)).text.split("\n")


def play() -> Story:
    """A match that has begun."""
    story = Story()
    story.tell("Start Period", minute=1)
    return story


def test_a_match_that_begins_shows_its_score_its_period_and_its_minute() -> None:
    assert shown(play().match) == ["Arsenal 0–0 Chelsea", "First half · 1' · Premier League"]


def test_each_sides_goals_and_cards_stand_below_its_name_and_a_player_once() -> None:
    story = play()
    story.goal("g1", minute=12, player="Saka", score=(1, 0))
    story.tell("Yellow Card", side="away", player="Palmer", minute=20)
    story.goal("g2", minute=30, player="Rice", score=(2, 0))
    story.goal("g3", minute=54, player="Saka", sub="Penalty", score=(3, 0))
    story.tell("Red Card", side="away", player="Palmer", sub="Second Yellow", minute=60)

    assert shown(story.match)[2:] == [
        "",
        "Arsenal",
        "⚽ Saka 12', 54' (penalty) · Rice 30'",
        "",
        "Chelsea",
        "🟥 Palmer 60' (second yellow)",
        "🟨 Palmer 20'",
    ]


def test_a_pending_goal_says_so_and_is_not_counted() -> None:
    story = play()
    story.goal("g1", send="Pending", minute=12, player="Saka", score=(1, 0))

    assert shown(story.match) == [
        "Arsenal 0–0 Chelsea",
        "First half · 12' · Premier League",
        "",
        "Arsenal",
        "⏳ ⚽ Saka 12' (awaiting confirmation)",
    ]


def test_what_the_feed_takes_back_disappears_and_what_a_check_disallows_is_struck() -> None:
    story = play()
    story.goal("g1", minute=12, player="Saka", score=(1, 0))
    story.goal("g1", send="Deleted", minute=13, score=(0, 0))
    story.goal("g2", minute=30, player="Rice", score=(1, 0))
    story.tell("Goal Disallowed", side="home", minute=32, related=("g2",), score=(0, 0))

    html = render_card(story.match)

    assert "<b>Arsenal 0–0 Chelsea</b>" in html and "Saka" not in html
    assert html.endswith("🚫 <s>Rice 30'</s>")


def test_half_time_and_full_time_are_words_and_a_completed_match_is_not_over_before_its_end_is_told() -> None:
    story, seen = play(), []
    for kind, more in (("End Period", {"minute": 45}), ("End Period", {"minute": 90, "status": "Completed"}), ("End Match", {})):
        story.tell(kind, **more)  # type: ignore[arg-type]
        seen.append(shown(story.match)[1].split(" · ")[0])

    assert seen == ["Half time", "Second half", "Full time"]


def test_a_match_whose_end_was_not_seen_says_that() -> None:
    story = play()
    story.tell("Corner", minute=80, status="Completed")

    assert shown(story.match, is_closed=True)[1] == "over – its end was not seen · Premier League"


def test_an_abandoned_match_is_called_so() -> None:
    story = play()
    story.tell("Corner", minute=80, status="Abandoned")

    assert shown(story.match, is_closed=True)[1] == "Abandoned · Premier League"


def test_a_shootout_stands_apart_with_the_kicks_of_each_side() -> None:
    story = play()
    for number, (kind, side) in enumerate([("Goal", "home"), ("Penalty Missed", "away"), ("Goal", "home"), ("Goal", "away")]):
        story.tell(kind, side=side, action=f"k{number}", period=5, clock=0, player=f"P{number}")

    lines = shown(story.match)

    assert lines[1] == "Shootout · Premier League"
    assert lines[-2:] == ["⚽⚽ Arsenal", "❌⚽ Chelsea"]


def test_names_are_escaped_and_a_goal_without_a_name_is_one_all_the_same() -> None:
    story = play()
    story.goal("g1", minute=12, player="<b>O'Neil & Co", score=(1, 0))
    story.goal("g2", minute=15, score=(2, 0))

    assert shown(story.match)[-1] == "⚽ <b>O'Neil & Co 12' · Goal 15'"


REVISIONS = st.tuples(st.sampled_from(["g1", "g2", "g3"]), st.sampled_from(["Pending", "Confirmed", "Deleted"]))


@given(st.lists(REVISIONS, max_size=12))
def test_the_score_of_a_card_is_that_of_the_goals_that_stand_on_it(revisions: list[tuple[str, str]]) -> None:
    story, told = play(), dict[str, str]()
    for action, send in revisions:
        if send == "Pending" and action in told:
            continue
        told[action] = send
        counted = sum(last != "Deleted" for last in told.values())
        story.goal(action, send=send, minute=12, player=action, score=(counted, 0))

    lines = shown(story.match)

    goals = next((line for line in lines if line.startswith("⚽")), "")
    assert lines[0] == f"Arsenal {goals.count('12')}–0 Chelsea"


@needs_recordings
@each_recording
def test_the_card_of_a_recorded_match_tells_the_truth(path: Path) -> None:
    true, match = truth(path), recorded(path)[-1]

    lines = shown(match)

    assert f"{true['final']['home']}–{true['final']['away']}" in lines[0]
    assert lines[1].startswith(("Full time", "After extra time"))
    for incident in true["incidents"]:
        if incident["standing"] and not incident["kind"].startswith("shootout"):
            assert any(incident["player"] in line and f"{incident['minute']}'" in line for line in lines), incident
