"""Tries rules on the last matches in a process of its own, with a time limit."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec
import structlog

from bot.config.load import load_rules_of
from bot.config.rule_versions import parse_sent_rules
from bot.errors import TouchlineError, UserMistake
from bot.i18n.language import mark_for_translation as N_
from bot.logs import configure_logging
from bot.replay.comparison import Comparison, RulesWithCatalogue, compare_replays
from rules.football.catalogue import load_catalogue
from rules.loading.loader import RulesInvalid, load_pack

log = structlog.get_logger()

DRY_RUN_TIMEOUT = 30.0
"""How long a trial may take."""


async def run_dry_run(question: DryRunRequest, seconds: float = DRY_RUN_TIMEOUT) -> DryRunResult:
    """Check the rules and tell the recordings by both; what cannot be done is a mistake or a note, nothing is raised."""
    try:
        process = await _start_process()
    except OSError as error:
        return DryRunResult(RulesCheck((f"it cannot be tried now: {error.strerror}",)))
    said = asyncio.create_task(process.communicate(msgspec.json.encode(question) + b"\n"))
    try:
        await asyncio.wait({said}, timeout=seconds)
    finally:
        if late := not said.done():
            process.kill()
    answered, trouble = await said
    if process.returncode and not late:
        log.warning("rules_not_tried", reason=trouble.decode(errors="replace").strip().rpartition("\n")[2])
    return _read_result(answered.splitlines(), len(question.recordings), TOOK_TOO_LONG if late else DRY_RUN_FAILED)


async def _start_process() -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bot.replay.dry_run",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )


def _read_result(lines: Sequence[bytes], matches: int, why: str) -> DryRunResult:
    """`why` says what is meant by a line that is not there."""
    if not lines:
        return DryRunResult(RulesCheck((why,)))
    checked = msgspec.json.decode(lines[0], type=RulesCheck)
    if checked.mistakes or not matches:
        return DryRunResult(checked)
    if len(lines) < 2:
        return DryRunResult(checked, note=why)
    told = msgspec.json.decode(lines[1], type=Comparison | str)
    return DryRunResult(checked, note=told) if isinstance(told, str) else DryRunResult(checked, told, matches)


def run_in_process(question: DryRunRequest) -> None:
    """The other side: what the process does."""
    rules, names = _load_rules(question.config)
    try:
        sent = parse_sent_rules(question.text, question.name, names) if question.text else None
    except RulesInvalid as error:
        _write_line(RulesCheck(error.mistakes))
        return
    _write_line(RulesCheck(warnings=sent.warnings if sent else ()))
    if question.recordings:
        before = parse_sent_rules(question.before, "before", names).rules if question.before else rules
        _write_line(_compare_on_recordings(question.recordings, (before, names), (sent.rules if sent else rules, names)))


def _load_rules(config: str) -> RulesWithCatalogue:
    """The rules of the files as they are now; the shipped ones where the files are being mended."""
    try:
        return load_rules_of(Path(config), os.environ)
    except UserMistake:
        return load_pack(), load_catalogue()


def _compare_on_recordings(recordings: Sequence[str], before: RulesWithCatalogue, after: RulesWithCatalogue) -> Comparison | str:
    try:
        return asyncio.run(compare_replays([Path(path) for path in recordings], before, after))
    except TouchlineError as error:
        return str(error)


def _write_line(what: object) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(what) + b"\n")
    sys.stdout.buffer.flush()


TOOK_TOO_LONG = N_("reading or trying it took too long")

DRY_RUN_FAILED = N_("it could not be tried")


class DryRunRequest(msgspec.Struct, frozen=True):
    """Rules of one text against those of another; an empty text stands for the files' rules."""

    config: str
    text: str
    name: str
    before: str = ""
    recordings: tuple[str, ...] = ()


class RulesCheck(msgspec.Struct, frozen=True):
    """What is wrong with the rules, and what looks wrong."""

    mistakes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


class DryRunResult(msgspec.Struct, frozen=True):
    """What became of a trial. `comparison` is None where there was nothing to compare on, or no time; `note` says why."""

    checked: RulesCheck
    comparison: Comparison | None = None
    matches: int = 0
    note: str = ""


if __name__ == "__main__":
    configure_logging()
    run_in_process(msgspec.json.decode(sys.stdin.buffer.readline(), type=DryRunRequest))
