"""The palette of a picture keeps the team colours."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from bot.media.theme import DARK, LIGHT, Theme, build_palette, team_colours
from rules.football.action import Side
from rules.football.colours import Colour, Colours
from tests.laws import try_examples

COLOUR = st.tuples(*[st.integers(0, 255)] * 3)


@try_examples(60)
@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
@given(home=COLOUR, away=COLOUR)
def test_the_colours_of_background_text_and_teams_change_by_at_most_twelve(theme: Theme, home: Colour, away: Colour) -> None:
    teams = team_colours(Colours(home, away), theme)
    expected = (theme.background, theme.card, theme.text, theme.muted, *teams.values())
    image = Image.new("RGB", (len(expected), 1))
    for x, colour in enumerate(expected):
        image.putpixel((x, 0), colour)

    quantized = image.quantize(
        palette=build_palette(theme, teams[Side.HOME], teams[Side.AWAY]), dither=Image.Dither.NONE
    ).convert("RGB")
    actual = [quantized.getpixel((x, 0)) for x in range(len(expected))]
    assert all(
        max(abs(a - b) for a, b in zip(one, other, strict=True)) <= 12 for one, other in zip(actual, expected, strict=True)
    )
