"""Data that cannot be read here is missed like coverage that the feed has lost: told once, and ended once."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace

from rules.football.action import Fixture
from tests.bot.matches.test_follower import LIVE, line, live, opening, status
from tests.fakes.feed import LoopClock, ScriptedFeed, Step, accept, beat, drop, feed_settings, wait
from tests.packets import FIXTURE, Story

pytestmark = pytest.mark.virtual_time


async def until(second: float) -> None:
    """Wait until a second of the loop, which connections count from."""
    await asyncio.sleep(second - asyncio.get_running_loop().time())


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ([drop], "no connection to the feed"),
        ([accept, drop], "no connection to the feed"),
        (403, "the feed refuses the connection"),
        (404, "the feed has no stream of this match"),
    ],
)
async def test_a_silence_of_our_own_is_told_after_two_minutes_and_ended_when_it_is_over(
    answer: Sequence[Step] | int, reason: str
) -> None:
    story = Story()
    begin = opening(story)
    goal = story.packet("Goal", "Confirmed", "g2", "home", score=(2, 0), minute=64)
    feed, stage = ScriptedFeed([*begin, drop], answer), line()
    back = ScriptedFeed([accept, live(goal), beat(99)])
    async with stage.open():
        following = asyncio.create_task(stage.follow(LIVE))
        async with feed.serve():
            await until(118)
            assert stage.texts == ["Goal 61 0–0 1–0"]
            await until(200)
            assert stage.texts[1:] == [f"Coverage Lost 61 1–0 1–0 {reason}"]
        stage.follower.reload()
        async with back.serve():
            await until(300)
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)

    assert stage.texts[2:] == ["Coverage Back 61 1–0 1–0", "Goal 64 1–0 2–0"]


async def test_a_silence_of_our_own_is_told_once_and_ended_once_over_restarts(tmp_path: Path) -> None:
    begin, stage = opening(Story()), line(f"sqlite:///{tmp_path}/t.db")
    async with ScriptedFeed([*begin, beat(), drop], [drop]).serve():
        for _ in range(3):
            async with stage.open():
                await stage.follow(LIVE, within=150)
    for _ in range(2):
        async with ScriptedFeed([accept, *begin[1:], beat(4)]).serve(), stage.open():
            await stage.follow(LIVE, within=30)

    assert stage.texts == [
        "Goal 61 0–0 1–0",
        "Coverage Lost 61 1–0 1–0 no connection to the feed",
        "Coverage Back 61 1–0 1–0",
    ]


async def test_a_second_silence_is_told_like_the_first() -> None:
    begin, stage = opening(Story()), line()
    async with ScriptedFeed([*begin, drop], [wait(150)], [accept, beat(2), wait(200)], [accept, beat(99)]).serve(), stage.open():
        stage.settings = feed_settings(stale_after=200.0)
        await stage.follow(LIVE, within=900)

    assert [text.split(" 61")[0] for text in stage.texts] == ["Goal"] + ["Coverage Lost", "Coverage Back"] * 2


async def test_a_silence_that_the_feed_has_announced_is_not_told_again() -> None:
    story = Story()
    begin = opening(story)
    lost = status(story, "Live", "CollectionSuspended", 62 * 60, metadata={"collectionStatusReason": "no signal"})
    back = status(story, "Live", "CollectingLive", 66 * 60)
    feed, stage = ScriptedFeed([*begin, live(lost), drop], *[[drop]] * 20, [accept, live(back), beat(99)]), line()
    async with feed.serve(), stage.open():
        await stage.follow(LIVE, within=1200)

    assert stage.texts == [
        "Goal 61 0–0 1–0",
        "Coverage Lost 63 1–0 1–0 no signal",
        "Coverage Back 67 1–0 1–0",
    ]


async def test_coverage_that_the_feed_lost_meanwhile_comes_back_when_the_feed_says_so() -> None:
    story = Story()
    begin = opening(story)
    lost, back = status(story, "Live", "CollectionSuspended", 62 * 60), status(story, "Live", "CollectingLive", 66 * 60)
    feed, stage = ScriptedFeed([*begin, drop], [wait(300)], [accept, live(lost), beat(3), live(back), beat(99)]), line()
    async with feed.serve(), stage.open():
        stage.settings = feed_settings(stale_after=300.0)
        await stage.follow(LIVE, within=600)

    assert stage.texts == [
        "Goal 61 0–0 1–0",
        "Coverage Lost 61 1–0 1–0 no connection to the feed",
        "Coverage Back 67 1–0 1–0",
    ]


@pytest.mark.parametrize(
    ("fixture", "answer", "told_at_all"),
    [
        (LIVE, 404, True),
        (LIVE, [drop], True),
        (replace(FIXTURE, kickoff=LoopClock.START), [drop], True),
        (replace(FIXTURE, kickoff=LoopClock.START), 404, False),
        (replace(FIXTURE, kickoff=LoopClock.START + dt.timedelta(hours=1)), [drop], False),
        (replace(FIXTURE, kickoff=LoopClock.START, is_kickoff_known=False), [drop], False),
    ],
)
async def test_a_match_that_never_had_a_stream_is_missed_if_it_is_in_play(
    fixture: Fixture, answer: Sequence[Step] | int, told_at_all: bool
) -> None:
    stage = line()
    async with ScriptedFeed(answer).serve(), stage.open():
        await stage.follow(fixture, within=400)

    assert bool(stage.texts) is told_at_all
