"""Why nothing can be listened to at an address, in plain words."""

from __future__ import annotations

import errno
import socket

_WHY = {
    errno.EADDRINUSE: "the port is taken",
    errno.EADDRNOTAVAIL: "this machine has no such address",
    errno.EACCES: "this port takes more rights than this user has",
}


def why_not(error: OSError) -> str:
    """Say what keeps a server from its address."""
    if isinstance(error, socket.gaierror):
        return "the host's name cannot be found"
    return _WHY.get(error.errno or 0) or error.strerror or str(error)
