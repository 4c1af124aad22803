"""What each process publishes about itself, and its name among the others."""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Iterable

import msgspec

from bot.cluster.leases import Lease, name_process_lease

_PROCESS_PREFIX = name_process_lease("")

MAX_HELD_BACK = 200
"""Matches that are held back and named to the other processes: the list is written anew each second, and read by all of them."""


# Empty fields are left out: a process writes those of all its matches with each renewal, once a second.
class ConnectionInfo(msgspec.Struct, frozen=True, omit_defaults=True):
    """One match that a process follows, as the console shows it. Stored as JSON within ProcessInfo."""

    fixture_id: str
    title: str = ""
    score: str = ""
    minute: str = ""
    state: str = ""
    last_frame_at: float | None = None
    """In seconds since 1970; None before the first frame."""
    reconnects: int = 0
    lag_ms: int | None = None
    """The median of the latest packets."""


class ProcessInfo(msgspec.Struct, frozen=True):
    """What a process publishes about itself for the others: its roles, and what `/status` and the console show of it.

    Stored as JSON and read by processes of other versions: its fields keep their names.
    """

    roles: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    summary: str = ""
    """The process's version, and what it sent in the last hour; empty if an earlier version wrote the row."""
    connected: int | None = None
    """Matches that are live in this process; None if a process of 0.1, which does not say it, wrote the row."""
    due: int = 0
    """Matches that should be connected now, in this process or another; 0 where no matches are followed."""
    has_session: bool = False
    """True if its session holds a lock in the database: without that lock the process is gone."""
    has_share: bool = False
    """True if it keeps to a share of the messages a second; processes of 0.1 reserve slots."""
    hands_over: bool = False
    """True if it hands matches over to a process that asks for them."""
    planned: int = 0
    """Matches that this process will connect to later."""
    connections: tuple[ConnectionInfo, ...] = ()
    """The matches that it follows; empty where no console is configured."""
    delivered: int = 0
    """Messages, edits and replies that Telegram took from it since its start."""
    throttled: int = 0
    """How often Telegram asked it to slow down (429) since its start."""
    held_back: tuple[str, ...] = ()
    """The ids of matches that some chat has chosen and that are not followed for now, since `limits.matches` are.

    At most MAX_HELD_BACK.
    """


def read_process_infos(leases: Iterable[Lease]) -> dict[str, ProcessInfo]:
    """Return what each living process says of itself, by its name."""
    # What a newer version adds is ignored, and what an older one lacks has its default: both run at once during an upgrade.
    return {
        lease.holder: _decode_process_info(lease.process_info)
        for lease in leases
        if lease.name.startswith(_PROCESS_PREFIX) and lease.process_info
    }


def _decode_process_info(body: str) -> ProcessInfo:
    try:
        return _PROCESS_INFO_DECODER.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        # A process all the same: its leases stay its own.
        return ProcessInfo()


_PROCESS_INFO_DECODER = msgspec.json.Decoder(ProcessInfo)


def make_process_name() -> str:
    """Return a name for this process that no other one has, or had. Its leases, claims and rate share are stored under it."""
    # A restarted container may get the same host name and process id again: the random part tells the two apart.
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}"
