"""Tests that wait are spread over the whole suite, and no module is torn apart."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from tests.order import spread_waiting_tests

FOLDER = Path("tests/e2e")


class Case(NamedTuple):
    path: Path
    number: int


def module(path: str, tests: int) -> list[Case]:
    return [Case(Path(path), number) for number in range(tests)]


def names(tests: list[Case]) -> list[str]:
    return [test.path.stem for test in tests]


def test_modules_that_wait_come_at_even_distances_and_not_in_the_end() -> None:
    waiting = [*module("tests/e2e/w0.py", 2), *module("tests/e2e/w1.py", 1), *module("tests/e2e/w2.py", 1)]
    others = [test for number in range(10) for test in module(f"tests/rules/m{number}.py", 1)]

    found = spread_waiting_tests([*others[:5], *waiting, *others[5:]], FOLDER)

    assert " ".join(names(found)) == "w0 w0 m0 m1 m2 w1 m3 m4 m5 w2 m6 m7 m8 m9"


def test_a_module_is_not_torn_apart_and_its_tests_keep_their_order() -> None:
    tests = [*module("tests/rules/big.py", 20), *module("tests/e2e/w0.py", 3), *module("tests/e2e/w1.py", 3)]

    found = spread_waiting_tests(tests, FOLDER)

    assert found == [*tests[20:23], *tests[:20], *tests[23:]]


@pytest.mark.parametrize("path", ["tests/e2e/only.py", "tests/rules/only.py"])
def test_tests_of_one_kind_stay_as_they_are(path: str) -> None:
    tests = [*module(path, 3), *module(path.replace("only", "other"), 2)]

    assert spread_waiting_tests(tests, FOLDER) == tests
    assert spread_waiting_tests([], FOLDER) == []
