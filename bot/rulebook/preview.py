"""Tries rules on the last matches in a process of its own: it delays no live match, and is ended when it takes too long.

The process reads a `Question` from standard input and writes two lines: a `Checked`, then, if there are matches, a `Comparison`.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec
import structlog

from bot.config import rules_of
from bot.errors import TouchlineError, UserMistake
from bot.log import configure
from bot.rulebook.against import Ruled, against
from bot.rulebook.book import read_sent
from bot.rulebook.compare import Comparison
from bot.rulebook.tried import FAILED, TOO_LONG, Checked, Question, Tried
from rules.catalogue import shipped
from rules.load import RulesInvalid, pack

log = structlog.get_logger()

SECONDS = 30.0
"""How long a trial may take."""


async def preview(question: Question, seconds: float = SECONDS) -> Tried:
    """Check the rules and tell the recordings by both; what cannot be done is a mistake or a note, nothing is raised."""
    try:
        process = await _started()
    except OSError as error:
        return Tried(Checked((f"it cannot be tried now: {error.strerror}",)))
    said = asyncio.create_task(process.communicate(msgspec.json.encode(question) + b"\n"))
    try:
        await asyncio.wait({said}, timeout=seconds)
    finally:
        if late := not said.done():
            process.kill()
    answered, trouble = await said
    if process.returncode and not late:
        log.warning("rules_not_tried", reason=trouble.decode(errors="replace").strip().rpartition("\n")[2])
    return _outcome(answered.splitlines(), len(question.recordings), TOO_LONG if late else FAILED)


async def _started() -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bot.rulebook.preview",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )


def _outcome(lines: Sequence[bytes], matches: int, why: str) -> Tried:
    """`why` says what is meant by a line that is not there."""
    if not lines:
        return Tried(Checked((why,)))
    checked = msgspec.json.decode(lines[0], type=Checked)
    if checked.mistakes or not matches:
        return Tried(checked)
    if len(lines) < 2:
        return Tried(checked, note=why)
    told = msgspec.json.decode(lines[1], type=Comparison | str)
    return Tried(checked, note=told) if isinstance(told, str) else Tried(checked, told, matches)


def answer(question: Question) -> None:
    """The other side: what the process does."""
    rules, names = _of_files(question.config)
    try:
        sent = read_sent(question.text, question.name, names) if question.text else None
    except RulesInvalid as error:
        _say(Checked(error.mistakes))
        return
    _say(Checked(warnings=sent.warnings if sent else ()))
    if question.recordings:
        before = read_sent(question.before, "before", names).rules if question.before else rules
        _say(_compared(question.recordings, (before, names), (sent.rules if sent else rules, names)))


def _of_files(config: str) -> Ruled:
    """The rules of the files as they are now; the shipped ones where the files are being mended."""
    try:
        return rules_of(Path(config), os.environ)
    except UserMistake:
        return pack(), shipped()


def _compared(recordings: Sequence[str], before: Ruled, after: Ruled) -> Comparison | str:
    try:
        return asyncio.run(against([Path(path) for path in recordings], before, after))
    except TouchlineError as error:
        return str(error)


def _say(what: object) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(what) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    configure()
    answer(msgspec.json.decode(sys.stdin.buffer.readline(), type=Question))
