"""Reads a Dockerfile into its stages: what is done in each, and how the last one is run. Pure."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Step:
    """One instruction and the rest of its line."""

    name: str
    words: str

    @property
    def array(self) -> tuple[str, ...]:
        """The words of an exec form, such as ["run"]; raise ValueError where it is none."""
        found = json.loads(self.words)
        if not isinstance(found, list):
            raise ValueError(f"{self.name} {self.words} is not an exec form")
        return tuple(map(str, found))


@dataclass(slots=True)
class Stage:
    """One stage: the image it begins with, its name, and its steps in order."""

    base: str
    name: str
    steps: list[Step] = field(default_factory=list)

    def last(self, name: str) -> Step:
        """The instruction of this name that counts, which is the last; raise LookupError where there is none."""
        found = [step for step in self.steps if step.name == name]
        if not found:
            raise LookupError(f"the stage {self.name or self.base} has no {name}")
        return found[-1]

    @property
    def health(self) -> tuple[str, ...]:
        """The command of its health check."""
        _, _, command = self.last("HEALTHCHECK").words.partition("CMD ")
        return Step("CMD", command).array


def stages(text: str) -> list[Stage]:
    """The stages of a Dockerfile; raise ValueError at a step before the first FROM."""
    found: list[Stage] = []
    for step in _steps(text):
        if step.name == "FROM":
            base, _, name = step.words.partition(" AS ")
            found.append(Stage(base.strip(), name.strip()))
        elif found:
            found[-1].steps.append(step)
        else:
            raise ValueError(f"{step.name} stands before the first FROM")
    return found


def _steps(text: str) -> list[Step]:
    """Instructions, with lines that end in a backslash joined and remarks left out."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = "\n".join(lines).replace("\\\n", "")
    found = [line.strip().partition(" ") for line in joined.splitlines() if line.strip()]
    return [Step(name.upper(), rest.strip()) for name, _, rest in found]


def environment(step: Step, known: dict[str, str]) -> dict[str, str]:
    """What an ENV sets, with $NAME looked up in what is known."""
    pairs = (word.partition("=") for word in shlex.split(step.words))
    return {name: re.sub(r"\$(\w+)", lambda m: known.get(m[1], ""), value) for name, _, value in pairs}
