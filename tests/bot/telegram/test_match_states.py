"""Messages that show how a match stands: right when they leave, and corrected when a goal in them is taken back."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.matches.pipeline import Pipeline
from bot.outbox.explanation import explain_message
from bot.quiet_hours import QuietHours
from bot.subscribers import ChatRef
from rules.football.catalogue import load_catalogue
from rules.football.match import Moment
from rules.loading.loader import load_pack
from tests.bot.news import NOW
from tests.bot.telegram.conftest import World
from tests.packets import FIXTURE, KICKOFF, Story
from tests.sqlite import new_sqlite

pytestmark = pytest.mark.virtual_time

REF = ChatRef(1)


class PlayedWorld(World):
    """A sender and a match that is told to it packet by packet."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.story = Story()

    async def open(self) -> None:
        await super().open()
        self.pipeline = Pipeline(load_pack("default"), load_catalogue(), self.outbox)
        await self.pipeline.open(FIXTURE)

    async def play(self, *moments: Moment) -> None:
        """Process the packets of these moments, as of now."""
        for packet in self.story.packets[-len(moments) :]:
            await self.pipeline.process(packet)

    async def wait(self, seconds: float) -> None:
        await self.send(seconds=seconds)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[PlayedWorld]:
    made = PlayedWorld(new_sqlite(tmp_path))
    await made.open()
    yield made
    await made.db.close()


def quiet_for(seconds: float) -> QuietHours:
    """Return quiet hours, in UTC, that hold alerts from before now until the next full minute after so many seconds."""
    end = NOW + dt.timedelta(seconds=seconds)
    return QuietHours(0, end.hour * 60 + end.minute, holds_alerts=True)


def goal_now(world: PlayedWorld, action: str, minute: int, score: tuple[int, int], send: str = "Confirmed") -> Moment:
    at = NOW + dt.timedelta(seconds=asyncio.get_running_loop().time())
    return world.story.goal(action, minute=minute, score=score, send=send, player=f"Scorer of {action}", at=at)


async def test_a_held_summary_has_the_score_of_the_moment_when_it_leaves(world: PlayedWorld) -> None:
    """The chat takes red cards alone, so that no news of its own brings it the goals after the card."""
    await world.follow(1, quiet_hours=quiet_for(120), scorers_only=False)
    await world.play(goal_now(world, "one", 20, (1, 0)))
    await world.play(world.story.add("Red Card", action="red", side="away", player="Caicedo", minute=21, at=world.clock.now()))
    await world.wait(60)
    # A goal that no rule tells changes the score all the same.
    world.pipeline.set_rules(load_pack("cards"), load_catalogue())
    await world.play(goal_now(world, "two", 22, (2, 0)))
    await world.wait(120)

    (summary,) = world.shown(1)
    assert summary.text.splitlines()[0] == "📋 While it was quiet · Arsenal 2–0 Chelsea"


async def test_a_sent_summary_is_corrected_when_a_goal_in_its_score_falls(world: PlayedWorld) -> None:
    await world.follow(1, quiet_hours=quiet_for(60))
    await world.play(world.story.add("Start Match", minute=1, at=world.clock.now()))
    await world.play(world.story.add("Red Card", action="red", side="away", player="Caicedo", minute=10, at=world.clock.now()))
    world.pipeline.set_rules(load_pack("cards"), load_catalogue())
    await world.play(goal_now(world, "one", 20, (1, 0)))
    await world.wait(100)
    (summary,) = world.shown(1)
    assert "Arsenal 1–0 Chelsea" in summary.text.splitlines()[0]

    await world.play(goal_now(world, "two", 30, (2, 0)))
    await world.play(goal_now(world, "one", 20, (1, 0), send="Cancelled"))
    await world.wait(20)

    (summary,) = world.shown(1)
    assert "Arsenal 0–0 Chelsea" in summary.text.splitlines()[0]

    await world.play(goal_now(world, "one", 20, (2, 0), send="Updated"))
    await world.wait(20)

    (summary,) = world.shown(1)
    assert "Arsenal 1–0 Chelsea" in summary.text.splitlines()[0]


async def test_a_summary_says_that_the_match_is_over_and_takes_that_back(world: PlayedWorld) -> None:
    await world.follow(1, quiet_hours=quiet_for(60))
    await world.play(world.story.add("Red Card", action="red", side="away", player="Caicedo", minute=88, at=world.clock.now()))
    await world.play(world.story.add("End Match", action="ft", minute=90, at=world.clock.now()))
    await world.wait(100)
    (summary,) = world.shown(1)
    assert summary.text.splitlines()[0].endswith("Arsenal 0–0 Chelsea · full time")

    await world.play(world.story.add("End Match", action="ft", send="Deleted", minute=90, at=world.clock.now()))
    await world.wait(20)

    assert world.shown(1)[0].text.splitlines()[0].endswith("Arsenal 0–0 Chelsea")


async def test_half_time_that_waits_or_was_sent_is_corrected_by_an_edit(world: PlayedWorld) -> None:
    await world.follow(1)
    await world.play(goal_now(world, "one", 20, (1, 0)))
    await world.play(world.story.add("End Period", action="ht", minute=45, at=world.clock.now()))
    await world.wait(5)
    half_time = world.shown(1)[-1]
    assert half_time.text.splitlines()[0] == "⏸ HT: Arsenal 1–0 Chelsea"

    await world.play(goal_now(world, "one", 20, (0, 0), send="Cancelled"))
    await world.wait(20)

    assert half_time.text.splitlines()[0] == "⏸ HT: Arsenal 0–0 Chelsea"
    assert [shown.text[0] for shown in world.shown(1)] == ["⚽", "⏸", "❌"]


async def test_a_chat_that_subscribes_is_told_score_minute_and_scorers_and_is_corrected(world: PlayedWorld) -> None:
    await world.play(goal_now(world, "one", 20, (1, 0)))
    await world.play(world.story.add("Free Kick", minute=31, at=world.clock.now()))
    await world.wait(5)
    await world.follow(1)

    await world.outbox.put_match_state(REF, world.story.match, "42:7")
    await world.outbox.put_match_state(REF, world.story.match, "42:7")
    await world.wait(5)

    (state,) = world.shown(1)
    assert (state.text, state.silent) == ("📋 The match so far · Arsenal 1–0 Chelsea · 31'\nScorer of one 20'", True)
    explanation = await explain_message(world.outbox.queue, 1, state.id)
    assert explanation is not None

    await world.play(goal_now(world, "one", 20, (0, 0), send="Cancelled"))
    await world.wait(5)

    assert world.shown(1)[0].text == "📋 The match so far · Arsenal 0–0 Chelsea · 31'"


async def test_the_state_hides_its_score_from_a_chat_with_spoilers(world: PlayedWorld) -> None:
    await world.play(goal_now(world, "one", 20, (1, 0)))
    await world.follow(1, spoilers=True)

    await world.outbox.put_match_state(REF, world.story.match, "42:7")
    await world.wait(5)

    visible, _, hidden = world.shown(1)[0].html.partition("\n")
    assert visible == "🔔 Arsenal v Chelsea"
    assert hidden.startswith("<tg-spoiler>") and hidden.endswith("</tg-spoiler>")


async def test_a_chat_with_a_delay_is_told_how_the_match_stood_that_long_ago(world: PlayedWorld) -> None:
    await world.play(goal_now(world, "one", 20, (1, 0)))
    await world.wait(30)
    await world.follow(1, delay=60)

    await world.outbox.put_match_state(REF, world.story.match, "42:7", delay=60)
    await world.wait(20)
    await world.play(goal_now(world, "two", 21, (2, 0)))
    await world.wait(45)

    state = world.shown(1)[0]
    assert state.text.splitlines()[0].startswith("📋 The match so far · Arsenal 1–0 Chelsea")


async def test_a_match_that_is_read_again_from_its_start_does_not_bring_back_old_scores(world: PlayedWorld) -> None:
    await world.play(world.story.add("Start Match", minute=1, at=KICKOFF))
    await world.play(goal_now(world, "one", 20, (1, 0)))
    await world.follow(1)
    await world.outbox.put_match_state(REF, world.story.match, "42:7")
    await world.wait(5)

    await world.restart()
    for packet in world.story.packets:
        await world.pipeline.process(packet)
    await world.wait(5)

    assert world.shown(1)[0].versions[-1] == world.shown(1)[0].versions[0]
    assert "1–0" in world.shown(1)[0].text
