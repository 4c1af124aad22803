"""What the documentation says is true: links lead somewhere, commands, targets and settings exist, examples can be read."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import click
import click.shell_completion
import pytest

from bot.cli import COMMANDS, main
from rules.loading.loader import load_rules
from rules.scenarios.expectations import read_tests, run_test
from rules.scenarios.parser import SCENARIO_KEYS, SHIPPED_SCENARIOS, load_scenario, parse_scenario
from rules.scenarios.scenario import SCENARIO_KINDS

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


def test_the_list_of_commands_shows_each_one_as_its_own_help_does() -> None:
    assert isinstance(main, click.Group)
    helps = {name: (command.help or "").splitlines()[0] for name, command in main.commands.items()}

    assert helps == {name: line for name, (_, line) in COMMANDS.items()}
    assert [name for name, command in main.commands.items() if command.name != name] == []


def test_the_list_of_commands_is_shown_without_importing_any() -> None:
    code = "import sys, bot.cli; bot.cli.main(['--help'], standalone_mode=False); sys.exit('bot.commands.backup' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True).returncode == 0


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_make_target_that_is_named_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = re.findall(r"`make ([a-z-]+)", _prose(page)) + [
        t for b in _blocks(page, "sh") for t in re.findall(r"^ *make ([a-z-]+)", b, re.M)
    ]

    assert set(named) <= targets


def test_every_module_that_the_design_names_exists() -> None:
    text = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")
    files = re.findall(r"`((?:rules|bot)/[\w/]+\.(?:py|yaml))`", text)
    layers = set(re.findall(r"\bbot(?:\.[a-z]+)+\b", text))

    assert [file for file in files if not (ROOT / file).exists()] == []
    assert [
        m for m in layers if not (ROOT / f"{m.replace('.', '/')}.py").exists() and not (ROOT / m.replace(".", "/")).is_dir()
    ] == []


def test_the_design_names_every_package_of_the_ladder() -> None:
    contracts = _project()["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["id"] == "layers")
    packages = {name.strip().rpartition(".")[2] for layer in layers for name in layer.split("|")}
    text = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")

    assert [name for name in packages if not re.search(rf"\b{name}\b", text)] == []


def test_every_package_is_listed_and_every_data_file_is_packed() -> None:
    setuptools = _project()["tool"]["setuptools"]
    packages = {".".join(p.parent.relative_to(ROOT).parts) for top in ("rules", "bot") for p in (ROOT / top).rglob("__init__.py")}
    packed = {
        path
        for package, patterns in setuptools["package-data"].items()
        for pattern in patterns
        for path in (ROOT / package.replace(".", "/")).glob(pattern)
    }

    assert {p for p in packages if ".migrations" not in p} == set(setuptools["packages"])
    assert set((ROOT / "rules").rglob("*.yaml")) <= packed


def _read_lock(name: str) -> dict[str, str]:
    return dict(re.findall(r"^([\w.-]+)==(\S+)$", (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE))


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-runtime.lock"])
def test_the_lock_pins_every_dependency_and_names_no_index(name: str) -> None:
    lock = (ROOT / name).read_text(encoding="utf-8")
    project = _project()["project"]
    extras = [names for extra, names in project["optional-dependencies"].items() if extra != "bench"]
    wanted = [*project["dependencies"], *([] if "runtime" in name else [name for names in extras for name in names])]

    assert {re.split(r"[<>=]", name)[0].lower() for name in wanted} <= _read_lock(name).keys()
    assert "://" not in lock
    assert "--" not in lock


def test_what_a_demo_installs_is_what_everything_else_runs_with() -> None:
    assert _read_lock("requirements-runtime.lock").items() <= _read_lock("requirements.lock").items()


def test_the_documentation_of_scenarios_names_every_word_and_key_and_its_example_can_be_read() -> None:
    page = ROOT / "docs" / "scenarios.md"
    text = page.read_text(encoding="utf-8")
    whole, kicks, listings = _blocks(page, "yaml")

    assert [word for word in SCENARIO_KINDS if f"`{word}" not in text] == []
    assert [key for key in SCENARIO_KEYS if f"{key}:" not in text] == []
    assert [name for name in SHIPPED_SCENARIOS if f"`{name}`" not in text] == []
    assert len(parse_scenario(whole + kicks, page.name).events) == 5
    assert len(parse_scenario(f"match: A v B\nkickoff: 2026-11-21T15:00Z\n{listings}", page.name).listings) == 3


def test_the_rules_that_the_readme_shows_pass_the_tests_that_it_shows() -> None:
    rules_text, tests_text = _blocks(ROOT / "README.md", "yaml")
    rules = load_rules(rules_text, "README.md")
    (test,) = read_tests(tests_text, "README.md").tests

    assert [rule.name for rule in rules.rules] == ["late goals of Arsenal", "all other goals"]
    assert run_test(test, rules).diff == ()


@pytest.mark.parametrize("name", SHIPPED_SCENARIOS)
def test_every_scenario_that_ships_can_be_read(name: str) -> None:
    assert load_scenario(name).events


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_gets_its_completion_as_the_readme_says(shell: str) -> None:
    assert f"_TOUCHLINE_COMPLETE={shell}_source touchline" in (ROOT / "README.md").read_text(encoding="utf-8")
    completed = click.shell_completion.get_completion_class(shell)
    assert completed is not None
    source = completed(main, {}, "touchline", "_TOUCHLINE_COMPLETE")
    assert [item.value for item in source.get_completions([], "re")] == ["record", "render", "replay", "restore"]
