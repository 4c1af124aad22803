"""Words with Telegram's entities, laid out in lines and drawn with the fonts that ship; emoji are vectors."""

from __future__ import annotations

import itertools
import random
import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from PIL import Image, ImageDraw

from bot.media.fonts import BOLD, FALLBACK, FONT_FOLDER, REGULAR, load_font, measure_width, read_coverage
from docs.screens.emoji import emoji
from docs.screens.signs import SHAPES
from rules.football.colours import Colour

LINK: Colour = (42, 122, 190)
CODE: Colour = (152, 62, 96)
VEIL: Colour = (120, 132, 146)
_SMALLER = 0.84
"""DejaVu's letters are larger than those of Source Sans at the same size."""
_COMMAND = re.compile(r"(?<!\S)/[a-z]+|(?<!\w)@\w+")
_SLANT = 0.2


class Style(msgspec.Struct, frozen=True):
    """How letters look."""

    bold: bool = False
    italic: bool = False
    strike: bool = False
    code: bool = False
    spoiler: bool = False
    link: bool = False


class Piece(msgspec.Struct, frozen=True):
    """Letters of one style and one font, or one emoji (`file` is empty); `width` in pixels."""

    words: str
    style: Style
    file: str
    size: int
    width: float


Letter = tuple[str, Style]

Line = tuple[Piece, ...]


def lines_of(text: str, entities: Sequence[dict[str, Any]], size: int, room: float) -> list[Line]:
    """The text in lines no longer than the room; words are kept whole where they fit."""
    lines: list[Line] = []
    for is_table, rows in itertools.groupby(_rows(_styled(text, entities)), lambda row: any(letter == "\t" for letter, _ in row)):
        if is_table:
            lines += _columns(list(rows), size, room)
        else:
            for row in rows:
                lines += _wrapped([tuple(_pieces(word, size)) for word in _words(row)], room)
    return lines


def _columns(rows: Sequence[list[Letter]], size: int, room: float) -> list[Line]:
    """Rows of a table, whose cells are divided by tabs, as lines with the cells of a column below each other.

    Where there is no room for all, the cells of the widest column end with an ellipsis.
    """
    cells = [[tuple(_pieces(cell, size)) for cell in _cells(row)] for row in rows]
    widths = [max(map(wide, column)) + size for column in itertools.zip_longest(*cells, fillvalue=())]
    widest = widths.index(max(widths))
    if (excess := sum(widths) - size - room) > 0:
        widths[widest] -= excess
        for row in cells:
            text = "".join(piece.words for piece in row[widest]) if widest < len(row) else ""
            if text and wide(row[widest]) > widths[widest] - size:
                row[widest] = one_line(text, size, widths[widest] - size)
    lines = []
    for row in cells:
        line: Line = ()
        for cell, width in zip(row, widths, strict=False):
            line = (*line, *cell, Piece("", Style(), REGULAR, size, width - wide(cell)))
        lines.append(line[:-1])
    return lines


def _cells(row: list[Letter]) -> Iterator[list[Letter]]:
    cell: list[Letter] = []
    for letter in row:
        if letter[0] == "\t":
            yield cell
            cell = []
        else:
            cell.append(letter)
    yield cell


def wide(line: Line) -> float:
    """The room that a line takes."""
    return sum(piece.width for piece in line)


def one_line(text: str, size: int, room: float, *, bold: bool = False) -> Line:
    """Plain words in one line, cut with an ellipsis where there is no room."""
    style = Style(bold=bold)
    whole = tuple(_pieces([(letter, style) for letter in text], size))
    while wide(whole) > room and text:
        text = text[:-1].rstrip()
        whole = tuple(_pieces([(letter, style) for letter in f"{text}…"], size))
    return whole


def draw_line(image: Image.Image, line: Line, x: float, y: float, ink: Colour) -> None:
    """Draw a line whose left end is x and whose base is y."""
    for piece in line:
        _draw(image, piece, x, y, ink)
        x += piece.width


def _styled(text: str, entities: Sequence[dict[str, Any]]) -> list[Letter]:
    """Every letter with its style; entities count in UTF-16."""
    found: list[Letter] = []
    commands = [match.span() for match in _COMMAND.finditer(text)]
    at = 0
    for place, letter in enumerate(text):
        here = {e["type"] for e in entities if e["offset"] <= at < e["offset"] + e["length"]}
        named = any(start <= place < end for start, end in commands)
        found.append((letter, _style(here, named=named and "code" not in here)))
        at += len(letter.encode("utf-16-le")) // 2
    return found


def _style(kinds: set[str], *, named: bool) -> Style:
    return Style(
        "bold" in kinds,
        "italic" in kinds,
        "strikethrough" in kinds,
        bool(kinds & {"code", "pre"}),
        "spoiler" in kinds,
        named or "text_link" in kinds,
    )


def _rows(letters: list[Letter]) -> Iterator[list[Letter]]:
    row: list[Letter] = []
    for letter in letters:
        if letter[0] == "\n":
            yield row
            row = []
        else:
            row.append(letter)
    yield row


def _words(row: list[Letter]) -> Iterator[list[Letter]]:
    """Each word with the spaces before it; spaces at the beginning of a row stay."""
    word: list[Letter] = []
    for letter in row:
        if letter[0] == " " and word and word[-1][0] != " ":
            yield word
            word = []
        word.append(letter)
    yield word


def _wrapped(words: list[Line], room: float) -> list[Line]:
    lines: list[Line] = [()]
    for word in words:
        if lines[-1] and wide(lines[-1]) + wide(word) > room:
            word = _without_space(word)
            lines.append(())
        lines[-1] = (*lines[-1], *word)
    return lines


def _without_space(word: Line) -> Line:
    first, *rest = word
    left = first.words.lstrip(" ")
    return (_piece(left, first.style, first.file, first.size), *rest) if left else tuple(rest)


def _pieces(letters: Sequence[Letter], size: int) -> Iterator[Piece]:
    words, style, file = "", Style(), REGULAR
    for letter, own in letters:
        if unicodedata.category(letter) in ("Cf", "Mn") or letter == "\ufe0f":
            continue
        font = _font(letter, own)
        if words and (own != style or font != file or not font):
            yield _piece(words, style, file, size)
            words = ""
        words, style, file = words + letter, own, font
    if words:
        yield _piece(words, style, file, size)


def _font(letter: str, style: Style) -> str:
    """The font that has a letter; empty for an emoji; ValueError where nothing draws it."""
    if letter == "⚽" or letter in SHAPES:
        return ""
    for file in (BOLD if style.bold else REGULAR, FALLBACK):
        if ord(letter) in read_coverage(FONT_FOLDER / file):
            return file
    raise ValueError(f"nothing draws {letter!r}: add it to docs/screens/signs.py")


def _piece(words: str, style: Style, file: str, size: int) -> Piece:
    if not file:
        return Piece(words, style, file, size, size * 1.12 * len(words))
    own = round(size * _SMALLER) if file == FALLBACK else size
    return Piece(words, style, file, own, measure_width(words, file, own))


def _draw(image: Image.Image, piece: Piece, x: float, y: float, ink: Colour) -> None:
    if not piece.file:
        sign = emoji(piece.words[0], round(piece.size * 0.98))
        image.paste(sign, (round(x + piece.size * 0.06), round(y - piece.size * 0.8)), sign)
    else:
        _write(image, piece, x, y, LINK if piece.style.link else CODE if piece.style.code else ink)
    if piece.style.spoiler:
        _veil(image, piece, x, y)
    elif piece.style.strike:
        level = y - piece.size * 0.24
        ImageDraw.Draw(image).line(((x, level), (x + piece.width, level)), ink, max(1, piece.size // 12))


def _write(image: Image.Image, piece: Piece, x: float, y: float, ink: Colour) -> None:
    font = load_font(piece.file, piece.size)
    if not piece.style.italic:
        ImageDraw.Draw(image).text((x, y), piece.words, ink, font, "ls")
        return
    tall, base = piece.size * 2, round(piece.size * 1.4)
    mask = Image.new("L", (round(piece.width) + tall, tall))
    ImageDraw.Draw(mask).text((piece.size // 2, base), piece.words, 255, font, "ls")
    leant = mask.transform(mask.size, Image.Transform.AFFINE, (1, _SLANT, -_SLANT * base, 0, 1, 0), Image.Resampling.BICUBIC)
    image.paste(ink, (round(x) - piece.size // 2, round(y) - base), leant)


def _veil(image: Image.Image, piece: Piece, x: float, y: float) -> None:
    """Dots over a plain ground, as Telegram hides spoilers."""
    draw, chance = ImageDraw.Draw(image), random.Random(piece.words)
    left, top, right, bottom = x, y - piece.size * 0.78, x + piece.width, y + piece.size * 0.22
    draw.rectangle((left, top, right, bottom), fill=(214, 221, 229))
    for _ in range(round(piece.width * piece.size / 18)):
        spot = chance.uniform(left, right - 2), chance.uniform(top, bottom - 2)
        draw.rectangle((*spot, spot[0] + 1, spot[1] + 1), fill=VEIL)
