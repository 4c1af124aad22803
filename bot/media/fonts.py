"""Fonts, their coverage, names shortened to fit."""

from __future__ import annotations

import struct
import unicodedata
from collections.abc import Iterator
from functools import cache, lru_cache
from pathlib import Path

import msgspec
from anyascii import anyascii
from PIL import ImageFont, features

FONT_FOLDER = Path(__file__).parent / "fonts"

BOLD, REGULAR, FALLBACK = "SourceSansPro-Bold.ttf", "SourceSansPro-Regular.ttf", "DejaVuSans-Bold.ttf"

_FALLBACK_SCALE = 0.82
"""DejaVu's letters are larger than those of Source Sans at the same size."""


class FittedText(msgspec.Struct, frozen=True):
    """Words in the font that draws them, in their room; `width` in pixels. `cut`: there was no room for all of them."""

    text: str
    file: str
    size: int
    width: float
    is_cut: bool = False


def fit_text(words: str, size: int, room: float, *, bold: bool = True) -> FittedText:
    """The words in a font that has all their letters, shortened to the room."""
    shown, file = find_font(words, BOLD if bold else REGULAR, joined=can_shape())
    size = round(size * _FALLBACK_SCALE) if file == FALLBACK else size
    fitting = shorten_name(shown, file, size, room)
    return FittedText(fitting, file, size, measure_width(fitting, file, size), is_cut=fitting != shown)


@lru_cache(4096)
def find_font(words: str, file: str, *, joined: bool = True) -> tuple[str, str]:
    """The words with nothing in them that cannot be drawn, and the font that draws them; `joined` where letters can be."""
    clean = unicodedata.normalize("NFC", " ".join("".join(map(_clean_letter, words)).split()))
    if _has_glyphs(clean, file):
        return clean, file
    if _has_glyphs(clean, FALLBACK) and (joined or not any(map(_needs_shaping, clean))):
        return clean, FALLBACK
    latin = " ".join(anyascii(clean).split())
    return latin if latin.isprintable() else "?", file


def _clean_letter(letter: str) -> str:
    """A letter; a space for what breaks lines; nothing for what only steers their direction."""
    category = unicodedata.category(letter)
    return " " if category in ("Zl", "Zp", "Zs", "Cc") else "" if category in ("Cf", "Cs", "Co", "Cn") else letter


def _has_glyphs(words: str, file: str) -> bool:
    return read_coverage(FONT_FOLDER / file).issuperset(map(ord, words))


def _needs_shaping(letter: str) -> bool:
    """Tell whether a letter needs its neighbours, or runs from right to left."""
    return unicodedata.bidirectional(letter) in ("R", "AL") or bool(unicodedata.combining(letter))


@cache
def can_shape() -> bool:
    """Tell whether Pillow can join letters and write from right to left: it needs Raqm, and FriBiDi from the system."""
    return bool(features.check("raqm") and features.check("fribidi"))


@cache
def load_font(file: str, size: int) -> ImageFont.FreeTypeFont:
    """A font at a size in pixels."""
    complex_script = file == FALLBACK and can_shape()
    engine = ImageFont.Layout.RAQM if complex_script else ImageFont.Layout.BASIC
    return ImageFont.truetype(str(FONT_FOLDER / file), size, layout_engine=engine)


@lru_cache(8192)
def measure_width(words: str, file: str, size: int) -> float:
    """The room that words take, in pixels."""
    return load_font(file, size).getlength(words)


def shorten_name(words: str, file: str, size: int, room: float) -> str:
    """The words as they are where there is room; else without the first name, the middle ones, at last cut with an ellipsis."""
    for shorter in (words, *_list_shorter_names(words.split(" ") if file != FALLBACK else [words])):
        if measure_width(shorter, file, size) <= room:
            return shorter
    short = words
    while short and measure_width(f"{short}…", file, size) > room:
        short = short[:-1].rstrip()
    return f"{short}…"


def _list_shorter_names(names: list[str]) -> list[str]:
    """`R. van der Vaart`, `van der Vaart`, `R. Vaart`, `Vaart`."""
    first, *rest = names
    if not rest:
        return []
    return [" ".join([f"{first[0]}.", *rest]), " ".join(rest), f"{first[0]}. {rest[-1]}", rest[-1]]


@cache
def read_coverage(path: Path) -> frozenset[int]:
    """The code points that a font has a glyph for."""
    data = path.read_bytes()
    count = struct.unpack_from(">H", data, 4)[0]
    tables = (struct.unpack_from(">4sLLL", data, 12 + 16 * number) for number in range(count))
    start = next(offset for tag, _, offset, _ in tables if tag == b"cmap")
    number = struct.unpack_from(">H", data, start + 2)[0]
    subtables = {struct.unpack_from(">L", data, start + 8 + 8 * one)[0] for one in range(number)}
    return frozenset(code for subtable in subtables for code in _read_code_points(data, start + subtable))


def _read_code_points(data: bytes, at: int) -> Iterator[int]:
    """The characters of one subtable: format 12 lists groups, format 4 segments; other formats repeat them."""
    form = struct.unpack_from(">H", data, at)[0]
    if form == 12:
        groups = struct.unpack_from(">L", data, at + 12)[0]
        for group in range(groups):
            first, last, _ = struct.unpack_from(">LLL", data, at + 16 + 12 * group)
            yield from range(first, last + 1)
    elif form == 4:
        segments = struct.unpack_from(">H", data, at + 6)[0] // 2
        ends = struct.unpack_from(f">{segments}H", data, at + 14)
        starts = struct.unpack_from(f">{segments}H", data, at + 16 + 2 * segments)
        for first, last in zip(starts, ends, strict=True):
            if first != 0xFFFF:
                yield from range(first, last + 1)
