"""The example of the README: the rules, their test, and what `touchline test` prints, are the files in docs/example."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot.cli import main
from bot.commands.check import check_file

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "example"
README = (ROOT / "README.md").read_text(encoding="utf-8")


def read(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(FOLDER, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)


def run_test() -> Result:
    return CliRunner().invoke(main, ["test", "rules.test.yaml"])


@pytest.mark.parametrize("name", ["config.yaml", "rules.test.yaml", "passing.txt", "failing.txt"])
def test_the_readme_shows_the_files(name: str) -> None:
    assert read(name) in README


def test_the_rules_pass_their_test_and_are_without_a_warning() -> None:
    ran, check = run_test(), check_file(Path("config.yaml"), {})

    assert (ran.exit_code, ran.output) == (0, read("passing.txt"))
    assert (check.count("mistake"), check.count("warning")) == (0, 0)


def test_with_major_and_minor_exchanged_the_tests_fail() -> None:
    loud, silent = "importance: major                # with sound", "importance: minor                # silent"
    rules = read("config.yaml").replace(loud, "importance: minor").replace(silent, "importance: major")
    Path("config.yaml").write_text(rules, encoding="utf-8")

    ran = run_test()

    assert (ran.exit_code, ran.output) == (1, read("failing.txt"))
