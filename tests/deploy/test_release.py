"""`make release`: what it makes, what it refuses, and what the wheel carries for those who have no checkout."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
SHIPPED = ("config.example.yaml", "docs/config.schema.json", "docs/operate/alerts.yaml", "deploy/systemd/touchline.service")
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))

FAKE_PYTHON = f"""#!/bin/sh
if [ "$2 $3" = "pip wheel" ]; then
  exec {sys.executable} -c '
import os, pathlib, zipfile
with zipfile.ZipFile("dist/touchline-1.2.3-py3-none-any.whl", "w") as wheel:
    for name in os.environ["CARRIED"].split():
        wheel.writestr(f"touchline-1.2.3.data/data/share/touchline/{{name}}", "x")'
fi
exec {sys.executable} "$@"
"""
"""Makes a wheel with the files that it is told, without an index of packages."""

DOCKER = """#!/bin/sh
[ "$1" = info ] && exit "$ENGINE_IS_AWAY"
echo "docker $*"
"""


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A repository with the files that a release looks for, and a Docker client."""
    if shutil.which("git") is None or shutil.which("sha256sum") is None:
        pytest.skip("no git or sha256sum here")
    clone, tools = tmp_path / "clone", tmp_path / "tools"
    for name in SHIPPED:
        (clone / name).parent.mkdir(parents=True, exist_ok=True)
        (clone / name).write_text(name, encoding="utf-8")
    (clone / "pyproject.toml").write_text('[project]\nversion = "1.2.3"\n', encoding="utf-8")
    (clone / "requirements.lock").write_text("aiohttp==1\n", encoding="utf-8")
    (clone / ".gitignore").write_text("dist/\n", encoding="utf-8")
    (clone / ".ci").mkdir()
    shutil.copy(ROOT / ".ci" / "release", clone / ".ci" / "release")
    tools.mkdir()
    for name, script in {"python": FAKE_PYTHON, "docker": DOCKER}.items():
        (tools / name).write_text(script, encoding="utf-8")
        (tools / name).chmod(0o755)
    for words in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message", "all"]):
        subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@example.org", *words], cwd=clone, check=True)
    return clone


def release(clone: Path, carried: str = " ".join(SHIPPED), *, engine_is_away: bool = True) -> subprocess.CompletedProcess[str]:
    tools = clone.parent / "tools"
    env = {"PATH": f"{tools}:/usr/local/bin:/usr/bin:/bin", "CARRIED": carried, "ENGINE_IS_AWAY": str(int(engine_is_away))}
    return subprocess.run([".ci/release", tools / "python"], cwd=clone, env=env, capture_output=True, text=True, check=False)


def test_it_makes_the_wheel_the_source_the_lock_and_checksums_that_hold(clone: Path) -> None:
    done = release(clone)

    assert done.returncode == 0, done.stderr
    made = sorted(path.name for path in (clone / "dist").iterdir())
    assert made == [
        "SHA256SUMS",
        "touchline-1.2.3-py3-none-any.whl",
        "touchline-1.2.3-requirements.lock",
        "touchline-1.2.3.tar.gz",
    ]
    checked = subprocess.run(
        ["sha256sum", "--check", "SHA256SUMS"], cwd=clone / "dist", capture_output=True, text=True, check=True
    )
    assert checked.stdout.count(": OK") == 3
    assert "And no image: no container engine runs here" in done.stdout
    assert "git tag v1.2.3" in done.stdout


def test_where_docker_runs_the_image_gets_the_tag_of_the_version(clone: Path) -> None:
    done = release(clone, engine_is_away=False)

    assert "docker build --tag touchline:1.2.3 --tag touchline:latest ." in done.stdout
    assert "And the image touchline:1.2.3" in done.stdout


def test_what_is_not_committed_is_not_published(clone: Path) -> None:
    (clone / "config.example.yaml").write_text("changed", encoding="utf-8")

    done = release(clone)

    assert (done.returncode, done.stderr.startswith("There are changes that are not committed")) == (1, True)
    assert not (clone / "dist").exists()


def test_a_wheel_without_a_file_that_ships_is_refused(clone: Path) -> None:
    done = release(clone, " ".join(SHIPPED[1:]))

    assert done.returncode == 1
    assert "is without config.example.yaml: see data-files" in done.stderr


def test_what_the_wheel_shall_carry_is_there_and_leaves_no_file_of_its_folders_out() -> None:
    folders: dict[str, list[str]] = PROJECT["tool"]["setuptools"]["data-files"]
    carried = {found.relative_to(ROOT) for patterns in folders.values() for one in patterns for found in ROOT.glob(one)}

    assert [one for patterns in folders.values() for one in patterns if not list(ROOT.glob(one))] == []
    assert {Path(name) for name in SHIPPED} <= carried
    # Each lies below share/touchline as in the checkout, so that links between pages, and the example's schema, lead somewhere.
    assert all(
        found.parent == Path(folder).relative_to("share/touchline")
        for folder, patterns in folders.items()
        for one in patterns
        for found in (path.relative_to(ROOT) for path in ROOT.glob(one))
    )
