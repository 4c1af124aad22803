"""The shirt colours of both teams, as the feed sends them."""

from __future__ import annotations

from typing import Any

import pytest

from rules.football.colours import Colours
from tests.packets import Story


@pytest.mark.parametrize(
    "metadata",
    [
        {"homeTeamColour": "5, 52, 13", "awayTeamColour": "255, 0, 0"},
        {"HomeTeamColour": "5,52,13", "AwayTeamColour": "255,0,0"},
    ],
)
def test_the_colours_are_read_in_either_spelling(metadata: dict[str, Any]) -> None:
    story = Story()
    story.add("Team Colours", metadata=metadata)

    assert story.match.colours == Colours((5, 52, 13), (255, 0, 0))


@pytest.mark.parametrize("value", ["", "red", "1, 2", "1, 2, 256", "1, 2, -3", "1, 2, 3, 4", None, 7, [1, 2, 3], "١, 2, 3"])
def test_what_is_no_colour_is_left_out(value: Any) -> None:
    story = Story()
    story.add("Team Colours", metadata={"homeTeamColour": value, "awayTeamColour": "1, 2, 3"})

    assert story.match.colours == Colours(None, (1, 2, 3))


def test_a_colour_that_comes_later_replaces_only_itself() -> None:
    story = Story()
    story.add("Team Colours", metadata={"homeTeamColour": "1, 1, 1", "awayTeamColour": "2, 2, 2"})
    story.add("Team Colours", metadata={"awayTeamColour": "3, 3, 3"})

    assert story.match.colours == Colours((1, 1, 1), (3, 3, 3))


def test_other_actions_tell_no_colours() -> None:
    story = Story()
    story.add("Match Conditions", metadata={"homeTeamColour": "1, 1, 1"})

    assert story.match.colours == Colours()
