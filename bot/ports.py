"""Why nothing can be listened to at an address, in plain words."""

from __future__ import annotations

import errno
import socket

_WHY = {
    errno.EADDRINUSE: "the port is taken",
    errno.EADDRNOTAVAIL: "this machine has no such address",
    errno.EACCES: "this port takes more rights than this user has",
}
_NO_ADDRESS_LEFT = "could not bind on any address"
"""How asyncio's error begins since Python 3.13 when this machine has none of the addresses. That error has no errno."""


def why_not(error: OSError) -> str:
    """Say what keeps a server from its address."""
    if isinstance(error, socket.gaierror):
        return "the host's name cannot be found"
    number = errno.EADDRNOTAVAIL if str(error).startswith(_NO_ADDRESS_LEFT) else error.errno
    return _WHY.get(number or 0) or error.strerror or str(error)
