"""Replays several matches at the same time, each in one of several processes: no match depends on another."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor

from bot.feed.match_source import MatchSource
from bot.replay.replay import message_to_json, message_to_text, replay_match
from rules.engine.rule import RuleSet
from rules.football.catalogue import Catalogue


def count_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def replay_with_processes(
    matches: Sequence[MatchSource], load_rules: Callable[[], tuple[RuleSet, Catalogue]], process_count: int, *, json_lines: bool
) -> Iterator[list[str]]:
    """Yield the lines of each match, in the order of the matches. `load_rules` is called once in each process.

    Raises UserMistake if a recording cannot be read; the matches before it have been yielded.
    """
    pool = ProcessPoolExecutor(process_count, initializer=_prepare, initargs=(load_rules, json_lines))
    try:
        yield from pool.map(_replay_to_lines, matches)
    finally:
        # Also where nobody reads on, as behind `| head`.
        pool.shutdown(cancel_futures=True)


_rules: tuple[RuleSet, Catalogue]
_render = message_to_text


def _prepare(load_rules: Callable[[], tuple[RuleSet, Catalogue]], json_lines: bool) -> None:
    global _rules, _render
    # Ctrl-C reaches every process of the terminal. The first one ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _rules, _render = load_rules(), message_to_json if json_lines else message_to_text


def _replay_to_lines(match: MatchSource) -> list[str]:
    lines: list[str] = []
    asyncio.run(replay_match(match, *_rules, lambda message: lines.append(_render(message))))
    return lines
