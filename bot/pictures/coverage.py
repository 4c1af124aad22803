"""Which characters a TrueType font draws: its own `cmap` table, read once a file."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import cache
from pathlib import Path


@cache
def coverage(path: Path) -> frozenset[int]:
    """The code points that a font has a glyph for."""
    data = path.read_bytes()
    count = struct.unpack_from(">H", data, 4)[0]
    tables = (struct.unpack_from(">4sLLL", data, 12 + 16 * number) for number in range(count))
    start = next(offset for tag, _, offset, _ in tables if tag == b"cmap")
    number = struct.unpack_from(">H", data, start + 2)[0]
    subtables = {struct.unpack_from(">L", data, start + 8 + 8 * one)[0] for one in range(number)}
    return frozenset(code for subtable in subtables for code in _codes(data, start + subtable))


def _codes(data: bytes, at: int) -> Iterator[int]:
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
