"""Team colours are visible and distinct on both backgrounds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.media.theme import DARK, LIGHT, MIN_CONTRAST, MIN_TEAM_DISTANCE, Theme, colour_distance, contrast_ratio, team_colours
from rules.football.action import Side
from rules.football.colours import Colour, Colours

COLOUR = st.tuples(*[st.integers(0, 255)] * 3)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
@given(home=st.none() | COLOUR, away=st.none() | COLOUR)
def test_any_two_team_colours_become_visible_and_distinct(theme: Theme, home: Colour | None, away: Colour | None) -> None:
    result = team_colours(Colours(home, away), theme)

    assert all(
        contrast_ratio(colour, background) >= MIN_CONTRAST
        for colour in result.values()
        for background in (theme.background, theme.card)
    )
    assert colour_distance(result[Side.HOME], result[Side.AWAY]) >= MIN_TEAM_DISTANCE


def test_visible_colours_are_not_changed() -> None:
    assert team_colours(Colours((5, 52, 13), (255, 0, 0)), LIGHT) == {Side.HOME: (5, 52, 13), Side.AWAY: (255, 0, 0)}


def test_white_on_white_becomes_grey() -> None:
    red, green, blue = team_colours(Colours((255, 255, 255), (255, 0, 0)), LIGHT)[Side.HOME]

    assert max(red, green, blue) - min(red, green, blue) < 20 and red < 200


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_the_texts_of_a_theme_have_enough_contrast(theme: Theme) -> None:
    assert contrast_ratio(theme.text, theme.background) > 12 and contrast_ratio(
        theme.muted, theme.background
    ) > 4.5 < contrast_ratio(theme.muted, theme.card)


def test_black_and_white_have_the_highest_contrast() -> None:
    assert round(contrast_ratio((0, 0, 0), (255, 255, 255))) == 21
