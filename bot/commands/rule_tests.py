"""The command `test`: runs the tests of rules."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from bot.commands.common import config_option, is_default
from bot.config.load import load_rules_of
from bot.errors import ConfigInvalid, UserMistake, explain_file_error
from rules.engine.rule import RuleSet
from rules.football.catalogue import Catalogue, load_catalogue
from rules.loading.loader import list_packs, load_pack
from rules.loading.values import describe_unknown
from rules.scenarios.expectations import RuleTestFile, RuleTestResult, RuleTestsInvalid, read_tests, run_test


@click.command()
@config_option
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.pass_context
def test_command(ctx: click.Context, config_path: Path, files: tuple[Path, ...]) -> None:
    """Play the matches of FILES and compare the alerts of the rules with the expected ones; exit 1 if they differ."""

    def load_active() -> Any:
        return load_rules_of(config_path, os.environ, optional=is_default(ctx, "config_path"))

    # All before the first line: a file that cannot be read is reported without half a result above it.
    results = [result for file in files for result in run_tests(file, os.environ, load_active)]
    for outcome in results:
        for line in format_outcome(outcome):
            click.secho(line, fg={"-": "red", "+": "green", "✗": "red"}.get(line.strip()[:1]))
    click.echo(format_test_summary(results))
    ctx.exit(any(not outcome.is_passed for outcome in results))


LoadActiveRules = Callable[[], tuple[RuleSet, Catalogue]]
"""Loads the rules that are tested if a file names neither a pack nor a configuration; called only then."""


def run_tests(path: Path, env: Mapping[str, str], load_active: LoadActiveRules) -> Iterator[RuleTestResult]:
    """Run the tests of a file in order; raise UserMistake if it, or the rules that it names, cannot be read."""
    tests = _read_test_file(path)
    rules, catalogue = _select_rules(path, tests, env, load_active)
    yield from (run_test(test, rules, catalogue) for test in tests.tests)


def _read_test_file(path: Path) -> RuleTestFile:
    try:
        # Some editors write a byte order mark, which YAML would take for a character of the first key.
        return read_tests(path.read_bytes().decode("utf-8-sig"), str(path))
    except OSError as error:
        raise UserMistake(f"{path}: it cannot be read: {explain_file_error(error)}") from error
    except UnicodeDecodeError as error:
        raise UserMistake(f"{path}: this is not text in UTF-8") from error
    except RuleTestsInvalid as error:
        raise ConfigInvalid(error.mistakes) from error


def _select_rules(
    path: Path, tests: RuleTestFile, env: Mapping[str, str], load_active: LoadActiveRules
) -> tuple[RuleSet, Catalogue]:
    # A file that names its rules tests the same ones wherever it is run. Without that it tests the configuration at hand.
    if tests.pack:
        if tests.pack not in list_packs():
            raise UserMistake(f"{path}: {describe_unknown('pack', tests.pack, list_packs())}")
        return load_pack(tests.pack), load_catalogue()
    return load_rules_of(path.parent / tests.rules, env) if tests.rules else load_active()


def format_outcome(outcome: RuleTestResult) -> Iterator[str]:
    """Yield one line for a test that passes; for one that fails, also the messages that differ."""
    if outcome.is_passed:
        yield f"✓ {outcome.test.name}"
        return
    yield f"✗ {outcome.test.name}  {outcome.test.location}"
    yield from (f"    {line}" for line in outcome.diff)


def format_test_summary(outcomes: list[RuleTestResult]) -> str:
    """Return `3 tests passed`, or `1 of 3 tests failed: - is missing, + is sent and not expected`."""
    failed, number = sum(not outcome.is_passed for outcome in outcomes), len(outcomes)
    tests = "1 test" if number == 1 else f"{number} tests"
    return f"{failed} of {tests} failed: - is missing, + is sent and not expected" if failed else f"{tests} passed"
