"""What the handbook tells operators to do, read and change is there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from pydantic import BaseModel

from bot.cli import main
from bot.config.models import ConfigSections

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "docs" / "operate"
PAGES = sorted(FOLDER.glob("*.md"))
SOURCES = "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "bot").rglob("*.py")))

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def _text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def _sections() -> dict[str, set[str]]:
    """The settings of each section of the configuration."""
    models = {name: field.annotation for name, field in ConfigSections.model_fields.items()}
    return {
        name: set(model.model_fields)
        for name, model in models.items()
        if isinstance(model, type) and issubclass(model, BaseModel)
    }


def test_the_index_names_every_page() -> None:
    index = _text(FOLDER / "README.md")

    assert [page.name for page in PAGES if page.name != "README.md" and f"]({page.name})" not in index] == []


def test_a_step_of_the_schema_only_adds_so_that_an_older_process_can_go_on_beside_it() -> None:
    """The first two steps are older than the promise of upgrades.md."""
    steps = [_text(path) for path in sorted((ROOT / "bot" / "storage" / "migrations" / "versions").glob("*.py"))[2:]]
    assert steps
    added = [column for step in steps for column in re.findall(r"add_column\((.*)\)", step)]

    assert [
        found for step in steps for found in re.findall(r"op\.(?:drop|alter|rename)_\w+|delete from", step, re.IGNORECASE)
    ] == []
    assert [column for column in added if "server_default" not in column and "nullable=True" not in column] == []


@each_page
def test_every_setting_that_is_named_exists(page: Path) -> None:
    sections = _sections()
    named = re.findall(rf"`({'|'.join(sections)})\.([a-z_]+)`", _text(page))

    assert [f"{section}.{key}" for section, key in named if key not in sections[section]] == []


@each_page
def test_every_event_and_metric_that_is_named_exists(page: Path) -> None:
    """A word with an underscore in quotes is an event, a setting or a table, or a metric of the page that lists them all."""
    words = set(re.findall(r"`([a-z]+(?:_[a-z]+)+)`", _text(page)))
    metrics = {word for word in words if word.startswith("touchline_")}

    assert [word for word in sorted(words - metrics) if word not in SOURCES] == []
    assert [word for word in sorted(metrics) if f"`{word}" not in _text(FOLDER / "monitoring.md")] == []


@each_page
def test_every_variable_that_is_named_is_read(page: Path) -> None:
    read = set(re.findall(r"\$\{(\w+)", _text(ROOT / "config.example.yaml")))
    read |= set(re.findall(r"\$\{(\w+)", _text(ROOT / "compose.scale.yaml")))
    named = set(re.findall(r"\b(?!HTTP_)[A-Z]+_(?:TOKEN|URL|PASSWORD)\b", _text(page)))

    assert named <= read


@each_page
def test_every_unit_and_service_that_is_commanded_exists(page: Path) -> None:
    units = {re.sub(r"@?\.service$", "", path.name) for path in (ROOT / "deploy" / "systemd").iterdir()}
    commanded = re.findall(r"systemctl (?:enable --now|restart|reload|stop|start|status) ([a-z][a-z.-]*[a-z])", _text(page))
    services = re.findall(
        r"docker compose (?:-f \S+ )?(?:run --rm|logs --follow|restart|stop|exec|up --detach --no-deps) ([a-z]+)", _text(page)
    )

    assert set(commanded) <= units
    assert set(services) <= _services()


@each_page
def test_every_command_line_can_be_read_by_the_program(page: Path) -> None:
    blocks = "\n".join(re.findall(r"```sh\n(.*?)```", _text(page), re.DOTALL))
    lines = re.findall(r"^(?:.*(?:/bin/|exec touchline |run --rm ))?touchline ([a-z]+ [^\n#']*)", blocks, re.MULTILINE)

    assert isinstance(main, click.Group)
    for line in lines:
        command, *words = shlex.split(line)
        assert main.commands[command].make_context(command, words), f"{page.name}: touchline {line}"


def _services() -> set[str]:
    files: list[dict[str, Any]] = [yaml.safe_load(_text(path)) for path in sorted(ROOT.glob("compose*.yaml"))]
    return {name for file in files for name in file["services"]}


@each_page
def test_every_file_that_a_command_takes_from_the_checkout_is_there(page: Path) -> None:
    blocks = "\n".join(re.findall(r"```sh\n(.*?)```", _text(page), re.DOTALL))
    named = re.findall(r"(?<![\w/.-])((?:deploy|docs)/\S+|[\w.]+\.(?:lock|example\.yaml)|compose\S*\.yaml)", blocks)

    assert [name for name in named if not list(ROOT.glob(name))] == []
