"""The page about rules names every word there is, and its examples are rules."""

import re
from pathlib import Path

import pytest

from rules.alert import KINDS
from rules.asking import KEYS
from rules.conditions import PERIODS, SCORES
from rules.expect import read, run
from rules.load import ALERT_KEYS, load_rules
from rules.template import VARIABLES

PAGE = (Path(__file__).parent.parent.parent / "docs" / "rules.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
EXAMPLES = [block for block in BLOCKS if "tests:" not in block]


@pytest.mark.parametrize("word", [*KEYS, *ALERT_KEYS, *VARIABLES, *KINDS, *SCORES])
def test_every_word_is_explained(word: str) -> None:
    assert f"`{word}`" in PAGE


def test_every_period_is_named() -> None:
    aliases = {"before kickoff", "penalty shootout"}

    assert [period for period in PERIODS if period not in aliases and f"`{period}`" not in PAGE] == []


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_every_example_can_be_read(number: int) -> None:
    assert load_rules(EXAMPLES[number]).rules


def test_the_tests_that_are_shown_are_passed_by_the_rules_that_are_shown() -> None:
    shown = next(load_rules(block) for block in EXAMPLES if "late goals of Arsenal" in block)
    tests = [test for block in BLOCKS if block not in EXAMPLES for test in read(block).tests]

    assert tests and [run(test, shown).diff for test in tests] == [()] * len(tests)
