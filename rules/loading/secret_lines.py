"""Keeps secrets out of the sentences about a file, which are printed, logged, shown by CI and sent to the admins.

A sentence marks what it quotes of the file (`quoted`). In a line that may hold a secret, the report leaves out what is marked,
and does not show the line. Anywhere else it leaves out what looks like a secret.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from functools import lru_cache

_ELLIPSIS = "…"

# Characters that YAML does not allow, so that no file has them. A text in double quotes may still escape one: `"\x02"`.
_BEGIN, _END = "\x02", "\x03"

_QUOTED = re.compile(f"{_BEGIN}([^{_BEGIN}{_END}]*){_END}")

_SECRET_KEYS = ("token", "token_file", "secret_token", "password", "dead_man_url", "proxy", "url", "api_url", "stream_url")
"""Keys whose values are secrets, or addresses that may have a password or a secret path."""

_SECTIONS = ("feed", "telegram", "webhook", "storage", "http", "console")
"""Mappings that have these keys. A text in the place of such a mapping is a secret whose key was forgotten."""

_TAGS_ELSEWHERE = ("secret", "env", "vault", "include")
"""Tags with which other programs name a secret, as in `token: !secret feed_token`."""

_HARMLESS = frozenset((*_SECRET_KEYS, *_SECTIONS, *_TAGS_ELSEWHERE))

# Anywhere in the line and not only where a key stands: a line with a mistake may have its colon in the wrong place.
_SECRET_WORD = re.compile(r"token|secret|passw|credential|proxy|\b(\w+_)?(url|pw)\b", re.IGNORECASE)

_SECTION = re.compile(rf"\s*[\"']?({'|'.join(_SECTIONS)})[\"']?\s*:\s*(#.*)?$")

_SECTION_WITH_TEXT = re.compile(
    rf"^[\s-]*[\"']?({'|'.join(_SECTIONS)})[\"']?\s*[:=]\s*(?!\{{\s*[a-z_\"']+:(?!.*\{{[{{%])|[#\s])\S"
)

# The item of a list, where a section should be a mapping.
_ITEM = re.compile(r"\s*-\s+\S")

_WORD_AT_KEY = re.compile(r"^[\s\"'-]*([A-Za-z_]{4,})|\b([A-Za-z_]{4,})(?=[\"']?\s*[:=])")

# All known keys are in lower case, and have no digits.
_KEY = re.compile(r"(?P<indent> *(?:- +)*)(?P<name>[\"']?[a-z_-]+[\"']?)\s*:(\s|$)")

# Such a line says where its secret is, and has none.
_VARIABLE = re.compile(r"[\"']?[\w-]+[\"']?\s*:\s*([\"']?)\$\{[A-Za-z_]\w*\}\1(?=\s*(?:[,}#]|$))")

_BOT_TOKEN = re.compile(r"\b\d{6,}:[A-Za-z0-9_-]{20,}")

# Not that of an example such as postgresql://USER:PASSWORD@HOST.
_PASSWORD_IN_ADDRESS = re.compile(r"://[^/\s\"':]*:(?!PASSWORD@)[^/\s\"']*@")

_MIN_VALUE_LENGTH = 4
"""A shorter value would be found in parts of ordinary words."""


def quoted(text: str) -> str:
    """Mark a piece of a file in a sentence, so that the report can leave it out."""
    return f"{_BEGIN}{text.replace(_BEGIN, '').replace(_END, '')}{_END}"


def quoted_key(word: str) -> str:
    """Return an unknown key of a setting for a sentence. One with digits in it is none, and may be a secret without its key."""
    return _ELLIPSIS if re.search(r"\d", word) else quoted(word)


def show_quoted(sentence: str) -> str:
    """Return a sentence with what it quotes, except passwords in addresses and what looks like a token of a bot."""
    shown = _QUOTED.sub(r"\1", sentence)
    return _PASSWORD_IN_ADDRESS.sub(f"://{_ELLIPSIS}@", _BOT_TOKEN.sub(_ELLIPSIS, shown))


def hide_quoted(sentence: str) -> str:
    """Return a sentence with an ellipsis in the place of what it quotes; the names of settings stay."""
    return show_quoted(_QUOTED.sub(lambda found: found[1] if found[1] in _HARMLESS else _ELLIPSIS, sentence))


def is_secret_name(name: str) -> bool:
    """Return True if the name of a variable says that its value is a secret."""
    return bool(_SECRET_WORD.search(name.replace("_", " ")) or re.search(r"(^|_)key($|_)", name, re.IGNORECASE))


def hide_values(sentence: str, values: Sequence[str]) -> str:
    """Return a sentence with an ellipsis in the place of these values."""
    # The longest first: one may be a part of another.
    for value in sorted(values, key=len, reverse=True):
        if len(value) >= _MIN_VALUE_LENGTH:
            sentence = sentence.replace(value, _ELLIPSIS)
    return sentence


def find_secret_lines(lines: Sequence[str]) -> frozenset[int]:
    """Return the lines that may hold a secret or a part of one, counted from 0."""
    found: set[int] = set()
    # Columns: that of the key of a secret while lines may go on with its value, and that of the section while it lasts.
    column = section = None
    is_below_section = False
    for number, line in enumerate(lines):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        key = _KEY.match(line)
        indent = len(key["indent"]) if key else len(line) - len(line.lstrip())
        if section is not None and indent <= section:
            section = None
        # A value may go on in lines below: deeper ones, and any that has nothing like a key of a setting.
        goes_on = column is not None and (indent > column or key is None)
        # In a section a word alone may be a secret without its key; so may an item where the keys should begin.
        is_item = bool(_ITEM.match(line))
        is_stray = section is not None and (is_item if is_below_section else key is None and not is_item)
        if _may_hold_secret(line) or is_stray:
            found.add(number)
            column = indent
        elif goes_on:
            found.add(number)
        else:
            column = None
        is_section = bool(_SECTION.match(line))
        is_below_section = is_section or (is_below_section and is_stray)
        if is_section and section is None:
            section = indent
    return frozenset(found)


def _may_hold_secret(line: str) -> bool:
    line = _VARIABLE.sub("_:", line)
    patterns = (_SECRET_WORD, _SECTION_WITH_TEXT, _PASSWORD_IN_ADDRESS, _BOT_TOKEN)
    if any(pattern.search(line) for pattern in patterns):
        return True
    # A misspelt key: the secret behind it is none the less one.
    return any(_is_near_secret_key(word) for words in _WORD_AT_KEY.findall(line) for word in words if word)


_OTHER_WORDS = frozenset(("taken", "broken", "spoken", "curl", "curled", "hurl", "hurled"))
"""Words of texts about football that are spelt nearly like a key."""


@lru_cache(1024)  # a file of rules repeats few keys many times
def _is_near_secret_key(word: str) -> bool:
    return word.casefold() not in _OTHER_WORDS and bool(difflib.get_close_matches(word.casefold(), _SECRET_KEYS, 1, 0.8))
