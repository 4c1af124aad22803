"""python-telegram-bot's requests over aiohttp: fast with many in flight, and no address, with its token, in any error."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
import msgspec
from telegram._utils.defaultvalue import DefaultValue
from telegram._utils.types import ODVInput
from telegram.error import NetworkError, TimedOut
from telegram.request import BaseRequest, RequestData
from yarl import URL

from bot.clock import SystemClock
from bot.telegram.answers import NotSent
from bot.telegram.wire import Wire

_NONE = BaseRequest.DEFAULT_NONE
_JSON = {"Content-Type": "application/json"}


class AiohttpRequest(BaseRequest):
    """A pool of connections. Times are in seconds; `pool_timeout` counts in `connect_timeout`. `wire` hears how requests end."""

    def __init__(
        self, connections: int = 500, read_timeout: float = 10.0, connect_timeout: float = 5.0, wire: Wire | None = None
    ) -> None:
        self._wire = wire or Wire(SystemClock())
        self._connections, self._read, self._connect = connections, read_timeout, connect_timeout
        self._session: aiohttp.ClientSession | None = None
        self._usual = _timeout(connect_timeout, read_timeout)
        self._proxies: dict[str, str | None] = {}

    @property
    def read_timeout(self) -> float | None:
        """Seconds to wait for an answer where the caller names no time."""
        return self._read

    async def initialize(self) -> None:
        """Open the pool."""
        if self._session is None or self._session.closed:
            connector = aiohttp.TCPConnector(limit=self._connections, keepalive_timeout=60)
            headers = {"User-Agent": self.USER_AGENT}
            self._session = aiohttp.ClientSession(connector=connector, headers=headers)

    async def shutdown(self) -> None:
        """Close the pool."""
        if self._session is not None:
            await self._session.close()

    def _proxy(self, url: str | URL) -> str | None:
        """Looked up once for each host: aiohttp's own way reads the environment, and a file, at every request."""
        place = url.authority if isinstance(url, URL) else urlsplit(url).netloc
        if place not in self._proxies:
            self._proxies[place] = _proxy_for(str(url))
        return self._proxies[place]

    async def do_request(
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        read_timeout: ODVInput[float] = _NONE,
        write_timeout: ODVInput[float] = _NONE,
        connect_timeout: ODVInput[float] = _NONE,
        pool_timeout: ODVInput[float] = _NONE,
    ) -> tuple[int, bytes]:
        """Make a request: status and body. Raise NotSent where it did not arrive, TimedOut or NetworkError where it may have."""
        del write_timeout, pool_timeout
        times = _given(connect_timeout, self._connect), _given(read_timeout, self._read)
        return await self._ask(method, url, within=_timeout(*times), data=_form(request_data))

    async def call(self, url: URL, parameters: object) -> tuple[int, bytes]:
        """Call a method with its parameters as JSON, without the library's own objects: status and body, raising alike."""
        return await self._ask("POST", url, within=self._usual, data=msgspec.json.encode(parameters), headers=_JSON)

    async def _ask(self, method: str, url: str | URL, *, within: aiohttp.ClientTimeout, **more: Any) -> tuple[int, bytes]:
        try:
            return await self._made(method, url, within=within, **more)
        except NetworkError:
            self._wire.failed()
            raise

    async def _made(self, method: str, url: str | URL, *, within: aiohttp.ClientTimeout, **more: Any) -> tuple[int, bytes]:
        if self._session is None:
            raise RuntimeError("the request pool is not open")
        try:
            async with self._session.request(method, url, timeout=within, proxy=self._proxy(url), **more) as response:
                body = await response.read()
                if method == "POST":  # a file that is gone says nothing of the token
                    self._wire.answered(response.status, response.headers.get("Date"))
                return response.status, body
        except (aiohttp.ConnectionTimeoutError, aiohttp.ClientConnectorError) as error:
            raise NotSent(f"no connection ({type(error).__name__})") from None
        except TimeoutError:
            raise TimedOut from None
        except aiohttp.ClientError as error:
            raise NetworkError(f"the connection failed ({type(error).__name__})") from None


def _timeout(connect: float | None, read: float | None) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(sock_connect=connect, sock_read=read)


def _proxy_for(url: str) -> str | None:
    """The environment's proxy for an address; None where there is none, or it is not for that host."""
    parts = urlsplit(url)
    proxy = getproxies().get(parts.scheme)
    return None if proxy is None or proxy_bypass(parts.hostname or "") else proxy


def _given(value: ODVInput[float], default: float) -> float | None:
    return default if isinstance(value, DefaultValue) else value


def _form(data: RequestData | None) -> aiohttp.FormData | dict[str, str] | None:
    if data is None:
        return None
    if not data.contains_files:
        return data.json_parameters
    form = aiohttp.FormData(data.json_parameters)
    for name, (filename, content, mime) in (data.multipart_data or {}).items():
        form.add_field(name, content, filename=filename, content_type=mime)
    return form
