"""What `touchline test` does: reads files of tests and plays them against the rules that they name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from bot.config import rules_of
from bot.errors import ConfigInvalid, UserMistake
from rules.catalogue import Catalogue
from rules.catalogue import shipped as shipped_names
from rules.document import unknown
from rules.expect import Outcome, Tests, TestsInvalid, read, run
from rules.load import pack, packs
from rules.rule import RuleSet

InUse = Callable[[], tuple[RuleSet, Catalogue]]
"""The rules where a file of tests names none."""


def outcomes(path: Path, env: Mapping[str, str], in_use: InUse) -> Iterator[Outcome]:
    """Every test of a file, played in order; raise UserMistake where it, or the rules that it names, cannot be read."""
    tests = _read(path)
    rules, names = _rules(path, tests, env, in_use)
    yield from (run(test, rules, names) for test in tests.tests)


def _read(path: Path) -> Tests:
    try:
        return read(path.read_bytes().decode("utf-8-sig"), str(path))
    except OSError as error:
        raise UserMistake(f"{path}: it cannot be read: {(error.strerror or 'unknown trouble').lower()}") from error
    except UnicodeDecodeError as error:
        raise UserMistake(f"{path}: this is not text in UTF-8") from error
    except TestsInvalid as error:
        raise ConfigInvalid(error.mistakes) from error


def _rules(path: Path, tests: Tests, env: Mapping[str, str], in_use: InUse) -> tuple[RuleSet, Catalogue]:
    if tests.pack:
        if tests.pack not in packs():
            raise UserMistake(f"{path}: {unknown('pack', tests.pack, packs())}")
        return pack(tests.pack), shipped_names()
    return rules_of(path.parent / tests.rules, env) if tests.rules else in_use()


def lines(outcome: Outcome) -> Iterator[str]:
    """One line for a test that passes; for one that does not, where what is told differs."""
    if outcome.passed:
        yield f"✓ {outcome.test.name}"
        return
    yield f"✗ {outcome.test.name}  {outcome.test.place}"
    yield from (f"    {line}" for line in outcome.diff)


def summary(all_of_them: list[Outcome]) -> str:
    """`3 tests passed`, or `1 of 3 tests failed: - is missing, + is told and not expected`."""
    failed, number = sum(not outcome.passed for outcome in all_of_them), len(all_of_them)
    tests = "1 test" if number == 1 else f"{number} tests"
    return f"{failed} of {tests} failed: - is missing, + is told and not expected" if failed else f"{tests} passed"
