"""The picture is a PNG of any match, drawn in a thread. Without Pillow a sentence says what to install."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given
from PIL import Image

from bot.errors import UserMistake
from bot.media.canvas import draw_icon
from bot.media.picture import SCORE_ROOM, SCORE_SIZES, fit_line, split_team_name
from bot.media.renderer import render_match, render_picture, require_pillow
from bot.media.theme import DARK, LIGHT, Theme, team_colours
from rules.football.match import Match
from rules.football.timeline import TIMELINE_KINDS, EventKind, Stage, Timeline, build_timeline
from tests.bot.media.timelines import full, timelines
from tests.laws import try_examples
from tests.packets import FIXTURE, Story
from tests.recordings import each_recording, needs_recordings
from tests.steps import replay_matches


def _open_image(png: bytes) -> Image.Image:
    return Image.open(io.BytesIO(png))


@pytest.mark.parametrize("dark", [False, True])
def test_a_picture_is_a_png_1280_pixels_wide_with_the_colours_of_its_theme(dark: bool) -> None:
    image = _open_image(render_picture(full(), dark=dark))
    theme = DARK if dark else LIGHT

    assert (image.format, image.width) == ("PNG", 1280)
    pixels = [image.convert("RGB").getpixel(place) for place in ((2, 2), (300, 60), (45, 200), (1235, 200))]
    assert pixels == [theme.background, theme.card, *team_colours(full().colours, theme).values()]


@try_examples(12)
@given(timelines())
def test_any_match_can_be_drawn(timeline: Timeline) -> None:
    assert _open_image(render_picture(timeline)).width == 1280


@pytest.mark.parametrize("stage", list(Stage))
async def test_a_match_without_packets_can_be_drawn_at_any_stage(stage: Stage) -> None:
    assert _open_image(await render_match(Match(FIXTURE), stage)).width == 1280


async def test_the_same_match_gives_the_same_picture() -> None:
    story = Story()
    story.goal(minute=12, player="Saka", score=(1, 0))

    assert await render_match(story.match) == await render_match(story.match)


async def test_another_goal_gives_another_picture() -> None:
    story = Story()
    story.goal(minute=12, player="Saka", score=(1, 0))
    before = await render_match(story.match)
    story.goal("g2", side="away", minute=13, player="Palmer", score=(1, 1))

    assert await render_match(story.match) != before


def test_without_pillow_one_sentence_says_what_to_install() -> None:
    with pytest.raises(UserMistake, match=r"pip install .*\[pictures\]"):
        require_pillow(have=False)


@pytest.mark.parametrize("kind", TIMELINE_KINDS)
@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_every_kind_of_event_has_an_icon(kind: EventKind, theme: Theme) -> None:
    icon = draw_icon(kind, 46, theme)

    assert icon.size == (46, 46) and icon.getbbox() is not None


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("Arsenal", ["Arsenal"]),
        ("West Bromwich Albion", ["West Bromwich", "Albion"]),
        ("Brighton & Hove Albion", ["Brighton &", "Hove Albion"]),
        ("Borussia Mönchengladbach", ["Borussia", "Mönchengladbach"]),
    ],
)
def test_the_name_of_a_team_takes_up_to_two_lines(name: str, lines: list[str]) -> None:
    assert [line.text for line in split_team_name(name)] == lines


@pytest.mark.parametrize("score", ["9 – 9", "12 – 10", "149 – 0"])
def test_no_digit_of_a_score_is_cut(score: str) -> None:
    assert fit_line(score, SCORE_SIZES, SCORE_ROOM).text == score


@needs_recordings
@each_recording
def test_the_picture_of_a_recorded_match_grows_with_its_events(path: Path) -> None:
    steps = replay_matches(path)
    middle, end = steps[len(steps) // 2], steps[-1]

    assert (
        _open_image(render_picture(build_timeline(end))).height > _open_image(render_picture(build_timeline(middle))).height > 400
    )
