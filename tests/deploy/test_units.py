"""The systemd units run commands that exist, with the settings of the example, and give each stop its time."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
from collections import defaultdict
from pathlib import Path

import click
import pytest

from bot.app.application import STOP_TIMEOUT
from bot.cli import main
from bot.cluster.roles import read_roles
from bot.config.models import StorageSettings

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "systemd"
UNITS = [FOLDER / "touchline.service", FOLDER / "touchline@.service"]
BACKUP = FOLDER / "touchline-backup.service"
EXAMPLE = (ROOT / "config.example.yaml").read_text(encoding="utf-8")

each_unit = pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)


def _settings(unit: Path) -> dict[str, list[str]]:
    """Every value of each key."""
    found: dict[str, list[str]] = defaultdict(list)
    for key, value in re.findall(r"^([A-Za-z]+)=(.*)$", unit.read_text(encoding="utf-8"), re.MULTILINE):
        found[key].append(value)
    return found


def _one(unit: Path, key: str) -> str:
    (value,) = _settings(unit)[key]
    return value


@each_unit
def test_its_command_is_one_of_the_program(unit: Path) -> None:
    program, command, *words = _one(unit, "ExecStart").replace("%i", "feed").split()

    assert isinstance(main, click.Group)
    assert Path(program).name == "touchline"
    params = main.commands[command].make_context(command, words).params
    assert params["config_path"] == Path("/etc/touchline/config.yaml")
    assert read_roles(params["roles"])


@each_unit
def test_a_reload_is_the_signal_that_reloads_and_a_stop_has_its_time(unit: Path) -> None:
    assert _one(unit, "ExecReload") == f"/bin/kill -{signal.SIGHUP.name.removeprefix('SIG')} $MAINPID"
    assert "KillSignal" not in _settings(unit)
    assert int(_one(unit, "TimeoutStopSec").removesuffix("s")) >= 2 * STOP_TIMEOUT


@each_unit
def test_what_is_written_lies_in_the_folder_that_it_may_write(unit: Path) -> None:
    storage = StorageSettings()

    assert _one(unit, "ProtectSystem") == "strict"
    assert _one(unit, "WorkingDirectory") == f"%S/{_one(unit, 'StateDirectory')}"
    assert not Path(storage.url.removeprefix("sqlite:///")).is_absolute()
    assert not Path(storage.last_matches_folder).is_absolute()


def test_a_unit_of_one_role_is_kept_as_closely_as_that_of_all() -> None:
    whole, alone = map(_settings, UNITS)
    own = {"Description", "ExecStart", "EnvironmentFile"}

    assert {key for key in {*whole, *alone} - own if whole[key] != alone[key]} == set()


def test_a_backup_is_made_by_the_same_user_with_no_more_rights() -> None:
    whole, backup = _settings(UNITS[0]), _settings(BACKUP)
    words = re.sub(r"\$\$\(.*?\)", "Monday", _one(BACKUP, "ExecStart")).partition("/touchline ")[2].rstrip("'").split()
    own = {"Description", "Type", "ExecStart", "StateDirectory", "Nice", "IOSchedulingClass"}
    process = {"Wants", "After", "StartLimitIntervalSec", "ExecReload", "Restart", "RestartSec", "RestartPreventExitStatus"}
    process |= {"TimeoutStopSec", "LimitNOFILE", "WantedBy"}

    assert {key for key in {*whole, *backup} - own - process if whole[key] != backup[key]} == set()
    assert isinstance(main, click.Group)
    assert main.commands[words[0]].make_context(words[0], words[1:]).params["config_path"] == Path("/etc/touchline/config.yaml")
    assert _one(BACKUP, "StateDirectory") == "touchline touchline/backups"


@each_unit
def test_every_variable_that_it_speaks_of_is_one_that_the_example_reads(unit: Path) -> None:
    named = set(re.findall(r"\b([A-Z]+_[A-Z]+(?:_[A-Z]+)*)=…", unit.read_text(encoding="utf-8")))

    assert named <= set(re.findall(r"\$\{(\w+)", EXAMPLE))


@each_unit
def test_mistakes_that_a_restart_may_cure_are_tried_again_for_ever(unit: Path) -> None:
    assert (_one(unit, "Restart"), _one(unit, "StartLimitIntervalSec")) == ("on-failure", "0")
    assert _one(unit, "RestartPreventExitStatus") == str(click.UsageError.exit_code)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze here")
@pytest.mark.parametrize("unit", sorted(FOLDER.iterdir()), ids=lambda unit: unit.name)
def test_systemd_finds_nothing_wrong(unit: Path, tmp_path: Path) -> None:
    """The program itself is not installed here: another that is stands for it."""
    for file in FOLDER.iterdir():
        text = file.read_text(encoding="utf-8").replace("/opt/touchline/bin/touchline", "/bin/true")
        (tmp_path / file.name.replace("@", "@feed")).write_text(text, encoding="utf-8")
    copy = tmp_path / unit.name.replace("@", "@feed")

    done = subprocess.run(["systemd-analyze", "verify", "--man=no", copy], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout + done.stderr) == (0, "")
