"""Reads scenarios: matches written in a few lines of YAML, with all that becomes of each event."""

from __future__ import annotations

import datetime as dt
import enum
import re
import uuid
from collections.abc import Callable, Sequence
from importlib.resources import files
from typing import Any, TypeVar

import msgspec
import yaml

from rules.engine.rule import SourceLocation
from rules.football.action import Fixture, Side, Team
from rules.football.lineups import Lineup, LineupPlayer, Lineups
from rules.football.minute import Minute
from rules.football.names import normalise
from rules.loading.document import Report, compose
from rules.loading.values import Reader, suggest
from rules.scenarios.listings import ListingChange, find_listing_mistake, list_fixtures_in_time, parse_instant, parse_listing

SHIPPED_SCENARIOS = {
    "opener": "argentina-saudi-arabia",
    "final": "argentina-france",
    "two-goals": "two-goals-at-once",
    "retaken-penalty": "retaken-penalty",
    "sudden-death": "sudden-death",
    "abandoned": "abandoned-and-resumed",
    "moved": "moved-twice",
}
"""The scenarios that ship, by the names that `demo --match` takes."""

SCENARIO_KEYS = ("match", "competition", "kickoff", "venue", "listings", "lineups", "events", "shootout")

# Ids of shipped scenarios are in recordings and golden files: another namespace would be other matches.
_NAMESPACE = uuid.UUID("5f0b1f3a-4b7e-5d0c-9a63-0d8c1f6f2b11")

_DEFAULT_KICKOFF = dt.datetime(2026, 8, 15, 14, 0, tzinfo=dt.UTC)

T = TypeVar("T")


class ScenarioInvalid(ValueError):
    """A scenario with mistakes; each is one line `file:line:column: sentence`."""

    def __init__(self, mistakes: Sequence[str]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("\n".join(self.mistakes))


class ScenarioEventType(enum.StrEnum):
    """The words that a line may begin with, after its minute. They are the words of scenario files: they do not change."""

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
    SIN_BIN = "sin bin"
    INJURY = "injury"
    WATER_BREAK = "water break"
    ADDED_TIME = "added time"
    VIDEO_CHECK = "video check"
    ABANDONED = "abandoned"
    RESUMED = "resumed"
    HALF_TIME = "half time"
    EXTRA_TIME = "extra time"
    SHOOTOUT = "shootout"
    FULL_TIME = "full time"

    @property
    def is_goal(self) -> bool:
        """Return True if the event changes the score."""
        return self in (ScenarioEventType.GOAL, ScenarioEventType.PENALTY_GOAL, ScenarioEventType.OWN_GOAL)


class EventLifecycle(msgspec.Struct, frozen=True):
    """What becomes of an event, and when, in seconds after it happened; None for what does not become of it."""

    confirmed_after: int = 0
    """How long it is pending; 0 for an event that is confirmed at once."""
    sub_type: str = ""
    cancelled_after: int | None = None
    disallowed_after: int | None = None
    has_video_check: bool = False
    """True: a video check comes before the disallowance."""
    reason: str = ""
    """Why it is disallowed, such as `Offside`."""
    deleted_after: int | None = None
    restored_after: int | None = None
    correction: tuple[str, int] | None = None
    """The right player's name, and when the feed corrects it."""
    red_card_after: int | None = None
    """When a yellow card turns red."""
    is_sent_twice: bool = False
    """True: each revision of a penalty goal comes as a Penalty Scored, too."""
    is_one_action: bool = False
    """True: a substitution comes as one action that names both players, and not as two."""
    is_never_confirmed: bool = False
    """True: the feed leaves it pending for ever."""


class ScenarioEvent(msgspec.Struct, frozen=True):
    """One thing that happens in a scenario."""

    minute: Minute
    type: ScenarioEventType
    side: Side | None = None
    player: str = ""
    """The player; of added time the number of minutes, of a match that is resumed the hours since it was abandoned."""
    replaced_player: str = ""
    """The player who goes off in a substitution; `player` comes on."""
    lifecycle: EventLifecycle = EventLifecycle()


class ScenarioKick(msgspec.Struct, frozen=True):
    """One kick of a shootout."""

    side: Side
    player: str
    outcome: str
    """`scored`, `saved` or `missed`."""


class Scenario(msgspec.Struct, frozen=True):
    """A match to be played: its fixture as it is listed at first, its events in order, and the kicks of a shootout."""

    fixture: Fixture
    events: tuple[ScenarioEvent, ...] = ()
    kicks: tuple[ScenarioKick, ...] = ()
    lineups: Lineups = Lineups()
    listings: tuple[ListingChange, ...] = ()
    """What changes in the list of fixtures before the match, in order."""

    @property
    def played_fixture(self) -> Fixture:
        """The fixture as it is listed in the end: with the kick-off at which it is played."""
        return next((fixture for _, fixture in reversed(self.relisted_fixtures)), self.fixture)

    @property
    def relisted_fixtures(self) -> tuple[tuple[dt.datetime, Fixture], ...]:
        """The fixture as it is listed after each change, with the instant of the change."""
        return tuple(list_fixtures_in_time(self.fixture, self.listings))


class LineInvalid(ValueError):
    """A line that cannot be read; `str()` says why in one sentence."""


PERIOD_END_MINUTES = {
    ScenarioEventType.HALF_TIME: (45, 105),
    ScenarioEventType.EXTRA_TIME: (90,),
    ScenarioEventType.SHOOTOUT: (90, 120),
    ScenarioEventType.FULL_TIME: (90, 120),
}
"""The event types that end a period, with the minutes in which they may."""

_TYPES_WITHOUT_TEAM = frozenset(
    {
        *PERIOD_END_MINUTES,
        ScenarioEventType.VIDEO_CHECK,
        ScenarioEventType.WATER_BREAK,
        ScenarioEventType.ADDED_TIME,
        ScenarioEventType.ABANDONED,
        ScenarioEventType.RESUMED,
    }
)

# How long the feed takes to confirm. Key actions (goals, cards, penalties) begin as pending (feed documentation, section 4.1).
_PENDING_SECONDS = {
    ScenarioEventType.GOAL: 20,
    ScenarioEventType.PENALTY_GOAL: 18,
    ScenarioEventType.OWN_GOAL: 25,
    ScenarioEventType.PENALTY_AWARDED: 15,
    ScenarioEventType.YELLOW_CARD: 9,
    ScenarioEventType.SECOND_YELLOW: 9,
    ScenarioEventType.RED_CARD: 12,
    ScenarioEventType.SIN_BIN: 9,
}


_LINE_PATTERN = re.compile(
    r"(?:(?P<minute>[\d+]+)'\s+)?(?P<words>[^(),]+?)\s*(?:\((?P<team>[^()]+)\))?\s*(?P<clauses>(?:,[^,]+)*)",
)

_LINEUP_PATTERN = re.compile(r"(?P<team>[^()]+?)\s*(?:\((?P<formation>[\d-]+)\))?:?\s+(?P<players>\d.*)")

_LINEUP_PLAYER_PATTERN = re.compile(r"(?P<number>\d{1,2}) (?P<name>[^()]+?)(?P<captain> \(c\))?")

_RESUMPTION_PATTERN = re.compile(r"after (\d{1,3})h")

_KICK_PATTERN = re.compile(r"(?P<player>[^()]+?)\s*\((?P<team>[^()]+)\)\s+(?P<outcome>scored|saved|missed)")

VIDEO_CHECK_DELAY = 10
"""Seconds from the confirmation of a goal to its video check."""

VIDEO_CHECK_DURATION = 60
"""Seconds from the beginning of a video check to its end."""

# What may follow an event, each with the fields of `EventLifecycle` that it sets.
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
    (re.compile(r"sent twice"), lambda m: {"is_sent_twice": True}),
    (re.compile(r"in one action"), lambda m: {"is_one_action": True}),
    (re.compile(r"never confirmed"), lambda m: {"is_never_confirmed": True}),
    (re.compile(r"(header|inside the box|outside the box)"), lambda m: {"sub_type": m[1].title()}),
)

_CLAUSE_HELP = "pending 20s, cancelled after 20s, disallowed for offside after 40s (or: after a video check), deleted after 60s, \
restored after 90s, corrected to NAME after 60s, red after 60s, sent twice, in one action, never confirmed, header, \
inside the box, outside the box"


def make_id(*words: object) -> str:
    """Return an id that is the same for the same words in every process."""
    return str(uuid.uuid5(_NAMESPACE, "/".join(map(str, words))))


def load_scenario(name: str) -> Scenario:
    """Read a scenario that ships, by its short name or the name of its file. Raises KeyError."""
    stem = SHIPPED_SCENARIOS.get(name, name)
    if stem not in SHIPPED_SCENARIOS.values():
        raise KeyError(name)
    file = files("rules").joinpath("scenarios", f"{stem}.yaml")
    return parse_scenario(file.read_text(encoding="utf-8"), f"{stem}.yaml")


def parse_scenario(text: str, file: str = "scenario.yaml") -> Scenario:
    """Read a scenario. Raises `ScenarioInvalid` with every mistake."""
    report = Report()
    root = compose(text, file, report)
    scenario = read_scenario(root, report) if isinstance(root, yaml.MappingNode) else None
    if not isinstance(root, yaml.MappingNode) and not report.mistakes:
        report.add_mistake(SourceLocation(file, 1, 1), "a scenario is a mapping that begins with `match: HOME v AWAY`")
    if report.mistakes or scenario is None:
        raise ScenarioInvalid(report.mistakes)
    return scenario


def read_scenario(node: yaml.MappingNode, report: Report) -> Scenario | None:
    """Read a scenario from its node, which may be part of another file. None where not even the teams are known."""
    reader = _ScenarioReader(report)
    fields = reader.read_mapping(node, "a scenario", SCENARIO_KEYS) or {}
    if "match" not in fields:
        reader.report_mistake(node, "a scenario needs `match: HOME v AWAY`")
        return None
    teams = reader.read_teams(fields["match"])
    if teams is None:
        return None
    events = reader.read_lines(fields.get("events"), lambda line: parse_line(line, teams))
    kicks = reader.read_lines(fields.get("shootout"), lambda line: parse_kick(line, teams))
    reader.check_order(fields.get("events"), events)
    lineups = dict(reader.read_lines(fields.get("lineups"), lambda line: parse_lineup(line, teams)))
    both = Lineups(lineups.get(Side.HOME, Lineup()), lineups.get(Side.AWAY, Lineup()))
    fixture = reader.read_fixture(fields, teams)
    listings = reader.read_listings(fields.get("listings"), fixture)
    return Scenario(fixture, tuple(events), tuple(kicks), both, tuple(listings))


class _ScenarioReader(Reader):
    """Reads the parts of a scenario and reports what is wrong with them."""

    def read_teams(self, node: yaml.Node) -> dict[Side, str] | None:
        """Read `HOME v AWAY`."""
        text = self._read_line(node)
        if text is None:
            return None
        home, _, away = (part.strip() for part in text.partition(" v "))
        if not home or not away:
            self.report_mistake(node, f"{text!r} is not of the form: HOME v AWAY")
            return None
        return {Side.HOME: home, Side.AWAY: away}

    def read_fixture(self, fields: dict[str, yaml.Node], teams: dict[Side, str]) -> Fixture:
        """Make the fixture. All its ids follow from names and kick-off: a scenario is the same match in every process."""
        kickoff = self._read_kickoff(fields["kickoff"]) if "kickoff" in fields else _DEFAULT_KICKOFF
        venue = (self._read_line(fields["venue"]) if "venue" in fields else None) or ""
        competition = (self._read_line(fields["competition"]) if "competition" in fields else None) or ""
        home, away = (Team(make_id("team", name), name) for name in teams.values())
        name = f"{home.name} v {away.name}"
        return Fixture(
            id=make_id("fixture", name, kickoff.isoformat()),
            home=home,
            away=away,
            competition=Team(make_id("competition", competition), competition) if competition else Team(),
            kickoff=kickoff,
            name=name,
            venue=venue,
        )

    def _read_kickoff(self, node: yaml.Node) -> dt.datetime:
        text = self._read_line(node)
        if not text:
            return _DEFAULT_KICKOFF
        kickoff = parse_instant(text)
        if kickoff is None:
            self.report_mistake(node, f"{text!r} is not an instant such as 2022-11-22T10:00:00Z")
        return kickoff or _DEFAULT_KICKOFF

    def read_listings(self, node: yaml.Node | None, fixture: Fixture) -> list[ListingChange]:
        """Read how the fixture is listed later, and report a change that is impossible."""
        first = fixture.kickoff or _DEFAULT_KICKOFF
        changes = self.read_lines(node, lambda line: parse_listing(line, first))
        # A line with a mistake is missing, so that the ones after it may only seem wrong.
        if node is not None and len(changes) == len(node.value) and (mistake := find_listing_mistake(fixture, changes)):
            self.report_mistake(node.value[mistake[0]], mistake[1])
        return changes

    def read_lines(self, node: yaml.Node | None, parse: Callable[[str], T]) -> list[T]:
        """Parse each line of a list; leaves out those with mistakes. `parse` raises ValueError with a sentence."""
        if node is None:
            return []
        if not isinstance(node, yaml.SequenceNode):
            self.report_mistake(node, "a list is expected here, one line for each thing that happens")
            return []
        parsed: list[T] = []
        for line in node.value:
            try:
                if text := self._read_line(line):
                    parsed.append(parse(text))
            except ValueError as error:
                self.report_mistake(line, str(error))
        return parsed

    def _read_line(self, node: yaml.Node) -> str | None:
        if not isinstance(node, yaml.ScalarNode):
            # A line with ": " in it is a mapping to YAML.
            self.report_mistake(node, "a line of text is expected here; where it holds `: `, put it in quotes")
            return None
        return str(node.value).strip()

    def check_order(self, node: yaml.Node | None, events: list[ScenarioEvent]) -> None:
        """Report minutes that run back, and events after the end of their period."""
        if node is None or len(events) != len(node.value):
            return  # A line with a mistake is missing, so lines and events do not correspond.
        for line, before, after in zip(node.value[1:], events, events[1:], strict=False):
            if after.minute < before.minute:
                self.report_mistake(line, f"minute {after.minute} comes after minute {before.minute}: write them in order")
            elif before.type is ScenarioEventType.FULL_TIME or (
                before.type in PERIOD_END_MINUTES and after.minute.base == before.minute.base
            ):
                self.report_mistake(line, f"{after.type} comes after {before.type}")
            elif (before.type is ScenarioEventType.ABANDONED) is not (after.type is ScenarioEventType.RESUMED):
                self.report_mistake(line, "after abandoned comes resumed, in the same minute, and nowhere else")


def parse_line(line: str, teams: dict[Side, str]) -> ScenarioEvent:
    """Read one line of `events:`. Raises `LineInvalid`."""
    found = _LINE_PATTERN.fullmatch(" ".join(line.split()))
    if not found or not found["minute"]:
        raise LineInvalid(f"{line!r} is not of the form: 10' goal NAME (TEAM), what becomes of it")
    event_type, rest = _parse_event_type(found["words"])
    minute = _parse_minute(found["minute"], event_type)
    side = find_side(found["team"], teams) if found["team"] else None
    if (side is None) is not (event_type in _TYPES_WITHOUT_TEAM):
        raise LineInvalid(f"{event_type} needs its team in brackets" if side is None else f"{event_type} belongs to no team")
    player, replaces = _parse_players(event_type, rest)
    return ScenarioEvent(minute, event_type, side, player, replaces, _parse_lifecycle(event_type, found["clauses"]))


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


def _parse_event_type(words: str) -> tuple[ScenarioEventType, str]:
    # The longest first, so that no type is taken for a shorter one.
    for event_type in sorted(ScenarioEventType, key=len, reverse=True):
        if f"{words} ".casefold().startswith(f"{event_type} "):
            return event_type, words[len(event_type) :].strip()
    first = " ".join(words.split()[:2])
    near = (suggest(first, ScenarioEventType) or suggest(first.split()[0], ScenarioEventType)) if first else ""
    hint = f', did you mean "{near}"?' if near else f": {', '.join(ScenarioEventType)}"
    raise LineInvalid(f'"{words}" does not begin with something that happens{hint}')


def _parse_minute(text: str, event_type: ScenarioEventType) -> Minute:
    try:
        minute = Minute.parse(text)
    except ValueError as error:
        raise LineInvalid(str(error)) from error
    if minute.base > 120 or minute.base < 1 or (minute.added and minute.base not in (45, 90, 105, 120)):
        raise LineInvalid(f"there is no minute {minute}")
    if event_type in PERIOD_END_MINUTES and minute.base not in PERIOD_END_MINUTES[event_type]:
        raise LineInvalid(
            f"{event_type} comes after minute {' or '.join(map(str, PERIOD_END_MINUTES[event_type]))}, not {minute}"
        )
    return minute


def _parse_players(event_type: ScenarioEventType, words: str) -> tuple[str, str]:
    if event_type is ScenarioEventType.ADDED_TIME and not (words.isdecimal() and 0 < int(words) < 100):
        raise LineInvalid("added time is of the form: 45' added time 3")
    if event_type is ScenarioEventType.RESUMED:
        found = _RESUMPTION_PATTERN.fullmatch(words)
        if not found:
            raise LineInvalid("a match that was abandoned is resumed as in: 67' resumed after 22h")
        return found[1], ""
    if event_type is not ScenarioEventType.SUBSTITUTION:
        return words, ""
    comes, _, goes = words.partition(" for ")
    if not comes or not goes:
        raise LineInvalid("a substitution is of the form: 60' substitution NAME for NAME (TEAM)")
    return comes, goes


def _parse_lifecycle(event_type: ScenarioEventType, clauses: str) -> EventLifecycle:
    lifecycle = EventLifecycle(confirmed_after=_PENDING_SECONDS.get(event_type, 0))
    # Clauses may come in any order; of two that set the same field the last one counts.
    for clause in filter(None, (c.strip() for c in clauses.split(","))):
        lifecycle = msgspec.structs.replace(lifecycle, **_parse_clause(event_type, clause))
    # The check decides when the goal is disallowed, and begins only after its confirmation.
    if lifecycle.has_video_check:
        return msgspec.structs.replace(
            lifecycle, disallowed_after=lifecycle.confirmed_after + VIDEO_CHECK_DELAY + VIDEO_CHECK_DURATION
        )
    return lifecycle


def _parse_clause(event_type: ScenarioEventType, clause: str) -> dict[str, Any]:
    for pattern, changes in _CLAUSES:
        if found := pattern.fullmatch(clause):
            change = changes(found)
            if "disallowed_after" in change and not event_type.is_goal:
                raise LineInvalid("only a goal is disallowed")
            if "red_card_after" in change and event_type is not ScenarioEventType.YELLOW_CARD:
                raise LineInvalid("only a yellow card turns red")
            if "is_sent_twice" in change and event_type is not ScenarioEventType.PENALTY_GOAL:
                raise LineInvalid("only a penalty goal is sent twice")
            if "is_one_action" in change and event_type is not ScenarioEventType.SUBSTITUTION:
                raise LineInvalid("only a substitution comes in one action")
            return change
    raise LineInvalid(f'"{clause}" is nothing that becomes of it; one may write: {_CLAUSE_HELP}')
