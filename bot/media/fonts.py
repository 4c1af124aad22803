"""Chooses a font that has all letters of a text, measures it, and shortens names to fit."""

from __future__ import annotations

import struct
import unicodedata
from collections.abc import Iterator
from functools import cache, lru_cache
from pathlib import Path

import msgspec
from anyascii import anyascii
from PIL import ImageFont, features

from bot.i18n.shorten import shorten

FONT_FOLDER = Path(__file__).parent / "fonts"

BOLD, REGULAR, FALLBACK = "SourceSansPro-Bold.ttf", "SourceSansPro-Regular.ttf", "DejaVuSans-Bold.ttf"

_FALLBACK_SCALE = 0.82
"""DejaVu's letters are larger than those of Source Sans at the same size."""


class FittedText(msgspec.Struct, frozen=True):
    """A text that fits, with the font file that draws it. `width` in pixels. `is_cut`: it is shorter than the original."""

    text: str
    file: str
    size: int
    width: float
    is_cut: bool = False


def fit_text(text: str, size: int, room: float, *, bold: bool = True) -> FittedText:
    """Choose a font that has all letters of the text, and shorten the text to `room` pixels."""
    drawable, file = find_font(text, BOLD if bold else REGULAR, joined=can_shape())
    size = round(size * _FALLBACK_SCALE) if file == FALLBACK else size
    fitting = shorten_name(drawable, file, size, room)
    return FittedText(fitting, file, size, measure_width(fitting, file, size), is_cut=fitting != drawable)


@lru_cache(4096)
def find_font(text: str, file: str, *, joined: bool = True) -> tuple[str, str]:
    """Return the text without what cannot be drawn, and the font file that draws it: `file`, else the fallback font.

    If neither has all letters, the text is transliterated to ASCII. `joined`: Pillow can draw scripts with joined letters.
    """
    letters = []
    for letter in text:
        # A line break or a control would be drawn as a box, and so would marks that only direct the text.
        category = unicodedata.category(letter)
        if category not in ("Cf", "Cs", "Co", "Cn"):
            letters.append(" " if category in ("Zl", "Zp", "Zs", "Cc") else letter)
    # Composed (NFC) first: "c" with a loose accent has no glyph of its own, and "ć" has.
    clean = unicodedata.normalize("NFC", " ".join("".join(letters).split()))
    if read_coverage(FONT_FOLDER / file).issuperset(map(ord, clean)):
        return clean, file
    # A letter that is joined to its neighbours, or runs from right to left.
    needs_shaping = any(unicodedata.bidirectional(letter) in ("R", "AL") or unicodedata.combining(letter) for letter in clean)
    if (joined or not needs_shaping) and read_coverage(FONT_FOLDER / FALLBACK).issuperset(map(ord, clean)):
        return clean, FALLBACK
    # Chinese or Georgian, for example: a name that can be read, if not as its owner writes it.
    latin = " ".join(anyascii(clean).split())
    return latin if latin.isprintable() else "?", file


@cache
def can_shape() -> bool:
    """Return True if Pillow can join letters and write from right to left: this needs Raqm, and FriBiDi from the system."""
    return bool(features.check("raqm") and features.check("fribidi"))


@cache
def load_font(file: str, size: int) -> ImageFont.FreeTypeFont:
    """Load a font at a size in pixels."""
    # Raqm only where it is needed: Source Sans draws no script with joined letters.
    complex_script = file == FALLBACK and can_shape()
    engine = ImageFont.Layout.RAQM if complex_script else ImageFont.Layout.BASIC
    return ImageFont.truetype(str(FONT_FOLDER / file), size, layout_engine=engine)


# Shortening tries many texts, and the same players come in every picture of a match.
@lru_cache(8192)
def measure_width(text: str, file: str, size: int) -> float:
    """Return the width of a text in pixels."""
    return load_font(file, size).getlength(text)


def shorten_name(text: str, file: str, size: int, room: float) -> str:
    """Return the text if it fits, else without the first name, without the middle names, and last cut with an ellipsis."""
    # Names in the scripts of the fallback font are not shortened by these rules, which are those of Latin names.
    names = _list_shorter_names(text.split(" ")) if file != FALLBACK else []
    for shorter in (text, *names):
        if measure_width(shorter, file, size) <= room:
            return shorter
    return shorten(text, room, lambda short: measure_width(short, file, size))


def _list_shorter_names(names: list[str]) -> list[str]:
    """Return `R. van der Vaart`, `van der Vaart`, `R. Vaart`, `Vaart`: a particle belongs to the family name and goes last."""
    first, *rest = names
    if not rest:
        return []
    return [" ".join([f"{first[0]}.", *rest]), " ".join(rest), f"{first[0]}. {rest[-1]}", rest[-1]]


@cache
def read_coverage(path: Path) -> frozenset[int]:
    """Return the code points that a font has a glyph for.

    Pillow draws a box for a missing glyph and does not say so, so the font's own `cmap` table is read.
    """
    data = path.read_bytes()
    count = struct.unpack_from(">H", data, 4)[0]
    tables = (struct.unpack_from(">4sLLL", data, 12 + 16 * number) for number in range(count))
    # The offsets are those of the OpenType specification, chapters "Font file" and "cmap".
    start = next(offset for tag, _, offset, _ in tables if tag == b"cmap")
    number = struct.unpack_from(">H", data, start + 2)[0]
    subtables = {struct.unpack_from(">L", data, start + 8 + 8 * one)[0] for one in range(number)}
    return frozenset(code for subtable in subtables for code in _read_code_points(data, start + subtable))


def _read_code_points(data: bytes, offset: int) -> Iterator[int]:
    """Yield the code points of one `cmap` subtable: format 12 lists groups, format 4 segments. Other formats repeat them."""
    form = struct.unpack_from(">H", data, offset)[0]
    if form == 12:
        groups = struct.unpack_from(">L", data, offset + 12)[0]
        for group in range(groups):
            first, last, _ = struct.unpack_from(">LLL", data, offset + 16 + 12 * group)
            yield from range(first, last + 1)
    elif form == 4:
        segments = struct.unpack_from(">H", data, offset + 6)[0] // 2
        ends = struct.unpack_from(f">{segments}H", data, offset + 14)
        starts = struct.unpack_from(f">{segments}H", data, offset + 16 + 2 * segments)
        for first, last in zip(starts, ends, strict=True):
            # The format ends with a segment of 0xFFFF, which is no character.
            if first != 0xFFFF:
                yield from range(first, last + 1)
