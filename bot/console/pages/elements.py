"""What several pages draw with: an editor for YAML, and how a read of the database that fails is told."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from nicegui import ui

from bot.errors import StorageError

TYPING_PAUSE = 700
"""Milliseconds without a key after which what was typed is checked."""

T = TypeVar("T")


def draw_editor(text: str, on_change: Callable[[str], Awaitable[None]], label: str) -> ui.codemirror:
    """Draw a YAML editor that tells what was typed once nobody types for a moment."""
    waiting: list[ui.timer] = []

    def wait(event: object) -> None:
        for timer in waiting:
            timer.cancel()
        value = str(getattr(event, "value", ""))
        waiting[:] = [ui.timer(TYPING_PAUSE / 1000, lambda: on_change(value), once=True)]

    return (
        ui.codemirror(text, on_change=wait, language="YAML", indent="  ", line_wrapping=True)
        .classes("w-full")
        .style("height: 26rem")
        .props(f'aria-label="{label}"')
    )


async def read_or_tell(read: Callable[[], Awaitable[T]]) -> T | None:
    """Return what was read; None while the database cannot be used, which the page says."""
    try:
        return await read()
    except StorageError as error:
        ui.notify(str(error), type="negative")
        return None
