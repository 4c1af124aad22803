"""The compose files say nothing that the program, the image or the example configuration does not know."""

from __future__ import annotations

import re
import shutil
import subprocess
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
    named = set(re.findall(r"\b[A-Z]+_(?:TOKEN|URL)\b", file.read_text(encoding="utf-8")))
    given = {name for service in _ours(file).values() for name in service.get("environment", {})}

    read = set(re.findall(r"\$\{(\w+)", EXAMPLE))
    # The driver of PostgreSQL reads its password itself, so that it need not stand in an address.
    assert given - {"PGPASSWORD"} <= read
    assert named <= read


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
    env = services["feed"]["environment"]
    loaded = load_config(tmp_path / "config.yaml", env)

    assert counts == {"feed": 2, "send": 2, "chat": 1}
    assert are_enough_alone(read_roles(counts))
    assert loaded.storage.url == env["DATABASE_URL"]


def test_prometheus_is_led_to_every_process_and_reaches_its_pages(tmp_path: Path) -> None:
    services = _ours(ROOT / "compose.scale.yaml")
    scrape = yaml.safe_load((ROOT / "deploy" / "prometheus.yaml").read_text(encoding="utf-8"))["scrape_configs"][0]
    (found,) = scrape["dns_sd_configs"]
    (tmp_path / "config.yaml").write_text(EXAMPLE, encoding="utf-8")

    assert (scrape["job_name"], sorted(found["names"])) == ("touchline", sorted(services))
    for service in services.values():
        # Every address of the container, and the port that is asked for.
        assert load_config(tmp_path / "config.yaml", service["environment"]).http.listen == f"0.0.0.0:{found['port']}"


@pytest.mark.skipif(shutil.which("promtool") is None, reason="there is no promtool: apt-get install prometheus")
def test_prometheus_takes_the_configuration_and_the_rules_that_are_mounted(tmp_path: Path) -> None:
    """Each file is put where the container has it."""
    for volume in _read(ROOT / "compose.scale.yaml")["services"]["prometheus"]["volumes"]:
        source, target, *_ = volume.split(":")
        if source.startswith("."):
            shutil.copy(ROOT / source, tmp_path / Path(target).relative_to("/etc/prometheus"))

    done = subprocess.run(
        ["promtool", "check", "config", tmp_path / "prometheus.yml"], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "alerts.yaml" in done.stdout


def test_the_password_of_the_database_stands_in_no_address() -> None:
    text = (ROOT / "compose.scale.yaml").read_text(encoding="utf-8")

    assert re.findall(r"://\S*\$\{POSTGRES_PASSWORD", text) == []
    assert {service["environment"]["PGPASSWORD"] for service in _ours(ROOT / "compose.scale.yaml").values()} == {
        _read(ROOT / "compose.scale.yaml")["services"]["database"]["environment"]["POSTGRES_PASSWORD"]
    }


@pytest.mark.parametrize("page", ["README.md", "docs/operate/first-day.md", "docs/operate/scaling.md"])
def test_the_containers_user_may_read_the_folder_that_a_person_makes_for_it(page: str, tmp_path: Path) -> None:
    (command,) = re.findall(r"^(mkdir .*config/config\.yaml.*)$", (ROOT / page).read_text(encoding="utf-8"), re.MULTILINE)
    shutil.copy(ROOT / "config.example.yaml", tmp_path)

    subprocess.run(["sh", "-c", f"umask 077; {command}"], cwd=tmp_path, check=True)  # as careful people have it

    assert (tmp_path / "config").stat().st_mode & 0o005 == 0o005
    assert (tmp_path / "config" / "config.yaml").stat().st_mode & 0o004


@each_file
def test_the_paths_of_the_example_lie_in_the_volume_and_the_user_of_the_image_owns_it(file: Path) -> None:
    volume = IMAGE.last("VOLUME").words
    uid = IMAGE.last("USER").words.partition(":")[0]
    (made,) = [step.words for step in IMAGE.steps if step.name == "RUN" and "useradd" in step.words]
    settings = yaml.safe_load(re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", EXAMPLE))["storage"]

    # Relative paths begin in the folder where the process works, which is the volume, made with its user.
    assert IMAGE.last("WORKDIR").words == volume
    assert f"--uid {uid} " in made and f"--home-dir {volume} --create-home" in made
    assert not Path(settings["last_matches_folder"]).is_absolute()
    assert re.fullmatch(r"sqlite:///[^/].*", settings["url"])
    for service in _ours(file).values():
        assert not {"user", "working_dir", "entrypoint"} & set(service)
        assert "/tmp" in service["tmpfs"]  # noqa: S108  # a dry run and a recording are written there first


@each_file
def test_the_health_check_of_the_image_reaches_the_pages_of_every_service(file: Path, tmp_path: Path) -> None:
    """It asks on loopback, so the pages have to be there, or on every address, at the port that it takes from the environment."""
    (tmp_path / "config.yaml").write_text(EXAMPLE, encoding="utf-8")
    for service in _ours(file).values():
        environment = service.get("environment", {})
        host, _, port = str(load_config(tmp_path / "config.yaml", environment).http.listen).rpartition(":")

        assert host in ("127.0.0.1", "0.0.0.0")  # noqa: S104
        assert port == str(environment.get("HTTP_PORT", 8080))
        assert "healthcheck" not in service
