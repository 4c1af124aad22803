"""The REST side of the feed: fixtures, line-ups, and all actions of a match that has ended."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from typing import Any
from urllib.parse import quote

import aiohttp
import msgspec
import structlog

from bot.clock import Clock
from bot.config.models import FeedSettings
from bot.errors import FeedError, FeedMoved, FeedNotOpen, FeedRefused, FeedUnreachable, FrameUnreadable
from bot.feed import lenient
from bot.feed.decode import decode_frame
from bot.feed.lenient import remove_nul
from bot.feed.reconnect import REMEDIES, FailureCause, classify_status, describe_redirect, mask_token, parse_retry_after
from bot.feed.request_limit import FeedRequestLimiter
from bot.network import explain_connection_error, find_proxy
from rules.football.action import Fixture, Packet, Team
from rules.football.lineups import Lineups, read_lineups
from rules.football.names import normalise

log = structlog.get_logger()

ACCEPT_HEADER = "application/vnd.imggaming.dde.api+json;version=1"

PAGE_SIZE = 100

_MAX_FIXTURE_NAME_LENGTH = 2 * lenient.MAX_NAME_LENGTH + 3

MAX_PAGES = 1000
"""Ends the loop where a server gives a full new page for ever."""

_TIMEOUT = aiohttp.ClientTimeout(total=30)


class RestClient:
    """Fetches fixtures, line-ups and actions; switches to the next host if one cannot be reached."""

    def __init__(
        self,
        settings: Callable[[], FeedSettings],
        http: aiohttp.ClientSession,
        clock: Clock,
        limiter: FeedRequestLimiter | None = None,
    ) -> None:
        """`settings` is called at each request: a reload may change them.

        `limiter` is shared by everything that asks the feed: 5 requests a second.
        """
        self._settings, self._http, self._clock = settings, http, clock
        self._limiter = limiter or FeedRequestLimiter(clock)
        self._host_index = 0
        self.fixtures_cut_at = 0
        """How many fixtures were read of the last list, if it has more; 0 if it was read to its end."""

    async def fetch_fixtures(self, date_from: dt.date, date_to: dt.date) -> tuple[Fixture, ...]:
        """Return all licensed fixtures of these days, both included; raise FeedError."""
        found: dict[str, Fixture] = {}
        # A server whose pages never end must not be read for ever.
        for page in range(MAX_PAGES):
            query = {"subscribed": "true", "dateFrom": date_from.isoformat(), "dateTo": date_to.isoformat()}
            query |= {"paged": "true", "page": str(page), "size": str(PAGE_SIZE)}
            body = await self._get_json("/soccer/fixtures", query)
            with _reading_answer():
                answer = decode_fixtures(body)
            # A server that ignores `page` gives the same page again: nothing new ends the loop as well.
            fresh = {fixture.id: fixture for fixture in answer.fixtures if fixture.id not in found}
            found |= fresh
            if answer.is_last or not fresh:
                self.fixtures_cut_at = 0
                break
        else:
            self.fixtures_cut_at = len(found)
            log.warning("fixtures_cut", count=len(found))
        return tuple(found.values())

    async def fetch_fixture(self, fixture_id: str) -> Fixture:
        """Return one fixture; raise FeedError."""
        body = await self._get_json(_fixture_path(fixture_id), {})
        with _reading_answer():
            return decode_fixture(body)

    async def fetch_lineups(self, fixture_id: str) -> Lineups:
        """Return the line-ups of a match, empty ones while they are not known (section 9.2); raise FeedError."""
        body = await self._get_json(_fixture_path(fixture_id) + "/lineups", {})
        with _reading_answer():
            return read_lineups(lenient.clean_values(lenient.as_mapping(_decode_json(body))))

    async def fetch_actions(self, fixture_id: str) -> tuple[Packet, ...]:
        """Return all packets of a match that has ended, in order of their numbers (section 1.4); raise FeedError."""
        now = self._clock.now()
        frames = _split_list(await self._get_json(_fixture_path(fixture_id) + "/actions", {}))
        if frames is None:
            raise FeedUnreachable("the feed's answer cannot be read: it is no list of actions")
        # In the order of arrival, as the stream has them: a finished match is listed by time on the pitch (section 7).
        packets = (_decode_packet(frame, now, fixture_id) for frame in frames)
        return tuple(sorted((packet for packet in packets if packet), key=lambda packet: packet.seq or 0))

    async def _get_json(self, path: str, query: Mapping[str, str]) -> bytes:
        """Return the body of an answer; try the next host if one cannot be reached at all."""
        # All hosts once, beginning with the one that answered last.
        hosts = self._settings().api_url
        for attempt in range(len(hosts)):
            try:
                return await self._request(hosts[self._host_index % len(hosts)].rstrip("/"), path, query)
            except aiohttp.ClientConnectorError as error:
                reason = f"{error.host} cannot be reached: {explain_connection_error(error) or type(error.os_error).__name__}"
                if attempt + 1 == len(hosts):
                    raise FeedUnreachable(reason) from error
                self._change_host(reason)
            except FeedMoved as error:
                if attempt + 1 == len(hosts):
                    raise
                self._change_host(str(error))
            except (aiohttp.ClientError, TimeoutError) as error:
                reason = explain_connection_error(error) or type(error).__name__
                raise FeedUnreachable(f"the feed's REST side does not answer: {reason}") from error
        raise FeedUnreachable("no host of the feed's REST side is configured")

    def _change_host(self, reason: str) -> None:
        hosts = self._settings().api_url
        self._host_index += 1  # kept for later calls: a retired host would cost each of them a failed attempt
        log.warning("feed_api_host_changed", reason=reason, host=hosts[self._host_index % len(hosts)])

    async def _request(self, host: str, path: str, query: Mapping[str, str]) -> bytes:
        headers = {
            "Accept": ACCEPT_HEADER,
            "Content-Type": "application/json",
            "Authorization": f"Bearer {self._settings().token.get_secret_value()}",
        }
        async with AsyncExitStack() as stack:
            async with self._limiter.request():
                setting = self._settings().proxy
                proxy = find_proxy(host, setting.get_secret_value() if setting else None)
                # A redirect would be a request that the limiter does not know of, to a host that nobody configured.
                call = self._http.get(
                    host + path, params=query, headers=headers, timeout=_TIMEOUT, proxy=proxy, allow_redirects=False
                )
                response = await stack.enter_async_context(call)
            body = await response.read()
            if response.status == 200:
                return remove_nul(body)
            wait = parse_retry_after(response.headers.get("Retry-After"), self._clock.now())
            if classify_status(response.status) is FailureCause.MOVED:
                raise FeedMoved(f"HTTP {response.status}{describe_redirect(response.headers.get('Location'))}", wait)
            # The body is read before, also of an error: it has the reason, and the connection can be used again.
            raise self._make_error(response.status, body, wait)

    def _make_error(self, status: int, body: bytes, wait: float | None) -> FeedError:
        cause = classify_status(status)
        reason = f"HTTP {status}: {self._read_reason(body)}" if body else f"HTTP {status}"
        if REMEDIES[cause].is_refusal:
            return FeedRefused(reason)
        return FeedNotOpen(reason) if cause is FailureCause.NOT_OPEN else FeedUnreachable(reason, wait)

    def _read_reason(self, body: bytes) -> str:
        """Return the server's error text, from any of the three documented shapes, without the token; at most 200 characters."""
        try:
            data = msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            data = body.decode(errors="replace").strip("{} \r\n")
        if isinstance(data, dict):
            data = data.get("errorMessage") or data.get("error") or data.get("message") or ""
        return mask_token(" ".join(str(data).split()), self._settings().token.get_secret_value())


@contextmanager
def _reading_answer() -> Iterator[None]:
    """Raise FeedUnreachable for an answer that cannot be read: to a caller it is a server that failed."""
    try:
        yield
    except FrameUnreadable as error:
        raise FeedUnreachable(f"the feed's answer cannot be read: {error.reason}") from error


def _fixture_path(fixture_id: str) -> str:
    # Quoted, as for the stream: with a "#" or a "/" in an id another fixture would be asked for, and its 404 believed.
    return f"/soccer/fixtures/{quote(fixture_id, safe='')}"


def _split_list(body: bytes) -> list[bytes] | None:
    """Return the items of a JSON array, each as it came; None if it is none."""
    try:
        return [bytes(item) for item in msgspec.json.decode(body, type=list[msgspec.Raw])]
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        pass
    try:
        data = lenient.parse_json(body)
    except (ValueError, RecursionError):
        return None
    return [msgspec.json.encode(item) for item in data] if isinstance(data, list) else None


def _decode_packet(frame: bytes, now: dt.datetime, fixture_id: str) -> Packet | None:
    """Return the packet, or None if it cannot be read: one bad packet must not cost the others."""
    try:
        read = decode_frame(frame, now, fixture_id)
    except FrameUnreadable:
        return None
    return read if isinstance(read, Packet) else None


class FixturePage(msgspec.Struct, frozen=True):
    """One answer of the fixtures endpoint; `is_last`: no further page has to be requested."""

    fixtures: tuple[Fixture, ...]
    is_last: bool = True


def decode_fixtures(body: bytes) -> FixturePage:
    """Decode an array of fixtures, a page of them, or one fixture; raise FrameUnreadable if it is none of these."""
    data = _decode_json(body)
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
    found = _read_fixtures([_decode_json(body)])
    if not found:
        raise FrameUnreadable("incomplete", "the fixture has no id")
    return found[0]


def _decode_json(body: bytes) -> Any:
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
        # Midnight is a placeholder for a time that is not set yet.
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
    # Exactly one home team. Two, or none, say nothing.
    if sorted(flags, key=str) == [False, True]:
        home, away = teams[flags.index(True)], teams[flags.index(False)]
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
            return home or _other_team(teams, away), away or _other_team(teams, home)
    return Team(), Team()


def _find_team(teams: list[Team], folded: str) -> Team | None:
    return next((team for team in teams if team.name and normalise(team.name) == folded), None)


def _other_team(teams: list[Team], team: Team | None) -> Team:
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
