"""The roles that a process can have. It imports nothing large, so that a mistake in `--role` is reported at once."""

from __future__ import annotations

import enum
import re
from collections.abc import Collection, Sequence


class Role(enum.StrEnum):
    """One part of the work; on PostgreSQL each may have processes of its own."""

    FEED = "feed"
    """Follows matches and stores alerts in the outbox."""
    CHAT = "chat"
    """Answers people."""
    SEND = "send"
    """Sends alerts to chats."""
    CONSOLE = "console"
    """Shows the console, where `http.console` is configured."""


ALL_ROLES = frozenset(Role)

NEEDS_POSTGRES = (
    "several processes need PostgreSQL: put storage.url: postgresql://USER@HOST/NAME into the configuration, "
    "or leave --role out, so that one process does everything"
)


def are_enough_alone(roles: Collection[Role]) -> bool:
    """Return True if a process with these roles needs no other one beside it."""
    # No alert waits for the console.
    return ALL_ROLES - frozenset(roles) <= {Role.CONSOLE}


def read_roles(words: Sequence[str]) -> frozenset[Role]:
    """Read the values of `--role`, such as `feed` or `feed,send`; none means all roles. Raises ValueError with a sentence.

    A number behind a role, as in `feed-1`, only tells processes of one role apart: units of systemd are named so.
    """
    names = [re.sub(r"-\d+$", "", name.strip()) for word in words for name in word.split(",")]
    unknown = [name for name in names if name not in list(Role)]
    if unknown:
        raise ValueError(f"{unknown[0]!r} is none of {', '.join(Role)}")
    return frozenset(map(Role, names)) or ALL_ROLES
