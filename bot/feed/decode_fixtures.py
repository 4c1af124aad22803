"""The REST side's JSON -> fixtures (feed documentation, section 9.1)."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec

from bot.errors import FrameUnreadable
from bot.feed import loose
from rules.action import Fixture, Team
from rules.fold import fold


class FixturePage(msgspec.Struct, frozen=True):
    """One answer of the fixtures endpoint; `last` is true where no further page is to be asked for."""

    fixtures: tuple[Fixture, ...]
    last: bool = True


def decode_fixtures(body: bytes) -> FixturePage:
    """Read an array of fixtures, a page of them, or one; raise FrameUnreadable where it is none of these."""
    data = _json(body)
    if isinstance(data, list):
        return FixturePage(_fixtures(data))
    if not isinstance(data, dict):
        raise FrameUnreadable("not-an-object", "the answer is neither a list of fixtures nor a page of it")
    if isinstance(data.get("content"), list):
        return FixturePage(_fixtures(data["content"]), _is_last(data))
    return FixturePage((decode_fixture(body),))


def decode_fixture(body: bytes) -> Fixture:
    """Read one fixture; raise FrameUnreadable where it is none."""
    found = _fixtures([_json(body)])
    if not found:
        raise FrameUnreadable("incomplete", "the fixture has no id")
    return found[0]


def _json(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise FrameUnreadable("not-json", "the answer is not JSON") from error


def _is_last(page: dict[str, Any]) -> bool:
    """By `last`, else by the number of pages, else when a page is empty (section 9.1 does not show the metadata)."""
    last = loose.boolean(page.get("last"))
    if last is not None:
        return last
    pageable = loose.mapping(page.get("pageable"))
    pages = loose.number(page.get("totalPages", pageable.get("totalPages")))
    here = loose.number(page.get("number", pageable.get("pageNumber", pageable.get("page"))))
    return here + 1 >= pages if pages is not None and here is not None else not page["content"]


def _fixtures(data: list[Any]) -> tuple[Fixture, ...]:
    return tuple(_fixture(item) for item in data if isinstance(item, dict) and loose.text(item.get("id")))


def _fixture(data: dict[str, Any]) -> Fixture:
    name = loose.text(data.get("name"))
    home, away = _sides(data, name)
    kickoff = loose.instant(data.get("startDateUTC", data.get("startDate")))
    return Fixture(
        id=loose.text(data["id"]),
        home=home,
        away=away,
        competition=_competition(data),
        kickoff=kickoff,
        status=loose.status(data.get("status")) or "Scheduled",
        collection_status=loose.collection_status(data.get("collectionStatus")),
        name=name,
        deleted=bool(loose.boolean(data.get("fixtureDeleted"))),
        kickoff_known=kickoff is not None and kickoff.time() != dt.time(),
    )


def _sides(data: dict[str, Any], name: str) -> tuple[Team, Team]:
    """Who is home is never told by the order of `teams`: by `homeTeam` where it is given, else by the name `A v B`."""
    listed = [item for item in loose.items(data.get("teams")) if isinstance(item, dict)]
    teams = [Team(loose.text(item.get("id")), loose.text(item.get("name"))) for item in listed]
    flags = [loose.boolean(item.get("homeTeam")) for item in listed]
    if sorted(flags, key=str) == [False, True]:
        return teams[flags.index(True)], teams[flags.index(False)]
    return _by_name(teams, fold(name))


def _by_name(teams: list[Team], name: str) -> tuple[Team, Team]:
    words = name.split(" ")
    for middle in (i for i, word in enumerate(words) if word in ("v", "vs", "vs.", "-", "–")):
        home = _called(teams, " ".join(words[:middle]))
        away = _called(teams, " ".join(words[middle + 1 :]))
        if len(teams) == 2 and (home or away) and home is not away:
            return home or _other(teams, away), away or _other(teams, home)
    return Team(), Team()


def _called(teams: list[Team], folded: str) -> Team | None:
    return next((team for team in teams if team.name and fold(team.name) == folded), None)


def _other(teams: list[Team], team: Team | None) -> Team:
    return next(other for other in teams if other is not team)


def _competition(data: dict[str, Any]) -> Team:
    """`stage.season.competition`, or the nearest thing that has a name."""
    stage = loose.mapping(data.get("stage"))
    season = loose.mapping(stage.get("season", data.get("season")))
    for holder in (season.get("competition"), stage.get("competition"), data.get("competition"), season, stage):
        if isinstance(holder, str) and holder.strip():
            return Team(name=holder.strip())
        found = loose.mapping(holder)
        if name := loose.text(found.get("name")):
            return Team(loose.text(found.get("id")), name)
    return Team()
