"""Reads scenarios: matches written in a few lines of YAML."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import yaml

from rules.engine.rule import SourceLocation
from rules.football.action import Fixture, Side, Team
from rules.football.lineups import Lineup, Lineups
from rules.football.timeline import EventKind
from rules.loading.document import DocumentInvalid, Report, compose
from rules.loading.values import Reader
from rules.scenarios.lines import parse_kick, parse_line, parse_lineup
from rules.scenarios.listings import ListingChange, find_listing_mistake, parse_instant, parse_listing
from rules.scenarios.scenario import PERIOD_END_MINUTES, Scenario, ScenarioEvent, make_id

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

# A fixed day: ids follow from the kick-off, and a test must play the same match on every day.
_DEFAULT_KICKOFF = dt.datetime(2026, 8, 15, 14, 0, tzinfo=dt.UTC)

T = TypeVar("T")


class ScenarioInvalid(DocumentInvalid):
    """A scenario with mistakes."""


def load_scenario(name: str) -> Scenario:
    """Read a scenario that ships, by its short name or the name of its file. Raises KeyError."""
    # Looked up in the list first: a name from a command line or a page must not become a path.
    stem = SHIPPED_SCENARIOS.get(name, name)
    if stem not in SHIPPED_SCENARIOS.values():
        raise KeyError(name)
    file = Path(__file__).with_name(f"{stem}.yaml")
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
        return None  # every line would be wrong for the one reason that is reported
    events = reader.read_lines(fields.get("events"), lambda line: parse_line(line, teams))
    kicks = reader.read_lines(fields.get("shootout"), lambda line: parse_kick(line, teams))
    reader.check_order(fields.get("events"), events)
    # Of two lines for one team the last one counts.
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
            elif before.kind is EventKind.FULL_TIME or (
                before.kind in PERIOD_END_MINUTES and after.minute.base == before.minute.base
            ):
                self.report_mistake(line, f"{after.kind} comes after {before.kind}")
            elif (before.kind is EventKind.ABANDONED) is not (after.kind is EventKind.RESUMED):
                self.report_mistake(line, "after abandoned comes resumed, in the same minute, and nowhere else")
