"""One fixture from its connection to its end: what the stream and the fixtures say of its coverage, each sent once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace
from structlog.testing import capture_logs

from bot.errors import FeedUnreachable
from bot.matches.follower import COMPLETED_WAIT, MAX_SILENCE
from rules.football.action import Fixture, Packet
from rules.football.lineups import Lineup, LineupPlayer, Lineups
from rules.football.relisting import compare_listing
from rules.loading.loader import load_rules
from tests.fakes.feed import LoopClock, ScriptedFeed, Step, accept, beat, drop, feed_settings, keep_alive, send, wait
from tests.fakes.match_process import MatchProcess
from tests.packets import FIXTURE, Story

pytestmark = pytest.mark.virtual_time
RULES = load_rules("""
rules:
  - name: everything
    match: {action_type: [Goal, End Match, Coverage Lost, Coverage Back, Coverage Dropped, Match Suspended, Match Resumed,
      Match Abandoned, Match Postponed, Match Cancelled, Match Withdrawn]}
    alert:
      kind: status
      text: "{{ action_type }} ({{ sub_action_type }}) {{ minute }} {{ score_before }} {{ score }} {{ status_reason }}"
""")
LIVE = replace(FIXTURE, status="Live", collection_status="CollectingLive")


def make_process(url: str = "sqlite://") -> MatchProcess:
    return MatchProcess(RULES, feed_settings(), LoopClock(), url)


def status(story: Story, status: str, collection: str, clock: int = 0, **more: object) -> Packet:
    """A status packet as the feed sends it: period and clock of its own at zero."""
    packet = story.packet("Status Updated", period=0, clock=0)
    summary = replace(packet.summary, status=status, collection_status=collection, clock=clock)
    return replace(packet, summary=summary, **more)


def live(*packets: Packet) -> Step:
    """Send packets of this very moment."""

    async def step(connection: object) -> None:
        now = LoopClock().now()
        await send(*(replace(packet, at=now) for packet in packets))(connection)  # type: ignore[arg-type]

    return step


def opening(story: Story) -> Sequence[Step]:
    """A goal in the 61st minute."""
    goal = story.packet("Goal", "Confirmed", "g", "home", score=(1, 0), minute=61)
    return [accept, live(story.packet("Start Match"), goal)]


async def test_lost_and_restored_coverage_is_sent_with_its_minutes_and_what_happened_meanwhile() -> None:
    story = Story()
    begin = opening(story)
    lost = status(story, "Live", "CollectionSuspended", 62 * 60 + 38)
    story.score = (1, 1)
    back = status(story, "Live", "CollectingLive", 66 * 60 + 10)
    feed, process = ScriptedFeed([*begin, live(lost), beat(12), live(back), beat(99)]), make_process()
    async with feed.serve(), process.open():
        await process.follow(LIVE, seconds=300)

    assert process.texts == ["Goal 61 0–0 1–0", "Coverage Lost 63 1–0 1–0", "Coverage Back 67 1–0 1–1"]


async def test_a_dropped_match_is_sent_once_and_is_never_full_time(tmp_path: Path) -> None:
    story = Story()
    begin = opening(story)
    dropped = status(story, "Unverified", "CollectionDropped", is_finished=True)
    feed, process = ScriptedFeed([*begin, live(dropped), keep_alive]), make_process(f"sqlite:///{tmp_path}/t.db")
    unverified = replace(LIVE, status="Unverified", collection_status="CollectionDropped")
    async with feed.serve(), process.open():
        await process.follow(LIVE, seconds=60)
    async with feed.serve(), process.open():
        following = asyncio.create_task(process.follow(LIVE))
        await asyncio.sleep(20)
        await process.follower.on_fixture_change(LIVE, unverified)
        assert await following

    assert process.texts == ["Goal 61 0–0 1–0", "Coverage Dropped 61 0–0 1–0"]


@pytest.mark.parametrize("word", ["Abandoned", "Cancelled"])
@pytest.mark.parametrize("first", ["stream", "fixtures"])
async def test_an_end_that_stream_and_fixtures_report_is_sent_once_also_across_a_restart(
    word: str, first: str, tmp_path: Path
) -> None:
    story = Story()
    ended = status(story, word, "CollectingLive")
    scripts = {
        "stream": [*opening(story), live(ended), keep_alive],
        "fixtures": [*opening(story), beat(3), live(ended), keep_alive],
    }
    process = make_process(f"sqlite:///{tmp_path}/t.db")
    async with ScriptedFeed(scripts[first]).serve(), process.open():
        following = asyncio.create_task(process.follow(LIVE, seconds=45))
        await asyncio.sleep(10)
        await process.follower.on_fixture_change(LIVE, replace(LIVE, status=word))
        await following
    async with ScriptedFeed(scripts[first]).serve(), process.open():
        await process.follow(LIVE, seconds=45)

    assert [text for text in process.texts if "Goal" not in text] == [f"Match {word} 61 0–0 1–0"]


@pytest.mark.parametrize("word", ["Postponed", "Cancelled", "Abandoned"])
async def test_a_change_of_a_match_without_a_connection_is_sent_once_from_the_fixtures(word: str) -> None:
    process = make_process()
    async with process.open():
        for _ in range(2):
            await process.follower.on_fixture_change(FIXTURE, replace(FIXTURE, status=word))
        await asyncio.sleep(1)

    assert [text.split("  ")[0] for text in process.texts] == [f"Match {word} 0–0 0–0"]


async def test_a_match_whose_stream_is_never_open_ends_with_the_fixtures_and_without_a_score() -> None:
    feed, process = ScriptedFeed(404), make_process()
    async with feed.serve(), process.open():
        following = asyncio.create_task(process.follow(LIVE))
        await asyncio.sleep(100)
        await process.follower.on_fixture_change(LIVE, replace(LIVE, status="Completed"))
        with capture_logs() as logs:
            await asyncio.sleep(COMPLETED_WAIT + 6)
        assert await following

    assert [entry["event"] for entry in logs if entry["event"].startswith(("match_", "end_"))] == ["end_not_seen", "match_ended"]
    assert process.texts == []


async def test_a_match_that_is_deleted_in_play_is_told_and_closed_without_a_full_time() -> None:
    begin = opening(Story())
    process = make_process()
    relisting = compare_listing(LIVE, replace(LIVE, is_deleted=True))
    async with ScriptedFeed([*begin, beat(99)]).serve(), process.open():
        following = asyncio.create_task(process.follow(LIVE))
        await asyncio.sleep(20)
        await process.follower.on_relisted(LIVE, relisting, 1)
        began = asyncio.get_running_loop().time()
        assert await following

    assert asyncio.get_running_loop().time() - began < COMPLETED_WAIT + 15
    assert process.texts == ["Goal 61 0–0 1–0", "Match Withdrawn 0–0 1–0"]


async def test_a_match_whose_stream_broke_off_is_ended_by_all_its_actions() -> None:
    story = Story()
    begin = opening(story)
    late = story.packet("Goal", "Confirmed", "g2", "home", score=(2, 0), minute=88)
    end = story.packet("End Match", status="Completed", minute=90)
    process = make_process()

    async def fetch_actions(_fixture_id: str) -> tuple[Packet, ...]:
        return tuple(replace(packet, at=LoopClock.START) for packet in (late, end))

    process.fetch_actions = fetch_actions
    async with ScriptedFeed([*begin, drop], 404).serve(), process.open():
        following = asyncio.create_task(process.follow(LIVE))
        await asyncio.sleep(MAX_SILENCE)
        await process.follower.on_fixture_change(LIVE, replace(LIVE, status="Completed"))
        assert await following

    assert process.texts == [
        "Goal 61 0–0 1–0",
        "Coverage Lost 61 1–0 1–0 the feed has no stream of this match",
        "Goal 88 1–0 2–0",
        "End Match 90 1–0 2–0",
    ]


async def test_a_quiet_stream_without_an_end_is_full_time_when_the_fixtures_say_so() -> None:
    process = make_process()
    async with ScriptedFeed([*opening(Story()), keep_alive]).serve(), process.open():
        following = asyncio.create_task(process.follow(LIVE))
        await asyncio.sleep(100)
        await process.follower.on_fixture_change(LIVE, replace(LIVE, status="Completed"))
        assert await following

    assert process.texts == ["Goal 61 0–0 1–0", "End Match 61 0–0 1–0"]


async def test_coverage_that_is_dropped_before_kick_off_is_told_though_the_stream_is_silent() -> None:
    process = make_process()
    dropped = replace(FIXTURE, status="Unverified", collection_status="CollectionDropped")
    async with ScriptedFeed([accept, beat(99)]).serve(), process.open():
        following = asyncio.create_task(process.follow(FIXTURE, seconds=60))
        await asyncio.sleep(20)
        await process.follower.on_fixture_change(FIXTURE, dropped)
        await following

    assert process.texts == ["Coverage Dropped (Before Kick-off) 0–0 0–0"]


async def test_old_news_after_a_long_silence_is_summed_up_as_soon_as_live_news_flows() -> None:
    story = Story()
    begin = opening(story)
    old = story.packet("Goal", "Confirmed", "g2", "home", score=(2, 0), minute=70)
    fresh = story.packet("Goal", "Confirmed", "g3", "home", score=(3, 0), minute=90)
    old = replace(old, at=LoopClock.START)
    feed, process = ScriptedFeed([*begin, drop], [wait(20), accept, send(old), live(fresh), wait(5)], [wait(99)]), make_process()
    async with feed.serve(), process.open():
        await asyncio.sleep(1200)
        await process.follow(LIVE, seconds=40)

    assert {"Goal 61 0–0 1–0", "Goal 90 0–0 3–0"} < set(process.texts)
    (summary,) = (text for text in process.texts if "While the connection was down" in text)
    assert "Goal 70 0–0 2–0" in summary


@pytest.mark.parametrize(("known", "tries"), [(False, 3), (True, 13)])
async def test_a_kick_off_that_is_not_known_is_not_midnight(known: bool, tries: int) -> None:
    feed, process = ScriptedFeed(404), make_process()
    early: Fixture = replace(FIXTURE, kickoff=LoopClock.START, is_kickoff_known=known)
    async with feed.serve(), process.open():
        await process.follow(early, seconds=62)

    assert len(feed.at) == tries


async def test_a_packet_on_which_we_fail_ourselves_costs_only_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    story, process = Story(), make_process()
    begin = opening(story)
    bad = story.packet("Goal", "Confirmed", "bad", "home", score=(2, 0), minute=70)
    good = story.packet("Goal", "Confirmed", "good", "home", score=(3, 0), minute=71)
    async with ScriptedFeed([*begin, live(bad, good), beat(3)]).serve(), process.open():
        process_packet = process.pipeline.process

        async def fail(packet: Packet, received: float = 0.0) -> object:
            if packet.action_id == "bad":
                raise RuntimeError("a fault")
            return await process_packet(packet, received)

        monkeypatch.setattr(process.pipeline, "process", fail)
        await process.follow(LIVE, seconds=20)

    assert [text.split(" 0–0")[0] for text in process.texts] == ["Goal 61", "Goal 71"]


async def test_line_ups_that_no_packet_names_are_read_by_rest_and_added_to_the_message() -> None:
    story, known = Story(), Lineups(Lineup((LineupPlayer("Raya", "22"),)), Lineup((LineupPlayer("Sánchez", "1"),)))
    answers = [FeedUnreachable("HTTP 503"), Lineups(), known]

    async def fetch_lineups(_fixture_id: str) -> Lineups:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    process = make_process()
    process.rules = load_rules(
        "rules: [{name: l, match: {action_type: Lineups}, alert: {kind: lineups, text: 'Line-ups {{ home_lineup }}'}}]"
    )
    process.fetch_lineups = fetch_lineups
    async with ScriptedFeed([accept, live(story.packet("Lineups", period=0)), beat(99)]).serve(), process.open():
        await process.follow(FIXTURE, seconds=200)

    assert [(row["op"], row["text"]) for row in process.rows] == [("send", "Line-ups"), ("edit", "Line-ups 22 Raya")]
    assert answers == []
