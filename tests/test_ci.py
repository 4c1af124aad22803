"""`.ci/run` with programs that only note how they were called: which Python runs what, in which order, and failures."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.waiting import DEADLINE

ROOT = Path(__file__).parent.parent
TOOLS = ("bash", "cmp", "dirname", "mkdir", "sh", "sleep")
FOLDERS = re.findall(r"^portable=\((.+)\)$", (ROOT / ".ci" / "run").read_text(encoding="utf-8"), re.MULTILINE)[0].split()

pytestmark = pytest.mark.skipif(any(shutil.which(tool) is None for tool in TOOLS), reason="bash is not installed")

NOTES = """#!/bin/sh
echo "{name} $*${{PYTHONDONTWRITEBYTECODE:+, and compiles everything}}" >> "{folder}/calls"
case "{name} $*" in *"$SLOW"*) sleep 1 ;; esac
case "{name} $*" in *"$FAILS"*) exit 1 ;; esac
"""


class Checkout:
    """A checkout with a virtual environment for Python 3.12 and 3.13, on a machine that has these and 3.11."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.bin = folder / "checkout", folder / "bin"
        for made in (self.bin, *(self.folder / name for name in (".ci", *FOLDERS))):
            made.mkdir(parents=True)
        for tool in TOOLS:
            (self.bin / tool).symlink_to(shutil.which(tool) or tool)
        for name in ("run", "find_python", "make_environment", "workers"):
            shutil.copy(ROOT / ".ci" / name, self.folder / ".ci")
        (self.folder / "requirements.lock").touch()
        self._install(self.bin / "make", "make")
        self.set_cores(2)
        self._install(self.bin / "initdb", "initdb")
        for program in ("chromium", "pgbouncer"):
            self._install(self.bin / program, program)
        self._install(self.bin / "promtool", "promtool")
        for version in ("3.11", "3.12", "3.13"):
            self.bin.joinpath(f"python{version}").write_text(f"#!/bin/sh\necho {version}\n")
            self.bin.joinpath(f"python{version}").chmod(0o755)
        for version in ("3.12", "3.13"):
            environment = self.folder / "build" / f"python-{version}"
            self._install(environment / "bin" / "python", version)
            (environment / "requirements.lock").touch()

    def _install(self, path: Path, name: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(NOTES.format(name=name, folder=self.folder))
        path.chmod(0o755)

    def set_cores(self, number: int) -> None:
        """Give the machine so many cores."""
        getconf = self.bin / "getconf"
        getconf.write_text(f"#!/bin/sh\necho {number}\n")
        getconf.chmod(0o755)

    def run(self, fails: str = "nothing", slow: str = "nothing", **environment: str) -> subprocess.CompletedProcess[str]:
        """Run `.ci/run`; calls whose text contains `fails` fail, and those with `slow` take a second."""
        return subprocess.run(
            [".ci/run"],
            cwd=self.folder,
            env={"PATH": str(self.bin), "HOME": str(self.folder), "FAILS": fails, "SLOW": slow} | environment,
            capture_output=True,
            text=True,
            timeout=DEADLINE,
            check=False,
        )

    def calls(self) -> list[str]:
        """What was called, in order."""
        path = self.folder / "calls"
        return path.read_text().splitlines() if path.exists() else []


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


PORTABLE = f"-m pytest -q -n auto --dist worksteal -m not whole_process and not slow {' '.join(FOLDERS)}"
FIRST, LAST = ["make PYTHON=python3.11 setup", "make check"], ["make test"]


def test_every_folder_that_has_to_pass_on_each_python_is_there() -> None:
    assert [folder for folder in FOLDERS if not (ROOT / folder).is_dir()] == []


def test_the_checks_come_first_then_the_newer_pythons_run_their_part_and_3_11_everything_last(checkout: Checkout) -> None:
    done = checkout.run(PYTHONDONTWRITEBYTECODE="1")

    assert (done.returncode, done.stderr) == (0, "")
    assert checkout.calls() == [*FIRST, f"3.13 {PORTABLE}", f"3.12 {PORTABLE}", *LAST]


@pytest.mark.parametrize("fails", ["3.13 -m pytest", "3.12 -m pytest", "make check", "make test"])
def test_a_failure_lets_the_rest_run_and_fails_the_whole(checkout: Checkout, fails: str) -> None:
    done = checkout.run(fails=fails)

    assert done.returncode != 0
    assert checkout.calls() == [*FIRST, f"3.13 {PORTABLE}", f"3.12 {PORTABLE}", *LAST]


def test_3_12_is_left_out_and_said_to_be_where_the_time_does_not_suffice(checkout: Checkout) -> None:
    done = checkout.run(slow="3.13 -m pytest", BUDGET="3")

    assert done.returncode == 0
    assert re.search(
        r"^Python 3\.12 is left out: \d+ of 3 s are used, and it would take about \d+ s with what", done.stdout, re.M
    )
    assert checkout.calls() == [*FIRST, f"3.13 {PORTABLE}", *LAST]


def test_a_python_that_is_not_installed_is_named(checkout: Checkout) -> None:
    for version in ("3.12", "3.13"):
        (checkout.bin / f"python{version}").unlink()

    done = checkout.run()

    assert done.returncode == 0
    assert "Python 3.13 is not installed: nothing is tested on it\nPython 3.12 is not installed" in done.stdout
    assert checkout.calls() == FIRST + LAST


def test_a_folder_that_has_gone_fails_before_anything_runs(checkout: Checkout) -> None:
    (checkout.folder / FOLDERS[-1]).rmdir()

    done = checkout.run()

    assert done.returncode != 0
    assert done.stderr == f"{FOLDERS[-1]} is not there: name the folder that took its place in .ci/run\n"
    assert checkout.calls() == []


@pytest.mark.parametrize(("cores", "workers"), [(1, 3), (2, 6), (64, 8)])
def test_so_many_processes_run_the_whole_suite_as_the_machine_has_cores_for(checkout: Checkout, cores: int, workers: int) -> None:
    checkout.set_cores(cores)
    asked = subprocess.run([".ci/workers"], cwd=checkout.folder, env={"PATH": str(checkout.bin)}, capture_output=True, check=True)

    assert int(asked.stdout) == workers


def test_a_number_of_processes_that_is_asked_for_is_taken(checkout: Checkout) -> None:
    checkout.run(WORKERS="3")

    assert f"3.13 {PORTABLE}".replace("auto", "3") in checkout.calls()
