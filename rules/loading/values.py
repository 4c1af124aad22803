"""Reads one value of a YAML node: text, choice, duration, boolean; suggests the nearest known word."""

from __future__ import annotations

import datetime as dt
import difflib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

import yaml

from rules.loading.document import Report, is_null, locate_in_text, location_of, mapping_items

# What YAML 1.1 takes for booleans. Only true and false are read; these words are known to say which of them to write.
_BOOLEAN_WORDS = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}

_MAX_DURATION_DAYS = 3650
"""Ten years: added to the time of today, a longer duration may give a date that does not exist."""

_DURATION_PATTERN = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")


def suggest(word: str, words: Iterable[str], cutoff: float = 0.6) -> str:
    """Return the known word that was most likely meant; empty where none is near. `cutoff` is the least similarity, 0 to 1."""
    # Compared in lower case and returned as it is written: `Matches` is near `match`.
    known = {w.casefold(): w for w in words}
    found = difflib.get_close_matches(word.casefold(), known, 1, cutoff)
    return known[found[0]] if found else ""


def find_misspelt(word: str, words: Iterable[str]) -> str:
    """Return the known word that differs from this one by one letter, or by two that changed places; empty where none does.

    A plural is another word: `Corners` is no misspelt `Corner`.
    """
    folded = word.casefold()
    near = (known for known in words if _differs_by_one_typo(folded, known.casefold()))
    return next((known for known in near if not _is_plural(folded, known.casefold())), "")


def _is_plural(one: str, other: str) -> bool:
    """Return True if one word is the other and an `s`; `Passs` is no plural."""
    longer, shorter = max(one, other, key=len), min(one, other, key=len)
    return longer == f"{shorter}s" and not longer.endswith("ss")


def _differs_by_one_typo(one: str, other: str) -> bool:
    """Return True if one letter more, fewer or other, or two neighbours changed, make one word of the other."""
    if one == other or abs(len(one) - len(other)) > 1:
        return False
    # Up to the first letter that differs both are the same. With one typo, both are equal behind that letter.
    first = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    rest, other_rest = one[first:], other[first:]
    if len(one) != len(other):
        return rest[1:] == other_rest or rest == other_rest[1:]
    return rest[1:] == other_rest[1:] or (rest[:2] == other_rest[1::-1] and rest[2:] == other_rest[2:])


def describe_unknown(what: str, word: str, words: Sequence[str]) -> str:
    """Return `unknown key "macth", did you mean "match"?`, or the list of known words where none is near."""
    near = suggest(word, words)
    return f'unknown {what} "{word}"' + (f', did you mean "{near}"?' if near else f"; known: {', '.join(words)}")


def parse_duration(text: str) -> dt.timedelta:
    """Read `25s`, `15m`, `2h`, `1h30m` or `14d`. Raises ValueError with a sentence."""
    found = _DURATION_PATTERN.fullmatch(text.strip())
    if not found or not text.strip():
        raise ValueError(f'"{text}" is not a duration such as 25s, 15m, 2h or 1h30m')
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    total = ((days * 24 + hours) * 60 + minutes) * 60 + seconds
    if total > _MAX_DURATION_DAYS * 86400:
        raise ValueError(f'"{text}" is too long a time: {_MAX_DURATION_DAYS}d at most')
    return dt.timedelta(seconds=total)


def parse_integer(text: str) -> int:
    """Read a whole number. Raises ValueError with a sentence."""
    # Up to 18 digits fit in the 64 bits of a database. int() would also take `1_000`, and digits of other scripts.
    if not re.fullmatch(r"[+-]?[0-9]{1,18}", text.strip()):
        raise ValueError(f'"{text}" is not a whole number')
    return int(text)


def parse_boolean(text: str) -> bool:
    """Read true or false, the only booleans. Raises ValueError with a sentence."""
    if text in ("true", "false"):
        return text == "true"
    meant = _BOOLEAN_WORDS.get(text.casefold()) or (text.casefold() if text.casefold() in ("true", "false") else "")
    raise ValueError(f'write {meant}, not "{text}"' if meant else f'"{text}" is neither true nor false')


NOTHING_ELSEWHERE: Mapping[str, str] = {}
"""For mappings whose keys nobody writes under another name."""


def _describe_glued_key(word: str, keys: Sequence[str]) -> str:
    """Return what is missing between a key and its value: `kind:goal`; empty for any other word."""
    # Only where a known key comes first: any other word with a space in it is none.
    found = re.match(r"(\w+)(:|\s*=\s*|\s+)(\S.*)", word, re.DOTALL)
    if not found or found[1] not in keys:
        return ""
    # A value that goes on in the next line is no part of what is shown.
    value = found[3].split()[0]
    if found[2].isspace():
        return f"a colon is missing after {found[1]}: {found[1]}: {value}"
    if found[2] == ":":
        return f"a space is missing after the colon: {found[1]}: {value}"
    return f"a key and its value have a colon between them, not =: {found[1]}: {value}"


def _describe_invisible(word: str, keys: Sequence[str]) -> str:
    """Return that a key has a character that nobody sees, such as a space that does not break; empty if it has none."""
    visible = "".join(letter for letter in word if letter.isprintable() and not letter.isspace())
    if visible == word or visible not in keys:
        return ""
    return f'beside "{visible}" stands a character that is not seen, such as a space copied from a web page: write the line anew'


T = TypeVar("T")


class Reader:
    """Reads values of nodes and reports what is wrong with them. A method returns None after it reported a mistake."""

    def __init__(self, report: Report, rule: str = "") -> None:
        """`rule` is the name of the rule that mistakes belong to; empty outside rules."""
        self.report, self.rule = report, rule
        self.has_mistakes = False
        """True once this reader has reported a mistake."""

    def report_mistake(self, node: yaml.Node, sentence: str) -> None:
        """Report a mistake at a node."""
        self.has_mistakes = True
        self.report.add_mistake(location_of(node), sentence, self.rule)

    def report_warning(self, node: yaml.Node, sentence: str) -> None:
        """Report a warning at a node."""
        self.report.add_warning(location_of(node), sentence, self.rule)

    def report_mistake_in_text(self, node: yaml.Node, offset: int, sentence: str) -> None:
        """Report a mistake at a letter of a text, or at its beginning where its place in the file is not known."""
        self.has_mistakes = True
        self.report.add_mistake(locate_in_text(node, offset, self.report), sentence, self.rule)

    def report_warning_in_text(self, node: yaml.Node, offset: int, sentence: str) -> None:
        """Report a warning at a letter of a text."""
        self.report.add_warning(locate_in_text(node, offset, self.report), sentence, self.rule)

    def report_note(self, node: yaml.Node, sentence: str) -> None:
        """Report what is right and worth knowing at a node."""
        self.report.add_note(location_of(node), sentence, self.rule)

    def read_mapping(
        self, node: yaml.Node, what: str, keys: Sequence[str], elsewhere: Mapping[str, str] = NOTHING_ELSEWHERE
    ) -> dict[str, yaml.Node] | None:
        """Return the values of a mapping by key. Unknown keys are mistakes; the known ones are read all the same.

        `elsewhere` says of keys that people write here, and of other words for the known ones, what to do instead.
        """
        if is_null(node):
            self.report_mistake(node, f"{what} is empty")
            return None
        if not isinstance(node, yaml.MappingNode):
            expected = f"{what} must be a mapping with {', '.join(keys[:-1])}{' and ' if len(keys) > 1 else ''}{keys[-1]}"
            glued = _describe_glued_key(node.value, keys) if isinstance(node, yaml.ScalarNode) else ""
            dashes = "take the dashes out" if isinstance(node, yaml.SequenceNode) and node.value else ""
            self.report_mistake(node, glued or f"{expected}{f': {dashes}' if dashes else ''}")
            return None
        # The known keys are read all the same, so that one misspelt key does not hide the mistakes of the others.
        for key, _ in mapping_items(node):
            if key.value not in keys:
                word = str(key.value)
                cure = elsewhere.get(word.strip().casefold(), "")
                invisible = _describe_invisible(word, keys)
                # The surest explanation first, and the nearest word last.
                sentence = invisible or _describe_glued_key(word, keys) or (f"{word}: {cure}" if cure else "")
                self.report_mistake(key, sentence or describe_unknown("key", word, keys))
        return {str(key.value): value for key, value in mapping_items(node) if key.value in keys}

    def read_list(self, node: yaml.Node, what: str) -> list[yaml.Node] | None:
        """Return the items of a list."""
        if is_null(node):
            self.report_mistake(node, f"{what} is empty: write a list, or leave the line out")
        elif not isinstance(node, yaml.SequenceNode):
            first = next((key.value for key, _ in mapping_items(node)), "")
            dash = f": a space is missing after the dash: - {first[1:]}" if re.match(r"-\w", first) else ""
            self.report_mistake(node, f"{what} must be a list{dash}")
        else:
            return list(node.value)
        return None

    def read_string(self, node: yaml.Node, what: str) -> str | None:
        """Return one text. Scalars are taken as they are written: `045` and `12:30` are not numbers."""
        if not isinstance(node, yaml.ScalarNode):
            self.report_mistake(
                node, f"{what} must be one text, not a {'list' if isinstance(node, yaml.SequenceNode) else 'mapping'}"
            )
        elif is_null(node) or not node.value.strip():
            self.report_mistake(node, f"{what} is empty")
        else:
            return str(node.value)
        return None

    def read_strings(self, node: yaml.Node, what: str) -> list[tuple[str, yaml.Node]] | None:
        """Return one text, or each text of a list, with its node."""
        nodes = list(node.value) if isinstance(node, yaml.SequenceNode) else [node]
        if not nodes:
            self.report_mistake(node, f"{what} is an empty list")
            return None
        words = [(word, child) for child in nodes if (word := self.read_string(child, what)) is not None]
        # Without the one that is wrong, a list such as that of `extends:` would mean something else.
        return words if len(words) == len(nodes) else None

    def read_parsed(self, node: yaml.Node, what: str, parse: Callable[[str], T]) -> T | None:
        """Return a text parsed by a function that raises ValueError with a sentence."""
        text = self.read_string(node, what)
        try:
            return None if text is None else parse(text)
        except ValueError as error:
            self.report_mistake(node, f"{what}: {error}")
            return None

    def read_choice(self, node: yaml.Node, what: str, choices: Sequence[str]) -> str | None:
        """Return one of a few words, which may be written in any letter case."""
        text = self.read_string(node, what)
        found = next((choice for choice in choices if text and choice.casefold() == text.strip().casefold()), None)
        if text is not None and found is None:
            self.report_mistake(node, describe_unknown(what, text, choices))
        return found
