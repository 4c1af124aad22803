"""What a language sets in its own way: French writes `Buts : 2 !` with spaces at which no line may break, and `d’un but`."""

from __future__ import annotations

import re
from functools import lru_cache

NARROW_SPACE = "\u202f"
"""NARROW NO-BREAK SPACE, which French sets before ! ? ; : and », and after «."""

# What is no prose, in the order in which it is tried: a block of code, a tag, a template's tag or expression, a character
# reference, an address, and the name of a place to fill in. All but the last two may end in a sign of punctuation.
_NOT_PROSE = re.compile(
    r"<(code|pre)\b.*?</\1>|<[^<>]*>|\{%.*?%\}|\{\{.*?\}\}|&#?\w+;|\w+://[^\s<]+|\{\w*\}",
    re.DOTALL,
)

# A sign that ends a word: by what follows it, 20:45, 1:0, `key:value` and `!=` are none. Several in a row are set as one.
# Where the translator typed no space, only what can end a word: the sign in "(!)" stands alone.
_SIGN = re.compile(
    r"(?:(?<=\S)[ \u00a0\u202f]+|(?<=[\w)\]»”’'\"…%.\ue000]))([!?;:»]+)(?=[\s.,)\]<\u202f\ue000]|$)",
)
_OPENING = re.compile(r"«[ \u00a0\u202f]*(?=\S)")

_PLACE = "\ue000"
"""Stands for what is no prose while the prose is set; a character for private use, which no text has."""

# Between letters, or a letter and what is inserted. After a digit it is the sign of a minute.
_APOSTROPHE = re.compile(rf"(?<=[^\W\d_])'(?=[^\W_]|«|{_PLACE})")


@lru_cache(4096)
def set_french_typography(text: str) -> str:
    """Return a French text with narrow no-break spaces at its punctuation, however a translator typed it, and with `’`.

    Tags, templates, code, addresses, times and scores stay as they are, and so does the sign of a minute (67'). A text that is
    set already is returned as it is.
    """
    kept = [found[0] for found in _NOT_PROSE.finditer(text)]
    prose = _NOT_PROSE.sub(_PLACE, text)
    prose = _SIGN.sub(lambda found: NARROW_SPACE + found[1], prose)
    prose = _OPENING.sub("«" + NARROW_SPACE, prose)
    prose = _APOSTROPHE.sub("’", prose)
    first, *rest = prose.split(_PLACE)
    return first + "".join(f"{what}{after}" for what, after in zip(kept, rest, strict=True))
