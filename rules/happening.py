"""One line of a scenario: `27' goal Lautaro Martínez (Argentina), disallowed for offside after a video check`."""

from __future__ import annotations

import difflib
import enum
import re
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from rules.action import Side
from rules.fold import fold
from rules.minute import Minute


class What(enum.StrEnum):
    """The words that a line may begin with, after its minute."""

    GOAL = "goal"
    PENALTY_GOAL = "penalty goal"
    OWN_GOAL = "own goal"
    PENALTY_AWARDED = "penalty awarded"
    PENALTY_MISSED = "penalty missed"
    PENALTY_SAVED = "penalty saved"
    YELLOW_CARD = "yellow card"
    SECOND_YELLOW = "second yellow"
    RED_CARD = "red card"
    SUBSTITUTION = "substitution"
    VIDEO_CHECK = "video check"
    HALF_TIME = "half time"
    EXTRA_TIME = "extra time"
    SHOOTOUT = "shootout"
    FULL_TIME = "full time"

    @property
    def is_goal(self) -> bool:
        """Tell whether it changes the score."""
        return self in (What.GOAL, What.PENALTY_GOAL, What.OWN_GOAL)


ENDS = {
    What.HALF_TIME: (45, 105),
    What.EXTRA_TIME: (90,),
    What.SHOOTOUT: (90, 120),
    What.FULL_TIME: (90, 120),
}
"""The words that end a period, and the minutes at which they may."""

_NOT_ABOUT_A_TEAM = frozenset({*ENDS, What.VIDEO_CHECK})
_PENDING = {
    What.GOAL: 20,
    What.PENALTY_GOAL: 18,
    What.OWN_GOAL: 25,
    What.PENALTY_AWARDED: 15,
    What.YELLOW_CARD: 9,
    What.SECOND_YELLOW: 9,
    What.RED_CARD: 12,
}


class Course(msgspec.Struct, frozen=True):
    """What becomes of it, in seconds after it happened; None: that does not come to pass."""

    pending: int = 0
    """Until it is confirmed; 0: it comes confirmed."""
    sub_type: str = ""
    cancelled: int | None = None
    disallowed: int | None = None
    checked: bool = False
    """A video check comes before the disallowance."""
    reason: str = ""
    deleted: int | None = None
    restored: int | None = None
    corrected: tuple[str, int] | None = None
    """The right player's name, and when he is named."""
    red: int | None = None
    """A yellow card turns red."""


class Happening(msgspec.Struct, frozen=True):
    """One thing that happens in a scenario."""

    minute: Minute
    what: What
    side: Side | None = None
    player: str = ""
    replaces: str = ""
    """Who goes off, in a substitution."""
    course: Course = Course()


class Kick(msgspec.Struct, frozen=True):
    """One kick of a shootout."""

    side: Side
    player: str
    outcome: str
    """`scored`, `saved` or `missed`."""


class LineFault(ValueError):
    """A line that cannot be read; `str()` says why in one sentence."""


_LINE = re.compile(
    r"(?:(?P<minute>[\d+]+)'\s+)?(?P<words>[^(),]+?)\s*(?:\((?P<team>[^()]+)\))?\s*(?P<clauses>(?:,[^,]+)*)",
)
_KICK = re.compile(r"(?P<player>[^()]+?)\s*\((?P<team>[^()]+)\)\s+(?P<outcome>scored|saved|missed)")
CHECK_AFTER = 10
"""Seconds from a goal's confirmation to its video check."""
CHECK_TAKES = 60
"""Seconds that a video check takes."""

_CLAUSES: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], dict[str, Any]]], ...] = (
    (re.compile(r"pending (\d+)s"), lambda m: {"pending": int(m[1])}),
    (re.compile(r"cancelled after (\d+)s"), lambda m: {"cancelled": int(m[1])}),
    (
        re.compile(r"disallowed(?: for (?P<why>[\w ]+?))?(?: after (?:(?P<seconds>\d+)s|(?P<check>a video check)))?"),
        lambda m: {"reason": (m["why"] or "").title(), "disallowed": int(m["seconds"] or 30), "checked": bool(m["check"])},
    ),
    (re.compile(r"deleted after (\d+)s"), lambda m: {"deleted": int(m[1])}),
    (re.compile(r"restored after (\d+)s"), lambda m: {"restored": int(m[1])}),
    (re.compile(r"corrected to (.+) after (\d+)s"), lambda m: {"corrected": (m[1], int(m[2]))}),
    (re.compile(r"red after (\d+)s"), lambda m: {"red": int(m[1])}),
    (re.compile(r"(header|inside the box|outside the box)"), lambda m: {"sub_type": m[1].title()}),
)
_CLAUSE_WORDS = (
    "pending 20s, cancelled after 20s, disallowed for offside after 40s (or: after a video check), deleted after 60s, \
restored after 90s, corrected to NAME after 60s, red after 60s, header, inside the box, outside the box"
)


def read_line(line: str, teams: dict[Side, str]) -> Happening:
    """Read one line of `events:`; raise `LineFault`."""
    found = _LINE.fullmatch(" ".join(line.split()))
    if not found or not found["minute"]:
        raise LineFault(f"{line!r} is not of the form: 10' goal NAME (TEAM), what becomes of it")
    what, rest = _what(found["words"])
    minute = _minute(found["minute"], what)
    side = side_named(found["team"], teams) if found["team"] else None
    if (side is None) is not (what in _NOT_ABOUT_A_TEAM):
        raise LineFault(f"{what} needs its team in brackets" if side is None else f"{what} belongs to no team")
    player, replaces = _players(what, rest)
    return Happening(minute, what, side, player, replaces, _course(what, found["clauses"]))


def read_kick(line: str, teams: dict[Side, str]) -> Kick:
    """Read one line of `shootout:`; raise `LineFault`."""
    found = _KICK.fullmatch(" ".join(line.split()))
    if not found:
        raise LineFault(f"{line!r} is not of the form: NAME (TEAM) scored, or saved, or missed")
    return Kick(side_named(found["team"], teams), found["player"], found["outcome"])


def nearest(word: str, words: Iterable[str]) -> str:
    """`, did you mean "goal"?`, where one of the words is near; else nothing."""
    close = difflib.get_close_matches(word.casefold(), list(words), n=1)
    return f', did you mean "{close[0]}"?' if close else ""


def side_named(name: str, teams: dict[Side, str]) -> Side:
    """The side of a team by its name, forgiving letter case and accents; raise `LineFault`."""
    for side, team in teams.items():
        if fold(team) == fold(name):
            return side
    raise LineFault(f'"{name}" does not play: the teams are {" and ".join(teams.values())}')


def _what(words: str) -> tuple[What, str]:
    for what in sorted(What, key=len, reverse=True):
        if f"{words} ".casefold().startswith(f"{what} "):
            return what, words[len(what) :].strip()
    first = " ".join(words.split()[:2])
    near = nearest(first, What) or nearest(first.split()[0], What) if first else ""
    raise LineFault(f'"{words}" does not begin with something that happens{near or ": " + ", ".join(What)}')


def _minute(text: str, what: What) -> Minute:
    try:
        minute = Minute.parse(text)
    except ValueError as error:
        raise LineFault(str(error)) from error
    if minute.base > 120 or minute.base < 1 or (minute.added and minute.base not in (45, 90, 105, 120)):
        raise LineFault(f"there is no minute {minute}")
    if what in ENDS and minute.base not in ENDS[what]:
        raise LineFault(f"{what} comes after minute {' or '.join(map(str, ENDS[what]))}, not {minute}")
    return minute


def _players(what: What, words: str) -> tuple[str, str]:
    if what is not What.SUBSTITUTION:
        return words, ""
    comes, _, goes = words.partition(" for ")
    if not comes or not goes:
        raise LineFault("a substitution is of the form: 60' substitution NAME for NAME (TEAM)")
    return comes, goes


def _course(what: What, clauses: str) -> Course:
    course = Course(pending=_PENDING.get(what, 0))
    for clause in filter(None, (c.strip() for c in clauses.split(","))):
        course = msgspec.structs.replace(course, **_clause(what, clause))
    if course.checked:
        return msgspec.structs.replace(course, disallowed=course.pending + CHECK_AFTER + CHECK_TAKES)
    return course


def _clause(what: What, clause: str) -> dict[str, Any]:
    for pattern, changes in _CLAUSES:
        if found := pattern.fullmatch(clause):
            change = changes(found)
            if "disallowed" in change and not what.is_goal:
                raise LineFault("only a goal is disallowed")
            if "red" in change and what is not What.YELLOW_CARD:
                raise LineFault("only a yellow card turns red")
            return change
    raise LineFault(f'"{clause}" is nothing that becomes of it; one may write: {_CLAUSE_WORDS}')
