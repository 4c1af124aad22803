"""One error tree named after what the caller must do; why a port cannot be bound."""

from __future__ import annotations

import errno
import socket
from collections.abc import Sequence


class TouchlineError(Exception):
    """Base of all."""


class UserMistake(TouchlineError):
    """Something that the person who runs Touchline can put right; `str()` is the sentence to print."""


class ConfigInvalid(UserMistake):
    """The configuration has mistakes; each is one line `file:line:column: sentence`."""

    def __init__(self, mistakes: Sequence[str]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("\n".join(self.mistakes))


class FrameUnreadable(TouchlineError):
    """A frame that cannot be used. `kind` is one of few words, for counting: `not-json`, `not-an-object`, `incomplete`."""

    def __init__(self, kind: str, reason: str) -> None:
        self.kind, self.reason = kind, reason
        super().__init__(f"unreadable frame ({kind}): {reason}")


class FeedError(TouchlineError):
    """The feed cannot be had now."""


class FeedRefused(FeedError):
    """The feed does not accept the token, or the fixture for it."""


class FeedNotOpen(FeedError):
    """The fixture's stream is not open yet."""


class FeedUnreachable(FeedError):
    """Network, TLS or server trouble; `retry_after` is in seconds where the server named a time, else None."""

    def __init__(self, reason: str, retry_after: float | None = None) -> None:
        self.retry_after = retry_after
        super().__init__(reason)


class StorageError(TouchlineError):
    """The database cannot be used; `str()` says why and what to do."""


class StorageTooNew(StorageError):
    """The database was written by a newer Touchline."""


class StorageUnavailable(StorageError):
    """The database cannot be reached now: the same may work when it is tried again."""


class StorageConflict(StorageUnavailable):
    """The database is well, and undid this transaction for another's sake."""


class StorageUnusable(StorageError):
    """The database cannot be opened, read or written."""


class DeliveryError(TouchlineError):
    """Telegram did not do as asked."""


class RetryAfter(DeliveryError):
    """Too many requests for this chat, or for all: wait so many seconds."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        super().__init__(f"Telegram asks to wait {seconds:g} s")


class ChatMigrated(DeliveryError):
    """The group became a supergroup with another id."""

    def __init__(self, new_chat_id: int) -> None:
        self.new_chat_id = new_chat_id
        super().__init__(f"the group moved to {new_chat_id}")


class ChatGone(DeliveryError):
    """Blocked, kicked, deactivated, not found, or no right to write there."""


class TopicGone(DeliveryError):
    """The forum topic was deleted, or may not be written in."""


class TopicClosed(TopicGone):
    """The forum topic is closed, and may be opened again."""


class MessageGone(DeliveryError):
    """The message to edit or to answer is not there."""


class TextRefused(DeliveryError):
    """Telegram cannot read the text's entities, or finds it too long."""


class TelegramUnreachable(DeliveryError):
    """Network or server trouble. `maybe_sent` is true where the request may have arrived."""

    def __init__(self, reason: str, *, maybe_sent: bool) -> None:
        self.maybe_sent = maybe_sent
        super().__init__(reason)


class TokenRefused(DeliveryError):
    """Telegram does not know the bot's token."""


_BIND_ERRORS = {
    errno.EADDRINUSE: "the port is taken",
    errno.EADDRNOTAVAIL: "this machine has no such address",
    errno.EACCES: "this port takes more rights than this user has",
}

_NO_ADDRESS_LEFT = "could not bind on any address"
"""How asyncio's error begins since Python 3.13 when this machine has none of the addresses. That error has no errno."""


def explain_bind_error(error: OSError) -> str:
    """Say what keeps a server from its address."""
    if isinstance(error, socket.gaierror):
        return "the host's name cannot be found"
    number = errno.EADDRNOTAVAIL if str(error).startswith(_NO_ADDRESS_LEFT) else error.errno
    return _BIND_ERRORS.get(number or 0) or error.strerror or str(error)
