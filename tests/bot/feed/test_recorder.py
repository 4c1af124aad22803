"""What is recorded can be played again."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from bot.feed.recorder import path_for, record
from bot.feed.recording import fixtures_beside, read
from bot.feed.simulator import Simulator
from bot.feed.timeline import from_recording
from rules.action import Fixture
from tests.bot.feed.test_timeline import script
from tests.fakes.feed import PORT, FeedSettings, LoopClock
from tests.packets import FIXTURE


@pytest.mark.virtual_time
async def test_a_recording_of_a_match_holds_its_packets_and_fixture(tmp_path: Path) -> None:
    async with Simulator([script()], clock=LoopClock()).serve("127.0.0.1", PORT):
        paths = await record([FIXTURE], FeedSettings(), LoopClock(), tmp_path)

    assert len(list(read(paths[FIXTURE.id]))) == 4
    assert fixtures_beside(paths[FIXTURE.id])[FIXTURE.id].home == FIXTURE.home
    assert from_recording(paths[FIXTURE.id]).fixture.title == "Arsenal v Chelsea"


def test_a_recording_is_named_after_its_match(tmp_path: Path) -> None:
    assert path_for(FIXTURE, tmp_path).name == "2026-08-15-arsenal-v-chelsea.jsonl.gz"
    assert path_for(replace(FIXTURE, kickoff=None), tmp_path).name == "undated-arsenal-v-chelsea.jsonl.gz"
    assert path_for(Fixture("f9"), tmp_path).name == "undated-f9.jsonl.gz"
