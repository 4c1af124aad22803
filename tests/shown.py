"""What a program has shown, line by line."""

from __future__ import annotations

from collections.abc import Iterable


def assert_in_order(lines: Iterable[str], expected: Iterable[str]) -> None:
    """Assert that each of the expected words is in a line of its own, one after the other."""
    shown = list(lines)
    rest = iter(shown)
    for words in expected:
        assert any(words in line for line in rest), f"{words!r} does not follow in:\n" + "\n".join(shown)
