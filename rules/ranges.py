"""A single value, or `{from, to}`: both ends belong to it and either may be left out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

import yaml

from rules.minute import Minute
from rules.reader import Reader

T = TypeVar("T", int, Minute)


class Range(Generic[T]):
    """From `low` to `high`; None where that end is open."""

    __slots__ = ("high", "low")

    def __init__(self, low: T | None, high: T | None) -> None:
        self.low: T | None = low
        self.high: T | None = high

    def holds(self, value: T | None) -> bool:
        """Tell whether the value lies in it; None never does."""
        if value is None:
            return False
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)

    @property
    def written(self) -> str:
        """`90`, `from 80`, `to 45+2` or `from 80 to 90`."""
        if self.low is not None and self.low == self.high:
            return str(self.low)
        ends = (("from", self.low), ("to", self.high))
        return " ".join(f"{word} {end}" for word, end in ends if end is not None)


def read_range(reader: Reader, node: yaml.Node, what: str, parse: Callable[[str], T]) -> Range[T] | None:
    """Read a single value or `{from, to}`; None where it is neither, which is reported."""
    if not isinstance(node, yaml.MappingNode):
        value = reader.parsed(node, what, parse)
        return None if value is None else Range(value, value)
    fields = reader.fields(node, what, ("from", "to"))
    if not fields:
        if not node.value:
            reader.mistake(node, f"{what} needs from, to or both")
        return None
    ends = {key: reader.parsed(at, f"{what} {key}", parse) for key, at in fields.items()}
    if None in ends.values():
        return None
    low, high = ends.get("from"), ends.get("to")
    if low is not None and high is not None and low > high:
        reader.mistake(node, f"{what} runs from {low} to {high}: no value lies between")
        return None
    return Range(low, high)
