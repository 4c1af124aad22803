"""What a process does: one thing, several, or all."""

from __future__ import annotations

import enum
from collections.abc import Sequence


class Role(enum.StrEnum):
    """One part of the work; on PostgreSQL each may have processes of its own."""

    FEED = "feed"
    """Follows matches and makes alerts."""
    CHAT = "chat"
    """Answers people."""
    SEND = "send"
    """Brings alerts to chats."""


EVERY = frozenset(Role)


def read_roles(words: Sequence[str]) -> frozenset[Role]:
    """Read `feed`, `feed,send` or several such; none are all. Raise ValueError with a sentence."""
    names = [name.strip() for word in words for name in word.split(",")]
    unknown = [name for name in names if name not in list(Role)]
    if unknown:
        raise ValueError(f"{unknown[0]!r} is none of {', '.join(Role)}")
    return frozenset(map(Role, names)) or EVERY
