"""`touchline init` and `touchline schema`: the first files are right, and their schemas take them and mark mistakes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from click.testing import CliRunner

from bot.cli import main
from bot.commands.init import FILES
from bot.config.json_schema import SCHEMAS, format_schema
from tests.bot.config.test_json_schema import _Plain

PACKS = Path(__file__).parents[3] / "rules"
TESTS = Path(__file__).parents[2] / "rules" / "packs"


def _schema(kind: str) -> Any:
    return json.loads(CliRunner().invoke(main, ["schema", kind]).output)


def _takes(kind: str, text: str) -> bool:
    return bool(jsonschema.Draft7Validator(_schema(kind)).is_valid(yaml.load(text, Loader=_Plain)))  # noqa: S506 - it is a safe one


def test_the_first_files_are_right_and_prove_themselves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "new"
    written = CliRunner().invoke(main, ["init", str(folder)])
    assert written.exit_code == 0 and written.output.count(": written") == 7
    steps = [line.split()[-1] for line in written.output.splitlines()[-3:]]
    assert steps == [str(folder / name) for name in ("config.yaml", "rules.test.yaml", "derby.yaml")]
    monkeypatch.chdir(folder)
    monkeypatch.delenv("FEED_TOKEN", raising=False)
    monkeypatch.delenv("TELEGRAM_BOT_TOKEN", raising=False)

    checked = CliRunner().invoke(main, ["check"])
    assert checked.exit_code == 0 and "0 mistakes" in checked.output
    assert CliRunner().invoke(main, ["test", "rules.test.yaml"]).output.endswith("1 test passed\n")
    assert "Saka" in CliRunner().invoke(main, ["replay", "derby.yaml"]).output
    for name, (kind, _) in FILES.items():
        line, _, rest = (folder / name).read_text(encoding="utf-8").partition("\n")
        # A whole address, so that the file may be copied to any folder.
        schema = Path(line.removeprefix("# yaml-language-server: $schema=file://"))
        assert schema.is_absolute() and json.loads(schema.read_text()) == _schema(kind) and _takes(kind, rest)


def test_what_is_there_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("mine", encoding="utf-8")
    output = CliRunner().invoke(main, ["init", str(tmp_path)]).output

    assert f"{tmp_path / 'config.yaml'}: is there already, and stays as it is" in output
    assert (tmp_path / "config.yaml").read_text() == "mine" and (tmp_path / "rules.test.yaml").exists()


def test_a_place_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    refused = CliRunner().invoke(main, ["init", str(tmp_path / "file" / "folder")])

    assert refused.exit_code == 1 and refused.output.strip().endswith("it cannot be written: not a directory")


@pytest.mark.parametrize("path", sorted((PACKS / "scenarios").glob("*.yaml")), ids=lambda path: path.stem)
def test_shipped_scenarios_are_no_false_alarm(path: Path) -> None:
    assert _takes("scenarios", path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", sorted(TESTS.glob("*.test.yaml")), ids=lambda path: path.stem)
def test_tests_are_no_false_alarm(path: Path) -> None:
    assert _takes("tests", path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", sorted((PACKS / "packs").glob("*.yaml")), ids=lambda path: path.stem)
def test_packs_are_no_false_alarm(path: Path) -> None:
    assert _takes("rules", path.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("scenarios", "match: Arsenal"),
        ("scenarios", "{match: A v B, events: [10' gaol X (A)]}"),
        ("scenarios", "{match: A v B, shootout: [X (A) scores]}"),
        ("scenarios", "{match: A v B, listings: [12:10 kick-of 15:30]}"),
        ("tests", "tests: [{match: A v B}]"),
        ("tests", "tests: [{match: A v B, expect: [10' goal noisy]}]"),
        ("tests", "{pack: defualt, tests: []}"),
        ("rules", "rules: [{name: a, match: {action_typ: Goal}, alert: {kind: goal, text: x}}]"),
        ("rules", "telegram: {token: x}"),
    ],
)
def test_a_mistake_is_marked(kind: str, text: str) -> None:
    assert not _takes(kind, text)


def test_every_rule_and_test_of_the_cookbook_agrees_with_the_schemas() -> None:
    page = (PACKS.parent / "docs" / "cookbook.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)

    assert len(blocks) >= 40
    # A file of rules may be the list alone.
    assert [text for text in blocks if not _takes("tests" if text.startswith("tests:") else "rules", text)] == []


@pytest.mark.parametrize("kind", sorted(SCHEMAS))
def test_each_schema_is_one(kind: str) -> None:
    jsonschema.Draft7Validator.check_schema(json.loads(format_schema(SCHEMAS[kind]())))
