"""The teams' colours, as the action `Team Colours` tells them (feed documentation, section 3.4)."""

from __future__ import annotations

from typing import Any

import msgspec

from rules.action import Action, Side

Colour = tuple[int, int, int]
"""Red, green and blue, each from 0 to 255."""


class Colours(msgspec.Struct, frozen=True):
    """What both teams wear; None where the feed does not tell."""

    home: Colour | None = None
    away: Colour | None = None

    def of(self, side: Side) -> Colour | None:
        """What one team wears."""
        return self.home if side is Side.HOME else self.away


def learnt(before: Colours, action: Action) -> Colours:
    """The colours after an action; what it does not tell stays as it was."""
    if action.type != "Team Colours" or action.send_type.takes_back:
        return before
    told = {str(key).casefold(): value for key, value in action.metadata.items()}
    home, away = (_read(told.get(f"{side}teamcolour", told.get(f"{side}teamcolor"))) for side in Side)
    return Colours(home or before.home, away or before.away)


def _read(value: Any) -> Colour | None:
    """Read `5, 52, 13`; None for anything else."""
    parts = [part.strip() for part in value.split(",")] if isinstance(value, str) else []
    if len(parts) != 3 or not all(part.isascii() and part.isdigit() and int(part) <= 255 for part in parts):
        return None
    return int(parts[0]), int(parts[1]), int(parts[2])
