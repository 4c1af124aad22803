"""Reads the lines of a scenario: what happens, who did it, and after commas the details, such as `pending 20s`."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import msgspec

from rules.football.action import Side
from rules.football.lineups import Lineup, LineupPlayer
from rules.football.minute import LAST_MINUTE, Minute
from rules.football.names import normalise
from rules.football.timeline import EventKind
from rules.loading.values import suggest
from rules.scenarios.scenario import (
    PERIOD_END_MINUTES,
    SCENARIO_KINDS,
    VIDEO_CHECK_DELAY,
    VIDEO_CHECK_DURATION,
    EventLifecycle,
    ScenarioEvent,
    ScenarioKick,
)


class LineInvalid(ValueError):
    """A line that cannot be read; `str()` says why in one sentence."""


_KINDS_WITHOUT_TEAM = frozenset(
    {
        *PERIOD_END_MINUTES,
        EventKind.VIDEO_CHECK,
        EventKind.WATER_BREAK,
        EventKind.ADDED_TIME,
        EventKind.ABANDONED,
        EventKind.RESUMED,
    }
)

# How long the feed takes to confirm. Key actions (goals, cards, penalties) begin as pending (feed documentation, section 4.1).
_PENDING_SECONDS = {
    EventKind.GOAL: 20,
    EventKind.PENALTY_GOAL: 18,
    EventKind.OWN_GOAL: 25,
    EventKind.PENALTY_AWARDED: 15,
    EventKind.YELLOW_CARD: 9,
    EventKind.SECOND_YELLOW: 9,
    EventKind.RED_CARD: 12,
    EventKind.SIN_BIN: 9,
}

# What happens ends at the first bracket or comma: the name of a player may hold neither, and that of the team is in the brackets.
_LINE_PATTERN = re.compile(
    r"(?:(?P<minute>[\d+]+)'\s+)?(?P<words>[^(),]+?)\s*(?:\((?P<team>[^()]+)\))?\s*(?P<details>(?:,[^,]+)*)",
)

_LINEUP_PATTERN = re.compile(r"(?P<team>[^()]+?)\s*(?:\((?P<formation>[\d-]+)\))?:?\s+(?P<players>\d.*)")

_LINEUP_PLAYER_PATTERN = re.compile(r"(?P<number>\d{1,2}) (?P<name>[^()]+?)(?P<captain> \(c\))?")

_RESUMPTION_PATTERN = re.compile(r"after (\d{1,3})h")

_KICK_PATTERN = re.compile(r"(?P<player>[^()]+?)\s*\((?P<team>[^()]+)\)\s+(?P<outcome>scored|saved|missed)")

# The details that may follow an event, each with the fields of `EventLifecycle` that it sets.
_DETAILS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], dict[str, Any]]], ...] = (
    (re.compile(r"pending (\d+)s"), lambda m: {"confirmed_after": int(m[1])}),
    (re.compile(r"cancelled after (\d+)s"), lambda m: {"cancelled_after": int(m[1])}),
    (
        re.compile(r"disallowed(?: for (?P<why>[\w ]+?))?(?: after (?:(?P<seconds>\d+)s|(?P<check>a video check)))?"),
        lambda m: {
            "reason": (m["why"] or "").title(),
            "disallowed_after": int(m["seconds"] or 30),
            "has_video_check": bool(m["check"]),
        },
    ),
    (re.compile(r"deleted after (\d+)s"), lambda m: {"deleted_after": int(m[1])}),
    (re.compile(r"restored after (\d+)s"), lambda m: {"restored_after": int(m[1])}),
    (re.compile(r"corrected to (.+) after (\d+)s"), lambda m: {"correction": (m[1], int(m[2]))}),
    (re.compile(r"red after (\d+)s"), lambda m: {"red_card_after": int(m[1])}),
    (re.compile(r"sent twice"), lambda m: {"is_sent_twice": True}),
    (re.compile(r"in one action"), lambda m: {"is_one_action": True}),
    (re.compile(r"never confirmed"), lambda m: {"is_never_confirmed": True}),
    (re.compile(r"(header|inside the box|outside the box)"), lambda m: {"sub_type": m[1].title()}),
)

_DETAILS_OF_FEW_KINDS = (
    ("disallowed_after", frozenset(one for one in EventKind if one.is_goal), "only a goal is disallowed"),
    ("red_card_after", frozenset({EventKind.YELLOW_CARD}), "only a yellow card turns red"),
    ("is_sent_twice", frozenset({EventKind.PENALTY_GOAL}), "only a penalty goal is sent twice"),
    ("is_one_action", frozenset({EventKind.SUBSTITUTION}), "only a substitution comes in one action"),
)
"""The fields that only some events may set, with these events and the sentence for any other."""

_DETAIL_HELP = "pending 20s, cancelled after 20s, disallowed for offside after 40s (or: after a video check), deleted after 60s, \
restored after 90s, corrected to NAME after 60s, red after 60s, sent twice, in one action, never confirmed, header, \
inside the box, outside the box"


def parse_line(line: str, teams: dict[Side, str]) -> ScenarioEvent:
    """Read one line of `events:`. Raises `LineInvalid`."""
    found = _LINE_PATTERN.fullmatch(" ".join(line.split()))
    if not found or not found["minute"]:
        raise LineInvalid(f"{line!r} is not of the form: 10' goal NAME (TEAM), DETAILS")
    kind, rest = _parse_kind(found["words"])
    minute = _parse_minute(found["minute"], kind)
    side = find_side(found["team"], teams) if found["team"] else None
    # Both ways: a missing team would make an action of nobody, and one too many is a misunderstanding of the line.
    if (side is None) is not (kind in _KINDS_WITHOUT_TEAM):
        raise LineInvalid(f"{kind} needs its team in brackets" if side is None else f"{kind} belongs to no team")
    player, replaces = _parse_players(kind, rest)
    return ScenarioEvent(minute, kind, side, player, replaces, _parse_details(kind, found["details"]))


def parse_lineup(line: str, teams: dict[Side, str]) -> tuple[Side, Lineup]:
    """Read one line of `lineups:`. Raises `LineInvalid`."""
    found = _LINEUP_PATTERN.fullmatch(" ".join(line.split()))
    if not found:
        raise LineInvalid(f"{line!r} is not of the form: TEAM (4-3-3) 1 NAME, 8 NAME (c); 12 NAME")
    starting, _, substitutes = found["players"].partition(";")
    players = [tuple(_parse_lineup_player(one.strip()) for one in half.split(",")) for half in (starting, substitutes) if half]
    return find_side(found["team"], teams), Lineup(players[0], players[1] if players[1:] else (), found["formation"] or "")


def _parse_lineup_player(words: str) -> LineupPlayer:
    found = _LINEUP_PLAYER_PATTERN.fullmatch(words)
    if not found:
        raise LineInvalid(f'"{words}" is not a player such as 8 Ødegaard, or 8 Ødegaard (c) for the captain')
    return LineupPlayer(found["name"], found["number"], bool(found["captain"]))


def parse_kick(line: str, teams: dict[Side, str]) -> ScenarioKick:
    """Read one line of `shootout:`. Raises `LineInvalid`."""
    found = _KICK_PATTERN.fullmatch(" ".join(line.split()))
    if not found:
        raise LineInvalid(f"{line!r} is not of the form: NAME (TEAM) scored, or saved, or missed")
    return ScenarioKick(find_side(found["team"], teams), found["player"], found["outcome"])


def find_side(name: str, teams: dict[Side, str]) -> Side:
    """Return the side of a team by its name, in any letter case and without accents. Raises `LineInvalid`."""
    for side, team in teams.items():
        if normalise(team) == normalise(name):
            return side
    raise LineInvalid(f'"{name}" does not play: the teams are {" and ".join(teams.values())}')


def _parse_kind(words: str) -> tuple[EventKind, str]:
    """Return the kind of the event and the words after it: the player, or what else the event has."""
    # The longest first, so that no kind is taken for a shorter one.
    for kind in sorted(SCENARIO_KINDS, key=len, reverse=True):
        if f"{words} ".casefold().startswith(f"{kind} "):
            return kind, words[len(kind) :].strip()
    # A typing mistake in `yellow card` is looked for in two words, one in `goal` in the first: the player's name follows.
    first = " ".join(words.split()[:2])
    near = (suggest(first, SCENARIO_KINDS) or suggest(first.split()[0], SCENARIO_KINDS)) if first else ""
    hint = f', did you mean "{near}"?' if near else f": {', '.join(SCENARIO_KINDS)}"
    raise LineInvalid(f'"{words}" does not begin with a known event{hint}')


def _parse_minute(text: str, kind: EventKind) -> Minute:
    try:
        minute = Minute.parse(text)
    except ValueError as error:
        raise LineInvalid(str(error)) from error
    # Only the last minute of a period has added time.
    if minute.base > 120 or minute.base < 1 or (minute.added and minute.base not in LAST_MINUTE.values()):
        raise LineInvalid(f"there is no minute {minute}")
    if kind in PERIOD_END_MINUTES and minute.base not in PERIOD_END_MINUTES[kind]:
        raise LineInvalid(f"{kind} comes after minute {' or '.join(map(str, PERIOD_END_MINUTES[kind]))}, not {minute}")
    return minute


def _parse_players(kind: EventKind, words: str) -> tuple[str, str]:
    """Return `player` and `replaced_player` of an event; for `added time` and `resumed`, `player` is a number."""
    if kind is EventKind.ADDED_TIME and not (words.isdecimal() and 0 < int(words) < 100):
        raise LineInvalid("added time is of the form: 45' added time 3")
    if kind is EventKind.RESUMED:
        found = _RESUMPTION_PATTERN.fullmatch(words)
        if not found:
            raise LineInvalid("a match that was abandoned is resumed as in: 67' resumed after 22h")
        return found[1], ""
    if kind is not EventKind.SUBSTITUTION:
        return words, ""
    comes, _, goes = words.partition(" for ")
    if not comes or not goes:
        raise LineInvalid("a substitution is of the form: 60' substitution NAME for NAME (TEAM)")
    return comes, goes


def _parse_details(kind: EventKind, details: str) -> EventLifecycle:
    lifecycle = EventLifecycle(confirmed_after=_PENDING_SECONDS.get(kind, 0))
    # Details may come in any order; of two that set the same field the last one counts.
    for detail in filter(None, (words.strip() for words in details.split(","))):
        lifecycle = msgspec.structs.replace(lifecycle, **_parse_detail(kind, detail))
    # The check decides when the goal is disallowed, and begins only after its confirmation.
    if lifecycle.has_video_check:
        return msgspec.structs.replace(
            lifecycle, disallowed_after=lifecycle.confirmed_after + VIDEO_CHECK_DELAY + VIDEO_CHECK_DURATION
        )
    return lifecycle


def _parse_detail(kind: EventKind, detail: str) -> dict[str, Any]:
    """Return the fields of `EventLifecycle` that a detail sets. Raises `LineInvalid`."""
    for pattern, read_fields in _DETAILS:
        if found := pattern.fullmatch(detail):
            fields = read_fields(found)
            for field, kinds, sentence in _DETAILS_OF_FEW_KINDS:
                if field in fields and kind not in kinds:
                    raise LineInvalid(sentence)
            return fields
    raise LineInvalid(f'unknown detail "{detail}"; known details: {_DETAIL_HELP}')
