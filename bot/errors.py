"""Every error of Touchline's own, named after what the caller must do.

TouchlineError
    UserMistake             say the sentence, exit 1
        ConfigInvalid       every mistake at its place
    FrameUnreadable         log once per kind, count, skip
    FeedError
        FeedRefused         tell the admins, retry slowly
        FeedNotOpen         retry later
        FeedUnreachable     back off and retry
    StoreError
        StoreTooNew         refuse to start
        StoreAway           try again: it cannot be reached now
            StoreConflict   try again at once: another transaction was in the way
        StoreUnusable       refuse to start, or wait for a person
    DeliveryError
        RetryAfter          park this chat for so long
        ChatMigrated        move the chat, send again
        ChatGone            suspend the chat
        TopicGone           move what the topic follows to the general one
            TopicClosed     send to the general one this time
        MessageGone         nothing to edit or to answer: send anew or let it be
        TextRefused         send as plain text
        TelegramUnreachable back off and retry; the send may have arrived
        TokenRefused        stop sending, tell the operator
"""

from __future__ import annotations

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


class StoreError(TouchlineError):
    """The database cannot be used; `str()` says why and what to do."""


class StoreTooNew(StoreError):
    """The database was written by a newer Touchline."""


class StoreAway(StoreError):
    """The database cannot be reached now: the same may work when it is tried again."""


class StoreConflict(StoreAway):
    """The database is well, and undid this transaction for another's sake."""


class StoreUnusable(StoreError):
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
