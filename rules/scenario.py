"""A match told in a few lines of YAML -> Scenario, or every mistake at once, each at its place."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Sequence
from importlib.resources import files
from typing import TypeVar

import msgspec
import yaml

from rules.action import Fixture, Side, Team
from rules.happening import ENDS, Happening, Kick, LineFault, What, nearest, read_kick, read_line
from rules.rule import Place

SHIPPED = {"opener": "argentina-saudi-arabia", "final": "argentina-france"}
"""The matches that ship, by the names that `demo --match` takes."""

KEYS = ("match", "competition", "kickoff", "events", "shootout")
_NAMESPACE = uuid.UUID("5f0b1f3a-4b7e-5d0c-9a63-0d8c1f6f2b11")
_KICKOFF = dt.datetime(2026, 8, 15, 14, 0, tzinfo=dt.UTC)
T = TypeVar("T")


class ScenarioInvalid(ValueError):
    """A scenario with mistakes; each is one line `file:line:column: sentence`."""

    def __init__(self, mistakes: Sequence[str]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("\n".join(self.mistakes))


class Scenario(msgspec.Struct, frozen=True):
    """A match as it is to be told: who plays, what happens in order, the kicks of a shootout."""

    fixture: Fixture
    events: tuple[Happening, ...] = ()
    kicks: tuple[Kick, ...] = ()


def identity(*words: object) -> str:
    """The same words give the same id, in every process."""
    return str(uuid.uuid5(_NAMESPACE, "/".join(map(str, words))))


def shipped(name: str) -> Scenario:
    """A scenario that ships, by its short name or its file's; raise `KeyError`."""
    stem = SHIPPED.get(name, name)
    if stem not in SHIPPED.values():
        raise KeyError(name)
    file = files("rules").joinpath("scenarios", f"{stem}.yaml")
    return read(file.read_text(encoding="utf-8"), f"{stem}.yaml")


def read(text: str, file: str = "scenario.yaml") -> Scenario:
    """Read a scenario; raise `ScenarioInvalid` with every mistake."""
    reader = _Reader(file)
    scenario = reader.scenario(reader.root(text))
    if reader.mistakes or scenario is None:
        raise ScenarioInvalid([f"{place}: {sentence}" for place, sentence in sorted(reader.mistakes)])
    return scenario


def read_mapping(node: yaml.MappingNode, file: str) -> tuple[Scenario | None, list[tuple[Place, str]]]:
    """Read a scenario that is part of another file; with every mistake."""
    reader = _Reader(file)
    return reader.scenario(reader.keys(node)), reader.mistakes


class _Reader:
    """Walks the YAML nodes, which know their places, and takes every scalar as the text that was written."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.mistakes: list[tuple[Place, str]] = []

    def root(self, text: str) -> dict[str, yaml.Node]:
        try:
            node = yaml.compose(text, Loader=yaml.SafeLoader)
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            place = Place(self.file, mark.line + 1, mark.column + 1) if mark else Place(self.file, 1, 1)
            self.mistakes.append(
                (place, f"this is not YAML: {getattr(error, 'problem', None) or getattr(error, 'reason', error)}")
            )
            return {}
        if not isinstance(node, yaml.MappingNode):
            self.mistakes.append((Place(self.file, 1, 1), "a scenario is a mapping that begins with `match: HOME v AWAY`"))
            return {}
        return self.keys(node)

    def scenario(self, keys: dict[str, yaml.Node]) -> Scenario | None:
        """What the keys say; None where not even the teams are known."""
        teams = self._teams(keys)
        if not teams:
            return None
        events = self._lines(keys.get("events"), lambda line: read_line(line, teams))
        kicks = self._lines(keys.get("shootout"), lambda line: read_kick(line, teams))
        self._in_order(keys.get("events"), events)
        return Scenario(self._fixture(keys, teams), tuple(events), tuple(kicks))

    def keys(self, node: yaml.MappingNode) -> dict[str, yaml.Node]:
        """The values by their keys."""
        keys: dict[str, yaml.Node] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self._mistake(key, f"the keys are {', '.join(KEYS)}")
                continue
            if key.value in keys:
                self._mistake(key, f'"{key.value}" is written twice')
            elif key.value not in KEYS:
                near = nearest(str(key.value), KEYS) or f": the keys are {', '.join(KEYS)}"
                self._mistake(key, f'unknown key "{key.value}"{near}')
            keys[str(key.value)] = value
        if "match" not in keys:
            self._mistake(node, "a scenario needs `match: HOME v AWAY`")
        return keys

    def _mistake(self, node: yaml.Node, sentence: str) -> None:
        self.mistakes.append((Place(self.file, node.start_mark.line + 1, node.start_mark.column + 1), sentence))

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
        home, away = (Team(identity("team", name), name) for name in teams.values())
        name = f"{home.name} v {away.name}"
        return Fixture(
            id=identity("fixture", name, kickoff.isoformat()),
            home=home,
            away=away,
            competition=Team(identity("competition", competition), competition) if competition else Team(),
            kickoff=kickoff,
            name=name,
        )

    def _kickoff(self, node: yaml.Node | None) -> dt.datetime:
        text = self._text(node)
        if node is None or not text:
            return _KICKOFF
        try:
            kickoff = dt.datetime.fromisoformat(text)
        except ValueError:
            kickoff = None
        if kickoff is None or kickoff.tzinfo is None:
            self._mistake(node, f"{text!r} is not an instant such as 2022-11-22T10:00:00Z")
            return _KICKOFF
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
        except LineFault as fault:
            self._mistake(node, str(fault))
            return None

    def _in_order(self, node: yaml.Node | None, events: list[Happening]) -> None:
        """The file tells the match as it went: minutes do not run back, and nothing comes after the end of its period."""
        if node is None or len(events) != len(node.value):
            return
        for line, before, after in zip(node.value[1:], events, events[1:], strict=False):
            if after.minute < before.minute:
                self._mistake(line, f"minute {after.minute} comes after minute {before.minute}: write them in order")
            elif before.what is What.FULL_TIME or (before.what in ENDS and after.minute.base == before.minute.base):
                self._mistake(line, f"{after.what} comes after {before.what}")
