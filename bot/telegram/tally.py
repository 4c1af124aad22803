"""What requests to Telegram count, by their answers."""

from __future__ import annotations

from bot.errors import (
    ChatGone,
    ChatMigrated,
    DeliveryError,
    MessageGone,
    RetryAfter,
    TelegramUnreachable,
    TextRefused,
    TokenRefused,
    TopicClosed,
    TopicGone,
)
from bot.metrics import SENDS

ANSWERS: dict[type[DeliveryError] | None, str] = {
    None: "ok",
    RetryAfter: "429",
    ChatGone: "gone",
    ChatMigrated: "migrated",
    TopicGone: "topic_gone",
    TopicClosed: "topic_closed",
    MessageGone: "message_gone",
    TextRefused: "refused",
    TokenRefused: "token_refused",
    TelegramUnreachable: "unreachable",
}
"""By the error of an answer; None where all is well."""
OPS = ("send", "edit", "reply", "photo")

_COUNTED = {(op, kind): SENDS.labels(op, answer) for op in OPS for kind, answer in ANSWERS.items()}


def answered(op: str, error: DeliveryError | None = None) -> None:
    """A request has its answer."""
    kind = type(error) if error else None
    counter = _COUNTED.get((op, kind)) or SENDS.labels(op, ANSWERS.get(kind, "other"))
    counter.inc()
