"""The seam to Telegram: what the courier needs of it."""

from __future__ import annotations

from typing import Protocol

from bot.store.model import ChatRef


class Speaker(Protocol):
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


class Messenger(Speaker, Protocol):
    """Does the rest too: pictures and pins, raising alike."""

    async def photo(
        self, chat: ChatRef, png: bytes, caption: str, *, silent: bool, reply_to: int | None = None, veiled: bool = False
    ) -> int:
        """Send a picture with HTML of at most 1,024 characters below it, and return its id; `veiled` until it is tapped."""
        ...

    async def repaint(self, chat: ChatRef, message_id: int, png: bytes, caption: str, *, veiled: bool = False) -> None:
        """Put another picture and its words in the place of a message's own; what is so already is done."""
        ...

    async def pin(self, chat: ChatRef, message_id: int, *, on: bool) -> None:
        """Pin a message silently, or unpin it; where the chat does not allow that, nothing is done."""
        ...
