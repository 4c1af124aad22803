"""The matches of the screens: 22 November 2022 at the World Cup, and a league after Christmas."""

from __future__ import annotations

import datetime as dt

from rules.football.action import Fixture, Team
from rules.scenarios.parser import load_scenario, parse_scenario
from rules.scenarios.scenario import Scenario, make_id

DAY = dt.datetime(2022, 11, 22, tzinfo=dt.UTC)
OPENER: Scenario = load_scenario("opener")
CUP = OPENER.fixture.competition
_FRIENDLY = """
match: {match}
competition: Friendlies
kickoff: 2022-11-22T10:00:00Z
events:
  - 27' goal {scorer}
"""
FRIENDLIES = tuple(
    parse_scenario(_FRIENDLY.format(match=match, scorer=scorer))
    for match, scorer in (("Ajax v Benfica", "Bergwijn (Ajax)"), ("Celtic v Porto", "Taremi (Porto)"))
)
PLAYED = (OPENER, *FRIENDLIES)
"""The matches that are played; all at once."""


def _fixture(competition: Team, match: str, day: int, hour: int) -> Fixture:
    home, away = (Team(make_id("team", name), name) for name in match.split(" v "))
    return Fixture(make_id("screens", match), home, away, competition, DAY + dt.timedelta(days=day, hours=hour))


def fixtures() -> tuple[Fixture, ...]:
    """All of them, by kick-off."""
    england, spain = Team(make_id("screens", "pl"), "Premier League"), Team(make_id("screens", "ll"), "La Liga")
    cup = [("Denmark v Tunisia", 0, 13), ("Mexico v Poland", 0, 16), ("France v Australia", 0, 19), ("Germany v Japan", 1, 13)]
    cup += [("Spain v Costa Rica", 1, 16), ("Belgium v Canada", 1, 19), ("Brazil v Serbia", 2, 19)]
    league = [("Brentford v Tottenham", 34, 12), ("Newcastle v Leicester", 34, 15), ("Arsenal v West Ham", 34, 20)]
    more = [("Atlético Madrid v Elche", 37, 20), ("Barcelona v Espanyol", 39, 13)]
    found = (
        [_fixture(CUP, *one) for one in cup]
        + [_fixture(england, *one) for one in league]
        + [_fixture(spain, *one) for one in more]
    )
    return (*(scenario.fixture for scenario in PLAYED), *found)
