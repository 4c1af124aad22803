"""Real matches on bad days of the feed, from a real connection to a chat: what the chat shows in the end is true."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from bot.feed.simulator.faults import Faults
from bot.feed.simulator.script import script_from_recording
from bot.feed.simulator.server import Simulator
from rules.loading.loader import load_rules
from tests.fakes.feed import PORT, LoopClock, feed_settings
from tests.fakes.match_process import MatchProcess
from tests.laws import some_recordings
from tests.recordings import PATHS, needs_recordings, truth
from tests.truth import RULES, find_disagreements

pytestmark = [pytest.mark.virtual_time, pytest.mark.slow]
RULE_SET = load_rules(RULES, "rules.yaml")


async def follow_on_a_day(path: Path, faults: Faults) -> MatchProcess:
    """Play a recording to its end, at its own speed."""
    clock, script = LoopClock(), script_from_recording(path)
    # So that the match is left ten minutes after its end and not after an hour: until then each connection, three in two minutes,
    # reads all of it again.
    fixture = msgspec.structs.replace(script.fixture, collection_status="CollectionCompleted")
    process = MatchProcess(RULE_SET, feed_settings(), clock)
    async with Simulator([script], 1.0, "feed-token", faults=faults, clock=clock).serve("127.0.0.1", PORT), process.open():
        assert await process.follow(fixture, seconds=6 * 3600)
    return process


def make_faults(seed: int) -> Faults:
    """Return the faults of a day on which everything goes wrong that can."""
    return Faults(0.02, 0.02, 0.01, 30.0, (503, 429), seed % 2 == 0, 3, seed)


def find_problems(process: MatchProcess, true: dict[str, Any]) -> list[str]:
    """Return what the chat was sent wrongly or not at all. What was too old when the feed came back is in a summary."""
    rows = [row for row in process.rows if row["kind"] != "summary"]
    summary_lines = [words for row in process.rows if row["kind"] == "summary" for words in row["text"].splitlines()]
    single = {row["action_id"] for row in rows}
    rest = [one for one in true["incidents"] if one["action_id"] in single or not _sums_up(summary_lines, one)]
    found = find_disagreements(rows, true | {"incidents": rest})
    score = f"{true['final']['home']}–{true['final']['away']}"
    ended = any(words.startswith("•") and score in words for words in summary_lines)
    return [problem for problem in found if not (ended and problem == "0 full times")]


def _sums_up(summary_lines: list[str], incident: dict[str, Any]) -> bool:
    return incident["standing"] and any(
        f"{incident['minute']}' " in words and incident["player"] in words for words in summary_lines
    )


@needs_recordings
@some_recordings
async def test_on_a_bad_day_a_chat_gets_the_truth_and_nothing_twice(path: Path) -> None:
    process = await follow_on_a_day(path, make_faults(PATHS.index(path)))

    assert find_problems(process, truth(path)) == []
    assert process.find_actions_sent_twice() == []
