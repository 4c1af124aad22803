"""The seam to Telegram: what the courier needs of it."""

from __future__ import annotations

from typing import Protocol

from bot.store.model import ChatRef


class Messenger(Protocol):
    """Sends and edits messages of Telegram's HTML; each method raises the DeliveryErrors of bot.errors.

    `keyboard` is an inline keyboard as JSON; an edit without one takes away the message's own.
    """

    async def send(
        self, chat: ChatRef, html: str, *, silent: bool, reply_to: int | None = None, keyboard: bytes | None = None
    ) -> int:
        """Send a message, and return its id; where `reply_to` is gone, send it all the same."""
        ...

    async def edit(self, chat: ChatRef, message_id: int, html: str, *, keyboard: bytes | None = None) -> None:
        """Change a message's text; what is so already is done."""
        ...

    async def photo(self, chat: ChatRef, png: bytes, caption: str, *, silent: bool, reply_to: int | None = None) -> int:
        """Send a picture with HTML of at most 1,024 characters below it, and return its id."""
        ...
