"""The colours of a picture: what a team wears is drawn exactly."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from bot.media.theme import DARK, LIGHT, Theme, build_palette, team_colours
from rules.football.action import Side
from rules.football.match import Colour, Colours

COLOUR = st.tuples(*[st.integers(0, 255)] * 3)


@settings(max_examples=60, deadline=None)
@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
@given(home=COLOUR, away=COLOUR)
def test_the_ground_the_words_and_the_teams_keep_their_colours_nearly(theme: Theme, home: Colour, away: Colour) -> None:
    teams = team_colours(Colours(home, away), theme)
    wanted = (theme.background, theme.card, theme.text, theme.muted, *teams.values())
    drawn = Image.new("RGB", (len(wanted), 1))
    for x, colour in enumerate(wanted):
        drawn.putpixel((x, 0), colour)

    few = drawn.quantize(palette=build_palette(theme, teams[Side.HOME], teams[Side.AWAY]), dither=Image.Dither.NONE).convert(
        "RGB"
    )
    shown = [few.getpixel((x, 0)) for x in range(len(wanted))]
    assert all(max(abs(a - b) for a, b in zip(one, other, strict=True)) <= 12 for one, other in zip(shown, wanted, strict=True))
