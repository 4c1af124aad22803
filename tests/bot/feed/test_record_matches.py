"""A recorded match can be played again."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from bot.feed.recorder import record_matches
from bot.feed.recording import make_recording_path, read_fixtures_beside, read_recording
from bot.feed.simulator.script import script_from_recording
from bot.feed.simulator.server import Simulator
from rules.football.action import Fixture
from tests.bot.feed.simulator.test_script import script
from tests.fakes.feed import PORT, LoopClock, feed_settings
from tests.packets import FIXTURE


@pytest.mark.virtual_time
async def test_a_recording_of_a_match_holds_its_packets_and_fixture(tmp_path: Path) -> None:
    async with Simulator([script()], clock=LoopClock()).serve("127.0.0.1", PORT):
        paths = await record_matches([FIXTURE], feed_settings(), LoopClock(), tmp_path)

    assert len(list(read_recording(paths[FIXTURE.id]))) == 4
    assert read_fixtures_beside(paths[FIXTURE.id])[FIXTURE.id].home == FIXTURE.home
    assert script_from_recording(paths[FIXTURE.id]).fixture.title == "Arsenal v Chelsea"


def test_a_recording_is_named_after_its_match(tmp_path: Path) -> None:
    assert make_recording_path(FIXTURE, tmp_path).name == "2026-08-15-arsenal-v-chelsea.jsonl.gz"
    assert make_recording_path(replace(FIXTURE, kickoff=None), tmp_path).name == "undated-arsenal-v-chelsea.jsonl.gz"
    assert make_recording_path(Fixture("f9"), tmp_path).name == "undated-f9.jsonl.gz"
