"""The command that adds an optional part fits the way in which Touchline was installed."""

from __future__ import annotations

import importlib.metadata
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from bot import installation
from bot.installation import advise_install, find_program, find_shipped_file, find_version, is_installed


class Installed:
    """The distribution `touchline` as pip has noted it."""

    def __init__(self, origin: dict[str, Any] | None) -> None:
        self._origin = origin

    def read_text(self, name: str) -> str | None:
        assert name == "direct_url.json"
        return json.dumps(self._origin) if self._origin else None


@pytest.fixture
def virtual_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment whose pip comes first on the PATH, and a package that was copied into it."""
    programs = tmp_path / "venv" / "bin"
    programs.mkdir(parents=True)
    (tmp_path / "venv" / "lib").mkdir()
    for name in ("python", "pip"):
        (programs / name).touch(0o755)
    monkeypatch.setattr(sys, "executable", str(programs / "python"))
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.setattr(installation, "__file__", str(tmp_path / "venv" / "lib" / "bot" / "installation.py"))
    return tmp_path


def install(monkeypatch: pytest.MonkeyPatch, origin: dict[str, Any] | None) -> None:
    monkeypatch.setattr(importlib.metadata, "distribution", lambda _name: Installed(origin))


def test_the_program_is_called_as_a_shell_in_this_folder_finds_it(
    virtual_environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = virtual_environment / "venv" / "bin"
    monkeypatch.chdir(virtual_environment)
    assert find_program() == "venv/bin/python -m bot"
    (programs / "touchline").touch(0o755)
    assert find_program() == "touchline"
    monkeypatch.setenv("PATH", "/nowhere")
    assert find_program() == "venv/bin/touchline"
    (virtual_environment / "elsewhere").mkdir()
    monkeypatch.chdir(virtual_environment / "elsewhere")
    assert find_program() == str(programs / "touchline")


def test_in_a_checkout_the_folder_is_installed_again(virtual_environment: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkout = virtual_environment / "checkout"
    checkout.mkdir()
    (checkout / "pyproject.toml").write_text('project.name = "touchline"')
    monkeypatch.setattr(installation, "__file__", str(checkout / "bot" / "installation.py"))
    install(monkeypatch, None)

    elsewhere = advise_install("postgres")
    monkeypatch.chdir(checkout)

    assert elsewhere == f"pip install '.[postgres]' in {checkout}"
    assert advise_install("postgres") == "pip install '.[postgres]'"
    install(monkeypatch, {"url": checkout.as_uri(), "dir_info": {"editable": True}})
    assert advise_install("postgres") == "pip install --editable '.[postgres]'"


def test_what_was_copied_from_a_checkout_is_installed_from_there(
    virtual_environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout = virtual_environment / "a checkout"
    checkout.mkdir()
    install(monkeypatch, {"url": checkout.as_uri(), "dir_info": {}})

    assert advise_install("console") == f"pip install '.[console]' in {checkout}"


def test_a_wheel_is_installed_again_with_the_part(virtual_environment: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheel = virtual_environment / "touchline-0.2.0-py3-none-any.whl"
    wheel.touch()
    install(monkeypatch, {"url": wheel.as_uri(), "archive_info": {}})

    assert advise_install("pictures") == f"pip install '{wheel}[pictures]'"


@pytest.mark.parametrize("origin", [None, {"url": "file:///nowhere/touchline.whl"}, {"url": "https://example.org/touchline.whl"}])
def test_what_came_from_an_index_or_is_gone_is_installed_by_name(
    virtual_environment: Path, monkeypatch: pytest.MonkeyPatch, origin: dict[str, Any] | None
) -> None:
    install(monkeypatch, origin)

    assert advise_install("postgres") == "pip install 'touchline[postgres]'"


def test_the_pip_of_this_installation_is_named_where_another_comes_first(
    virtual_environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch, None)
    monkeypatch.setenv("PATH", "/usr/bin")

    assert advise_install("postgres") == f"{virtual_environment}/venv/bin/pip install 'touchline[postgres]'"
    (virtual_environment / "venv" / "bin" / "pip").unlink()
    assert advise_install("postgres") == f"{virtual_environment}/venv/bin/python -m pip install 'touchline[postgres]'"


def test_the_version_is_known_without_an_installation(monkeypatch: pytest.MonkeyPatch) -> None:
    def find_nothing(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", find_nothing)

    assert f'version = "{find_version.__wrapped__()}"' in (Path(__file__).parents[2] / "pyproject.toml").read_text(
        encoding="utf-8"
    )


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        '[project]\nname = "another"\nversion = "7.0"\n',
        '[project]\nversion = "7.0"\n',
        '[project]\nname = "touchline"\n',
        '[project]\nname = "touchline"\nversion = 7\n',
        'project = "touchline"\n',
        "[project\n",
        '[project]\nname = "touchline\udcff"\n',
        "a = " + "[" * 100_000,
    ],
)
def test_the_version_is_that_of_the_package_where_no_pyproject_of_touchline_says_it(
    virtual_environment: Path, monkeypatch: pytest.MonkeyPatch, text: str | None
) -> None:
    if text is not None:
        place = virtual_environment / "venv" / "lib" / "pyproject.toml"
        place.write_bytes(text.encode(errors="surrogateescape"))
    monkeypatch.setattr(importlib.metadata, "version", lambda _name: "0.3.0")

    assert find_version.__wrapped__() == "0.3.0"


@pytest.mark.parametrize(
    "failure", [importlib.metadata.PackageNotFoundError("touchline"), KeyError("Version"), OSError(5, "I/O")]
)
def test_a_version_that_nothing_says_is_unknown(
    virtual_environment: Path, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    def fail(_name: str) -> str:
        raise failure

    monkeypatch.setattr(importlib.metadata, "version", fail)

    assert find_version.__wrapped__() == "unknown"


def test_a_project_of_another_name_beside_the_program_is_not_what_it_is_installed_from(
    virtual_environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (virtual_environment / "venv" / "lib" / "pyproject.toml").write_text('project.name = "another"')
    install(monkeypatch, None)

    assert advise_install("postgres") == "pip install 'touchline[postgres]'"


def test_a_part_is_there_if_all_its_modules_are(monkeypatch: pytest.MonkeyPatch) -> None:
    assert is_installed("postgres")
    monkeypatch.setitem(installation.EXTRAS, "postgres", ("asyncpg", "no_such_module"))
    assert not is_installed("postgres")


def test_a_file_that_ships_is_found_in_a_checkout_and_where_a_wheel_puts_it(
    virtual_environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "prefix", str(virtual_environment / "venv"))
    assert find_shipped_file("config.example.yaml") is None

    shared = virtual_environment / "venv" / "share" / "touchline" / "config.example.yaml"
    shared.parent.mkdir(parents=True)
    shared.touch()

    assert find_shipped_file("config.example.yaml") == shared
    monkeypatch.chdir(shared.parent)
    assert find_shipped_file("config.example.yaml") == Path("config.example.yaml")
