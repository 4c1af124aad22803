"""A process that is killed in the middle of a match and started again: nothing is lost, nothing sent twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import update

from bot.feed.session import SessionState
from bot.feed.simulator.script import Script, script_from_recording
from bot.feed.simulator.server import Simulator
from bot.storage.database import Database
from bot.storage.schema import positions
from rules.loading.loader import load_rules
from tests.fakes.feed import PORT, LoopClock, feed_settings
from tests.fakes.match_process import MatchProcess
from tests.recordings import needs_recordings, recording, truth
from tests.tasks import cancel_tasks
from tests.truth import RULES, find_disagreements

pytestmark = [pytest.mark.virtual_time, pytest.mark.slow, needs_recordings]
RULE_SET = load_rules(RULES, "rules.yaml")


class PlayedMatch:
    """One match being played, and a process that follows it and may be killed."""

    def __init__(self, script: Script, path: Path, folder: Path) -> None:
        # Listed as collected, so that the match is left ten minutes after its end and not after an hour.
        self.fixture = msgspec.structs.replace(script.fixture, collection_status="CollectionCompleted")
        self.truth = truth(path)
        self.process = MatchProcess(RULE_SET, feed_settings(), LoopClock(), f"sqlite:///{folder}/touchline.db")

    async def run(self, seconds: float | None = None) -> bool:
        """Follow the match for so long, or to its end; then the process is gone."""
        async with self.process.open():
            return await self.process.follow(self.fixture, seconds=seconds)

    async def position(self) -> int:
        """Return where a process started now would go on."""
        async with self.process.open():
            place = await self.process.pipeline.open(self.fixture)
            return place.position if place else 0

    @property
    def summaries(self) -> list[str]:
        """The messages that sum up old news."""
        return [row["text"] for row in self.process.rows if row["kind"] == "summary" and row["op"] == "send"]


@pytest.fixture
async def played(tmp_path: Path) -> AsyncIterator[PlayedMatch]:
    path = recording("tottenham-hotspur-leicester-city")
    async with _playing(script_from_recording(path)) as script:
        yield PlayedMatch(script, path, tmp_path)


@asynccontextmanager
async def _playing(script: Script) -> AsyncIterator[Script]:
    async with Simulator([script], 1.0, "feed-token", clock=LoopClock()).serve("127.0.0.1", PORT):
        yield script


@pytest.mark.parametrize("after", [1234.5, 5500.0])
async def test_after_a_kill_nothing_is_lost_and_nothing_sent_twice(played: PlayedMatch, after: float) -> None:
    assert not await played.run(after)
    assert await played.position() > 40
    await asyncio.sleep(20)

    assert await played.run()
    assert find_disagreements(played.process.rows, played.truth) == []
    assert (played.process.find_actions_sent_twice(), played.summaries) == ([], [])


async def test_killed_again_and_again_the_truth_is_sent(played: PlayedMatch) -> None:
    while not await played.run(333.0):
        await asyncio.sleep(5)

    assert find_disagreements(played.process.rows, played.truth) == []
    assert played.process.find_actions_sent_twice() == []


async def test_a_match_that_is_handed_over_again_and_again_is_read_all_the_time_and_sent_once(played: PlayedMatch) -> None:
    fixture, handed_over = played.fixture, 0
    async with played.process.open():
        here, there = played.process.follower, played.process.make_feed()[1]
        following = asyncio.create_task(here.follow(fixture))
        while not (await asyncio.wait({following}, timeout=400.0))[0]:
            if not await there.prepare(fixture):
                continue
            # The other one reads on until a calm moment, as between two processes.
            while not here.is_calm(fixture.id) and not following.done():
                await asyncio.sleep(0.25)
            if following.done():
                await there.discard(fixture.id)
                break
            await cancel_tasks(following)
            here, there = there, here
            following = asyncio.create_task(here.follow(fixture))
            await asyncio.sleep(0.01)
            assert [status.state for status in here.connection_statuses()] == [SessionState.LIVE]
            handed_over += 1
        await asyncio.sleep(1)

    assert handed_over > 10
    assert find_disagreements(played.process.rows, played.truth) == []
    assert (played.process.find_actions_sent_twice(), played.summaries) == ([], [])


async def test_what_happened_in_a_long_absence_is_one_summary(played: PlayedMatch) -> None:
    await played.run(700.0)
    await asyncio.sleep(3600)
    assert await played.run()

    (summary,) = played.summaries
    sent = {row["action_id"] for row in played.process.rows}
    missed = [i for i in played.truth["incidents"] if i["standing"] and i["action_id"] not in sent]
    assert "While the connection was down" in summary
    assert missed and all(f"{i['minute']}' " in summary and i["player"] in summary for i in missed)
    assert played.process.find_actions_sent_twice() == []


async def test_a_process_that_joins_late_sends_the_match_so_far_and_no_lost_connection(played: PlayedMatch) -> None:
    await asyncio.sleep(4000)
    assert await played.run()

    (summary,) = played.summaries
    assert "Earlier in this match" in summary


@pytest.mark.parametrize("snapshot", [b"\xff", b'{"form":"of old"}'])
async def test_a_snapshot_that_cannot_be_read_is_as_if_there_were_none(played: PlayedMatch, snapshot: bytes) -> None:
    await played.run(3000.0)
    db = await Database.open(played.process.url)
    async with db.transaction() as tx:
        await tx.execute(update(positions).values(snapshot=snapshot))
    await db.close()

    assert await played.position() == 0
    assert await played.run()
    assert find_disagreements(played.process.rows, played.truth) == []
    assert played.process.find_actions_sent_twice() == []


async def test_a_match_that_is_over_leaves_no_place_behind(played: PlayedMatch) -> None:
    assert await played.run()

    assert await played.position() == 0
