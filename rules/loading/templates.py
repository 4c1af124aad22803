"""Finds what is wrong in the template of a text: every mistake at its own place, in a person's words.

Mistakes of form come first (`template_syntax.py`), then names, filters and comparisons (`template_names.py`). A template without
any is rendered with and without values.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from rules.engine.alert import Facts
from rules.engine.text import AlertText, TextError
from rules.loading.template_names import find_wrong_names
from rules.loading.template_syntax import TAG, TemplateFinding, find_syntax_errors


class Rendered(NamedTuple):
    """A template with all values."""

    text: str
    findings: tuple[TemplateFinding, ...]


_NOT_ALIKE = re.compile(r"\{[{%]-|-[%}]\}|\{#|\{%[-+]?\s*(?:raw|set|filter|call|macro|block|autoescape)\b|\+%\}")
"""Syntax for which the text between the tags changes how the template is read, so that no letter can stand for it."""

_FIRST_SENTINEL, _MAX_PARTS = 0xE000, 500
"""The first of the private-use letters that each stand for the text between two tags, and how many parts may have one.

Unicode gives these letters no meaning, so that Jinja copies them as they are. A text that has one itself is examined as it is.
"""


def examine_template(source: str, sample: Facts) -> Rendered:
    """Return a text with the values of the sample, and what is wrong with its template; the text is empty after a mistake."""
    parts = _split(source)
    # A tag that is opened and never closed is among the words, and a brace right before a tag makes another tag of it.
    is_plain = not any(re.search(r"\{(?:[{%#]|\Z)", part) for part in parts[::2])
    if not is_plain or len(parts) > _MAX_PARTS or _NOT_ALIKE.search(source) or re.search("[\ue000-\uf8ff]", source):
        return _examine(source, sample)
    # Texts of many rules differ only in their words. The template is examined once, with a letter in place of each run of words.
    skeleton = "".join(part if number % 2 else chr(_FIRST_SENTINEL + number) for number, part in enumerate(parts))
    found = _examine(skeleton, sample)
    findings = tuple(one._replace(offset=_map_offset(one.offset, parts)) for one in found.findings)
    words = {_FIRST_SENTINEL + number: part for number, part in enumerate(parts) if number % 2 == 0}
    return Rendered(found.text.translate(words), findings)


def _split(source: str) -> list[str]:
    """Return words and tags in turn, beginning and ending with words."""
    parts, end = [], 0
    for tag in TAG.finditer(source):
        parts += [source[end : tag.start()], tag[0]]
        end = tag.end()
    return [*parts, source[end:]]


def _map_offset(offset: int, parts: Sequence[str]) -> int:
    """Return the place in the text for one in its skeleton."""
    if offset < 0:
        return offset
    # Tags have odd numbers and are as long in both; the words between them are one letter in the skeleton.
    there = here = 0
    for number, part in enumerate(parts):
        length = len(part) if number % 2 else 1
        if offset < there + length:
            return here + (offset - there if number % 2 else 0)
        there, here = there + length, here + len(part)
    return here


# A reload reads every text again, and the skeletons of a file's texts are few.
@lru_cache(maxsize=4096)
def _examine(source: str, sample: Facts) -> Rendered:
    readable, findings = find_syntax_errors(source)
    findings += find_wrong_names(readable)
    if any(not one.is_warning for one in findings):
        return Rendered("", tuple(sorted(findings)))
    try:
        text = AlertText(source)
        # With all values and with nearly none: most of a text's mistakes show only when a value is missing.
        full, _ = text.render(sample), text.render(Facts(match=sample.match, score=sample.score))
    except TextError as error:
        return Rendered("", (*findings, TemplateFinding(-1, str(error))))
    return Rendered(full, tuple(sorted(findings)))
