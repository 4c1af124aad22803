"""Opens a websocket to the feed, and says what the library's errors mean."""

from __future__ import annotations

import datetime as dt

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI

from bot.feed.reconnect import (
    FailureCause,
    classify_close_code,
    classify_network_error,
    classify_status,
    describe_redirect,
    parse_retry_after,
)
from bot.feed.rest import ACCEPT_HEADER
from bot.network import explain_connection_error, find_proxy, get_ssl_context

READ_SIZE = 8192
"""Bytes read from a socket at a time. In a burst on a thousand connections the data then waits in the kernel's socket buffers,
not in this process."""

MAX_FRAME_SIZE = 16 * 1024 * 1024
"""Bytes. websockets' own limit of 1 MiB is too near to a packet with a long list in it."""

HANDSHAKE_ERRORS = (OSError, TimeoutError, InvalidHandshake, InvalidURI, EOFError)
"""What `open_connection` raises."""

_ORDINARY_PAGE = 200
"""A websocket begins with 101."""

_UNREADABLE_CLOSE_CODES = {1002: "protocol", 1007: "not-utf8", 1009: "too-big"}
"""Close codes that this side sends for a frame that it cannot take, and the kind that the frame counts as."""


class Failure(msgspec.Struct, frozen=True):
    """Why a connection was not made, or was lost. `retry_after` is in seconds; None if the server named no time."""

    cause: FailureCause
    reason: str
    retry_after: float | None = None
    unreadable: str = ""
    """The kind of the frame that ended the connection; empty if no frame did."""


class _ConnectWithoutRedirect(connect):
    """A connection to the address that is configured, and to no other.

    The library follows ten redirects at once: each is a request that the limiter does not know of, and the last host, which
    nobody configured, would get the token.
    """

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


async def open_connection(url: str, proxy_setting: str | None = None) -> ClientConnection:
    """Open a websocket, by a proxy if the setting or the environment names one; raise one of HANDSHAKE_ERRORS."""
    socket = await _ConnectWithoutRedirect(
        url,
        additional_headers={"Accept": ACCEPT_HEADER},  # required; the token is no header but the first frame (section 1.3)
        user_agent_header="touchline",
        compression=None,  # 12 KiB a connection instead of 54
        ping_interval=None,  # a peer can answer pings and send no data: the watchdog waits for frames instead
        close_timeout=2,  # a peer that does not answer the close frame would hold up the next attempt for ten seconds
        max_size=MAX_FRAME_SIZE,
        proxy=find_proxy(url, proxy_setting),
        ssl=get_ssl_context() if url.startswith("wss://") else None,
    )
    # Where the transport allows it: asyncio's does, but not for TLS.
    transport = socket.transport
    if hasattr(transport, "max_size"):
        transport.max_size = READ_SIZE
    # Nobody asks for what was said in the handshake again, and it is a tenth of what a connection takes. The response itself
    # stays: the library knows by it that the handshake is over.
    socket.request = None
    if socket.response is not None:
        socket.response.headers.clear()
    return socket


def explain_handshake_error(error: Exception, now: dt.datetime) -> Failure:
    """Return what one of HANDSHAKE_ERRORS means."""
    if not isinstance(error, InvalidStatus):
        return Failure(classify_network_error(error), explain_connection_error(error) or type(error).__name__)
    # The status alone: the body of a proxy's error page is long and says nothing about the feed.
    response = error.response
    reason = f"HTTP {response.status_code}" + describe_redirect(response.headers.get("Location"))
    if response.status_code == _ORDINARY_PAGE:
        reason += ", a page where the stream should be: a login or a proxy in between, or a wrong feed.stream_url"
    return Failure(classify_status(response.status_code), reason, parse_retry_after(response.headers.get("Retry-After"), now))


def explain_close(error: ConnectionClosed, *, is_authorised: bool) -> Failure:
    """Return why an open connection was closed, by the server or by this side for a frame that it cannot take."""
    # Only if this side closed first: an answer to the server's close frame repeats the server's code.
    if error.sent and not error.rcvd_then_sent and (kind := _UNREADABLE_CLOSE_CODES.get(error.sent.code)):
        return Failure(FailureCause.UNREADABLE, error.sent.reason or f"close code {error.sent.code}", unreadable=kind)
    code = error.rcvd.code if error.rcvd else None
    reason = "the connection was lost without a close frame" if code is None else f"close code {code}"
    return Failure(classify_close_code(code, is_authorised=is_authorised), reason)
