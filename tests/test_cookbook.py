"""The cookbook: twenty rules, each of which passes its test and is told nothing by `touchline check` but notes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bot.commands.check import check_file
from rules.loading.loader import load_pack, load_rules
from rules.scenarios.expectations import read_tests, run_test

PAGE = (Path(__file__).parents[1] / "docs" / "cookbook.md").read_text(encoding="utf-8")
RECIPES = re.findall(r"^## (.+?)\n\n```yaml\n(.*?)```\n\n```yaml\n(.*?)```", PAGE, re.DOTALL | re.MULTILINE)


def test_the_cookbook_has_twenty_recipes() -> None:
    assert len(RECIPES) == len(re.findall("^## ", PAGE, re.MULTILINE)) == 20


@pytest.mark.parametrize(("title", "rules", "tests"), RECIPES, ids=[title for title, _, _ in RECIPES])
def test_a_recipe_passes_its_test_and_is_without_a_warning(title: str, rules: str, tests: str, tmp_path: Path) -> None:
    loaded = load_rules(rules)
    for test in read_tests(tests).tests:
        assert run_test(test, loaded).diff == ()

    (tmp_path / "config.yaml").write_text(f"rules:\n{rules}", encoding="utf-8")
    check = check_file(tmp_path / "config.yaml", {})
    assert (check.count("mistake"), check.count("warning")) == (0, 0)


MATCH_OF_A_BEGINNER = """\
kinds: [goal, red_card]
tests:
  - name: a match as a beginner hears it
    match: Arsenal v Chelsea
    events:
      - 10' goal Saka (Arsenal)
      - 40' own goal Rice (Arsenal)
      - 60' red card Silva (Chelsea)
      - 88' goal Saka (Arsenal)
    expect:
      - 10' goal (goals) loud
      - "40' goal (goals) loud: own goal"
      - 60' red_card (red cards) loud
      - 88' goal (late goals) loud
"""


def test_the_example_of_a_configuration_is_the_shipped_rules_and_two_of_its_own() -> None:
    example = (Path(__file__).parents[1] / "config.example.yaml").read_text(encoding="utf-8")
    rules = load_rules(example[example.index("\nextends:") :])
    (test,) = read_tests(MATCH_OF_A_BEGINNER).tests

    assert {rule.name for rule in load_pack().rules} < {rule.name for rule in rules.rules}
    assert run_test(test, rules).diff == ()
