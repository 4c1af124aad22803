"""Data that cannot be read here is missed like coverage that the feed has lost: told once, and ended once."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace

from rules.football.action import Fixture
from tests.bot.matches.test_follower import LIVE, live, make_process, opening, status
from tests.fakes.feed import LoopClock, ScriptedFeed, Step, accept, beat, drop, feed_settings, wait
from tests.packets import FIXTURE, Story
from tests.tasks import cancel_tasks

pytestmark = pytest.mark.virtual_time


async def sleep_until(second: float) -> None:
    """Wait until so many seconds after the start of the loop, at which the first connection is made."""
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
    feed, process = ScriptedFeed([*begin, drop], answer), make_process()
    back = ScriptedFeed([accept, live(goal), beat(99)])
    async with process.open():
        following = asyncio.create_task(process.follow(LIVE))
        async with feed.serve():
            await sleep_until(118)
            assert process.texts == ["Goal 61 0–0 1–0"]
            await sleep_until(200)
            assert process.texts[1:] == [f"Coverage Lost 61 1–0 1–0 {reason}"]
        process.follower.reload()
        async with back.serve():
            await sleep_until(300)
        await cancel_tasks(following)

    assert process.texts[2:] == ["Coverage Back 61 1–0 1–0", "Goal 64 1–0 2–0"]


async def test_a_silence_of_our_own_is_told_once_and_ended_once_over_restarts(tmp_path: Path) -> None:
    begin, process = opening(Story()), make_process(f"sqlite:///{tmp_path}/t.db")
    async with ScriptedFeed([*begin, beat(), drop], [drop]).serve():
        for _ in range(3):
            async with process.open():
                await process.follow(LIVE, seconds=150)
    for _ in range(2):
        async with ScriptedFeed([accept, *begin[1:], beat(4)]).serve(), process.open():
            await process.follow(LIVE, seconds=30)

    assert process.texts == [
        "Goal 61 0–0 1–0",
        "Coverage Lost 61 1–0 1–0 no connection to the feed",
        "Coverage Back 61 1–0 1–0",
    ]


async def test_a_check_that_fails_unexpectedly_costs_neither_the_alert_nor_the_watch() -> None:
    begin, process = opening(Story()), make_process()
    async with ScriptedFeed([*begin, drop], [drop]).serve(), process.open():
        report, failures = process.pipeline.report_connection_lost, [RuntimeError("a fault of our own")]

        async def fail_once(fixture_id: str, reason: str, now: dt.datetime) -> None:
            if failures:
                raise failures.pop()
            await report(fixture_id, reason, now)

        process.pipeline.report_connection_lost = fail_once  # type: ignore[method-assign]
        await process.follow(LIVE, seconds=200)

    assert not failures and process.texts[1:] == ["Coverage Lost 61 1–0 1–0 no connection to the feed"]


async def test_a_second_silence_is_told_like_the_first() -> None:
    begin, process = opening(Story()), make_process()
    async with (
        ScriptedFeed([*begin, drop], [wait(150)], [accept, beat(2), wait(200)], [accept, beat(99)]).serve(),
        process.open(),
    ):
        process.settings = feed_settings(stale_after=200.0)
        await process.follow(LIVE, seconds=900)

    assert [text.split(" 61")[0] for text in process.texts] == ["Goal"] + ["Coverage Lost", "Coverage Back"] * 2


async def test_a_silence_that_the_feed_has_announced_is_not_told_again() -> None:
    story = Story()
    begin = opening(story)
    lost = status(story, "Live", "CollectionSuspended", 62 * 60, metadata={"collectionStatusReason": "no signal"})
    back = status(story, "Live", "CollectingLive", 66 * 60)
    feed, process = ScriptedFeed([*begin, live(lost), drop], *[[drop]] * 20, [accept, live(back), beat(99)]), make_process()
    async with feed.serve(), process.open():
        await process.follow(LIVE, seconds=1200)

    assert process.texts == [
        "Goal 61 0–0 1–0",
        "Coverage Lost 63 1–0 1–0 no signal",
        "Coverage Back 67 1–0 1–0",
    ]


async def test_coverage_that_the_feed_lost_meanwhile_comes_back_when_the_feed_says_so() -> None:
    story = Story()
    begin = opening(story)
    lost, back = status(story, "Live", "CollectionSuspended", 62 * 60), status(story, "Live", "CollectingLive", 66 * 60)
    feed, process = ScriptedFeed([*begin, drop], [wait(300)], [accept, live(lost), beat(3), live(back), beat(99)]), make_process()
    async with feed.serve(), process.open():
        process.settings = feed_settings(stale_after=300.0)
        await process.follow(LIVE, seconds=600)

    assert process.texts == [
        "Goal 61 0–0 1–0",
        "Coverage Lost 61 1–0 1–0 no connection to the feed",
        "Coverage Back 67 1–0 1–0",
    ]


@pytest.mark.parametrize(
    ("fixture", "answer", "is_sent"),
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
    fixture: Fixture, answer: Sequence[Step] | int, is_sent: bool
) -> None:
    process = make_process()
    async with ScriptedFeed(answer).serve(), process.open():
        await process.follow(fixture, seconds=400)

    assert bool(process.texts) is is_sent
