"""A dry run without its child process, which takes longer to start than to answer, and without a time limit."""

from __future__ import annotations

import asyncio

import msgspec

from bot.replay.dry_run import DRY_RUN_FAILED, DryRunRequest, DryRunResult, answer_request, read_result


async def run_dry_run_here(request: DryRunRequest) -> DryRunResult:
    """Do what the child process does, in this one."""
    lines: list[bytes] = []
    # In a thread, because it has an event loop of its own.
    await asyncio.to_thread(answer_request, request, lambda answer: lines.append(msgspec.json.encode(answer)))
    return read_result(lines, len(request.recordings), DRY_RUN_FAILED)
