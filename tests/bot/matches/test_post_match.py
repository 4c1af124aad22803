"""What comes after the final whistle, from a connection to a chat: it is sent and corrected like anything before it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace
from structlog.testing import capture_logs

from bot.feed.match_end import MAX_READ_AFTER_END, MIN_READ_AFTER_END
from bot.feed.recent_recordings import RecentRecordings
from bot.feed.recording import read_recording
from rules.football.action import Fixture, Packet
from rules.loading.loader import load_rules
from tests.bot.matches.test_follower import LIVE, live
from tests.fakes.feed import LoopClock, ScriptedFeed, Step, accept, beat, close, drop, feed_settings, keep_alive
from tests.fakes.match_process import MatchProcess
from tests.packets import FIXTURE, Story, with_collection_status
from tests.tasks import cancel_tasks

pytestmark = pytest.mark.virtual_time
RULES = load_rules("""
rules:
  - name: goals
    match: {action_type: Goal, send_type: [Pending, Confirmed, Updated]}
    alert: {kind: goal, text: "Goal {{ score }}"}
  - name: full time
    match: {action_type: End Match}
    alert: {kind: full_time, text: "Full time {{ score }}"}
""")


def make_process(url: str = "sqlite://") -> MatchProcess:
    return MatchProcess(RULES, feed_settings(), LoopClock(), url)


def make_end(story: Story) -> Packet:
    return with_collection_status(story.packet("End Match", action="end", minute=97, status="Completed"), "CollectingPostMatch")


def first_lines(process: MatchProcess) -> list[str]:
    return [text.splitlines()[0] for text in process.texts]


async def play(process: MatchProcess, *connections: Sequence[Step] | int, fixture: Fixture = FIXTURE) -> float:
    """Follow a match until nothing more is read of it; return how long after the start that was."""
    async with ScriptedFeed(*connections).serve(), process.open():
        assert await process.follow(fixture, seconds=7200)
        return asyncio.get_running_loop().time()


async def test_a_penalty_given_after_the_whistle_is_told_and_the_result_corrected_once() -> None:
    """Brighton v Manchester United on 26 September 2020: the winning penalty was given after full time."""
    story, process = Story(), make_process()
    begin = [accept, live(story.packet("Goal", "Confirmed", "g", "home", score=(2, 2), minute=95)), live(make_end(story))]
    check = live(
        story.packet("Penalty Awarded", side="away", minute=98), story.packet("Goal", "Pending", "late", "away", minute=100)
    )
    given = story.packet("Goal", "Confirmed", "late", "away", score=(2, 3), sub="Penalty", status="Completed")
    await play(process, [*begin, beat(9), check, beat(3), live(given), keep_alive])

    assert first_lines(process) == [
        "Goal 2–2",
        "Full time 2–2",
        "Goal 2–3",
        "Goal 2–3",
        "Full time 2–3",
        "✏️ <b>The result has changed: 2–2 → 2–3</b>",
    ]
    assert [row["op"] for row in process.rows] == ["send", "send", "send", "edit", "edit", "reply"]


@pytest.mark.parametrize("stays", [True, False], ids=["on the same connection", "after the server has closed"])
async def test_a_goal_that_is_deleted_after_the_whistle_is_struck_and_the_result_corrected(stays: bool) -> None:
    story, process = Story(), make_process()
    goal, end = story.packet("Goal", "Confirmed", "g", "home", score=(1, 0), minute=95), make_end(story)
    fallen = story.packet("Goal", "Deleted", "g", "home", score=(0, 0), status="Completed")
    if stays:
        await play(process, [accept, live(goal, end), beat(1, every=3.0), live(fallen), keep_alive])
    else:
        await play(process, [accept, live(goal, end), beat(1), close()], [accept, live(fallen), keep_alive])

    assert [(row["op"], row["action_id"]) for row in process.rows] == [
        ("send", "g"), ("send", "end"), ("edit", "g"), ("reply", "g"), ("edit", "end"), ("reply", "end"),
    ]  # fmt: skip
    assert first_lines(process)[-1] == "✏️ <b>The result has changed: 1–0 → 0–0</b>"


@pytest.mark.slow
async def test_an_end_that_is_deleted_reopens_the_match_which_is_ended_anew() -> None:
    story, process = Story(), make_process()
    end = make_end(story)
    taken_back = story.packet("End Match", "Deleted", "end", status="Live")
    goal = story.packet("Goal", "Confirmed", "late", "away", score=(0, 1), minute=99)
    again = story.packet("End Match", action="end2", status="Completed")
    with capture_logs() as logs:
        await play(process, [accept, live(end), beat(6), live(taken_back), beat(200), live(goal, again), keep_alive])

    assert [(row["op"], row["action_id"]) for row in process.rows] == [
        ("send", "end"), ("edit", "end"), ("reply", "end"), ("send", "late"), ("send", "end2"),
    ]  # fmt: skip
    events = [entry["event"] for entry in logs]
    assert [event for event in events if event.startswith("match_")] == ["match_ended", "match_reopened", "match_ended"]


@pytest.mark.parametrize(
    ("word", "stay"),
    [
        ("CollectingPostMatch", MAX_READ_AFTER_END),
        ("CollectionCompleted", MIN_READ_AFTER_END),
        ("PostMatchChecked", MIN_READ_AFTER_END),
        ("", MIN_READ_AFTER_END),
    ],
)
async def test_a_match_is_read_on_while_it_is_collected(word: str, stay: float) -> None:
    end = with_collection_status(Story().packet("End Match", status="Completed"), word)
    ended = await play(make_process(), [accept, live(end), keep_alive])

    assert stay <= ended <= stay + 15


async def test_a_collection_that_is_completed_later_ends_it() -> None:
    story = Story()
    end = make_end(story)
    done = with_collection_status(story.packet("Status Updated", status="Completed"), "CollectionCompleted")
    ended = await play(make_process(), [accept, live(end), beat(120), live(done), keep_alive])

    assert 1200 <= ended <= 1215


async def test_the_list_of_fixtures_ends_it_and_keeps_it_open() -> None:
    story, process = Story(), make_process()
    end = with_collection_status(story.packet("End Match", status="Completed"), "")
    completed = replace(LIVE, status="Completed", collection_status="CollectionCompleted")
    async with ScriptedFeed([accept, live(end), keep_alive]).serve(), process.open():
        following = asyncio.create_task(process.follow(LIVE))
        await asyncio.sleep(1500)  # the list says "live", though the stream has ended it
        assert not following.done()
        await process.follower.on_fixture_change(LIVE, completed)
        await asyncio.sleep(15)
        assert following.done()


@pytest.mark.slow
async def test_a_server_that_is_gone_after_the_end_is_not_stormed() -> None:
    end = make_end(Story())
    feed, process = ScriptedFeed([accept, live(end), beat(1), close()], [accept, close()]), make_process()
    async with feed.serve(), process.open():
        await process.follow(LIVE)

    assert first_lines(process) == ["Full time 0–0"]
    assert 10 < len(feed.at) < 3600 / 20


async def test_a_restart_after_the_whistle_reads_on_and_tells_nothing_twice(tmp_path: Path) -> None:
    story, process = Story(), make_process(f"sqlite:///{tmp_path}/t.db")
    packets = [story.packet("Goal", "Confirmed", "g", "home", score=(1, 0), minute=95), make_end(story)]
    corners = [story.packet("Corner", minute=97, status="Completed") for _ in range(20)]
    fallen = story.packet("Goal", "Deleted", "g", "home", score=(0, 0), status="Completed")
    over = replace(LIVE, status="Completed")
    async with ScriptedFeed([accept, live(*packets, *corners), keep_alive]).serve(), process.open():
        assert not await process.follow(LIVE, seconds=60)
    async with ScriptedFeed([accept, live(*corners[-8:]), beat(9), live(fallen), keep_alive]).serve(), process.open():
        assert await process.follow(over, seconds=3600)

    assert [(row["op"], row["action_id"]) for row in process.rows] == [
        ("send", "g"), ("send", "end"), ("edit", "g"), ("reply", "g"), ("edit", "end"), ("reply", "end"),
    ]  # fmt: skip


async def test_a_stream_that_was_gone_at_the_end_still_brings_what_came_after_it() -> None:
    story, process = Story(), make_process()
    begin = [accept, live(story.packet("Goal", "Confirmed", "g", "home", score=(1, 0), minute=88)), drop]
    late = [accept, live(make_end(story), story.packet("Goal", "Confirmed", "late", "away", score=(1, 1), minute=99)), keep_alive]
    async with process.open():
        following = asyncio.create_task(process.follow(LIVE))
        async with ScriptedFeed(begin, 404).serve():
            await asyncio.sleep(300)
            await process.follower.on_fixture_change(LIVE, replace(LIVE, status="Completed"))
            await asyncio.sleep(120)
        async with ScriptedFeed(late).serve():
            assert await following

    assert {row["action_id"] for row in process.rows if row["op"] == "send"} == {"g", "end", "late"}


async def test_the_recording_is_listed_at_full_time_and_has_what_came_after_it(tmp_path: Path) -> None:
    story, process = Story(), make_process()
    end, late = make_end(story), story.packet("Goal", "Confirmed", "late", "away", score=(0, 1), status="Completed")
    async with ScriptedFeed([accept, live(end), beat(6), live(late), keep_alive]).serve(), process.open():
        recordings = RecentRecordings(tmp_path, keep=1)
        process.follower._recordings = recordings
        following = asyncio.create_task(process.follow(LIVE))
        await asyncio.sleep(30)
        listed = recordings.recordings()
        assert recordings.start(replace(LIVE, id="next"), from_start=True)  # the place is free
        assert await following

    assert len(listed) == 1 and recordings.recordings() == listed
    frames = list(read_recording(listed[0]))
    assert [b'"late"' in frame.frame for frame in frames] == [False, True]
    assert (tmp_path / f"{LIVE.id}.part").exists() is False


async def test_a_goal_that_only_the_last_score_takes_back_is_struck_a_minute_later() -> None:
    story, process = Story(), make_process()
    goal = story.packet("Goal", "Confirmed", "g", "home", score=(1, 0), minute=95)
    end = story.packet("End Match", action="end", score=(0, 0), minute=97, status="Completed")
    async with ScriptedFeed([accept, live(goal), beat(1), live(end), keep_alive]).serve(), process.open():
        following = asyncio.create_task(process.follow(LIVE))
        await asyncio.sleep(65)
        before = first_lines(process)
        await asyncio.sleep(20)
        after = first_lines(process)[len(before) :]
        await cancel_tasks(following)

    assert before == ["Goal 1–0", "Full time 0–0"]
    assert after == ["<s>Goal 1–0</s>", "❌ <b>Arsenal: no goal</b>, 0–0"]


async def test_a_penalty_after_the_whistle_that_is_never_confirmed_is_settled_when_nothing_more_is_read() -> None:
    story, process = Story(), make_process()
    end = make_end(story)
    late = story.packet("Goal", "Pending", "late", "away", minute=99, status="Completed")
    await play(process, [accept, live(end), beat(3), live(late), keep_alive])

    assert first_lines(process)[-2:] == ["<s>Goal 0–1</s>", "❌ <b>Chelsea: goal was not confirmed</b>, 0–0"]
