"""The shirt colours of both teams, which come in the metadata of a Team Colours action."""

from __future__ import annotations

from typing import Any

import msgspec

from rules.football.action import Action, Side

Colour = tuple[int, int, int]
"""Red, green and blue, each from 0 to 255."""


class Colours(msgspec.Struct, frozen=True):
    """The shirt colours of both teams; None until the feed sends them."""

    home: Colour | None = None
    away: Colour | None = None


def update_colours(before: Colours, action: Action) -> Colours:
    """Return the colours after an action; a colour that it does not give stays as it was."""
    if action.type != "Team Colours" or action.send_type.is_retraction:
        return before
    # API version 1 writes `HomeTeamColour`, later ones `homeTeamColour` (section 3.4); US spelling is read as well.
    values = {str(key).casefold(): value for key, value in action.metadata.items()}
    home, away = (_parse_colour(values.get(f"{side}teamcolour", values.get(f"{side}teamcolor"))) for side in Side)
    return Colours(home or before.home, away or before.away)


def _parse_colour(value: Any) -> Colour | None:
    """Read `5, 52, 13`; None for anything else."""
    parts = [part.strip() for part in value.split(",")] if isinstance(value, str) else []
    if len(parts) != 3 or not all(part.isascii() and part.isdigit() and int(part) <= 255 for part in parts):
        return None
    return int(parts[0]), int(parts[1]), int(parts[2])
