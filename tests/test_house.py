"""What the documentation says is so: links lead somewhere, commands, targets and settings exist, examples can be read."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import click
import pytest

from bot.cli import main
from rules.expect import read as read_tests
from rules.expect import run
from rules.happening import What
from rules.load import load_rules
from rules.scenario import KEYS, SHIPPED, read, shipped

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")] + sorted((ROOT / "docs").rglob("*.md"))


def _project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def _blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^ *```{language}\n(.*?)^ *```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def _prose(page: Path) -> str:
    """The page without its blocks of code."""
    return re.sub(r"^ *```.*?^ *```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_to_a_file_that_is_there(page: Path) -> None:
    links = re.findall(r"\]\((?!https?://|#)([^)#]+)", page.read_text(encoding="utf-8"))

    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_and_option_that_is_named_exists(page: Path) -> None:
    quoted = re.findall(r"`(?:\.venv/bin/)?touchline ([a-z]+)\b([^`]*)`", _prose(page))
    typed = [found for block in _blocks(page, "sh") for found in re.findall(r"bin/touchline ([a-z]+)\b([^\n#]*)", block)]

    assert isinstance(main, click.Group)
    for command, rest in quoted + typed:
        assert command in main.commands, f"{page.name} names `touchline {command}`"
        options = {option for parameter in main.commands[command].params for option in parameter.opts} | {"--help"}
        assert set(re.findall(r"--[a-z-]+", rest)) <= options, f"{page.name} names options of `touchline {command}`"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_make_target_that_is_named_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = re.findall(r"`make ([a-z-]+)", _prose(page)) + [
        t for b in _blocks(page, "sh") for t in re.findall(r"^ *make ([a-z-]+)", b, re.M)
    ]

    assert set(named) <= targets


def test_every_module_that_the_house_describes_exists() -> None:
    text = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")
    files = re.findall(r"`((?:rules|bot)/[\w/]+\.(?:py|yaml))`", text)
    layers = set(re.findall(r"\bbot(?:\.[a-z]+)+\b", text))

    assert [file for file in files if not (ROOT / file).exists()] == []
    assert [
        m for m in layers if not (ROOT / f"{m.replace('.', '/')}.py").exists() and not (ROOT / m.replace(".", "/")).is_dir()
    ] == []


def test_the_layers_of_the_documentation_are_the_ones_that_are_checked() -> None:
    contracts = _project()["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["id"] == "layers")

    assert " → ".join(layers) in (ROOT / "docs" / "design.md").read_text(encoding="utf-8")


def test_every_package_is_listed_and_every_data_file_is_packed() -> None:
    setuptools = _project()["tool"]["setuptools"]
    packages = {".".join(p.parent.relative_to(ROOT).parts) for top in ("rules", "bot") for p in (ROOT / top).rglob("__init__.py")}
    data = list((ROOT / "rules").rglob("*.yaml"))

    assert {p for p in packages if ".migrations" not in p} == set(setuptools["packages"])
    assert all(any(p.relative_to(ROOT / "rules").match(g) for g in setuptools["package-data"]["rules"]) for p in data)


def test_the_lock_pins_every_dependency_and_names_no_index() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    project = _project()["project"]
    extras = [names for extra, names in project["optional-dependencies"].items() if extra != "bench"]
    wanted = [*project["dependencies"], *(name for names in extras for name in names)]
    pinned = {name.lower() for name in re.findall(r"^([\w.-]+)==\S+$", lock, re.MULTILINE)}

    assert {re.split(r"[<>=]", name)[0].lower() for name in wanted} <= pinned
    assert "://" not in lock
    assert "--" not in lock


def test_the_documentation_of_scenarios_names_every_word_and_key_and_its_example_can_be_read() -> None:
    page = ROOT / "docs" / "scenarios.md"
    text = page.read_text(encoding="utf-8")
    whole, kicks = _blocks(page, "yaml")

    assert [word for word in What if f"`{word}" not in text] == []
    assert [key for key in KEYS if f"{key}:" not in text] == []
    assert [name for name in SHIPPED if f"`{name}`" not in text] == []
    assert len(read(whole + kicks, page.name).events) == 5


def test_the_rules_that_the_readme_shows_pass_the_tests_that_it_shows() -> None:
    rules_text, tests_text = _blocks(ROOT / "README.md", "yaml")
    rules = load_rules(rules_text, "README.md")
    (test,) = read_tests(tests_text, "README.md").tests

    assert [rule.name for rule in rules.rules] == ["late goals of Arsenal", "all other goals"]
    assert run(test, rules).diff == ()


@pytest.mark.parametrize("name", SHIPPED)
def test_every_scenario_that_ships_can_be_read(name: str) -> None:
    assert shipped(name).events
