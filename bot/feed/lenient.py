"""Reads JSON that strict readers refuse, and single values of the wrong type: a field's fault costs the field, nothing more.

Each function returns an empty value for what it cannot use; only `parse_json` fails, where a text is no JSON at all.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import math
import re
import unicodedata
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any, overload

import msgspec

from rules.football.statuses import COLLECTION_STATUSES, COVERAGE_LEVELS, STATUSES

MAX_EXACT_NUMBER = 2**53
"""Above this a JSON number is not exact in other readers, and no count in football is so large."""

_MAX_CLOCK_SECONDS = 999 * 60

_NUL_PATTERN = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")
"""The escape of NUL, unless its backslash is itself escaped."""

_STATUS_NAMES = tuple(status.name for status in STATUSES)


@overload
def remove_nul(frame: bytes) -> bytes: ...


@overload
def remove_nul(frame: str | bytes) -> str | bytes: ...


def remove_nul(frame: str | bytes) -> str | bytes:
    """Return the JSON text without NUL, the one character that neither Telegram nor PostgreSQL accepts."""
    if isinstance(frame, str):
        return remove_nul(frame.encode(errors="replace")) if "\\u0000" in frame else frame
    # Nearly no frame has one, and few have a backslash at all: one letter is found in a third of the time of six.
    return _NUL_PATTERN.sub(rb"\1", frame) if b"\\" in frame and b"\\u0000" in frame else frame


_ESCAPE = re.compile(r'\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})|\\')
"""An escape of JSON, or a backslash that begins none."""

_MAX_DIGITS = 30
"""Longer whole numbers are left out: Python refuses thousands of digits, and nothing in football has so many."""


def _read_decimal(digits: str) -> Decimal | None:
    """Return a number with all its digits: `timelineSequence` does not survive as a float (section 7)."""
    try:
        return Decimal(digits)
    except ArithmeticError:  # an exponent of twenty digits
        return None


_STRICT_DECODER = msgspec.json.Decoder(float_hook=_read_decimal)


def parse_json(body: str | bytes) -> Any:
    """Return JSON as values of Python, also with a byte order mark, bytes that are not UTF-8, half a surrogate pair, control
    characters or unknown escapes in texts, NaN, or numbers of any size. Raise ValueError or RecursionError if it is no JSON.
    """
    try:
        # Nearly always enough, and the faster reader.
        return _STRICT_DECODER.decode(body)
    except (msgspec.DecodeError, UnicodeError):
        text = body if isinstance(body, str) else body.decode("utf-8", errors="replace")
    # Of an escape that JSON does not have the letter stays: the reader would stop at it.
    text = _ESCAPE.sub(lambda found: found[0] if len(found[0]) > 1 else "", text.lstrip("\ufeff"))
    read = json.loads(
        text,
        strict=False,
        parse_int=lambda digits: int(digits) if len(digits) <= _MAX_DIGITS else None,
        parse_float=_read_decimal,
        parse_constant=lambda _: None,  # NaN and Infinity
    )
    return _mend_texts(read)


def _mend_texts(value: Any) -> Any:
    """Replace halves of surrogate pairs, which neither UTF-8 nor any database can hold, by U+FFFD."""
    if isinstance(value, str):
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if isinstance(value, list):
        return [_mend_texts(item) for item in value]
    if isinstance(value, dict):
        return {_mend_texts(key): _mend_texts(item) for key, item in value.items()}
    return value


MAX_NAME_LENGTH = 80
"""Letters of a name. The longest names of clubs have some sixty."""

_REMOVED = frozenset("\ufeff\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""The byte order mark, and the controls that turn the direction of all text behind them, also of other names."""


def clean_name(text: str, max_length: int = MAX_NAME_LENGTH) -> str:
    """Return a name in one line without control characters, cut to a length that pictures and messages can hold."""
    text = text.strip()
    if not text.isprintable():
        kept = (c for c in text if c not in _REMOVED and (c.isspace() or unicodedata.category(c) != "Cc"))
        text = " ".join("".join(kept).split())
    return text if len(text) <= max_length else f"{text[: max_length - 1].rstrip()}…"


_MAX_TEXT_LENGTH = 300
"""Letters of a text in the metadata, such as why coverage was dropped (section 3.4)."""


_MAX_DEPTH = 20
"""Levels of lists and objects in the metadata. Documented ones have two."""


def clean_values(value: Any, max_depth: int = _MAX_DEPTH) -> Any:
    """Return a value of JSON with all texts in it cleaned like names, but up to 300 letters long. What lies too deep is None."""
    if isinstance(value, str):
        return clean_name(value, _MAX_TEXT_LENGTH)
    if isinstance(value, list | dict) and not max_depth:
        return None
    if isinstance(value, list):
        return [clean_values(item, max_depth - 1) for item in value]
    return {key: clean_values(item, max_depth - 1) for key, item in value.items()} if isinstance(value, dict) else value


_MAX_ID_LENGTH = 200
"""Letters of an id that is kept as it is. Documented ones have 36."""


def clean_id(identifier: str) -> str:
    """Return the id of an action; a digest of one that is long or has control characters.

    The index of a table in PostgreSQL takes some 2,700 bytes, and what is stored about an action joins ids by tabs and newlines.
    """
    if len(identifier) <= _MAX_ID_LENGTH and identifier.isprintable():
        return identifier
    return hashlib.sha256(identifier.encode(errors="replace")).hexdigest()


def as_name(value: Any) -> str:
    """Return a name, cleaned; empty for anything but text and numbers."""
    return clean_name(as_text(value))


def as_text(value: Any) -> str:
    """Return a string or a number as text; empty for anything else."""
    if isinstance(value, str):
        return value.strip()
    return str(value) if isinstance(value, int | float | Decimal) and not isinstance(value, bool) else ""


def as_number(value: Any) -> int | None:
    """Return a whole number, quoted or not (section 7 quotes decimals, the samples do not); None for anything else."""
    # bool is a subclass of int, and `true` is not a number.
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        return None
    try:
        # Through a float: some writers of JSON have 2.0 where others have 2.
        found = value if isinstance(value, int) else float(value)
        return int(found) if math.isfinite(found) and 0 <= found <= MAX_EXACT_NUMBER else None
    except (ValueError, OverflowError):
        return None


def as_decimal(value: Any) -> Decimal | None:
    """Return a decimal number, quoted or not; None for anything else."""
    try:
        found = Decimal(as_text(value))
    except ArithmeticError:
        return None
    return found if found.is_finite() else None


def as_boolean(value: Any) -> bool | None:
    """Return a boolean, also from a word or from 1 and 0; None for anything else."""
    words = {"true": True, "1": True, "false": False, "0": False}
    return value if isinstance(value, bool) else words.get(as_text(value).lower())


def as_mapping(value: Any) -> dict[str, Any]:
    """Return an object; empty for anything else."""
    return value if isinstance(value, dict) else {}


def as_list(value: Any) -> list[Any]:
    """Return an array; empty for anything else."""
    return value if isinstance(value, list) else []


def as_instant(value: Any) -> dt.datetime | None:
    """Return an ISO 8601 instant in UTC, which is assumed if no zone is given (section 3.3); None if it cannot be read."""
    try:
        found = dt.datetime.fromisoformat(value.strip() if isinstance(value, str) else as_text(value))
        if found.tzinfo is dt.UTC:
            return found  # nearly always: no new object is needed
        return found.replace(tzinfo=dt.UTC) if found.tzinfo is None else found.astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return _read_other_instant(as_text(value).strip())


def _read_other_instant(text: str) -> dt.datetime | None:
    """Return an instant as other interfaces write it: seconds or milliseconds since 1970, or as in the headers of HTTP."""
    try:
        # Shorter numbers are before 1973 and no instant of a match; from twelve digits on they are milliseconds.
        if text.isdecimal() and 9 <= len(text) <= 13:
            return dt.datetime.fromtimestamp(int(text) / (1000 if len(text) > 11 else 1), dt.UTC)
        found = parsedate_to_datetime(text)
        return found.replace(tzinfo=dt.UTC) if found.tzinfo is None else found.astimezone(dt.UTC)
    except (ValueError, TypeError, IndexError, OverflowError, OSError):
        return None


def as_clock(value: Any) -> int | None:
    """Return the seconds of `MM:SS`; None if it cannot be read."""
    # Minutes count through the match (section 8), so that they have three digits in extra time.
    minutes, _, seconds = as_text(value).partition(":")
    if not (minutes.isdecimal() and seconds.isdecimal()) or len(minutes) > 4 or len(seconds) > 2:
        return None
    return min(int(minutes) * 60 + int(seconds), _MAX_CLOCK_SECONDS)


def as_status(value: Any) -> str:
    """Return a fixture status as a word, whether it comes as a word or as its number."""
    return _as_listed_word(value, _STATUS_NAMES)


def as_collection_status(value: Any) -> str:
    """Return a collection status as a word, whether it comes as a word or as its number."""
    return _as_listed_word(value, COLLECTION_STATUSES)


def as_coverage_level(value: Any) -> str:
    """Return a coverage level as one of `COVERAGE_LEVELS`, whether it comes as a word or as its number."""
    word = _as_listed_word(value, COVERAGE_LEVELS)
    # "Standard stream" in REST, "Standard Stream" in the table (section 6.4): rules compare one spelling.
    return next((level for level in COVERAGE_LEVELS if level.casefold() == word.casefold()), word)


def _as_listed_word(value: Any, names: tuple[str, ...]) -> str:
    position = as_number(value)
    # A number behind the last name stays as it is: a newer feed may have names that this list has not.
    return names[position] if position is not None and position < len(names) else as_text(value)
