"""The card of a match: its score is the official one, and events that do not count are marked."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bot.fake_telegram.html import parse
from bot.fake_telegram.rich import read_rich_message
from bot.i18n.language import use_language
from bot.media.card import render_card, render_rich_card, shorten_to_caption
from rules.football.match import Match
from rules.football.timeline import Timeline
from tests.bot.media.timelines import timelines
from tests.packets import Story
from tests.recordings import each_recording, needs_recordings, truth
from tests.steps import replay_matches


def card_lines(match: Match, *, is_closed: bool = False) -> list[str]:
    """Return the visible lines of the card."""
    return parse(render_card(match, is_closed=is_closed)).text.split("\n")


def play() -> Story:
    """Return a story whose match has begun."""
    story = Story()
    story.add("Start Period", minute=1)
    return story


def test_the_card_of_a_new_match_shows_score_period_and_minute() -> None:
    assert card_lines(play().match) == ["Arsenal 0–0 Chelsea", "First half · 1' · Premier League"]


def test_goals_and_cards_are_listed_below_each_team_with_every_player_once() -> None:
    story = play()
    story.goal("g1", minute=12, player="Saka", score=(1, 0))
    story.add("Yellow Card", side="away", player="Palmer", minute=20)
    story.goal("g2", minute=30, player="Rice", score=(2, 0))
    story.goal("g3", minute=54, player="Saka", sub="Penalty", score=(3, 0))
    story.add("Red Card", side="away", player="Palmer", sub="Second Yellow", minute=60)

    assert card_lines(story.match)[2:] == [
        "Last: 60' 🟥 Palmer (Chelsea)",
        "",
        "Arsenal",
        "⚽ Saka 12', 54' (penalty) · Rice 30'",
        "",
        "Chelsea",
        "🟥 Palmer 60' (second yellow)",
        "🟨 Palmer 20'",
    ]


def test_a_card_in_play_says_what_happened_last_and_the_final_card_does_not() -> None:
    story = play()
    story.goal("g1", minute=12, player="Saka", score=(1, 0))
    alone = card_lines(story.match)
    story.goal("g2", send="Pending", side="away", minute=54, player="Palmer", score=(1, 1))
    pending = card_lines(story.match)
    story.goal("g2", side="away", minute=54, player="Palmer", score=(1, 1))
    confirmed = card_lines(story.match)
    story.add("End Match", minute=90)

    assert not any(line.startswith("Last") for line in (*alone, *card_lines(story.match)))
    assert (pending[2], confirmed[2]) == ("Last: 54' ⏳ ⚽ Palmer (Chelsea)", "Last: 54' ⚽ Palmer (Chelsea)")


def test_national_teams_are_named_alike_in_the_heading_and_below_it() -> None:
    fixture = Story().match.fixture
    home, away = replace(fixture.home, name="Germany"), replace(fixture.away, name="Italy")
    story = Story(replace(fixture, home=home, away=away))
    story.add("Start Period", minute=1)
    story.goal("g1", minute=12, player="Wirtz", score=(1, 0))
    with use_language("de"):
        html = render_card(story.match)

    assert "<b>Deutschland 1:0 Italien</b>" in html and "<b>Deutschland</b>\n⚽ Wirtz 12'" in html


def test_a_pending_goal_is_marked_and_not_counted() -> None:
    story = play()
    story.goal("g1", send="Pending", minute=12, player="Saka", score=(1, 0))

    assert card_lines(story.match) == [
        "Arsenal 0–0 Chelsea",
        "First half · 12' · Premier League",
        "",
        "Arsenal",
        "⏳ ⚽ Saka 12' (unconfirmed)",
    ]


def test_a_deleted_goal_disappears_and_a_disallowed_goal_is_struck_through() -> None:
    story = play()
    story.goal("g1", minute=12, player="Saka", score=(1, 0))
    story.goal("g1", send="Deleted", minute=13, score=(0, 0))
    story.goal("g2", minute=30, player="Rice", score=(1, 0))
    story.add("Goal Disallowed", side="home", minute=32, related=("g2",), score=(0, 0))

    html = render_card(story.match)

    assert "<b>Arsenal 0–0 Chelsea</b>" in html and "Saka" not in html
    assert html.endswith("🚫 <s>Rice 30'</s>")


def test_a_completed_match_is_at_full_time_only_after_its_end_is_announced() -> None:
    story, stages = play(), []
    for kind, more in (("End Period", {"minute": 45}), ("End Period", {"minute": 90, "status": "Completed"}), ("End Match", {})):
        story.add(kind, **more)  # type: ignore[arg-type]
        stages.append(card_lines(story.match)[1].split(" · ")[0])

    assert stages == ["Half time", "Second half", "Full time"]


def test_a_closed_match_without_an_announced_end_says_that_it_was_not_seen() -> None:
    story = play()
    story.add("Corner", minute=80, status="Completed")

    assert card_lines(story.match, is_closed=True)[1] == "over (end not seen) · Premier League"


def test_an_abandoned_match_is_shown_as_abandoned() -> None:
    story = play()
    story.add("Corner", minute=80, status="Abandoned")

    assert card_lines(story.match, is_closed=True)[1] == "Abandoned · Premier League"


def test_a_shootout_is_shown_separately_with_the_kicks_of_each_side() -> None:
    story = play()
    for number, (kind, side) in enumerate([("Goal", "home"), ("Penalty Missed", "away"), ("Goal", "home"), ("Goal", "away")]):
        story.add(kind, side=side, action=f"k{number}", period=5, clock=0, player=f"P{number}")

    lines = card_lines(story.match)

    assert lines[1] == "Shootout · Premier League"
    assert lines[-2:] == ["⚽⚽ Arsenal", "❌⚽ Chelsea"]


def test_names_are_escaped_and_a_goal_without_a_name_is_shown() -> None:
    story = play()
    story.goal("g1", minute=12, player="<b>O'Neil & Co", score=(1, 0))
    story.goal("g2", minute=15, score=(2, 0))

    assert card_lines(story.match)[-1] == "⚽ <b>O'Neil & Co 12' · Goal 15'"


REVISIONS = st.tuples(st.sampled_from(["g1", "g2", "g3"]), st.sampled_from(["Pending", "Confirmed", "Deleted"]))


@given(st.lists(REVISIONS, max_size=12))
def test_the_score_of_a_card_equals_the_number_of_goals_on_it(revisions: list[tuple[str, str]]) -> None:
    story, send_types = play(), dict[str, str]()
    for action, send in revisions:
        if send == "Pending" and action in send_types:
            continue
        send_types[action] = send
        counted = sum(last != "Deleted" for last in send_types.values())
        story.goal(action, send=send, minute=12, player=action, score=(counted, 0))

    lines = card_lines(story.match)

    goals = next((line for line in lines if line.startswith("⚽")), "")
    assert lines[0] == f"Arsenal {goals.count('12')}–0 Chelsea"


@needs_recordings
@each_recording
def test_the_card_of_a_recorded_match_agrees_with_its_truth_file(path: Path) -> None:
    true, match = truth(path), replay_matches(path)[-1]

    lines = card_lines(match)

    assert f"{true['final']['home']}–{true['final']['away']}" in lines[0]
    assert lines[1].startswith(("Full time", "After extra time"))
    for incident in true["incidents"]:
        if incident["standing"] and not incident["kind"].startswith("shootout"):
            assert any(incident["player"] in line and f"{incident['minute']}'" in line for line in lines), incident


def test_a_rich_card_has_the_sides_beside_each_other_and_the_rest_behind_a_tap() -> None:
    story = play()
    story.goal("g1", minute=12, player="Saka", score=(1, 0))
    story.goal("g2", send="Pending", side="away", minute=30, player="Palmer", score=(1, 1))
    story.add("Yellow Card", side="away", player="<Cole>", minute=20)
    blocks = read_rich_message({"html": render_rich_card(story.match)}).blocks

    assert [block["type"] for block in blocks] == ["heading", "paragraph", "paragraph", "table", "details"]
    assert [[cell.get("text", "") for cell in row] for row in blocks[3]["cells"]] == [
        ["Arsenal", "Chelsea"],
        ["⚽ Saka 12'", ""],
        ["", "⏳ ⚽ Palmer 30' (unconfirmed)"],
    ]
    ((goal, yellow),) = [table["cells"] for table in blocks[4]["blocks"]]
    assert [cell["text"] for cell in (*goal, *yellow)] == ["12'", "⚽ Saka", "Arsenal", "20'", "🟨 <Cole>", "Chelsea"]


@given(timelines())
def test_any_match_has_a_rich_card_that_telegram_takes(timeline: Timeline) -> None:
    content = read_rich_message({"html": render_rich_card(play().match, timeline=timeline)})

    assert content.parsed.text.startswith("Brighton & Hove Albion 12–10")


def test_the_caption_of_a_picture_is_what_stands_above_the_lists_and_what_is_pending() -> None:
    story = play()
    bare = shorten_to_caption(render_card(story.match))
    story.goal("g1", minute=12, player="Saka", score=(1, 0))
    story.goal("g2", send="Pending", side="away", minute=30, player="Palmer", score=(1, 1))
    caption = parse(shorten_to_caption(render_card(story.match))).text

    assert bare == render_card(play().match)
    assert caption.split("\n")[2:] == ["Last: 30' ⏳ ⚽ Palmer (Chelsea)", "⏳ ⚽ Palmer 30' (unconfirmed)"]
