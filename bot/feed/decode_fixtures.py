"""Decodes fixtures of the feed's REST side, in all the shapes that the documentation shows or leaves open."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec

from bot.errors import FrameUnreadable
from bot.feed import lenient
from rules.football.action import Fixture, Team
from rules.football.names import normalise

_MAX_FIXTURE_NAME_LENGTH = 2 * lenient.MAX_NAME_LENGTH + 3
"""Letters of `A v B` with two of the longest names."""


class FixturePage(msgspec.Struct, frozen=True):
    """One answer of the fixtures endpoint; `is_last`: no further page has to be requested."""

    fixtures: tuple[Fixture, ...]
    is_last: bool = True


def decode_fixtures(body: bytes) -> FixturePage:
    """Decode an array of fixtures, a page of them, or one fixture; raise FrameUnreadable if it is none of these."""
    data = decode_json(body)
    if isinstance(data, list):
        return FixturePage(_read_fixtures(data))
    if not isinstance(data, dict):
        raise FrameUnreadable("not-an-object", "the answer is neither a list of fixtures nor a page of it")
    # Three shapes are documented or were seen (section 9.1); which one comes depends on the parameters and the server's
    # version.
    if isinstance(data.get("content"), list):
        return FixturePage(_read_fixtures(data["content"]), _is_last_page(data))
    return FixturePage((decode_fixture(body),))


def decode_fixture(body: bytes) -> Fixture:
    """Decode one fixture; raise FrameUnreadable if it is none."""
    found = _read_fixtures([decode_json(body)])
    if not found:
        raise FrameUnreadable("incomplete", "the fixture has no id")
    return found[0]


def decode_json(body: bytes) -> Any:
    """Decode an answer; raise FrameUnreadable if it is no JSON."""
    try:
        return lenient.parse_json(body)
    except (ValueError, RecursionError) as error:
        raise FrameUnreadable("not-json", "the answer is not JSON") from error


def _is_last_page(page: dict[str, Any]) -> bool:
    """Decide by `last`, else by the number of pages, else by an empty page: section 9.1 does not show the metadata of a page."""
    last = lenient.as_boolean(page.get("last"))
    if last is not None:
        return last
    pageable = lenient.as_mapping(page.get("pageable"))
    pages = lenient.as_number(page.get("totalPages", pageable.get("totalPages")))
    here = lenient.as_number(page.get("number", pageable.get("pageNumber", pageable.get("page"))))
    return here + 1 >= pages if pages is not None and here is not None else not page["content"]


def _read_fixtures(data: list[Any]) -> tuple[Fixture, ...]:
    return tuple(_read_fixture(item) for item in data if isinstance(item, dict) and lenient.as_text(item.get("id")))


def _read_fixture(data: dict[str, Any]) -> Fixture:
    name = lenient.as_text(data.get("name"))
    home, away = _read_sides(data, name)
    # The one with UTC in its name first: the other has no time zone in some samples.
    kickoff = lenient.as_instant(data.get("startDateUTC")) or lenient.as_instant(data.get("startDate"))
    return Fixture(
        id=lenient.as_text(data["id"]),
        home=home,
        away=away,
        competition=_read_competition(data),
        kickoff=kickoff,
        status=lenient.as_status(data.get("status")) or "Scheduled",
        collection_status=lenient.as_collection_status(data.get("collectionStatus")),
        name=lenient.clean_name(name, _MAX_FIXTURE_NAME_LENGTH),
        is_deleted=bool(lenient.as_boolean(data.get("fixtureDeleted"))),
        # Midnight may be a placeholder for a time that is not set yet; it is also a real time in the Americas.
        is_kickoff_known=kickoff is not None and kickoff.time() != dt.time(),
        venue=_read_named(data.get("venue")),
        coverage_level=lenient.as_coverage_level(data.get("coverageLevel")),
    )


def _read_sides(data: dict[str, Any], name: str) -> tuple[Team, Team]:
    """Return the home and the away team: by `homeTeam` if it is given, else by the name `A v B`.

    The order of `teams` does not say which team is at home.
    """
    listed = [item for item in lenient.as_list(data.get("teams")) if isinstance(item, dict)]
    teams = [Team(lenient.as_text(item.get("id")), lenient.as_text(item.get("name")), _read_detail(item)) for item in listed]
    flags = [lenient.as_boolean(item.get("homeTeam")) for item in listed]
    # One flag of two is enough: the feed may set it only on the home team. Two of the same say nothing.
    if len(teams) == 2 and flags[0] is not flags[1]:
        home, away = teams if flags[0] is True or flags[1] is False else reversed(teams)
    else:
        home, away = _find_sides_by_name(teams, normalise(name))
    # Not before: the name of the fixture has the names as they came.
    return (
        Team(home.id, lenient.clean_name(home.name), home.detail),
        Team(away.id, lenient.clean_name(away.name), away.detail),
    )


def _find_sides_by_name(teams: list[Team], name: str) -> tuple[Team, Team]:
    words = name.split(" ")
    for middle in (i for i, word in enumerate(words) if word in ("v", "vs", "vs.", "-", "–")):
        home = _find_team(teams, " ".join(words[:middle]))
        away = _find_team(teams, " ".join(words[middle + 1 :]))
        # One of the names is enough: the other team is the remaining one, however it is spelled.
        if len(teams) == 2 and (home or away) and home is not away:
            return home or _find_other_team(teams, away), away or _find_other_team(teams, home)
    return Team(), Team()


def _find_team(teams: list[Team], folded: str) -> Team | None:
    return next((team for team in teams if team.name and normalise(team.name) == folded), None)


def _find_other_team(teams: list[Team], team: Team | None) -> Team:
    return next(other for other in teams if other is not team)


def _read_competition(data: dict[str, Any]) -> Team:
    """Return `stage.season.competition`, or the nearest object that has a name."""
    stage = lenient.as_mapping(data.get("stage"))
    season = lenient.as_mapping(stage.get("season", data.get("season")))
    # From the most exact to the least: a season's name has a year in it that people do not type.
    for holder in (season.get("competition"), stage.get("competition"), data.get("competition"), season, stage):
        if isinstance(holder, str) and lenient.as_name(holder):
            return Team(name=lenient.as_name(holder))
        found = lenient.as_mapping(holder)
        if name := lenient.as_name(found.get("name")):
            # A season may say of what country its competition is.
            return Team(lenient.as_text(found.get("id")), name, _read_detail(found) or _read_detail(season))
    return Team()


_SEXES = {"female": "Women", "f": "Women", "women": "Women", "woman": "Women", "male": "Men", "m": "Men", "men": "Men"}

_NO_AGE_GROUPS = frozenset({"senior", "seniors", "adult", "adults", "open", "none"})


def _read_detail(data: dict[str, Any]) -> str:
    """Return what tells a team or competition from others of its name: country, age group and sex, as far as it is there.

    The documentation does not show these fields (section 9.1 is cut): their names are assumed, as docs/feed.md says.
    """
    if known := lenient.as_name(data.get("detail")):
        return known  # as Touchline's own recordings and simulator write it
    country = _read_named(data.get("country", data.get("countryName")))
    age_group = _read_named(data.get("ageGroup", data.get("ageCategory")))
    sex = _read_named(data.get("gender", data.get("sex")))
    parts = (country, "" if age_group.casefold() in _NO_AGE_GROUPS else age_group, _SEXES.get(sex.casefold(), sex))
    # A number is an id of a list that is not known.
    return " ".join(part for part in parts if part and not part.isdigit())


def _read_named(value: Any) -> str:
    """Return a name that comes as text or as an object with a name."""
    return lenient.as_name(lenient.as_mapping(value).get("name")) if isinstance(value, dict) else lenient.as_name(value)
