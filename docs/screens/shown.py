"""What a phone shows, as values: messages with their buttons, screens of them, and sheets of screens."""

from __future__ import annotations

from typing import Any

import msgspec


class Bubble(msgspec.Struct, frozen=True):
    """One message: its words with Telegram's entities, the rows of its buttons; `at` is its time of day.

    `sender` is said where many speak, and empty in a private chat.
    """

    sender: str
    text: str
    entities: tuple[dict[str, Any], ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    at: str = ""
    mine: bool = False
    edited: bool = False
    silent: bool = False
    answers: tuple[str, str] | None = None
    """Of a reply, who is answered and the first line of that."""
    photo: bytes = b""
    hidden: bool = False
    """True: the photo is behind a spoiler."""
    note: str = ""
    """Words in the middle of the chat instead of a message, such as what was pinned."""


class Screen(msgspec.Struct, frozen=True):
    """One look at a phone. `pressed` is the button that leads to the next one; `toast` is the note that Telegram shows."""

    title: str
    below: str
    bubbles: tuple[Bubble, ...]
    says: str = ""
    toast: str = ""
    pinned: str = ""


class Sheet(msgspec.Struct, frozen=True):
    """Screens side by side, in one picture."""

    name: str
    about: str
    screens: tuple[Screen, ...]
