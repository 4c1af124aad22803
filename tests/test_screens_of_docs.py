"""The screens of the documentation are made by talking to the real bot, and show what it says today."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from docs.make_screens import FOLDER, WORDS, sheet, write
from docs.screens.dialogues import DIALOGUES, rules
from docs.screens.phone import png
from docs.screens.shown import Bubble, Screen, Sheet
from docs.screens.stage import Stage
from docs.screens.words import transcript

ROOT = Path(__file__).parent.parent
MADE = "made anew by `python -m docs.make_screens`"


def _words() -> dict[str, str]:
    """The words of each sheet, by its name."""
    sheets = re.split(r"\n(?==== )", WORDS.read_text(encoding="utf-8"))
    return {words.removeprefix("=== ").partition(":")[0]: words for words in sheets}


@pytest.mark.slow
@pytest.mark.parametrize(
    "dialogue",
    [pytest.param(one, marks=[pytest.mark.whole_process] if one is rules else []) for one in DIALOGUES],
    ids=lambda dialogue: dialogue.__name__,
)
async def test_a_sheet_shows_what_the_bot_says_today(dialogue: Callable[[Stage], Awaitable[Sheet]]) -> None:
    assert transcript([await sheet(dialogue)]) == _words()[dialogue.__name__], MADE


def test_the_words_are_those_of_all_dialogues_in_their_order() -> None:
    assert list(_words()) == [dialogue.__name__ for dialogue in DIALOGUES], MADE


def test_every_dialogue_has_its_picture_and_every_picture_is_shown() -> None:
    pages = [page.read_text(encoding="utf-8") for page in (ROOT / "README.md", *(ROOT / "docs").glob("*.md"))]
    names = {path.name for path in FOLDER.iterdir()}

    assert names == {f"{dialogue.__name__}.png" for dialogue in DIALOGUES}
    assert names == {shown for page in pages for shown in re.findall(r"pictures/screens/([\w-]+\.png)", page)}


def test_a_sheet_is_drawn_with_all_that_a_message_may_have(tmp_path: Path) -> None:
    struck = ({"type": "strikethrough", "offset": 0, "length": 4}, {"type": "spoiler", "offset": 5, "length": 6})
    bubbles = (
        Bubble("", "/why", mine=True, at="10:26", answers=("Touchline", "⚽ Goal")),
        Bubble("Touchline", "Goal behind ⏳ <i>", struck, (("✅ Arsenal", "✔ Done"),), "10:27", edited=True),
    )
    write([Sheet("one", "About", (Screen("Touchline", "bot", bubbles, "told", "✅ Arsenal"),))], tmp_path, tmp_path / "words.txt")

    assert (tmp_path / "one.png").read_bytes().startswith(b"\x89PNG")
    assert "    [✅ Arsenal] [✔ Done]" in (tmp_path / "words.txt").read_text(encoding="utf-8")


def test_a_sign_that_nothing_draws_is_named() -> None:
    with pytest.raises(ValueError, match="nothing draws '🦄'"):
        png(Sheet("one", "", (Screen("T", "bot", (Bubble("", "🦄"),)),)))
