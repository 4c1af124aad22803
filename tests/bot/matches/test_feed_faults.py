"""Real matches on bad days of the feed, from a real connection to a chat: what the chat shows in the end is what was so."""

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
from tests.fakes.line import Line
from tests.laws import some_recordings
from tests.recordings import PATHS, needs_recordings, truth
from tests.truth import RULES, lies

pytestmark = [pytest.mark.virtual_time, pytest.mark.slow]
RULE_SET = load_rules(RULES, "rules.yaml")


async def follow_on_a_day(path: Path, way: Faults) -> Line:
    """Play a recording to its end, at its own speed."""
    clock, script = LoopClock(), script_from_recording(path)
    # So that the match is left ten minutes after its end and not after an hour: until then each connection, three in two minutes,
    # reads all of it again.
    fixture = msgspec.structs.replace(script.fixture, collection_status="CollectionCompleted")
    line = Line(RULE_SET, feed_settings(), clock)
    async with Simulator([script], 1.0, "feed-token", faults=way, clock=clock).serve("127.0.0.1", PORT), line.open():
        assert await line.follow(fixture, within=6 * 3600)
    return line


def bad(seed: int) -> Faults:
    """A day on which everything goes wrong that can."""
    return Faults(0.02, 0.02, 0.01, 30.0, (503, 429), seed % 2 == 0, 3, seed)


def wrong(line: Line, true: dict[str, Any]) -> list[str]:
    """What the chat did not get truly. What was too old when the feed came back is in a summary."""
    rows = [row for row in line.rows if row["kind"] != "summary"]
    summed = [words for row in line.rows if row["kind"] == "summary" for words in row["text"].splitlines()]
    single = {row["action_id"] for row in rows}
    rest = [one for one in true["incidents"] if one["action_id"] in single or not _sums_up(summed, one)]
    found = lies(rows, true | {"incidents": rest})
    score = f"{true['final']['home']}–{true['final']['away']}"
    ended = any(words.startswith("•") and score in words for words in summed)
    return [lie for lie in found if not (ended and lie == "0 full times")]


def _sums_up(summed: list[str], incident: dict[str, Any]) -> bool:
    return incident["standing"] and any(f"{incident['minute']}' " in words and incident["player"] in words for words in summed)


@needs_recordings
@some_recordings
async def test_on_a_bad_day_a_chat_gets_the_truth_and_nothing_twice(path: Path) -> None:
    line = await follow_on_a_day(path, bad(PATHS.index(path)))

    assert wrong(line, truth(path)) == []
    assert line.twice() == []
