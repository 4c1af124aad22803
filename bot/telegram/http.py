"""The HTTP session to the Bot API, for the sender's own calls and under python-telegram-bot; and the API's health."""

from __future__ import annotations

import asyncio
import datetime as dt
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import aiohttp
import msgspec
from telegram._utils.defaultvalue import DefaultValue
from telegram._utils.types import ODVInput
from telegram.error import BadRequest, EndPointNotFound, NetworkError, TimedOut
from telegram.request import BaseRequest, RequestData
from yarl import URL

from bot.clock import Clock, SystemClock
from bot.network import AnswerTooLarge, explain_connection_error, find_proxy, get_ssl_context, read_body
from bot.telegram.responses import AnswerLost, NotSent, check_answer, find_message_id, parse_response
from bot.telegram.shared_timeout import SharedTimeout

_NO_TIMEOUT_GIVEN = BaseRequest.DEFAULT_NONE

_TOKEN_REFUSED_STATUSES = (HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND)
"""What Telegram answers to a token that it does not know."""

READ_TIMEOUT = 60.0
"""Seconds to wait for an answer. Telegram may take long when it is busy, and a message whose answer is given up is sent twice."""

_MAX_ANSWER_SIZE = 32 * 2**20
"""Bytes of an answer that are read. Telegram lets a bot download files of at most 20 MB."""

_CLOCK_CHECK_INTERVAL = 20.0
"""Seconds between two comparisons of the clocks."""

_CLOCK_CHECK_LIFETIME = 600.0
"""Seconds for which a comparison counts: a clock may have been set since."""

_HALF_SECOND = 0.5
"""The Date header has whole seconds, rounded down: on average it is so much behind."""


class BotApiSession(BaseRequest):
    """A pool of connections by aiohttp, as python-telegram-bot's request object.

    Timeouts are in seconds. python-telegram-bot's write and pool timeouts are ignored. `health` learns how requests end.
    """

    def __init__(
        self,
        connections: int = 500,
        read_timeout: float = READ_TIMEOUT,
        connect_timeout: float = 5.0,
        health: ApiHealth | None = None,
        proxy: str | None = None,
    ) -> None:
        self._health = health or ApiHealth(SystemClock())
        self._connections, self._read_timeout, self._connect_timeout = connections, read_timeout, connect_timeout
        self._session: aiohttp.ClientSession | None = None
        self._without_connection: set[asyncio.Task[Any] | None] = set()
        """The tasks whose requests have no connection yet, so that nothing of them has left."""
        # The limit of the whole is kept by a timer that requests share. `connect` is that limit for those that get no connection:
        # they have not left.
        total = _find_total(connect_timeout, read_timeout)
        self._call_times = aiohttp.ClientTimeout(total=None, connect=total, sock_connect=connect_timeout, sock_read=read_timeout)
        self._call_timeout = SharedTimeout(total)
        self._replaced_token: tuple[str, str] | None = None
        self._proxy_setting = proxy
        self._proxies: dict[str, str | None] = {}

    @property
    def read_timeout(self) -> float | None:
        """Return the seconds to wait for an answer if the caller gives no timeout."""
        return self._read_timeout

    async def initialize(self) -> None:
        """Open the pool."""
        if self._session is None or self._session.closed:
            # Longer than the pauses of most matches: a new TLS handshake takes two round trips more before an alert leaves.
            connector = _Connector(self._without_connection, limit=self._connections, keepalive_timeout=60, ssl=get_ssl_context())
            headers = {"User-Agent": self.USER_AGENT}
            # Telegram sets no cookies, and a jar is searched at every request.
            self._session = aiohttp.ClientSession(
                connector=connector,
                headers=headers,
                cookie_jar=aiohttp.DummyCookieJar(),
                json_serialize_bytes=msgspec.json.encode,
            )

    async def shutdown(self) -> None:
        """Close the pool."""
        if self._session is not None:
            await self._session.close()

    def replace_token(self, first: str, current: str) -> None:
        """Ask with another token of the same bot from now on, in place of the one that all addresses were made with."""
        # Here and not where addresses are made: python-telegram-bot, too, keeps those of its start for ever.
        self._replaced_token = (f"/bot{first}/", f"/bot{current}/") if current != first else None

    def _proxy(self, url: str | URL) -> str | None:
        """Return the proxy for an address, None to connect directly."""
        # Looked up once for each host: aiohttp's own way (trust_env) reads the environment, and a file, at every request.
        host = url.authority if isinstance(url, URL) else urlsplit(url).netloc
        if host not in self._proxies:
            self._proxies[host] = find_proxy(str(url), self._proxy_setting)
        return self._proxies[host]

    async def do_request(
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        read_timeout: ODVInput[float] = _NO_TIMEOUT_GIVEN,
        write_timeout: ODVInput[float] = _NO_TIMEOUT_GIVEN,
        connect_timeout: ODVInput[float] = _NO_TIMEOUT_GIVEN,
        pool_timeout: ODVInput[float] = _NO_TIMEOUT_GIVEN,
    ) -> tuple[int, bytes]:
        """Make a request. Return status and body. Raise NotSent if it did not arrive, TimedOut or NetworkError if it may have."""
        # aiohttp has no counterparts: writing is covered by the read timeout, and the pool is larger than what is ever in
        # flight.
        del write_timeout, pool_timeout
        times = _value_or_default(connect_timeout, self._connect_timeout), _value_or_default(read_timeout, self._read_timeout)
        try:
            answer = await self._exchange(method, url, client_timeout=_make_timeout(*times), data=_make_form(request_data))
        finally:
            self._without_connection.discard(asyncio.current_task())
        if method == "POST":  # a GET is of a file, which need not be JSON
            self._check(url, answer)
        return answer.status, answer.body

    async def call_method(self, url: URL, parameters: object) -> int:
        """Call a method with its parameters as JSON, without the library's objects.

        Return the id of the message that it made or changed, 0 if there is none. Raise the library's error for a refusal, and
        as `do_request` does.
        """
        try:
            with self._call_timeout.limit():
                answer = await self._exchange("POST", url, client_timeout=self._call_times, json=parameters)
        except TimeoutError:
            raise self._note(self._make_timeout_error()) from None
        finally:
            self._without_connection.discard(asyncio.current_task())
        # Nearly always. Only what is no success has to be looked at more closely.
        if (message_id := find_message_id(answer.status, answer.body)) is not None:
            self._health.on_response(answer.status, answer.date, is_token_refused=False)
            return message_id
        self._check(url, answer)
        return parse_response(answer.status, answer.body)

    def _check(self, url: str | URL, answer: _Answer) -> None:
        """Note what an answer says of the API's health. Raise as `check_answer` does if it is not Telegram's."""
        try:
            is_token_refused = check_answer(url, answer.status, answer.content_type, answer.body)
        except (EndPointNotFound, BadRequest):
            raise  # answers, though the library's BadRequest is a NetworkError
        except NetworkError as error:
            self._health.on_failure(error.message)
            raise
        self._health.on_response(answer.status, answer.date, is_token_refused=is_token_refused)

    async def _exchange(self, method: str, url: str | URL, *, client_timeout: aiohttp.ClientTimeout, **more: Any) -> _Answer:
        """Make a request and read its answer, whoever gave it. Errors are as in `do_request`."""
        if self._session is None:
            raise RuntimeError("the request pool is not open")
        if self._replaced_token:
            url = URL(str(url).replace(*self._replaced_token), encoded=True)
        try:
            async with self._session.request(method, url, timeout=client_timeout, proxy=self._proxy(url), **more) as response:
                body, headers = await read_body(response, _MAX_ANSWER_SIZE), response.headers
                return _Answer(response.status, body, headers.get("Content-Type", ""), headers.get("Date"))
        # Only these, and whatever happens before there is a connection, say that nothing was sent. After any other error the
        # message may have arrived, and a delivery stays uncertain. The errors' texts are left out: they may contain the URL,
        # and with it the token.
        except (
            aiohttp.ConnectionTimeoutError,
            aiohttp.ClientConnectorError,
            aiohttp.ClientHttpProxyError,
            aiohttp.InvalidURL,
        ) as error:
            raise self._note(NotSent(f"no connection ({explain_connection_error(error) or type(error).__name__})")) from None
        except TimeoutError:
            raise self._note(self._make_timeout_error()) from None
        except AnswerTooLarge:
            raise self._note(AnswerLost(f"an answer of more than {_MAX_ANSWER_SIZE // 2**20} MB")) from None
        except aiohttp.ClientError as error:
            name = type(error).__name__
            if asyncio.current_task() in self._without_connection:
                raise self._note(NotSent(f"no connection ({name})")) from None
            raise self._note(AnswerLost(f"the connection failed ({name})")) from None

    def _make_timeout_error(self) -> NetworkError:
        """Return the error for a request that took too long: it may have arrived only if it had a connection."""
        if asyncio.current_task() in self._without_connection:
            return NotSent("no connection (no answer while it was opened)")
        return TimedOut()

    def _note(self, error: NetworkError) -> NetworkError:
        self._health.on_failure(error.message)
        return error


class _Connector(aiohttp.TCPConnector):
    """Notes which requests have no usable connection yet (pool, socket, proxy tunnel, TLS): nothing of them was sent."""

    def __init__(self, waiting: set[asyncio.Task[Any] | None], **options: Any) -> None:
        """`waiting` gets the tasks, and loses those that have a connection."""
        super().__init__(**options)
        self._waiting_tasks = waiting

    async def connect(
        self,
        req: aiohttp.ClientRequest,
        traces: list[Any],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 (the connector's signature)
    ) -> aiohttp.connector.Connection:
        """Return a connection over which a request can be sent."""
        # The errors alone do not tell: that of a proxy that never answers CONNECT is that of a server that never answers.
        task = asyncio.current_task()
        self._waiting_tasks.add(task)
        connection = await super().connect(req, traces, timeout)
        self._waiting_tasks.discard(task)
        return connection


class _Answer(NamedTuple):
    """What a server has answered, Telegram or another one. `date` is its `Date` header."""

    status: int
    body: bytes
    content_type: str
    date: str | None


def _find_total(connect: float, read: float) -> float:
    """Return the limit in seconds for a whole request."""
    # It also counts the lookup of the host's name, which may take most of a minute: it is no limit for the answer alone.
    # `sock_read` begins again with each byte: without this, an answer that trickles in would hold up its chat for hours.
    return connect + 2 * read


def _make_timeout(connect: float | None, read: float | None) -> aiohttp.ClientTimeout:
    total = None if connect is None or read is None else _find_total(connect, read)
    return aiohttp.ClientTimeout(total=total, sock_connect=connect, sock_read=read)


def _value_or_default(value: ODVInput[float], default: float) -> float | None:
    return default if isinstance(value, DefaultValue) else value


def _make_form(data: RequestData | None) -> aiohttp.FormData | dict[str, str] | None:
    if data is None:
        return None
    if not data.contains_files:
        return data.json_parameters
    form = aiohttp.FormData(data.json_parameters)
    for name, (filename, content, mime) in (data.multipart_data or {}).items():
        form.add_field(name, content, filename=filename, content_type=mime)
    return form


_RECENT_FAILURE = 3600.0
"""Seconds for which a failed request explains why news came late."""


class ApiHealth:
    """What is known of Telegram's API from the answers to all requests.

    `failing_since` is since when no request was answered by Telegram, and `failure` why the latest was not. `refused_since` is
    since when the token is refused. Both times are None if all is well.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._checked_at = float("-inf")
        self.failing_since: dt.datetime | None = None
        self.failure = ""
        self.refused_since: dt.datetime | None = None
        self._telegram_lead: float | None = None
        """Seconds by which Telegram's clock is ahead of the monotonic one, which runs on evenly when the machine's is set."""
        self._failed_at = float("-inf")

    def has_failed_lately(self) -> bool:
        """Return True if a request failed within the last hour: news may have waited for Telegram."""
        return self._clock.monotonic() - self._failed_at < _RECENT_FAILURE

    @property
    def clock_skew(self) -> float | None:
        """Return by how many seconds our clock is ahead of Telegram's. None if that was not measured lately."""
        monotonic = self._clock.monotonic()
        if self._telegram_lead is None or monotonic - self._checked_at >= _CLOCK_CHECK_LIFETIME:
            return None
        return self._clock.now().timestamp() - monotonic - self._telegram_lead

    def on_response(self, status: int, date: str | None, *, is_token_refused: bool | None = None) -> None:
        """Note an answer of Telegram with this HTTP status and `Date` header. By default the status tells a refused token."""
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            self.on_failure(f"an answer of status {status}")
            return
        is_token_refused = status in _TOKEN_REFUSED_STATUSES if is_token_refused is None else is_token_refused
        self.failing_since = None
        # 404 too: Telegram answers it for a token of the wrong form, since the token is a part of the path.
        self.refused_since = (self.refused_since or self._clock.now()) if is_token_refused else None
        # Not at each of 1,000 answers a second: parsing a date costs more than reading the rest of the header.
        if date and self._clock.monotonic() - self._checked_at >= _CLOCK_CHECK_INTERVAL:
            self._checked_at = self._clock.monotonic()
            telegram_time = _read_telegram_time(date)
            self._telegram_lead = None if telegram_time is None else telegram_time - self._checked_at

    def on_failure(self, reason: str = "") -> None:
        """Note that no answer of Telegram came, or one of a server in trouble."""
        self._failed_at = self._clock.monotonic()
        self.failing_since = self.failing_since or self._clock.now()
        self.failure = reason


def _read_telegram_time(date: str) -> float | None:
    """Return the time of a `Date` header, in seconds since 1970; None if it is none."""
    try:
        read = parsedate_to_datetime(date)
    except (ValueError, TypeError):  # a proxy's Date may be anything
        return None
    # One without a time zone is nobody's time.
    return read.timestamp() + _HALF_SECOND if read.tzinfo else None
