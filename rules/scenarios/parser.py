"""A match told in a few lines of YAML becomes a Scenario."""

from __future__ import annotations

import datetime as dt
import difflib
import enum
import re
import uuid
from collections.abc import Callable, Iterable, Sequence
from importlib.resources import files
from typing import Any, TypeVar

import msgspec
import yaml

from rules.engine.rule import SourceLocation
from rules.football.action import Fixture, Side, Team
from rules.football.minute import Minute
from rules.football.names import normalise

SHIPPED_SCENARIOS = {"opener": "argentina-saudi-arabia", "final": "argentina-france"}
"""The matches that ship, by the names that `demo --match` takes."""

SCENARIO_KEYS = ("match", "competition", "kickoff", "events", "shootout")

_NAMESPACE = uuid.UUID("5f0b1f3a-4b7e-5d0c-9a63-0d8c1f6f2b11")

_DEFAULT_KICKOFF = dt.datetime(2026, 8, 15, 14, 0, tzinfo=dt.UTC)

T = TypeVar("T")


class ScenarioInvalid(ValueError):
    """A scenario with mistakes; each is one line `file:line:column: sentence`."""

    def __init__(self, mistakes: Sequence[str]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("\n".join(self.mistakes))


class ScenarioEventType(enum.StrEnum):
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
        return self in (ScenarioEventType.GOAL, ScenarioEventType.PENALTY_GOAL, ScenarioEventType.OWN_GOAL)


class EventLifecycle(msgspec.Struct, frozen=True):
    """What becomes of it, in seconds after it happened; None: that does not come to pass."""

    confirmed_after: int = 0
    """Until it is confirmed; 0: it comes confirmed."""
    sub_type: str = ""
    cancelled_after: int | None = None
    disallowed_after: int | None = None
    has_video_check: bool = False
    """A video check comes before the disallowance."""
    reason: str = ""
    deleted_after: int | None = None
    restored_after: int | None = None
    correction: tuple[str, int] | None = None
    """The right player's name, and when he is named."""
    red_card_after: int | None = None
    """A yellow card turns red."""


class ScenarioEvent(msgspec.Struct, frozen=True):
    """One thing that happens in a scenario."""

    minute: Minute
    type: ScenarioEventType
    side: Side | None = None
    player: str = ""
    replaced_player: str = ""
    """Who goes off, in a substitution."""
    lifecycle: EventLifecycle = EventLifecycle()


class ScenarioKick(msgspec.Struct, frozen=True):
    """One kick of a shootout."""

    side: Side
    player: str
    outcome: str
    """`scored`, `saved` or `missed`."""


class Scenario(msgspec.Struct, frozen=True):
    """A match as it is to be told: who plays, what happens in order, the kicks of a shootout."""

    fixture: Fixture
    events: tuple[ScenarioEvent, ...] = ()
    kicks: tuple[ScenarioKick, ...] = ()


def make_id(*words: object) -> str:
    """The same words give the same id, in every process."""
    return str(uuid.uuid5(_NAMESPACE, "/".join(map(str, words))))


def load_scenario(name: str) -> Scenario:
    """A scenario that ships, by its short name or its file's; raise `KeyError`."""
    stem = SHIPPED_SCENARIOS.get(name, name)
    if stem not in SHIPPED_SCENARIOS.values():
        raise KeyError(name)
    file = files("rules").joinpath("scenarios", f"{stem}.yaml")
    return parse_scenario(file.read_text(encoding="utf-8"), f"{stem}.yaml")


def parse_scenario(text: str, file: str = "scenario.yaml") -> Scenario:
    """Read a scenario; raise `ScenarioInvalid` with every mistake."""
    reader = _ScenarioReader(file)
    scenario = reader.scenario(reader.root(text))
    if reader.mistakes or scenario is None:
        raise ScenarioInvalid([f"{place}: {sentence}" for place, sentence in sorted(reader.mistakes)])
    return scenario


def parse_scenario_node(node: yaml.MappingNode, file: str) -> tuple[Scenario | None, list[tuple[SourceLocation, str]]]:
    """Read a scenario that is part of another file; with every mistake."""
    reader = _ScenarioReader(file)
    return reader.scenario(reader.keys(node)), reader.mistakes


class _ScenarioReader:
    """Walks the YAML nodes, which know their places, and takes every scalar as the text that was written."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.mistakes: list[tuple[SourceLocation, str]] = []

    def root(self, text: str) -> dict[str, yaml.Node]:
        try:
            node = yaml.compose(text, Loader=yaml.SafeLoader)
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            place = SourceLocation(self.file, mark.line + 1, mark.column + 1) if mark else SourceLocation(self.file, 1, 1)
            self.mistakes.append(
                (place, f"this is not YAML: {getattr(error, 'problem', None) or getattr(error, 'reason', error)}")
            )
            return {}
        if not isinstance(node, yaml.MappingNode):
            self.mistakes.append(
                (SourceLocation(self.file, 1, 1), "a scenario is a mapping that begins with `match: HOME v AWAY`")
            )
            return {}
        return self.keys(node)

    def scenario(self, keys: dict[str, yaml.Node]) -> Scenario | None:
        """What the keys say; None where not even the teams are known."""
        teams = self._teams(keys)
        if not teams:
            return None
        events = self._lines(keys.get("events"), lambda line: parse_line(line, teams))
        kicks = self._lines(keys.get("shootout"), lambda line: parse_kick(line, teams))
        self._in_order(keys.get("events"), events)
        return Scenario(self._fixture(keys, teams), tuple(events), tuple(kicks))

    def keys(self, node: yaml.MappingNode) -> dict[str, yaml.Node]:
        """The values by their keys."""
        keys: dict[str, yaml.Node] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self._mistake(key, f"the keys are {', '.join(SCENARIO_KEYS)}")
                continue
            if key.value in keys:
                self._mistake(key, f'"{key.value}" is written twice')
            elif key.value not in SCENARIO_KEYS:
                near = describe_suggestion(str(key.value), SCENARIO_KEYS) or f": the keys are {', '.join(SCENARIO_KEYS)}"
                self._mistake(key, f'unknown key "{key.value}"{near}')
            keys[str(key.value)] = value
        if "match" not in keys:
            self._mistake(node, "a scenario needs `match: HOME v AWAY`")
        return keys

    def _mistake(self, node: yaml.Node, sentence: str) -> None:
        self.mistakes.append((SourceLocation(self.file, node.start_mark.line + 1, node.start_mark.column + 1), sentence))

    def _text(self, node: yaml.Node | None) -> str:
        if node is None:
            return ""
        if not isinstance(node, yaml.ScalarNode):
            self._mistake(node, "a line of text is expected here; where it holds `: `, put it in quotes")
            return ""
        return str(node.value).strip()

    def _teams(self, keys: dict[str, yaml.Node]) -> dict[Side, str]:
        text = self._text(keys.get("match"))
        home, _, away = (part.strip() for part in text.partition(" v "))
        if home and away:
            return {Side.HOME: home, Side.AWAY: away}
        if text:
            self._mistake(keys["match"], f"{text!r} is not of the form: HOME v AWAY")
        return {}

    def _fixture(self, keys: dict[str, yaml.Node], teams: dict[Side, str]) -> Fixture:
        kickoff, competition = self._kickoff(keys.get("kickoff")), self._text(keys.get("competition"))
        home, away = (Team(make_id("team", name), name) for name in teams.values())
        name = f"{home.name} v {away.name}"
        return Fixture(
            id=make_id("fixture", name, kickoff.isoformat()),
            home=home,
            away=away,
            competition=Team(make_id("competition", competition), competition) if competition else Team(),
            kickoff=kickoff,
            name=name,
        )

    def _kickoff(self, node: yaml.Node | None) -> dt.datetime:
        text = self._text(node)
        if node is None or not text:
            return _DEFAULT_KICKOFF
        try:
            kickoff = dt.datetime.fromisoformat(text)
        except ValueError:
            kickoff = None
        if kickoff is None or kickoff.tzinfo is None:
            self._mistake(node, f"{text!r} is not an instant such as 2022-11-22T10:00:00Z")
            return _DEFAULT_KICKOFF
        return kickoff.astimezone(dt.UTC)

    def _lines(self, node: yaml.Node | None, reading: Callable[[str], T]) -> list[T]:
        if node is None:
            return []
        if not isinstance(node, yaml.SequenceNode):
            self._mistake(node, "a list is expected here, one line for each thing that happens")
            return []
        return [item for line in node.value if (item := self._line(line, reading)) is not None]

    def _line(self, node: yaml.Node, reading: Callable[[str], T]) -> T | None:
        text = self._text(node)
        try:
            return reading(text) if text else None
        except LineInvalid as fault:
            self._mistake(node, str(fault))
            return None

    def _in_order(self, node: yaml.Node | None, events: list[ScenarioEvent]) -> None:
        """The file tells the match as it went: minutes do not run back, and nothing comes after the end of its period."""
        if node is None or len(events) != len(node.value):
            return
        for line, before, after in zip(node.value[1:], events, events[1:], strict=False):
            if after.minute < before.minute:
                self._mistake(line, f"minute {after.minute} comes after minute {before.minute}: write them in order")
            elif before.type is ScenarioEventType.FULL_TIME or (
                before.type in PERIOD_END_MINUTES and after.minute.base == before.minute.base
            ):
                self._mistake(line, f"{after.type} comes after {before.type}")


PERIOD_END_MINUTES = {
    ScenarioEventType.HALF_TIME: (45, 105),
    ScenarioEventType.EXTRA_TIME: (90,),
    ScenarioEventType.SHOOTOUT: (90, 120),
    ScenarioEventType.FULL_TIME: (90, 120),
}
"""The words that end a period, and the minutes at which they may."""

_TYPES_WITHOUT_TEAM = frozenset({*PERIOD_END_MINUTES, ScenarioEventType.VIDEO_CHECK})

_PENDING_SECONDS = {
    ScenarioEventType.GOAL: 20,
    ScenarioEventType.PENALTY_GOAL: 18,
    ScenarioEventType.OWN_GOAL: 25,
    ScenarioEventType.PENALTY_AWARDED: 15,
    ScenarioEventType.YELLOW_CARD: 9,
    ScenarioEventType.SECOND_YELLOW: 9,
    ScenarioEventType.RED_CARD: 12,
}


class LineInvalid(ValueError):
    """A line that cannot be read; `str()` says why in one sentence."""


_LINE_PATTERN = re.compile(
    r"(?:(?P<minute>[\d+]+)'\s+)?(?P<words>[^(),]+?)\s*(?:\((?P<team>[^()]+)\))?\s*(?P<clauses>(?:,[^,]+)*)",
)

_KICK_PATTERN = re.compile(r"(?P<player>[^()]+?)\s*\((?P<team>[^()]+)\)\s+(?P<outcome>scored|saved|missed)")

VIDEO_CHECK_DELAY = 10
"""Seconds from a goal's confirmation to its video check."""

VIDEO_CHECK_DURATION = 60
"""Seconds that a video check takes."""

_CLAUSES: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], dict[str, Any]]], ...] = (
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
    (re.compile(r"(header|inside the box|outside the box)"), lambda m: {"sub_type": m[1].title()}),
)

_CLAUSE_HELP = "pending 20s, cancelled after 20s, disallowed for offside after 40s (or: after a video check), deleted after 60s, \
restored after 90s, corrected to NAME after 60s, red after 60s, header, inside the box, outside the box"


def parse_line(line: str, teams: dict[Side, str]) -> ScenarioEvent:
    """Read one line of `events:`; raise `LineFault`."""
    found = _LINE_PATTERN.fullmatch(" ".join(line.split()))
    if not found or not found["minute"]:
        raise LineInvalid(f"{line!r} is not of the form: 10' goal NAME (TEAM), what becomes of it")
    what, rest = _parse_event_type(found["words"])
    minute = _parse_minute(found["minute"], what)
    side = find_side(found["team"], teams) if found["team"] else None
    if (side is None) is not (what in _TYPES_WITHOUT_TEAM):
        raise LineInvalid(f"{what} needs its team in brackets" if side is None else f"{what} belongs to no team")
    player, replaces = _parse_players(what, rest)
    return ScenarioEvent(minute, what, side, player, replaces, _parse_lifecycle(what, found["clauses"]))


def parse_kick(line: str, teams: dict[Side, str]) -> ScenarioKick:
    """Read one line of `shootout:`; raise `LineFault`."""
    found = _KICK_PATTERN.fullmatch(" ".join(line.split()))
    if not found:
        raise LineInvalid(f"{line!r} is not of the form: NAME (TEAM) scored, or saved, or missed")
    return ScenarioKick(find_side(found["team"], teams), found["player"], found["outcome"])


def describe_suggestion(word: str, words: Iterable[str]) -> str:
    """`, did you mean "goal"?`, where one of the words is near; else nothing."""
    close = difflib.get_close_matches(word.casefold(), list(words), n=1)
    return f', did you mean "{close[0]}"?' if close else ""


def find_side(name: str, teams: dict[Side, str]) -> Side:
    """The side of a team by its name, forgiving letter case and accents; raise `LineFault`."""
    for side, team in teams.items():
        if normalise(team) == normalise(name):
            return side
    raise LineInvalid(f'"{name}" does not play: the teams are {" and ".join(teams.values())}')


def _parse_event_type(words: str) -> tuple[ScenarioEventType, str]:
    for what in sorted(ScenarioEventType, key=len, reverse=True):
        if f"{words} ".casefold().startswith(f"{what} "):
            return what, words[len(what) :].strip()
    first = " ".join(words.split()[:2])
    near = (
        describe_suggestion(first, ScenarioEventType) or describe_suggestion(first.split()[0], ScenarioEventType) if first else ""
    )
    raise LineInvalid(f'"{words}" does not begin with something that happens{near or ": " + ", ".join(ScenarioEventType)}')


def _parse_minute(text: str, what: ScenarioEventType) -> Minute:
    try:
        minute = Minute.parse(text)
    except ValueError as error:
        raise LineInvalid(str(error)) from error
    if minute.base > 120 or minute.base < 1 or (minute.added and minute.base not in (45, 90, 105, 120)):
        raise LineInvalid(f"there is no minute {minute}")
    if what in PERIOD_END_MINUTES and minute.base not in PERIOD_END_MINUTES[what]:
        raise LineInvalid(f"{what} comes after minute {' or '.join(map(str, PERIOD_END_MINUTES[what]))}, not {minute}")
    return minute


def _parse_players(what: ScenarioEventType, words: str) -> tuple[str, str]:
    if what is not ScenarioEventType.SUBSTITUTION:
        return words, ""
    comes, _, goes = words.partition(" for ")
    if not comes or not goes:
        raise LineInvalid("a substitution is of the form: 60' substitution NAME for NAME (TEAM)")
    return comes, goes


def _parse_lifecycle(what: ScenarioEventType, clauses: str) -> EventLifecycle:
    course = EventLifecycle(confirmed_after=_PENDING_SECONDS.get(what, 0))
    for clause in filter(None, (c.strip() for c in clauses.split(","))):
        course = msgspec.structs.replace(course, **_parse_clause(what, clause))
    if course.has_video_check:
        return msgspec.structs.replace(course, disallowed_after=course.confirmed_after + VIDEO_CHECK_DELAY + VIDEO_CHECK_DURATION)
    return course


def _parse_clause(what: ScenarioEventType, clause: str) -> dict[str, Any]:
    for pattern, changes in _CLAUSES:
        if found := pattern.fullmatch(clause):
            change = changes(found)
            if "disallowed_after" in change and not what.is_goal:
                raise LineInvalid("only a goal is disallowed")
            if "red_card_after" in change and what is not ScenarioEventType.YELLOW_CARD:
                raise LineInvalid("only a yellow card turns red")
            return change
    raise LineInvalid(f'"{clause}" is nothing that becomes of it; one may write: {_CLAUSE_HELP}')
