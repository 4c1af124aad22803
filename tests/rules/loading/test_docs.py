"""The page about rules names every word there is, and its examples are rules."""

import re
from pathlib import Path

import pytest

from rules.engine.alert import SHIPPED_KINDS
from rules.engine.text import TEXT_VARIABLES
from rules.loading.conditions import PERIOD_NAMES, SCORE_VALUES
from rules.loading.loader import load_rules
from rules.loading.rule_keys import ALERT_KEYS, MATCH_KEYS
from rules.scenarios.expectations import read_tests, run_test

PAGE = (Path(__file__).parents[3] / "docs" / "rules.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
EXAMPLES = [block for block in BLOCKS if "tests:" not in block]


@pytest.mark.parametrize("word", [*MATCH_KEYS, *ALERT_KEYS, *TEXT_VARIABLES, *SHIPPED_KINDS, *SCORE_VALUES])
def test_every_word_is_explained(word: str) -> None:
    assert f"`{word}`" in PAGE


def test_every_period_is_named() -> None:
    aliases = {"before kickoff", "penalty shootout"}

    assert [period for period in PERIOD_NAMES if period not in aliases and f"`{period}`" not in PAGE] == []


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_every_example_can_be_read(number: int) -> None:
    assert load_rules(EXAMPLES[number]).rules


def test_the_tests_that_are_shown_are_passed_by_the_rules_that_are_shown() -> None:
    shown = next(load_rules(block) for block in EXAMPLES if "late goals of Arsenal" in block)
    tests = [test for block in BLOCKS if block not in EXAMPLES for test in read_tests(block).tests]

    assert tests and [run_test(test, shown).diff for test in tests] == [()] * len(tests)
