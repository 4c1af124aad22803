"""Ports for a program that has to be told one before it listens."""

from __future__ import annotations

import atexit
import socket
from contextlib import ExitStack
from functools import cache

_FIRST, _LAST = 20_000, 32_000
"""Below those that the system gives to whoever asks for any free port, so nothing takes one before the program listens there."""
_PORTS_OF_A_PROCESS = 250


def find_free_ports(count: int) -> list[int]:
    """Return so many ports in a row of 127.0.0.1 on which nobody listens. No other process that runs tests gets them."""
    first, end = _reserve_ports(), _reserve_ports() + _PORTS_OF_A_PROCESS
    for start in range(first + 1, end - count + 1):
        ports = list(range(start, start + count))
        if _are_free(ports):
            return ports
    raise AssertionError(f"no {count} ports in a row are free from {first} to {end}")


@cache
def _reserve_ports() -> int:
    """Reserve ports for this process until it ends, and return the first: others see that it listens there."""
    for first in range(_FIRST, _LAST, _PORTS_OF_A_PROCESS):
        try:
            listening = socket.create_server(("127.0.0.1", first))
        except OSError:
            continue
        atexit.register(listening.close)
        return first
    raise AssertionError(f"all ports from {_FIRST} to {_LAST} are reserved")


def _are_free(ports: list[int]) -> bool:
    with ExitStack() as stack:
        try:
            for port in ports:
                stack.enter_context(socket.create_server(("127.0.0.1", port)))
        except OSError:
            return False
    return True
