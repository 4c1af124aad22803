"""Pairs the players who come on with those who go off: the feed sends two actions, in an order that is not documented.

A single action for both was not seen. Its metadata is read as docs/feed.md assumes it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from rules.football.action import Action, Player
from rules.football.lineups import make_player
from rules.football.match import Match

_COMING_KEYS = ("playerin", "playeron", "inplayer")
_GOING_KEYS = ("playerout", "playeroff", "outplayer", "replacedplayer")
"""Where a substitution may name its two players in its metadata, in lower case. Assumed: none was seen (section 12)."""


class Substitution(msgspec.Struct, frozen=True):
    """One change of players. A player is None where the feed does not name him, and `action` is one of the two actions."""

    action: Action
    comes: Player | None = None
    goes: Player | None = None


def list_substitutions(match: Match) -> Iterator[Substitution]:
    """Yield the substitutions of a match, each action in one of them only."""
    standing = [record.action for record in match.records.values() if record.is_standing and record.action.side]
    going = [action for action in standing if action.type == "Substitution Out"]
    coming = [action for action in standing if action.type == "Substitution In"]
    # Linked pairs first, so that an unlinked player does not take the partner of a linked one.
    for action in sorted(coming, key=lambda one: not _find_linked(one, going)):
        comes, goes = action.player, read_player(action.metadata, _GOING_KEYS)
        off = _find_partner(action, going)
        # An action that names both players itself takes a partner only for the same player: another one is another substitution.
        if off is not None and (goes is None or off.player == goes):
            going.remove(off)
            goes = off.player
        yield Substitution(action, comes, goes)
    # The feed has not sent yet, or never sends, who comes on for these.
    for off in going:
        yield Substitution(off, None, off.player)


def find_replaced_player(match: Match, action: Action) -> Player | None:
    """Return who goes off for the player of a `Substitution In`; None where that is not known, and for other actions."""
    if action.type != "Substitution In":
        return None
    return next((one.goes for one in list_substitutions(match) if one.action.id == action.id), None)


def name_coming_player(action: Action) -> Action:
    """Return a substitution whose metadata alone names the player who comes on, with this player."""
    if action.type != "Substitution In" or action.player is not None:
        return action
    return msgspec.structs.replace(action, player=read_player(action.metadata, _COMING_KEYS))


def read_player(values: Mapping[str, Any], keys: Sequence[str]) -> Player | None:
    """Return the player that stands in metadata below one of these keys (lower case), as an object or a bare name."""
    found = next((value for key, value in values.items() if str(key).casefold() in keys), None)
    return make_player(found)


def _find_linked(action: Action, going: Sequence[Action]) -> Action | None:
    return next((off for off in going if off.id in action.related or action.id in off.related), None)


def _find_partner(action: Action, going: Sequence[Action]) -> Action | None:
    """Return the substitution out that belongs to a substitution in; None where there is none within a minute.

    By their link, else the one of the same side and period that the feed sent next to it.
    """
    linked = _find_linked(action, going)
    if linked or action.minute is None:
        return linked
    # The two actions come within seconds, in an order that is not documented.
    # One that is linked belongs to another, whose action may not be there yet.
    near = [off for off in going if off.side is action.side and off.period is action.period and not off.related]
    near = [off for off in near if off.minute and abs(off.minute.total - action.minute.total) <= 1]
    return min(near, key=lambda off: abs(off.seq - action.seq), default=None)
