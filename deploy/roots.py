"""Roots of Debian for an image's stages: one base, made once, and a layer over it for each stage.

Needs root, debootstrap, unshare and overlays.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PACKAGES = ("python3", "python3-venv", "python-is-python3", "ca-certificates")
"""What stands for the pinned image of Python."""
NEEDED = ("debootstrap", "unshare", "apt-get")
_SHARED = "/dev/shm"  # noqa: S108  (inside)
_TEMPORARY = "/tmp"  # noqa: S108  (inside)
_OUTSIDE = ("/etc/resolv.conf", "/etc/hosts")


class NotHereError(Exception):
    """What this machine lacks, in a sentence."""


def make_base(folder: Path, suite: str) -> Path:
    """A fresh Debian with Python, from the mirror that apt uses here; one that was made before is used again."""
    base, ready = folder / f"base-{suite}", folder / f"base-{suite}.ready"
    if not ready.exists():
        shutil.rmtree(base, ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True)
        _run("debootstrap", "--variant=minbase", f"--include={','.join(PACKAGES)}", suite, str(base), _mirror())
        ready.touch()
    return base


def require() -> None:
    """Raise NotHereError where these steps cannot be run."""
    missing = [name for name in NEEDED if shutil.which(name) is None]
    if os.geteuid() != 0:
        raise NotHereError("the steps of an image are run by root: a root of its own is made for them")
    if missing:
        raise NotHereError(f"missing here: {', '.join(missing)}")


def _mirror() -> str:
    """Where apt has Debian itself from."""
    found = _run("apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", "Component: main", "Label: Debian")
    if not found.split():
        raise NotHereError("apt knows no mirror of Debian here: run apt-get update")
    return found.split()[0]


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotHereError(f"{command[0]} ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout


@dataclass(frozen=True, slots=True)
class Mount:
    """Something of this machine that is seen inside."""

    source: Path
    target: str
    writable: bool = False

    def commands(self, root: str) -> list[str]:
        """Shell commands that make it so."""
        source, inside = shlex.quote(str(self.source)), shlex.quote(root + self.target)
        place = f"mkdir -p {inside}" if self.source.is_dir() else f"mkdir -p $(dirname {inside}) && touch {inside}"
        made = [place, f"mount --bind {source} {inside}"]
        return made if self.writable else [*made, f"mount -o remount,ro,bind {inside}"]


class Root:
    """One stage's root: what it changed lies in a layer over the base. Mounts are seen by its own commands alone."""

    def __init__(self, base: Path, folder: Path) -> None:
        """`folder` holds the layer; what was in it is thrown away."""
        self._base, self._folder = base, folder
        shutil.rmtree(folder, ignore_errors=True)
        for name in ("changes", "work", "root"):
            (folder / name).mkdir(parents=True)

    def copy(self, sources: Sequence[Path], target: str, origin: Root | None = None) -> None:
        """Bring files in, from this machine or from another stage."""
        end = self._at(target)
        several = len(sources) > 1 or target.endswith("/")
        script = [*(origin.joined() if origin else []), *self.joined(), f"mkdir -p {end if several else f'$(dirname {end})'}"]
        names = [shlex.quote((origin.path if origin else "") + str(source)) for source in sources]
        _unshared([*script, f"cp -a --no-target-directory {names[0]} {end}" if not several else f"cp -a {' '.join(names)} {end}"])

    def run(self, step: str, env: Mapping[str, str], folder: str, mounts: Sequence[Mount] = ()) -> None:
        """Run a shell's line as root inside; raise NotHereError with its words where it fails."""
        script = [*self.joined(), *self._seen(mounts), f"mkdir -p {self._at(folder)}"]
        _unshared([*script, f"exec {self._chroot(['/bin/sh', '-c', step], env, folder)}"])

    def command(self, words: Sequence[str], env: Mapping[str, str], folder: str, user: str, mounts: Sequence[Mount]) -> list[str]:
        """The command that runs `words` as `user` where nothing can be written but /tmp and the mounts that say so."""
        script = [*self.joined(), *self._seen(mounts), f"mount -o remount,ro {self._at('/')}"]
        script += [f"mount -t tmpfs tmpfs {self._at(place)}" for place in (_TEMPORARY, _SHARED)]
        return ["unshare", "--mount", "sh", "-ec", "\n".join([*script, f"exec {self._chroot(words, env, folder, user)}"])]

    @property
    def path(self) -> str:
        """Where it is seen from outside, by its own commands."""
        return str(self._folder / "root")

    def _at(self, target: str) -> str:
        return shlex.quote(self.path + target)

    def joined(self) -> list[str]:
        """Shell commands that lay the layer over the base."""
        changes, work = self._folder / "changes", self._folder / "work"
        return [f"mount -t overlay overlay -o lowerdir={self._base},upperdir={changes},workdir={work} {self._at('')}"]

    def _seen(self, mounts: Sequence[Mount]) -> list[str]:
        always = [f"mount --bind /proc {self._at('/proc')}", f"mkdir -p {self._at(_SHARED)}"]
        outside = [Mount(Path(file), file) for file in _OUTSIDE if Path(file).is_file()]
        return always + [command for mount in (*outside, *mounts) for command in mount.commands(self.path)]

    def _chroot(self, words: Sequence[str], env: Mapping[str, str], folder: str, user: str = "0:0") -> str:
        inside = ["env", "-i", "-C", folder, *(f"{name}={value}" for name, value in env.items()), *words]
        return shlex.join(["chroot", f"--userspec={user}", self.path, *inside])


def _unshared(script: Sequence[str]) -> None:
    _run("unshare", "--mount", "sh", "-ec", "\n".join(script))
