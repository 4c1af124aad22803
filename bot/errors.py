"""One tree of errors, named after what the caller must do.

Exceptions of other libraries become one of these at the edge of the program: in `feed`, `storage` and `telegram`.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rules.loading.document import Finding


class TouchlineError(Exception):
    """The base of all."""


class UserMistake(TouchlineError):
    """Something that the person who runs Touchline can correct. `str()` is the sentence to print; there is no traceback."""


class ConfigInvalid(UserMistake):
    """The configuration has mistakes. Each is one line, `file:line:column: sentence`.

    `findings` are the same with their parts, and the warnings and notes; empty where only the lines are known.
    """

    def __init__(self, mistakes: Sequence[str], findings: Sequence[Finding] = (), files: Sequence[str] = ()) -> None:
        self.findings, self.files = tuple(findings), tuple(files)
        self.mistakes = tuple(mistakes)
        super().__init__("\n".join(self.mistakes))


class FrameUnreadable(TouchlineError):
    """A frame cannot be used. `kind` is the label of a metric: `not-json`, `not-an-object`, `incomplete` or `other-fixture`."""

    def __init__(self, kind: str, reason: str) -> None:
        self.kind, self.reason = kind, reason
        super().__init__(f"unreadable frame ({kind}): {reason}")


# What callers do: FeedRefused needs a person and is reported once; FeedNotOpen says that nothing is there yet, or no more;
# after FeedUnreachable the same is tried again.


class FeedError(TouchlineError):
    """The feed cannot be read now."""


class FeedRefused(FeedError):
    """The feed does not accept the token, or the fixture for it."""


class FeedNotOpen(FeedError):
    """The fixture's stream is not open yet."""


class FeedUnreachable(FeedError):
    """The network, TLS or the server failed. `retry_after` is in seconds; None if the server named no time."""

    def __init__(self, reason: str, retry_after: float | None = None) -> None:
        self.retry_after = retry_after
        super().__init__(reason)


# Apart from others that cannot be reached, since the next host is tried at once.
class FeedMoved(FeedUnreachable):
    """The server answers with a redirect, which is not followed."""


# All are waited for alike (`retry_while_database_unavailable`), so that nothing is lost until a person has mended what has to be.


class StorageError(TouchlineError):
    """The database cannot be used. `str()` says why and what to do."""


class StorageTooNew(StorageError):
    """The database was written by a newer Touchline."""


class StorageUnavailable(StorageError):
    """The database cannot be reached now. The same may work when it is tried again."""


# A kind of StorageUnavailable for whoever waits; `Database` does not report it as an outage.
class StorageConflict(StorageUnavailable):
    """The database is well, but undid this transaction for the sake of another one. Try it again."""


class StorageUnusable(StorageError):
    """The database cannot be opened, read or written. A person has to do something."""


class StorageDamaged(StorageUnusable):
    """A part of a SQLite file cannot be read. Under a running bot `DatabaseFileGuard` repairs it."""


# Each is one thing that the sender does: wait, move or suspend the chat, send the message in another form, or give it up.
# Subclasses are for callers that do more than that; to all others they are what their base says.


class DeliveryError(TouchlineError):
    """Telegram did not do what was asked."""


class RetryAfter(DeliveryError):
    """Too many requests, for this chat or for all of them. Wait so many seconds."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        super().__init__(f"Telegram asks to wait {seconds:g} s")


class ChatMigrated(DeliveryError):
    """The group became a supergroup with another id."""

    def __init__(self, new_chat_id: int) -> None:
        self.new_chat_id = new_chat_id
        super().__init__(f"the group moved to {new_chat_id}")


class ChatGone(DeliveryError):
    """The bot cannot write to the chat any more: it was blocked or kicked, lacks the right, or the chat does not exist."""


class TopicGone(DeliveryError):
    """The forum topic was deleted, or the bot may not write in it."""


# This one and MessageLocked stand apart because what such a message shows stays in the chat: an edit that fails with them is
# followed by another message, which says what counts.
class TopicClosed(TopicGone):
    """The forum topic is closed. It may be opened again, so nothing is moved to another topic."""


class MessageGone(DeliveryError):
    """The message to edit or to answer does not exist any more."""


class MessageLocked(MessageGone):
    """The message to edit is there, and Telegram does not let the bot change it any more."""


class TextRefused(DeliveryError):
    """Telegram cannot read the HTML of the text, or it is too long. `tag` is the one that it does not know, if that is why."""

    def __init__(self, reason: str, tag: str = "") -> None:
        self.tag = tag
        super().__init__(reason)


# The text is not to blame: it is not sent again without its formatting, but its picture is uploaded anew or left out.
class PictureRefused(TextRefused):
    """Telegram does not take the picture of a message: it has forgotten the file."""


class PictureForbidden(PictureRefused):
    """The chat takes no photos from the bot."""


class RequestRefused(DeliveryError):
    """Telegram refuses the request for a reason that is not known here. It says nothing about the chat or the text."""


class PaymentRefused(RequestRefused):
    """Telegram cannot be paid for the message: the bot's balance has too few Stars. Without payment it takes it."""


class MethodUnknown(RequestRefused):
    """This Bot API server does not have the method: it is older than the method, or hosted by somebody who left it out."""


class TelegramUnreachable(DeliveryError):
    """The network or Telegram's server failed. `maybe_sent` is True if the request may have arrived.

    `is_unanswered` is True if it did arrive for all we know, and only the answer did not come: Telegram may be slow.
    """

    def __init__(self, reason: str, *, maybe_sent: bool, is_unanswered: bool = False) -> None:
        self.maybe_sent, self.is_unanswered = maybe_sent, is_unanswered
        super().__init__(reason)


# Telegram has said nothing, so that no chat is suspended and no rule blamed by a proxy's page.
class NotTelegram(TelegramUnreachable):
    """Something on the way answered in Telegram's place: a proxy, a firewall, a login page. It concerns all chats alike."""


class TokenRefused(DeliveryError):
    """Telegram refuses the bot's token."""


_BIND_ERRORS = {
    errno.EADDRINUSE: "the port is taken",
    errno.EADDRNOTAVAIL: "this machine has no such address",
    errno.EACCES: "this port takes more rights than this user has",
}

_NO_ADDRESS_LEFT = "could not bind on any address"
"""How asyncio's error begins since Python 3.13 if this machine has none of the addresses. That error has no errno."""


def explain_file_error(error: OSError) -> str:
    """Return why a file cannot be read or written, in the system's words, as the end of a sentence."""
    return (error.strerror or "unknown trouble").lower()


def explain_bind_error(error: OSError | UnicodeError) -> str:
    """Return why a server cannot listen on its address, as the end of a sentence."""
    # Python encodes a name before it looks for it, and raises UnicodeError where a part of it is empty or too long. What the
    # resolver says, `socket.create_server` passes on as an ordinary OSError.
    if isinstance(error, (socket.gaierror, UnicodeError)) or error.errno in (socket.EAI_NONAME, socket.EAI_AGAIN):
        return "the host's name cannot be found"
    number = errno.EADDRNOTAVAIL if str(error).startswith(_NO_ADDRESS_LEFT) else error.errno
    return _BIND_ERRORS.get(number or 0) or error.strerror or str(error)
