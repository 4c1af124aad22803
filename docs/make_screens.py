"""Makes the screens of the documentation by talking to the real bot: `python -m docs.make_screens`."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import structlog

from bot.i18n.compile import compile_catalogues
from docs.screens.dialogues import DIALOGUES
from docs.screens.fixtures import PLAYED, fixtures
from docs.screens.phone import png
from docs.screens.shown import Sheet
from docs.screens.stage import Stage, stage
from docs.screens.words import transcript

FOLDER = Path(__file__).parent / "pictures" / "screens"
WORDS = Path(__file__).parent / "screens.txt"


async def sheets() -> list[Sheet]:
    """Every dialogue, each with a bot of its own that knows nothing yet."""
    return [await sheet(dialogue) for dialogue in DIALOGUES]


async def sheet(dialogue: Callable[[Stage], Awaitable[Sheet]]) -> Sheet:
    """One dialogue, with a bot that knows nothing yet."""
    async with stage(fixtures(), PLAYED) as here:
        return await dialogue(here)


def write(made: Sequence[Sheet], folder: Path, words: Path) -> None:
    """Write the pictures, and the words in them."""
    folder.mkdir(parents=True, exist_ok=True)
    for sheet in made:
        (folder / f"{sheet.name}.png").write_bytes(png(sheet))
    words.write_text(transcript(made), encoding="utf-8")


if __name__ == "__main__":
    compile_catalogues()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    write(asyncio.run(sheets()), FOLDER, WORDS)
