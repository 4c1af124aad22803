"""The compose files say nothing that the program, the image or the example configuration does not know."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from bot.app.application import STOP_TIMEOUT
from bot.cli import main
from bot.cluster.roles import are_enough_alone, read_roles
from bot.config.load import load_config
from deploy.dockerfile import stages

ROOT = Path(__file__).parents[2]
FILES = sorted(ROOT.glob("compose*.yaml"))
IMAGE = stages((ROOT / "Dockerfile").read_text(encoding="utf-8"))[-1]
EXAMPLE = (ROOT / "config.example.yaml").read_text(encoding="utf-8")

each_file = pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)


def _read(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return found


def _ours(file: Path) -> dict[str, dict[str, Any]]:
    """The services that run Touchline."""
    return {name: service for name, service in _read(file)["services"].items() if service["image"] == "touchline"}


def _seconds(text: str) -> int:
    return int(text.removesuffix("s"))


@each_file
def test_every_command_is_one_of_the_program(file: Path) -> None:
    assert isinstance(main, click.Group)
    for service in _ours(file).values():
        command, *words = service["command"]
        params = main.commands[command].make_context(command, words).params
        assert params["config_path"] == Path("/config/config.yaml")


@each_file
def test_every_variable_is_one_that_the_example_reads(file: Path) -> None:
    told = set(re.findall(r"\b[A-Z]+_(?:TOKEN|URL)\b", file.read_text(encoding="utf-8")))
    given = {name for service in _ours(file).values() for name in service.get("environment", {})}

    assert given <= told <= set(re.findall(r"\$\{(\w+)", EXAMPLE))


@each_file
def test_nothing_is_written_but_to_the_volume_of_the_image(file: Path) -> None:
    for service in _ours(file).values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert [volume for volume in service["volumes"] if not volume.endswith(":ro")] == [f"data:{IMAGE.last('VOLUME').words}"]


@each_file
def test_each_has_longer_to_stop_than_it_takes(file: Path) -> None:
    assert [name for name, service in _ours(file).items() if _seconds(service["stop_grace_period"]) < 2 * STOP_TIMEOUT] == []


@each_file
def test_every_volume_and_service_that_is_named_is_there(file: Path) -> None:
    whole = _read(file)
    named = [volume.partition(":")[0] for service in whole["services"].values() for volume in service["volumes"]]
    waited_for = {name: how for service in _ours(file).values() for name, how in service.get("depends_on", {}).items()}

    assert {name for name in named if not name.startswith(".")} == set(whole["volumes"])
    assert all(
        how == {"condition": "service_healthy"} and whole["services"][name]["healthcheck"] for name, how in waited_for.items()
    )


def test_the_roles_are_two_feeds_two_senders_and_one_chat_on_postgresql(tmp_path: Path) -> None:
    services = _ours(ROOT / "compose.scale.yaml")
    counts = {service["command"][2]: service.get("deploy", {}).get("replicas", 1) for service in services.values()}
    (tmp_path / "config.yaml").write_text(EXAMPLE, encoding="utf-8")
    url = services["feed"]["environment"]["DATABASE_URL"]

    assert counts == {"feed": 2, "send": 2, "chat": 1}
    assert are_enough_alone(read_roles(counts))
    assert load_config(tmp_path / "config.yaml", {"DATABASE_URL": url}).storage.url == url
