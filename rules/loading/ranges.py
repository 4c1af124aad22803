"""Ranges of numbers and minutes: `{from: 80, to: 90}`, and the short forms that people write, such as `80-90` and `>80`."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Generic, TypeVar

import yaml

from rules.football.minute import LAST_MINUTE, Minute
from rules.loading.values import Reader

RangeValue = TypeVar("RangeValue", int, Minute)


class Range(Generic[RangeValue]):
    """The values from `low` to `high`, both included; None where that end is open."""

    __slots__ = ("high", "low")

    def __init__(self, low: RangeValue | None, high: RangeValue | None) -> None:
        self.low: RangeValue | None = low
        self.high: RangeValue | None = high

    def contains(self, value: RangeValue | None) -> bool:
        """Return True if the value lies in the range; None never does."""
        if value is None:
            return False
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)

    def __str__(self) -> str:
        """Return the range in its normal form: `90`, `from 80`, `to 45+2` or `from 80 to 90`."""
        if self.low is not None and self.low == self.high:
            return str(self.low)
        ends = (("from", self.low), ("to", self.high))
        return " ".join(f"{word} {end}" for word, end in ends if end is not None)


_VALUE = r"\d{1,3}(?:\s*\+\s*\d{1,2})?'?"

_COMPARISONS = {">": ">", ">=": ">=", "=>": ">=", "≥": ">=", "<": "<", "<=": "<=", "=<": "<=", "≤": "<=", "=": "=", "==": "="}

_WORD_COMPARISONS = {
    "from": ">=", "since": ">=", "at least": ">=", "min": ">=", "after": ">", "over": ">", "more than": ">",
    "to": "<=", "until": "<=", "till": "<=", "up to": "<=", "at most": "<=", "max": "<=", "before": "<", "under": "<",
    "less than": "<",
}  # fmt: skip

# The longest first: of `>=80` the sign `>` would else match first, and leave `=80` for the value.
_COMPARED = re.compile(
    rf"({'|'.join(sorted(map(re.escape, (*_COMPARISONS, *_WORD_COMPARISONS)), key=len, reverse=True))})\s*({_VALUE})",
    re.IGNORECASE,
)

# A dash of any length, dots or a word between two values. A minus sign cannot be meant: no value is below zero.
_SPAN = re.compile(rf"(?:from\s+|between\s+)?({_VALUE})\s*(?:-|–|—|\.{{2,3}}|…|\bto\b|\buntil\b)\s*({_VALUE})", re.IGNORECASE)

# Only after `between` is `and` a range: `80 and 90` may be two values, as the list `[80, 90]` may be.
_BETWEEN = re.compile(rf"between\s+({_VALUE})\s*\band\b\s*({_VALUE})", re.IGNORECASE)

_OPEN_END = re.compile(rf"({_VALUE})\s*(\+|or more|or later|and later|and more|onwards)", re.IGNORECASE)

_OPEN_BEGINNING = re.compile(rf"({_VALUE})\s*(?:or less|or earlier|and earlier)", re.IGNORECASE)


_AND = re.compile(r"\s*(?:\band\b|&&?|,|\s(?=[<>=≥≤]))\s*", re.IGNORECASE)

_CHAIN = re.compile(rf"({_VALUE})\s*(<=?|≤)\s*[a-z_ ]*(<=?|≤)\s*({_VALUE})", re.IGNORECASE)
"""`80 <= minute < 90`"""


class RangeReader(Generic[RangeValue]):
    """Reads a single value, `{from, to}`, or a range as people write it: `80-90`, `>80`, `90+`, `<= 1`."""

    def __init__(self, parse: Callable[[str], RangeValue], step: Callable[[RangeValue, int], RangeValue]) -> None:
        """`step` returns the next value after one, or with -1 the one before it; it raises ValueError if there is none."""
        self._parse: Callable[[str], RangeValue] = parse
        self._step: Callable[[RangeValue, int], RangeValue] = step

    def read(self, reader: Reader, node: yaml.Node, what: str) -> Range[RangeValue] | None:
        """Read a range; None after a mistake."""
        # `[80, 90]` may be a range or two values, so it is neither.
        if isinstance(node, yaml.SequenceNode):
            self._refuse_list(reader, node, what)
            return None
        if not isinstance(node, yaml.MappingNode):
            return reader.read_parsed(node, what, self._parse_words)
        fields = reader.read_mapping(node, what, ("from", "to"), _OTHER_ENDS)
        if not fields:
            # A mapping with unknown keys alone has its mistake already.
            if not node.value:
                reader.report_mistake(node, f"{what} needs from, to or both")
            return None
        ends = {key: reader.read_parsed(at, f"{what} {key}", self._parse) for key, at in fields.items()}
        if None in ends.values():
            return None
        low, high = ends.get("from"), ends.get("to")
        if low is not None and high is not None and low > high:
            reader.report_mistake(node, f"{what} runs from {low} to {high}: no value lies between")
            return None
        return Range(low, high)

    def _parse_words(self, text: str) -> Range[RangeValue]:
        """Read a scalar. Raises ValueError with a sentence."""
        written = text.strip()
        # The forms with two values before those with one; each must match the whole text, so that no number is overlooked.
        if found := _SPAN.fullmatch(written) or _BETWEEN.fullmatch(written):
            low, high = self._parse(_join(found[1])), self._parse(_join(found[2]))
            if low > high:
                raise ValueError(f"it runs from {low} to {high}: no value lies between; write {{from: {high}, to: {low}}}")
            return Range(low, high)
        if found := _COMPARED.fullmatch(written):
            value = self._parse(_join(found[2]))
            sign = found[1].casefold()
            return self._compare(_COMPARISONS.get(sign) or _WORD_COMPARISONS[sign], value)
        if found := _OPEN_END.fullmatch(written):
            return Range(self._parse(_join(found[1])), None)
        if found := _OPEN_BEGINNING.fullmatch(written):
            return Range(None, self._parse(_join(found[1])))
        if found := _CHAIN.fullmatch(written):
            # `80 <= minute` is `minute >= 80`: the first sign is turned round.
            return self._intersect(f"{'>' if found[2] == '<' else '>='}{found[1]}", f"{found[3]}{found[4]}")
        parts = _AND.split(written)
        if len(parts) == 2 and all(_COMPARED.fullmatch(part) for part in parts):
            return self._intersect(parts[0], parts[1])
        # The text as it was written, since the sentence of a mistake quotes it.
        try:
            value = self._parse(text)
        except ValueError as error:
            raise ValueError(f"{error}{_suggest_range(written)}") from None
        return Range(value, value)

    def _intersect(self, one: str, other: str) -> Range[RangeValue]:
        """Return what two comparisons have in common. Raises ValueError if that is nothing."""
        ranges = self._parse_words(one), self._parse_words(other)
        low = max((each.low for each in ranges if each.low is not None), default=None)
        high = min((each.high for each in ranges if each.high is not None), default=None)
        if low is not None and high is not None and low > high:
            raise ValueError(f"no value is both {one.strip()} and {other.strip()}")
        return Range(low, high)

    def _compare(self, sign: str, value: RangeValue) -> Range[RangeValue]:
        # A range includes both its ends, so `>80` begins at the value after 80.
        if sign == "=":
            return Range(value, value)
        if sign.startswith(">"):
            return Range(value if sign == ">=" else self._step(value, 1), None)
        return Range(None, value if sign == "<=" else self._step(value, -1))

    def _refuse_list(self, reader: Reader, node: yaml.SequenceNode, what: str) -> None:
        words = [child.value for child in node.value if isinstance(child, yaml.ScalarNode)]
        cure = f"one range is expected: write {{from: 80, to: 90}} for {what}"
        # With the numbers of the list where there are some, so that the line can be copied.
        if len(words) == 2:
            cure = f"a list may mean two things: write {{from: {words[0]}, to: {words[1]}}} for all between"
        elif len(words) > 2:
            cure = f"one range is expected: write {{from: {words[0]}, to: {words[-1]}}}"
        alone = ", ".join(f"{{{what}: {word}}}" for word in words)
        both = f", or any: [{alone}] for each" if len(words) == 2 and " " not in what else ""
        reader.report_mistake(node, f"{what}: {cure}{both}")


_OTHER_ENDS = {
    **dict.fromkeys(
        ("min", "minimum", "gte", "ge", "start", "begin", "since", "after", "gt", "low"), "the lower end is called from"
    ),
    **dict.fromkeys(
        ("max", "maximum", "lte", "le", "end", "until", "till", "before", "lt", "high"), "the upper end is called to"
    ),
}
"""Other words that people write for the ends of a range."""


def _suggest_range(text: str) -> str:
    """Return how a range of the numbers in a text is written, as the end of a sentence; empty where that is not plain."""
    numbers = [_join(number.rstrip("'")) for number in re.findall(_VALUE, text)]
    # 2.5 and 1e2 are one number each, and of no use here.
    if re.search(r"\d[.a-z]\w*\d", text, re.IGNORECASE):
        return ""
    if len(numbers) == 2 and int(numbers[0].split("+")[0]) < int(numbers[1].split("+")[0]):
        return f"; all from one to the other is written {numbers[0]}-{numbers[1]}"
    if len(numbers) != 1:
        return ""
    if re.match(r"!=|<>|≠|not\b", text, re.IGNORECASE):
        return f"; all but {numbers[0]} is written with not: beside the other conditions"
    return f"; a range is written >={numbers[0]}, >{numbers[0]} or <{numbers[0]}"


def _join(text: str) -> str:
    """Return `45 + 2` as `45+2`."""
    return "".join(text.split())


_NOTHING_BELOW_0 = "no value is below 0"


def next_integer(value: int, by: int) -> int:
    """Return the next whole number, or with -1 the one before. Raises ValueError for the one before 0."""
    if value + by < 0:
        raise ValueError(_NOTHING_BELOW_0)
    return value + by


_LAST_MINUTES = frozenset(LAST_MINUTE.values())

LAST_ADDED = 99
"""More minutes of added time than any match has."""


def next_minute(value: Minute, by: int) -> Minute:
    """Return the next minute, which after the last of a half is added time, or with -1 the one before.

    Raises ValueError for the one before 0.
    """
    # After 45 comes 45+1, after 44 comes 45: only the last minute of a period has added time.
    if by > 0:
        return Minute(value.base, value.added + 1) if value.added or value.base in _LAST_MINUTES else Minute(value.base + 1)
    if value.added:
        return Minute(value.base, value.added - 1)
    before = value.base - 1
    if before < 0:
        raise ValueError(_NOTHING_BELOW_0)
    # Before 46 comes no 45 but the last minute of added time, however long that was.
    return Minute(before, LAST_ADDED) if before in _LAST_MINUTES else Minute(before)
