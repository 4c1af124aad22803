"""Line-ups: who begins, with which number, in which formation, and who is captain.

They come in the metadata of a Lineups action or from the REST side. Only a part of the REST shape was seen (section 9.2); the
rest is assumed in docs/feed.md, and what is absent is left out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from rules.football.action import Action, Player, Side
from rules.football.names import isolate

_MAX_PLAYERS = 30
"""More players than a squad has are a mistake of the feed, and would make a message too long."""

_STARTING_KEYS = ("startinglineup", "startingplayers", "starting", "players")
_SUBSTITUTE_KEYS = ("substitutes", "substituteplayers", "bench")
_NUMBER_KEYS = ("shirtnumber", "number")
_FORMATION_KEYS = ("formation", "startingformation")
_CAPTAIN_KEYS = ("captain", "iscaptain")
"""Keys in lower case. Of these only `startingLineup` and `shirtNumber` were seen."""

# `4-3-3`, `433` or `3-4-2-1`: two to five lines of players. Anything else would be shown to chats as it is.
_FORMATION = re.compile(r"\d(?:\D?\d){1,4}")


class LineupPlayer(msgspec.Struct, frozen=True):
    """A player of a line-up; `number` is empty where the feed does not give it."""

    name: str
    number: str = ""
    is_captain: bool = False

    def __str__(self) -> str:
        return " ".join(filter(None, (self.number, isolate(self.name), "(c)" if self.is_captain else "")))


class Lineup(msgspec.Struct, frozen=True):
    """One team's line-up; `formation` is such as `4-3-3`, empty where the feed does not give it."""

    starting: tuple[LineupPlayer, ...] = ()
    substitutes: tuple[LineupPlayer, ...] = ()
    formation: str = ""

    @property
    def captain(self) -> str:
        """The captain's name; empty where it is not known."""
        return next((player.name for player in self.starting if player.is_captain), "")

    def __str__(self) -> str:
        """Return `4-3-3: 22 Raya, 8 Ødegaard (c), …`."""
        players = ", ".join(map(str, self.starting))
        return f"{self.formation}: {players}" if self.formation and players else players


class Lineups(msgspec.Struct, frozen=True):
    """The line-ups of both teams; empty ones until the feed gives them."""

    home: Lineup = Lineup()
    away: Lineup = Lineup()

    def of_side(self, side: Side) -> Lineup:
        """Return the line-up of one side."""
        return self.home if side is Side.HOME else self.away

    @property
    def is_complete(self) -> bool:
        """Return True if the players of both teams are known."""
        return bool(self.home.starting and self.away.starting)


def update_lineups(before: Lineups, action: Action) -> Lineups:
    """Return the line-ups after an action; what it does not give stays as it was."""
    if action.type != "Lineups" or action.send_type.is_retraction or not action.metadata:
        return before
    return merge_lineups(before, read_lineups(action.metadata, action.side))


def merge_lineups(before: Lineups, new: Lineups) -> Lineups:
    """Return the newer line-up of each team that has one."""
    # A feed may send the teams one after the other, and the second must not take the first away.
    return Lineups(new.home if new.home.starting else before.home, new.away if new.away.starting else before.away)


def read_lineups(values: Mapping[str, Any], side: Side | None = None) -> Lineups:
    """Read line-ups from an object with `home` and `away`, or from one that is the line-up of a side. Raises nothing."""
    # Keys are compared in lower case, since only a part of them was seen: `startinglineup` is as likely as `startingLineup`.
    keys = _lower_keys(values)
    # A packet with a team may hold the line-up of this team alone, without `home` or `away` around it.
    if side is not None and any(key in keys for key in _STARTING_KEYS):
        return msgspec.structs.replace(Lineups(), **{side.value: _read_lineup(values)})
    return Lineups(_read_lineup(keys.get("home", keys.get("hometeam"))), _read_lineup(keys.get("away", keys.get("awayteam"))))


def make_player(value: Any) -> Player | None:
    """Return the player of a bare name, or of an object with `name`, `fullName`, or first and last name."""
    if isinstance(value, str):
        return Player(name=value) if value else None
    if not isinstance(value, Mapping):
        return None
    # No packet with a player was seen (section 3.2), so the keys of the REST side are read too (section 9.2). The whole name is
    # taken before its parts, of which one may be missing.
    texts = {key: words for key, words in value.items() if isinstance(words, str)}
    name = texts.get("name") or texts.get("fullName")
    name = name or " ".join(filter(None, (texts.get("firstName"), texts.get("lastName"))))
    return Player(texts.get("id", ""), name) if name else None


def _read_lineup(value: Any) -> Lineup:
    values = _lower_keys(value)
    # The captain is named beside the players, or marked among them: both are assumed.
    captain = make_player(_find(values, _CAPTAIN_KEYS))
    formation = _find(values, _FORMATION_KEYS)
    return Lineup(
        _read_players(_find(values, _STARTING_KEYS), captain.name if captain else ""),
        _read_players(_find(values, _SUBSTITUTE_KEYS), ""),
        formation if isinstance(formation, str) and _FORMATION.fullmatch(formation) else "",
    )


def _read_players(value: Any, captain: str) -> tuple[LineupPlayer, ...]:
    listed = value[:_MAX_PLAYERS] if isinstance(value, list) else []
    found = []
    for item in listed:
        player, values = make_player(item), _lower_keys(item)
        if player is None:
            continue
        number = _find(values, _NUMBER_KEYS)
        # `True` is an int in Python, and "1a" would reach the chat as it is.
        is_number = isinstance(number, int | str) and not isinstance(number, bool) and str(number).isdecimal()
        is_captain = _find(values, _CAPTAIN_KEYS) is True or player.name == captain
        found.append(LineupPlayer(player.name, str(number) if is_number else "", is_captain))
    return tuple(found)


def _lower_keys(value: Any) -> dict[str, Any]:
    return {str(key).casefold(): item for key, item in value.items()} if isinstance(value, Mapping) else {}


def _find(values: Mapping[str, Any], keys: tuple[str, ...]) -> Any:
    return next((values[key] for key in keys if key in values), None)
