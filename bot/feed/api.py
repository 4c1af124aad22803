"""The REST side of the feed: fixtures (feed documentation, sections 1.4 and 9.1)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Protocol

import aiohttp
import msgspec
import structlog

from bot.clock import Clock
from bot.errors import FeedError, FeedNotOpen, FeedRefused, FeedUnreachable, FrameUnreadable
from bot.feed.backoff import REMEDIES, Trouble, of_status, retry_after
from bot.feed.decode import decode
from bot.feed.decode_fixtures import FixturePage, decode_fixture, decode_fixtures
from bot.feed.gate import Gate
from bot.feed.loose import without_nul
from rules.action import Fixture, Packet

log = structlog.get_logger()

ACCEPT = "application/vnd.imggaming.dde.api+json;version=1"
PAGE_SIZE = 100
_MOST_PAGES = 200
_TIMEOUT = aiohttp.ClientTimeout(total=30)


class Secret(Protocol):
    """A text that does not print itself."""

    def get_secret_value(self) -> str: ...


class ApiSettings(Protocol):
    """The part of the configuration that is read here."""

    @property
    def token(self) -> Secret: ...
    @property
    def api_url(self) -> Sequence[str]: ...


class FeedApi:
    """Asks for fixtures; tries the hosts in order where one cannot be had."""

    def __init__(self, settings: ApiSettings, http: aiohttp.ClientSession, clock: Clock, gate: Gate | None = None) -> None:
        """`gate` limits calls over the whole process: 5 a second."""
        self._settings, self._http, self._clock = settings, http, clock
        self._gate = gate or Gate(clock)
        self._host = 0

    async def fixtures(self, date_from: dt.date, date_to: dt.date) -> tuple[Fixture, ...]:
        """All licensed fixtures of these days, both included; raise FeedError."""
        found: dict[str, Fixture] = {}
        for page in range(_MOST_PAGES):
            query = {"subscribed": "true", "dateFrom": date_from.isoformat(), "dateTo": date_to.isoformat()}
            query |= {"paged": "true", "page": str(page), "size": str(PAGE_SIZE)}
            answer = await self._page(query)
            fresh = {fixture.id: fixture for fixture in answer.fixtures if fixture.id not in found}
            found |= fresh
            if answer.last or not fresh:
                break
        return tuple(found.values())

    async def fixture(self, fixture_id: str) -> Fixture:
        """One fixture; raise FeedError."""
        body = await self._get(f"/soccer/fixtures/{fixture_id}", {})
        try:
            return decode_fixture(body)
        except FrameUnreadable as error:
            raise FeedUnreachable(f"the feed's answer cannot be read: {error.reason}") from error

    async def actions(self, fixture_id: str) -> tuple[Packet, ...]:
        """All packets of a match that has ended, by their numbers (feed documentation, section 1.4); raise FeedError."""
        now = self._clock.now()
        try:
            frames = msgspec.json.decode(await self._get(f"/soccer/fixtures/{fixture_id}/actions", {}), type=list[msgspec.Raw])
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            raise FeedUnreachable("the feed's answer cannot be read: it is no list of actions") from error
        packets = (_packet(bytes(frame), now, fixture_id) for frame in frames)
        return tuple(sorted((packet for packet in packets if packet), key=lambda packet: packet.seq or 0))

    async def _page(self, query: Mapping[str, str]) -> FixturePage:
        body = await self._get("/soccer/fixtures", query)
        try:
            return decode_fixtures(body)
        except FrameUnreadable as error:
            raise FeedUnreachable(f"the feed's answer cannot be read: {error.reason}") from error

    async def _get(self, path: str, query: Mapping[str, str]) -> bytes:
        """The body of an answer; a host that cannot be had at all gives way to the next."""
        hosts = self._settings.api_url
        for attempt in range(len(hosts)):
            try:
                return await self._ask(hosts[self._host % len(hosts)].rstrip("/"), path, query)
            except aiohttp.ClientConnectorError as error:
                reason = f"{error.host} cannot be reached: {type(error.os_error).__name__}"
                if attempt + 1 == len(hosts):
                    raise FeedUnreachable(reason) from error
                self._host += 1
                log.warning("feed_api_host_changed", reason=reason, host=hosts[self._host % len(hosts)])
            except (aiohttp.ClientError, TimeoutError) as error:
                raise FeedUnreachable(f"the feed's REST side does not answer: {type(error).__name__}") from error
        raise FeedUnreachable("no host of the feed's REST side is configured")

    async def _ask(self, host: str, path: str, query: Mapping[str, str]) -> bytes:
        await self._gate.enter()
        headers = {
            "Accept": ACCEPT,
            "Content-Type": "application/json",
            "Authorization": f"Bearer {self._settings.token.get_secret_value()}",
        }
        async with self._http.get(host + path, params=query, headers=headers, timeout=_TIMEOUT) as response:
            body = await response.read()
            if response.status == 200:
                return without_nul(body)
            wait = retry_after(response.headers.get("Retry-After"), self._clock.now())
            raise self._error(response.status, body, wait)

    def _error(self, status: int, body: bytes, wait: float | None) -> FeedError:
        trouble = of_status(status)
        reason = f"HTTP {status}: {self._reason(body)}" if body else f"HTTP {status}"
        if REMEDIES[trouble].refused:
            return FeedRefused(reason)
        return FeedNotOpen(reason) if trouble is Trouble.NOT_OPEN else FeedUnreachable(reason, wait)

    def _reason(self, body: bytes) -> str:
        """The server's words, whichever of the three documented shapes they come in, without the token."""
        try:
            data = msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            data = body.decode(errors="replace").strip("{} \r\n")
        if isinstance(data, dict):
            data = data.get("errorMessage") or data.get("error") or data.get("message") or ""
        words = " ".join(str(data).split())
        token = self._settings.token.get_secret_value()
        return (words.replace(token, "***") if token else words)[:200]


def _packet(frame: bytes, now: dt.datetime, fixture_id: str) -> Packet | None:
    """One of many: what cannot be read is left out."""
    try:
        read = decode(frame, now, fixture_id)
    except FrameUnreadable:
        return None
    return read if isinstance(read, Packet) else None
