"""The fonts that ship, and names made ready for them: Source Sans for Latin, Greek and Cyrillic, DejaVu Sans for Arabic, Hebrew,
Armenian and Georgian; what neither draws, such as Chinese, is written in Latin letters."""

from __future__ import annotations

import unicodedata
from functools import cache, lru_cache
from pathlib import Path

import msgspec
from anyascii import anyascii
from PIL import ImageFont, features

from bot.pictures.coverage import coverage

FOLDER = Path(__file__).parent / "fonts"
BOLD, REGULAR, OTHER = "SourceSansPro-Bold.ttf", "SourceSansPro-Regular.ttf", "DejaVuSans-Bold.ttf"

_SMALLER = 0.82
"""DejaVu's letters are larger than those of Source Sans at the same size."""


class Text(msgspec.Struct, frozen=True):
    """Words in the font that draws them, in their room; `width` in pixels. `cut`: there was no room for all of them."""

    words: str
    file: str
    size: int
    width: float
    cut: bool = False


def text(words: str, size: int, room: float, *, bold: bool = True) -> Text:
    """The words in a font that has all their letters, shortened to the room."""
    shown, file = readable(words, BOLD if bold else REGULAR, joined=shapes())
    size = round(size * _SMALLER) if file == OTHER else size
    fitting = shortened(shown, file, size, room)
    return Text(fitting, file, size, width(fitting, file, size), cut=fitting != shown)


@lru_cache(4096)
def readable(words: str, file: str, *, joined: bool = True) -> tuple[str, str]:
    """The words with nothing in them that cannot be drawn, and the font that draws them; `joined` where letters can be."""
    clean = unicodedata.normalize("NFC", " ".join("".join(map(_plain, words)).split()))
    if _draws(clean, file):
        return clean, file
    if _draws(clean, OTHER) and (joined or not any(map(_is_shaped, clean))):
        return clean, OTHER
    latin = " ".join(anyascii(clean).split())
    return latin if latin.isprintable() else "?", file


def _plain(letter: str) -> str:
    """A letter; a space for what breaks lines; nothing for what only steers their direction."""
    category = unicodedata.category(letter)
    return " " if category in ("Zl", "Zp", "Zs", "Cc") else "" if category in ("Cf", "Cs", "Co", "Cn") else letter


def _draws(words: str, file: str) -> bool:
    return coverage(FOLDER / file).issuperset(map(ord, words))


def _is_shaped(letter: str) -> bool:
    """Tell whether a letter needs its neighbours, or runs from right to left."""
    return unicodedata.bidirectional(letter) in ("R", "AL") or bool(unicodedata.combining(letter))


@cache
def shapes() -> bool:
    """Tell whether Pillow can join letters and write from right to left: it needs Raqm, and FriBiDi from the system."""
    return bool(features.check("raqm") and features.check("fribidi"))


@cache
def face(file: str, size: int) -> ImageFont.FreeTypeFont:
    """A font at a size in pixels."""
    complex_script = file == OTHER and shapes()
    engine = ImageFont.Layout.RAQM if complex_script else ImageFont.Layout.BASIC
    return ImageFont.truetype(str(FOLDER / file), size, layout_engine=engine)


@lru_cache(8192)
def width(words: str, file: str, size: int) -> float:
    """The room that words take, in pixels."""
    return face(file, size).getlength(words)


def shortened(words: str, file: str, size: int, room: float) -> str:
    """The words as they are where there is room; else without the first name, the middle ones, at last cut with an ellipsis."""
    for shorter in (words, *_shorter(words.split(" ") if file != OTHER else [words])):
        if width(shorter, file, size) <= room:
            return shorter
    short = words
    while short and width(f"{short}…", file, size) > room:
        short = short[:-1].rstrip()
    return f"{short}…"


def _shorter(names: list[str]) -> list[str]:
    """`R. van der Vaart`, `van der Vaart`, `R. Vaart`, `Vaart`."""
    first, *rest = names
    if not rest:
        return []
    return [" ".join([f"{first[0]}.", *rest]), " ".join(rest), f"{first[0]}. {rest[-1]}", rest[-1]]
