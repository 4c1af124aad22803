"""The REST side of the feed: asks for fixtures, line-ups, and all actions of a match that has ended."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from urllib.parse import quote

import aiohttp
import msgspec
import structlog

from bot.clock import Clock
from bot.config.models import FeedSettings
from bot.errors import FeedError, FeedMoved, FeedNotOpen, FeedRefused, FeedUnreachable, FrameUnreadable
from bot.feed import lenient
from bot.feed.decode import decode_frame
from bot.feed.decode_fixtures import decode_fixture, decode_fixtures, decode_json
from bot.feed.lenient import remove_nul
from bot.feed.reconnect import REMEDIES, FailureCause, classify_status, describe_redirect, mask_token, parse_retry_after
from bot.feed.request_limit import FeedRequestLimiter
from bot.network import AnswerTooLarge, explain_connection_error, find_proxy, read_body
from rules.football.action import Fixture, Packet
from rules.football.lineups import Lineups, read_lineups

log = structlog.get_logger()

ACCEPT_HEADER = "application/vnd.imggaming.dde.api+json;version=1"
"""Required by the REST side and by streams (sections 1.3 and 1.4)."""

PAGE_SIZE = 100

MAX_PAGES = 1000
"""Ends the loop where a server gives a full new page for ever."""

_TIMEOUT = aiohttp.ClientTimeout(total=30)

MAX_ANSWER_SIZE = 64 * 2**20
"""Bytes of an answer that are read, unpacked. All actions of a long match have some ten megabytes."""


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
            return read_lineups(lenient.clean_values(lenient.as_mapping(decode_json(body))))

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
            except AnswerTooLarge as error:
                raise FeedUnreachable(f"the feed's answer is larger than {MAX_ANSWER_SIZE // 2**20} MB") from error
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
            body = await read_body(response, MAX_ANSWER_SIZE)
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
