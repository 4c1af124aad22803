"""Checks rules and compares them with the active ones on recorded matches, in a child process with a time limit."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

# Before all others: it imports structlog without rich, which would be a tenth of this process's start.
from bot.logs import configure_logging

# isort: split
import structlog

from bot.config.load import load_rules_of
from bot.config.sent_rules import parse_sent_rules
from bot.errors import TouchlineError, UserMistake
from bot.feed.match_source import open_matches
from bot.i18n.language import mark_for_translation as N_
from bot.replay.children import limit_processor_time, run_child
from bot.replay.comparison import Comparison, RulesWithCatalogue, compare_replays, read_match_titles
from rules.football.catalogue import load_catalogue
from rules.loading.loader import RulesInvalid, load_pack

log = structlog.get_logger()

# An admin waits for the answer in the chat. Five recordings take a few seconds.
DRY_RUN_TIMEOUT = 30.0
"""Seconds after which the child process is killed."""

DRY_RUN_LIMIT = 30
"""Seconds of computing after which it ends itself, for callers that can wait longer on a busy machine."""

TOOK_TOO_LONG = N_("reading or trying it took too long")

DRY_RUN_FAILED = N_("it could not be tried")


class DryRunRequest(msgspec.Struct, frozen=True):
    """Rules to try (`text`) and the rules to compare them with (`active_text`). An empty text means the rules of the files.

    Read and written only by a process and its own child, so the field names may change between versions.
    """

    config_path: str
    text: str
    name: str
    """The name of the sent file, for the places in mistakes."""
    active_text: str = ""
    recordings: tuple[str, ...] = ()
    """The files of recordings, or names of matches that ship."""


class RulesCheck(msgspec.Struct, frozen=True):
    """The mistakes that make the rules invalid, and the warnings that do not."""

    mistakes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


class DryRunResult(msgspec.Struct, frozen=True):
    """The outcome. `comparison` is None if there were no recordings, no time, or a recording was unreadable; `reason` says which.

    `reason` is empty if there were no recordings.
    """

    check: RulesCheck
    comparison: Comparison | None = None
    match_count: int = 0
    reason: str = ""


async def run_dry_run(request: DryRunRequest, seconds: float = DRY_RUN_TIMEOUT) -> DryRunResult:
    """Check the rules and replay the recordings under both. A failure becomes a mistake or a reason; nothing is raised.

    A template in a rule can loop for longer than anyone waits, and a running template cannot be cancelled in its own process:
    therefore this runs in a child process, which can be killed.
    """
    try:
        answer = await run_child("bot.replay.dry_run", msgspec.json.encode(request) + b"\n", seconds)
    except OSError as error:
        return DryRunResult(RulesCheck((f"it cannot be tried now: {error.strerror}",)))
    if answer.is_failed:
        # The last line of the traceback: it is the error itself.
        log.warning("dry_run_failed", reason=answer.stderr.decode(errors="replace").strip().rpartition("\n")[2])
    # Read even if the child took too long: its check may have come in time.
    lines = answer.stdout.splitlines()
    return read_result(lines, len(request.recordings), TOOK_TOO_LONG if answer.is_late else DRY_RUN_FAILED)


def read_result(lines: Sequence[bytes], match_count: int, missing_reason: str) -> DryRunResult:
    """Read the lines that the child wrote: the check, then the comparison. `missing_reason` stands for a line that is missing."""
    if not lines:
        return DryRunResult(RulesCheck((missing_reason,)))
    check = msgspec.json.decode(lines[0], type=RulesCheck)
    if check.mistakes or not match_count:
        return DryRunResult(check)
    if len(lines) < 2:
        return DryRunResult(check, reason=missing_reason)
    outcome = msgspec.json.decode(lines[1], type=Comparison | str)
    return DryRunResult(check, reason=outcome) if isinstance(outcome, str) else DryRunResult(check, outcome, match_count)


def answer_request(request: DryRunRequest, write: Callable[[object], None]) -> None:
    """Write the check of a request, and its comparison where it has recordings. This is what the child process runs.

    The check is written before the replay begins, so that it survives if the replay takes too long.
    """
    # The catalogue is the operator's, so that sent rules may name action types that only it knows.
    rules, catalogue = _load_rules(request.config_path)
    try:
        sent = parse_sent_rules(request.text, request.name, catalogue) if request.text else None
    except RulesInvalid as error:
        write(RulesCheck(error.mistakes))
        return
    write(RulesCheck(warnings=sent.warnings if sent else ()))
    if request.recordings:
        before = parse_sent_rules(request.active_text, "before", catalogue).rules if request.active_text else rules
        after = sent.rules if sent else rules
        write(_compare_on_recordings(request.recordings, (before, catalogue), (after, catalogue)))


def _load_rules(config_path: str) -> RulesWithCatalogue:
    """Return the rules of the files, or the shipped ones while the files are invalid."""
    try:
        return load_rules_of(Path(config_path), os.environ)
    # The file may be the one that the admin is about to correct by what was sent.
    except UserMistake:
        return load_pack(), load_catalogue()


def _compare_on_recordings(recordings: Sequence[str], before: RulesWithCatalogue, after: RulesWithCatalogue) -> Comparison | str:
    """Return the comparison, or the error as a sentence."""
    try:
        matches = open_matches(recordings)
        comparison = asyncio.run(compare_replays(matches, before, after))
        # Here and not in the process that asked: reading them takes time, and that process sends alerts.
        return msgspec.structs.replace(comparison, titles=read_match_titles(matches))
    except TouchlineError as error:
        return str(error)


def _write_line(value: object) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(value) + b"\n")
    # The parent may kill this process at any time, and what is still in the buffer would be lost.
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    limit_processor_time(DRY_RUN_LIMIT)
    configure_logging()
    answer_request(msgspec.json.decode(sys.stdin.buffer.readline(), type=DryRunRequest), _write_line)
