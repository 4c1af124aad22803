"""What is asked and answered when rules are tried on the last matches."""

from __future__ import annotations

import msgspec

from bot.languages.speaking import marked as N_
from bot.rulebook.compare import Comparison

TOO_LONG = N_("reading or trying it took too long")
FAILED = N_("it could not be tried")


class Question(msgspec.Struct, frozen=True):
    """Rules of one text against those of another; an empty text stands for the files' rules."""

    config: str
    text: str
    name: str
    before: str = ""
    recordings: tuple[str, ...] = ()


class Checked(msgspec.Struct, frozen=True):
    """What is wrong with the rules, and what looks wrong."""

    mistakes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


class Tried(msgspec.Struct, frozen=True):
    """What became of a trial. `comparison` is None where there was nothing to compare on, or no time; `note` says why."""

    checked: Checked
    comparison: Comparison | None = None
    matches: int = 0
    note: str = ""
