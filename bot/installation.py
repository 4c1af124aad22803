"""Finds out which version of Touchline this is, how it was installed, and so by which command an optional part is added."""

from __future__ import annotations

import functools
import importlib.util
import json
import shutil
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

import msgspec

EXTRAS = {"postgres": ("asyncpg", "greenlet"), "console": ("nicegui",), "pictures": ("PIL", "anyascii")}
"""By the name of an optional part, the modules that it brings."""


class Source(msgspec.Struct, frozen=True):
    """A checkout or a wheel on this machine that Touchline was installed from, or runs from."""

    path: Path
    is_editable: bool = False
    """True if a change of the checkout takes effect without a new installation."""


def is_installed(extra: str) -> bool:
    """Return True if an optional part can be imported; nothing is imported for that."""
    return all(importlib.util.find_spec(module) is not None for module in EXTRAS[extra])


def advise_install(extra: str) -> str:
    """Return the command that adds an optional part to this installation, and the folder to run it in."""
    source, pip = find_source(), _find_pip()
    if source is None:
        return f"{pip} install 'touchline[{extra}]'"
    # A wheel: there is no folder to run the command in.
    if source.path.is_file():
        return f"{pip} install '{source.path}[{extra}]'"
    option = "--editable " if source.is_editable else ""
    return f"{pip} install {option}'.[{extra}]'" + ("" if source.path == Path.cwd() else f" in {source.path}")


@functools.cache
def find_version() -> str:
    """Return Touchline's version: that of the checkout it runs from, else that of the installed package, else `unknown`."""
    # A checkout may run without being installed, or be newer than what was installed from it.
    if isinstance(version := _read_project().get("version"), str):
        return version
    # Imported here and below: `importlib.metadata` reads e-mails, and nearly every command imports this module.
    import importlib.metadata

    try:
        return importlib.metadata.version("touchline") or "unknown"
    # A package whose files are damaged has errors of many kinds, and everything begins with the version: `run` too.
    except Exception:
        return "unknown"


def _read_project() -> dict[str, object]:
    """Return what the checkout that this runs from says of itself; nothing if it does not run from a checkout of Touchline."""
    try:
        text = (_find_root() / "pyproject.toml").read_text(encoding="utf-8")
        # Imported here: a program that was installed has no such file and no use for it.
        import tomllib

        content = tomllib.loads(text)
    # There is none, or it is no TOML, or nothing but brackets.
    except (OSError, ValueError, RecursionError):
        return {}
    project = content.get("project")
    # The packages may have been copied into a project of another name.
    return project if isinstance(project, dict) and project.get("name") == "touchline" else {}


def _find_root() -> Path:
    """Return the folder that the package `bot` lies in: a checkout, or where packages are installed."""
    return Path(__file__).resolve().parents[1]


def find_source() -> Source | None:
    """Return what Touchline was installed from, if that is still there; None if it was a name of an index."""
    import importlib.metadata

    try:
        # pip notes here what it was given, unless that was a name of an index.
        noted = importlib.metadata.distribution("touchline").read_text("direct_url.json")
    except importlib.metadata.PackageNotFoundError:
        noted = None
    origin = json.loads(noted) if noted else {}
    if _read_project():
        # It runs from here whatever else is installed: Python looks in the current folder first.
        return Source(_find_root(), is_editable=bool(origin.get("dir_info", {}).get("editable")))
    url = urlsplit(str(origin.get("url", "")))
    path = Path(unquote(url.path))
    return Source(path) if url.scheme == "file" and path.exists() else None


def find_shipped_file(name: str) -> Path | None:
    """Return a file that ships beside the program, such as the example: in the checkout, or where a wheel has put it."""
    for folder in (_find_root(), Path(sys.prefix) / "share" / "touchline"):
        if (path := folder / name).is_file():
            return _shorten(path)  # it stands in messages
    return None


def find_program() -> str:
    """Return how a shell in this folder calls this installation's `touchline`."""
    own, found = Path(sys.executable).parent / "touchline", shutil.which("touchline")
    if found is not None and Path(found).parent == own.parent:
        return "touchline"
    if not own.exists():
        # Installed by `make demo`, which installs no program.
        return f"{_shorten(Path(sys.executable))} -m bot"
    return str(_shorten(own))


def _shorten(path: Path) -> Path:
    """Return a path as short as a person would type it."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _find_pip() -> str:
    """Return how the pip of this installation is called: by its path if the PATH leads to none or to another one."""
    # Beside the interpreter and not resolved: in a virtual environment that is a link to the system's, which has another pip.
    own, found = Path(sys.executable).parent / "pip", shutil.which("pip")
    if found is not None and Path(found).parent == own.parent:
        return "pip"
    return str(own) if own.exists() else f"{sys.executable} -m pip"
