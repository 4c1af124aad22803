"""The REST side, against the simulator and against servers that answer badly."""

from __future__ import annotations

import datetime as dt
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from structlog.testing import capture_logs

from bot.clock import SystemClock
from bot.errors import FeedError, FeedNotOpen, FeedRefused, FeedUnreachable, UserMistake
from bot.feed.encode import Dialect
from bot.feed.request_limit import FeedRequestLimiter
from bot.feed.rest import ACCEPT_HEADER, RestClient
from bot.feed.simulator.script import script_from_packets
from bot.feed.simulator.server import Simulator
from rules.football.action import Fixture
from rules.scenarios.builder import build_packets
from rules.scenarios.parser import parse_scenario
from tests.bot.feed.simulator.test_script import script
from tests.fakes.feed import feed_settings
from tests.packets import FIXTURE

LINEUPS = """
match: Arsenal v Chelsea
lineups:
  - Arsenal (4-3-3) 22 David Raya; 12 Timber
  - Chelsea 1 Sánchez (c)
"""
TODAY = dt.date(2026, 8, 15)
Answer = Callable[[web.Request], Awaitable[web.Response]]


async def ask(*urls: str) -> tuple[Fixture, ...]:
    async with aiohttp.ClientSession() as http:
        clock = SystemClock()
        return await RestClient(lambda: feed_settings(*urls), http, clock, FeedRequestLimiter(clock, 1000)).fetch_fixtures(
            TODAY, TODAY
        )


@asynccontextmanager
async def answering(answer: Answer) -> AsyncIterator[str]:
    """A server that answers every request so."""
    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    async with TestServer(app) as server:
        yield str(server.make_url("")).rstrip("/")


async def test_fixtures_are_asked_for_as_documented() -> None:
    seen: list[web.Request] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append(request)
        return web.json_response([{"id": "f1"}])

    async with answering(answer) as url:
        assert [fixture.id for fixture in await ask(url)] == ["f1"]

    assert (seen[0].headers["Accept"], seen[0].headers["Content-Type"]) == (ACCEPT_HEADER, "application/json")
    assert seen[0].headers["Authorization"] == "Bearer feed-token"
    query = {"subscribed": "true", "paged": "true", "page": "0", "dateFrom": "2026-08-15", "dateTo": "2026-08-15"}
    assert query.items() <= dict(seen[0].query).items()


async def test_the_character_that_no_database_takes_is_left_out() -> None:
    async def answer(_request: web.Request) -> web.Response:
        return web.json_response([{"id": "f\x001"}])

    async with answering(answer) as url:
        assert [fixture.id for fixture in await ask(url)] == ["f1"]


@pytest.mark.parametrize("says_last", [True, False])
async def test_pages_are_read_to_the_last(says_last: bool) -> None:
    async def answer(request: web.Request) -> web.Response:
        page = int(request.query["page"])
        content = [{"id": f"f{page}"}] if page < 3 else []
        return web.json_response({"content": content, "pageable": {}} | ({"last": page == 2} if says_last else {}))

    async with answering(answer) as url:
        assert [fixture.id for fixture in await ask(url)] == ["f0", "f1", "f2"]


@pytest.mark.slow
async def test_a_list_of_more_than_20_000_fixtures_is_read_to_its_end_and_a_cut_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    async def answer(request: web.Request) -> web.Response:
        page, size = int(request.query["page"]), int(request.query["size"])
        return web.json_response({"content": [{"id": f"f{page * size + n}"} for n in range(size)], "last": page == 210})

    async with answering(answer) as url, aiohttp.ClientSession() as http:
        clock = SystemClock()
        client = RestClient(lambda: feed_settings(url), http, clock, FeedRequestLimiter(clock, 1000))
        whole = await client.fetch_fixtures(TODAY, TODAY)
        cut_at = [client.fixtures_cut_at]
        monkeypatch.setattr("bot.feed.rest.MAX_PAGES", 3)
        with capture_logs() as logs:
            await client.fetch_fixtures(TODAY, TODAY)
        cut_at.append(client.fixtures_cut_at)

    assert (len(whole), cut_at) == (211 * 100, [0, 300])
    assert {"event": "fixtures_cut", "count": 300, "log_level": "warning"} in logs


async def test_a_server_that_repeats_a_page_for_ever_is_left() -> None:
    async def answer(_request: web.Request) -> web.Response:
        return web.json_response({"content": [{"id": "f1"}], "last": False})

    async with answering(answer) as url:
        assert len(await ask(url)) == 1


@pytest.mark.parametrize(
    ("status", "body", "error", "words"),
    [
        (401, "{The supplied authentication is invalid}", FeedRefused, "HTTP 401: The supplied authentication is invalid"),
        (403, '{"error":"not licensed","status":403}', FeedRefused, "HTTP 403: not licensed"),
        (400, '{"errorMessage":"no feed-token here"}', FeedUnreachable, r"HTTP 400: no \*\*\* here"),
        (404, "", FeedNotOpen, "HTTP 404"),
        (500, "<html>", FeedUnreachable, "HTTP 500"),
        (200, "<html>", FeedUnreachable, "cannot be read"),
    ],
)
async def test_each_answer_that_is_no_list_is_an_error_of_the_feed(
    status: int, body: str, error: type[FeedError], words: str
) -> None:
    async def answer(_request: web.Request) -> web.Response:
        return web.Response(status=status, text=body)

    async with answering(answer) as url:
        with pytest.raises(error, match=words):
            await ask(url)


async def test_an_answer_that_unpacks_to_more_than_anybody_wants_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.feed.rest.MAX_ANSWER_SIZE", 2**20)
    packed = gzip.compress(bytes(4 * 2**20))

    async def answer(_request: web.Request) -> web.Response:
        return web.Response(body=packed, headers={"Content-Encoding": "gzip"})

    async with answering(answer) as url:
        with pytest.raises(FeedUnreachable, match="larger than 1 MB"):
            await ask(url)


async def test_a_busy_server_says_when_to_come_back() -> None:
    async def answer(_request: web.Request) -> web.Response:
        return web.Response(status=429, headers={"Retry-After": "7"})

    async with answering(answer) as url:
        with pytest.raises(FeedUnreachable) as raised:
            await ask(url)

    assert raised.value.retry_after == 7


async def test_a_host_that_cannot_be_reached_gives_way_to_the_next(refusing_port: int) -> None:
    away = f"http://127.0.0.1:{refusing_port}"

    async def answer(_request: web.Request) -> web.Response:
        return web.json_response([{"id": "f1"}])

    async with answering(answer) as url:
        assert len(await ask(away, url)) == 1
    with pytest.raises(FeedUnreachable, match="cannot be reached"):
        await ask(away)


async def test_a_redirect_is_not_followed_and_gives_way_to_the_next_host() -> None:
    seen: list[str] = []

    async def lead_away(request: web.Request) -> web.Response:
        seen.append(request.path)
        return web.Response(status=302, headers={"Location": "http://127.0.0.1:1/?token=secret"})

    async def answer(_request: web.Request) -> web.Response:
        return web.json_response([{"id": "f1"}])

    async with answering(lead_away) as moved, answering(answer) as url:
        assert len(await ask(moved, url)) == 1
        with pytest.raises(FeedUnreachable, match=r"^HTTP 302, it leads to 127\.0\.0\.1$"):
            await ask(moved)
    assert seen == ["/soccer/fixtures"] * 2


async def test_an_id_with_signs_of_an_address_is_asked_for_as_it_is() -> None:
    seen: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append(request.rel_url.raw_path)
        return web.json_response({"id": "a#1/2"})

    clock = SystemClock()
    async with answering(answer) as url, aiohttp.ClientSession() as http:
        rest = RestClient(lambda: feed_settings(url), http, clock, FeedRequestLimiter(clock, 1000))
        assert (await rest.fetch_fixture("a#1/2")).id == "a#1/2"

    assert seen == ["/soccer/fixtures/a%231%2F2"]


async def test_the_simulator_lists_its_fixtures_one_by_one_too() -> None:
    clock = SystemClock()
    async with Simulator([script()], token="feed-token").serve() as urls, aiohttp.ClientSession() as http:
        api = RestClient(lambda: feed_settings(urls.api), http, clock, FeedRequestLimiter(clock, 1000))
        today = clock.now().date()
        listed = await api.fetch_fixtures(today - dt.timedelta(days=1), today + dt.timedelta(days=1))
        single = await api.fetch_fixture(FIXTURE.id)

        assert [(fixture.id, fixture.title) for fixture in listed] == [(FIXTURE.id, "Arsenal v Chelsea")]
        assert (single.status, single.competition.name) == ("Scheduled", "Premier League")
        with pytest.raises(FeedNotOpen):
            await api.fetch_fixture("none")


async def test_the_simulator_refuses_a_wrong_token_and_a_day_without_matches_is_empty() -> None:
    async with Simulator([script()], token="another").serve() as urls:
        with pytest.raises(FeedRefused, match="authentication is invalid"):
            await ask(urls.api)
    async with Simulator([script()]).serve() as urls:
        assert await ask(urls.api) == ()


async def test_a_port_that_is_taken_is_a_mistake_with_its_name() -> None:
    async with Simulator([script()]).serve() as urls:
        with pytest.raises(UserMistake, match="cannot be listened on"):
            async with Simulator([script()]).serve(port=int(urls.api.rpartition(":")[2])):
                pass


async def test_line_ups_are_read_as_the_feed_documents_them_and_are_not_there_before_they_are_announced() -> None:
    scenario = parse_scenario(LINEUPS)
    played = script_from_packets(scenario.fixture, build_packets(scenario), Dialect(lineups_as="rest"))
    clock = SystemClock()
    async with Simulator([played], speed=0.0, clock=clock).serve() as urls, aiohttp.ClientSession() as http:
        lineups = await RestClient(lambda: feed_settings(urls.api), http, clock).fetch_lineups(scenario.fixture.id)
    metadata = [entry.frame["fixtureAction"].get("metadata") for entry in played.frames]

    assert lineups == scenario.lineups
    assert str(lineups.home) == "4-3-3: 22 David Raya"
    assert not any("home" in (values or {}) for values in metadata)


async def test_a_match_without_line_ups_has_none_by_rest() -> None:
    clock = SystemClock()
    async with Simulator([script()], clock=clock).serve() as urls, aiohttp.ClientSession() as http:
        with pytest.raises(FeedNotOpen):
            await RestClient(lambda: feed_settings(urls.api), http, clock).fetch_lineups(FIXTURE.id)
