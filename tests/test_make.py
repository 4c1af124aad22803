"""Which Python `make setup` takes, a supported one or none; and that it installs only what has changed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.waiting import DEADLINE

ROOT = Path(__file__).parent.parent
TOOLS = ("cat", "cmp", "cp", "grep", "make", "mkdir", "rm", "sed", "sh", "touch")
"""The only programs beside the fake Pythons, so that no Python of this machine is found."""

pytestmark = [
    pytest.mark.whole_process,
    pytest.mark.skipif(any(shutil.which(tool) is None for tool in TOOLS), reason="make is not installed"),
]

FAKE = f"""#!/bin/sh
if [ "$1" = -c ]; then exec {sys.executable} -c 'import sys; sys.version_info = ({{version}}, 0); exec(sys.argv[1])' "$2"; fi
echo "$*${{{{PYTHONDONTWRITEBYTECODE:+, and compiles everything}}}}" >> "{{calls}}"
case "$0" in *.venv/bin/python) exit ;; esac
rm -rf .venv && mkdir -p .venv/bin && echo {{version_text}} > .venv/made-by
cat "$0" > .venv/bin/python && {shutil.which("chmod")} +x .venv/bin/python
"""
"""Says that it is of another version, notes what it is asked for, and makes a virtual environment with a copy of itself."""

UNSELECTED = "#!/bin/sh\necho 'pyenv: command not found' >&2\nexit 127\n"
"""What pyenv puts on the PATH for a version that is installed and not selected."""


class Machine:
    """A clone of the project on a machine with the Pythons that a test puts there."""

    def __init__(self, folder: Path) -> None:
        self.clone, self.bin, self.home = folder / "clone", folder / "bin", folder / "home dir"
        for made in (self.clone / ".ci", self.bin, self.home):
            made.mkdir(parents=True)
        for name in ("Makefile", ".ci/find_python", ".ci/update_environment"):
            shutil.copy(ROOT / name, self.clone / name)
        for name in ("pyproject.toml", "requirements.lock", "requirements-runtime.lock"):
            (self.clone / name).touch()
        for tool in TOOLS:
            (self.bin / tool).symlink_to(shutil.which(tool) or tool)

    def install(self, path: str, version: str) -> None:
        """Put a Python of a version at a path of this machine; "unselected" is a pyenv shim that refuses to start."""
        target = self.bin.parent / path
        target.parent.mkdir(parents=True, exist_ok=True)
        calls = self.bin.parent / "calls"
        fake = FAKE.format(version=version.replace(".", ","), version_text=version, calls=calls)
        script = UNSELECTED if version == "unselected" else fake
        target.write_text(script)
        target.chmod(0o755)

    def setup(self, *arguments: str, target: str = "setup", **more: str) -> subprocess.CompletedProcess[str]:
        """Run `make setup`, or another target, with more in its environment."""
        environment = {"PATH": str(self.bin), "HOME": str(self.home)} | more
        return subprocess.run(
            ["make", *arguments, target],
            cwd=self.clone,
            env=environment,
            capture_output=True,
            text=True,
            timeout=DEADLINE,
            check=False,
        )

    def calls(self) -> list[str]:
        """Return what the Pythons were asked for since the last call, the options of pip left out."""
        path = self.bin.parent / "calls"
        lines = path.read_text().splitlines() if path.exists() else []
        path.unlink(missing_ok=True)
        return [line.replace("--quiet ", "").replace("--disable-pip-version-check ", "") for line in lines]

    def version(self) -> str:
        """The version of the Python that made .venv."""
        return (self.clone / ".venv" / "made-by").read_text().strip()


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.mark.parametrize(
    ("pythons", "taken"),
    [
        ({"bin/python3": "3.12", "bin/python3.13": "3.13"}, "3.12"),
        ({"bin/python3": "3.14", "bin/python3.12": "3.12"}, "3.12"),
        ({"bin/python3": "3.10", "bin/python3.11": "3.11", "bin/python3.13": "3.13"}, "3.13"),
        ({"bin/python3": "3.14", "bin/python3.13": "unselected", "bin/python3.11": "3.11"}, "3.11"),
        ({"bin/python3": "unselected", "home dir/.pyenv/versions/3.12.1/bin/python3": "3.12"}, "3.12"),
    ],
    ids=["python3", "not-a-newer-one", "the-newest-supported", "one-that-starts", "of-pyenv"],
)
def test_make_takes_a_supported_python(machine: Machine, pythons: dict[str, str], taken: str) -> None:
    for path, version in pythons.items():
        machine.install(path, version)

    done = machine.setup()

    assert done.returncode == 0, done.stderr
    assert machine.version() == taken


def test_make_takes_the_python_that_is_named(machine: Machine) -> None:
    machine.install("bin/python3", "3.12")
    machine.install("elsewhere/python", "3.11")

    done = machine.setup(f"PYTHON={machine.bin.parent}/elsewhere/python")

    assert done.returncode == 0, done.stderr
    assert machine.version() == "3.11"


@pytest.mark.parametrize(
    ("argument", "sentence"),
    [
        ("", "No Python 3.11, 3.12 or 3.13 was found: install one, or name it with make PYTHON=/path/to/python3"),
        ("PYTHON=python3", "PYTHON=python3 is Python 3.14; Touchline needs Python 3.11, 3.12 or 3.13"),
        ("PYTHON=python3.13", "PYTHON=python3.13 cannot be run; Touchline needs Python 3.11, 3.12 or 3.13"),
    ],
    ids=["none", "named", "named-and-missing"],
)
def test_make_refuses_any_other_in_one_sentence_and_leaves_what_was_made(machine: Machine, argument: str, sentence: str) -> None:
    machine.install("bin/python3", "3.14")
    ready = machine.clone / ".venv" / ".ready"
    ready.parent.mkdir()
    ready.touch()
    (machine.clone / "requirements.lock").write_text("newer\n")

    done = machine.setup(*argument.split())

    printed, ended = done.stderr.splitlines()
    assert printed == sentence
    assert done.returncode == 2 and "Error 1" in ended
    assert ready.exists()


def test_the_tests_write_bytecode_even_where_the_environment_forbids_it(machine: Machine) -> None:
    machine.install("bin/python3", "3.12")

    done = machine.setup("WORKERS=2", target="test", PYTHONDONTWRITEBYTECODE="1")

    assert done.returncode == 0, done.stderr
    assert machine.calls() == [MADE, LOCKED, PROJECT, "-m pytest -q -n 2 --dist worksteal"]


MADE = "-m venv --clear .venv"
LOCKED = "-m pip install --requirement requirements.lock"
PROJECT = "-m pip install --no-deps --editable ."


def test_only_what_has_changed_is_installed_again(machine: Machine) -> None:
    machine.install("bin/python3", "3.12")

    def setup(changed: str = "", text: str = "") -> list[str]:
        if changed:
            (machine.clone / changed).write_text(text)
            os.utime(machine.clone / ".venv" / ".ready", (0, 0))  # older than what has changed, however fast this was
        done = machine.setup()
        assert done.returncode == 0, done.stderr
        return machine.calls()

    assert setup() == [MADE, LOCKED, PROJECT]
    assert setup() == []
    assert setup("pyproject.toml", "") == []  # written anew, as a checkout does, with the same text
    assert setup("pyproject.toml", "version = 2") == [PROJECT]
    assert setup("requirements.lock", "aiohttp") == [LOCKED]


PLAYABLE = "-m pip install --no-compile --no-deps --requirement requirements-runtime.lock"
PLAYED = ["-m bot.i18n.compile", "-m bot demo --match opener"]


def test_a_demo_installs_only_what_it_needs_and_nothing_where_everything_is_installed(machine: Machine) -> None:
    machine.install("bin/python3", "3.12")

    def make(target: str) -> list[str]:
        done = machine.setup(target=target)
        assert done.returncode == 0, done.stderr
        return machine.calls()

    assert make("demo") == [MADE, PLAYABLE, *PLAYED]
    assert make("demo") == PLAYED
    assert make("setup") == [LOCKED, PROJECT]
    assert make("demo") == PLAYED
    (machine.clone / "requirements-runtime.lock").write_text("aiohttp")  # the versions of the other lock, which is installed
    os.utime(machine.clone / ".venv" / ".playable", (0, 0))
    assert make("demo") == PLAYED


def test_an_installation_that_failed_is_done_again_and_another_python_makes_everything_anew(machine: Machine) -> None:
    machine.install("bin/python3", "3.12")
    assert machine.setup().returncode == 0
    machine.calls()
    broken = machine.clone / ".venv" / "bin" / "python"
    working = broken.read_text()

    broken.write_text(working.replace("exit ;;", "exit 1 ;;"))
    (machine.clone / "requirements.lock").write_text("aiohttp")
    os.utime(machine.clone / ".venv" / ".ready", (0, 0))
    assert machine.setup().returncode != 0
    broken.write_text(working)
    assert machine.setup().returncode == 0
    assert machine.calls() == [LOCKED, LOCKED]

    shutil.rmtree(machine.clone / ".venv" / "made-from")  # as if its making had been interrupted
    os.utime(machine.clone / ".venv" / ".ready", (0, 0))
    assert machine.setup().returncode == 0
    assert machine.calls() == [MADE, LOCKED, PROJECT]

    (machine.bin / "python3").unlink()
    machine.install("bin/python3", "3.13")
    os.utime(machine.clone / ".venv" / ".ready", (0, 0))
    assert machine.setup().returncode == 0
    assert (machine.calls(), machine.version()) == ([MADE, LOCKED, PROJECT], "3.13")
