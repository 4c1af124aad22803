"""Runs the tests of rules beside the editor, as `touchline test` does."""

from __future__ import annotations

import logging
import sys

import msgspec

from bot.config.sent_rules import parse_sent_rules
from bot.logs import configure_logging
from bot.replay.children import limit_processor_time, run_child
from rules.football.catalogue import load_catalogue
from rules.loading.loader import RulesInvalid, load_pack
from rules.scenarios.expectations import RuleTestsInvalid, read_tests, run_test

TEST_LIMIT = 20
"""Seconds of computing after which tests are given up: a text of the rules may loop."""

TESTS_NAME = "rules.test.yaml"
"""What mistakes call the text in the editor of tests."""

_TOOK_TOO_LONG = "these tests took too long; a text of the rules may loop"


class RuleTestRequest(msgspec.Struct, frozen=True):
    """Rules and their tests, both in YAML. Without rules those that ship are tested."""

    rules: str
    tests: str


class RuleTestOutcome(msgspec.Struct, frozen=True):
    """One test. `diff` is empty if it passed; else lines that begin with a space, - (missing) or + (sent and not expected)."""

    name: str
    line: int
    diff: tuple[str, ...] = ()


class RuleTestReport(msgspec.Struct, frozen=True):
    """All tests, or why they could not be run."""

    outcomes: tuple[RuleTestOutcome, ...] = ()
    mistakes: tuple[str, ...] = ()

    @property
    def summary(self) -> str:
        """Return `3 of 3 tests passed`."""
        passed = sum(not outcome.diff for outcome in self.outcomes)
        return f"{passed} of {len(self.outcomes)} tests passed"


async def run_rule_tests(request: RuleTestRequest) -> RuleTestReport:
    """Run the tests in a process of its own. A failure becomes a mistake; nothing is raised."""
    # In a child that can be killed: a text of a rule may loop, and this process serves a running bot.
    try:
        answer = await run_child("bot.console.rule_tests", msgspec.json.encode(request))
    except OSError as error:
        return RuleTestReport(mistakes=(f"the tests cannot be started: {error.strerror}",))
    if answer.is_late:
        return RuleTestReport(mistakes=(_TOOK_TOO_LONG,))
    try:
        return msgspec.json.decode(answer.stdout, type=RuleTestReport)
    except msgspec.DecodeError:
        return RuleTestReport(mistakes=("these tests could not be run",))


def run_in_process(request: RuleTestRequest) -> RuleTestReport:
    """Run the tests against the rules. The files that a test names are not read: it tests the rules beside it."""
    catalogue = load_catalogue()
    try:
        tests = read_tests(request.tests, TESTS_NAME).tests
        rules = parse_sent_rules(request.rules, "rules.yaml", catalogue).rules if request.rules.strip() else load_pack()
    except (RuleTestsInvalid, RulesInvalid) as error:
        return RuleTestReport(mistakes=tuple(error.mistakes))
    results = [run_test(test, rules, catalogue) for test in tests]
    return RuleTestReport(tuple(RuleTestOutcome(one.test.name, one.test.location.line, one.diff) for one in results))


if __name__ == "__main__":
    # Standard output is the answer, so the log has only what is an error.
    limit_processor_time(TEST_LIMIT)
    configure_logging(level=logging.ERROR)
    sys.stdout.buffer.write(
        msgspec.json.encode(run_in_process(msgspec.json.decode(sys.stdin.buffer.read(), type=RuleTestRequest)))
    )
