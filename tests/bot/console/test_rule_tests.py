"""Tests of rules beside the editor."""

from __future__ import annotations

from bot.console.pages.rules import FIRST_RULES, FIRST_TESTS
from bot.console.rule_tests import RuleTestRequest, run_in_process


def test_the_tests_that_the_page_begins_with_pass_for_the_rules_that_it_begins_with() -> None:
    report = run_in_process(RuleTestRequest(FIRST_RULES, FIRST_TESTS))

    assert (report.mistakes, report.summary) == ((), "1 of 1 tests passed")


def test_a_test_that_fails_says_where_and_what_differs() -> None:
    (outcome,) = run_in_process(RuleTestRequest(FIRST_RULES.replace("80", "89"), FIRST_TESTS)).outcomes

    assert outcome.line == 2
    assert [line[0] for line in outcome.diff] == [" ", "-", "+"]


def test_mistakes_of_the_tests_and_of_the_rules_are_told_with_their_places() -> None:
    assert run_in_process(RuleTestRequest("", "tests: [{match: A v B}]")).mistakes[0].startswith("rules.test.yaml:1:")
    assert run_in_process(RuleTestRequest("rules: []\nx: 1", FIRST_TESTS)).mistakes[0].startswith("rules.yaml:")


def test_without_rules_those_that_ship_are_tested_and_no_file_that_the_tests_name() -> None:
    report = run_in_process(RuleTestRequest("", "rules: /etc/passwd\n" + FIRST_TESTS))

    assert (report.mistakes, [bool(one.diff) for one in report.outcomes]) == ((), [True])
