"""Opens one websocket in the way that suits the feed; here things wait for the network."""

from __future__ import annotations

import asyncio

from websockets.asyncio.client import ClientConnection, connect

from bot.feed.api import ACCEPT

_GULP = 8192
"""Bytes read from a connection at a time: when a thousand bring a burst, it lies in their sockets and not in memory."""


async def dial(url: str) -> ClientConnection:
    """A connection after its handshake; raise what the network or the library raises."""
    socket = await connect(
        url,
        additional_headers={"Accept": ACCEPT},
        user_agent_header="touchline",
        compression=None,  # 12 KiB a connection instead of 54
        ping_interval=None,  # the watchdog listens for heartbeats instead
        close_timeout=2,
        proxy=None,
    )
    _sip(socket.transport)
    return socket


def _sip(transport: asyncio.Transport) -> None:
    """Read little at a time, where the transport can be told so: asyncio's own for plain connections can, that for TLS cannot."""
    if hasattr(transport, "max_size"):
        transport.max_size = _GULP
