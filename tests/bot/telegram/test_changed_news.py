"""What is taken back is as loud as what was announced: real packets, the shipped rules, and what one chat sees."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bot.subscribers import ChatRef
from bot.telegram.html import to_plain
from rules.engine.evaluate import evaluate
from rules.football.match import Moment
from rules.loading.loader import load_pack
from tests.bot.telegram.conftest import World
from tests.fakes.messenger import ShownMessage
from tests.packets import Story

pytestmark = pytest.mark.virtual_time
RULES = load_pack("default")

YELLOW = {"kind": "Yellow Card", "player": "Rice"}
RED = {"kind": "Red Card", "player": "Rice"}
GOAL = {"kind": "Goal", "sub": "Penalty", "player": "Kane", "score": (1, 0)}
OTHER_GOAL = {"kind": "Goal", "player": "Kane", "score": (0, 1), "side": "away"}
MISS = {"kind": "Penalty Missed", "player": "Kane", "score": (0, 0)}
PENALTY = {"kind": "Penalty Awarded"}


class RuleAlerts:
    """Puts the alerts of the shipped rules for actions, revision by revision; `action` is the id of the current one."""

    def __init__(self, world: World) -> None:
        self._world, self.story, self.action = world, Story(), "a"

    async def put_revision(self, send: str, packet: dict[str, Any]) -> None:
        more = {"side": "home", "minute": 30} | packet
        await self._put(self.story.add(more.pop("kind"), send, self.action, more.pop("side"), **more))

    async def _put(self, moment: Moment) -> None:
        fired = await self._world.outbox.read_fired_rules(moment.after.fixture.id)
        await self._world.outbox.put(evaluate(RULES, moment, fired))
        await asyncio.sleep(2.0)


async def send_revisions(world: World, *revisions: tuple[str, dict[str, Any]]) -> tuple[ShownMessage, list[ShownMessage]]:
    """Send these revisions of one action; return its message and the replies to it."""
    if not await world.chats.get(ChatRef(1)):
        await world.follow(1)
    async with world.sending():
        alerts = RuleAlerts(world)
        for send, packet in revisions:
            await alerts.put_revision(send, packet)
    first, *replies = world.shown()
    assert all(reply.reply_to == first.id for reply in replies)
    return first, replies


@pytest.mark.parametrize(
    ("before", "after", "title", "silent"),
    [
        (RED, YELLOW, "Red Card → Yellow Card", False),
        (GOAL, MISS, "Goal → Penalty Missed", False),
        (GOAL, PENALTY | {"score": (0, 0)}, "Goal → Penalty Awarded", False),
        (GOAL, OTHER_GOAL, "Goal, Arsenal → Chelsea", False),
        (OTHER_GOAL, GOAL, "Goal, Chelsea → Arsenal", False),
        (RED, RED | {"side": "away"}, "Red Card, Arsenal → Chelsea", False),
        (PENALTY, PENALTY | {"side": "away"}, "Penalty Awarded, Arsenal → Chelsea", False),
        (YELLOW, YELLOW | {"side": "away"}, "Yellow Card, Arsenal → Chelsea", True),
        (YELLOW, MISS, "Yellow Card → Penalty Missed", False),
        (MISS, YELLOW, "Penalty Missed → Yellow Card", False),
        (YELLOW, RED | {"side": "away"}, "Yellow Card → Red Card", False),
        (RED, GOAL, "Red Card → Goal", False),
    ],
)
async def test_what_becomes_other_news_is_edited_and_a_reply_says_what_changed(
    world: World, before: dict[str, Any], after: dict[str, Any], title: str, silent: bool
) -> None:
    message, (reply,) = await send_revisions(world, ("Confirmed", before), ("Updated", after))

    first_line, _, rest = reply.html.partition("\n")
    assert first_line == f"✏️ <b>Correction: {title}</b>"
    assert (rest, reply.silent) == (message.html, silent)


@pytest.mark.parametrize(("before", "after"), [(YELLOW, RED), (MISS, GOAL)])
async def test_what_becomes_more_severe_is_edited_and_sent_anew(
    world: World, before: dict[str, Any], after: dict[str, Any]
) -> None:
    message, (reply,) = await send_revisions(world, ("Confirmed", before), ("Updated", after))

    assert (reply.html, reply.silent) == (message.html, False)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (GOAL | {"player": None}, GOAL),
        (GOAL, GOAL | {"sub": "Header"}),
        (RED, RED | {"sub": "Second Yellow"}),
        (RED, RED | {"player": "Saka"}),
    ],
)
async def test_what_only_adds_to_the_news_is_an_edit_alone(world: World, before: dict[str, Any], after: dict[str, Any]) -> None:
    message, replies = await send_revisions(world, ("Pending", before), ("Confirmed", before), ("Updated", after))

    assert replies == [] and len(message.versions) == 3


async def test_each_step_of_a_change_to_and_fro_is_told(world: World) -> None:
    message, replies = await send_revisions(
        world, ("Pending", RED), ("Confirmed", YELLOW), ("Updated", RED), ("Updated", YELLOW), ("Deleted", YELLOW)
    )

    assert [to_plain(reply.html).split("\n")[0] for reply in replies[:1]] == ["✏️ Correction: Red Card → Yellow Card"]
    assert replies[1].text.startswith("🟥 Arsenal: Rice sent off")
    assert replies[2].text.startswith("✏️ Correction: Red Card → Yellow Card")
    assert replies[3].text.startswith("❌ Arsenal: yellow card cancelled")
    assert message.html.startswith("<s>🟨")


async def test_what_was_taken_back_and_stands_again_as_other_news_is_told_as_what_it_is(world: World) -> None:
    message, replies = await send_revisions(world, ("Confirmed", RED), ("Deleted", RED), ("Updated", YELLOW))

    assert [reply.text.split("\n")[0] for reply in replies][1:] == ["✏️ Correction: Red Card → Yellow Card"]
    assert "stands after all" not in message.html and not replies[1].silent


async def test_a_goal_that_was_taken_back_and_stands_again_for_the_other_side_says_so(world: World) -> None:
    _, replies = await send_revisions(world, ("Confirmed", GOAL), ("Deleted", GOAL | {"score": (0, 0)}), ("Updated", OTHER_GOAL))

    assert replies[1].text.startswith("✏️ Correction: Goal, Arsenal → Chelsea\n") and not replies[1].silent


async def test_a_retraction_names_what_the_chat_was_told_even_if_the_type_changes_with_it(world: World) -> None:
    _, (reply,) = await send_revisions(world, ("Confirmed", RED), ("Deleted", YELLOW))

    assert reply.text.startswith("❌ Arsenal: red card cancelled") and not reply.silent


async def test_a_reply_that_a_later_one_replaces_keeps_its_sound(world: World) -> None:
    await world.follow(1)
    alerts = RuleAlerts(world)
    async with world.sending():
        await alerts.put_revision("Confirmed", RED)
    await alerts.put_revision("Updated", YELLOW)
    (edit,) = await world.sender._start_next(1)
    await edit
    await alerts.put_revision("Deleted", YELLOW)

    await world.send(seconds=10)

    _, reply = world.shown()
    assert reply.text.startswith("❌ Arsenal: yellow card cancelled") and not reply.silent


async def test_a_line_of_several_that_becomes_other_news_is_edited_and_answered_once(world: World) -> None:
    await world.follow(1, digests=True)
    alerts = RuleAlerts(world)
    async with world.sending():
        for action, packet in (("first", PENALTY), ("other", MISS), ("card", RED)):
            alerts.action = action
            await alerts.put_revision("Confirmed", packet)
        await asyncio.sleep(20)
        await alerts.put_revision("Updated", YELLOW)
        await asyncio.sleep(20)

    _, several, reply = world.shown()
    assert "🟨 Rice" in several.text and reply.reply_to == several.id and not reply.silent
    assert reply.text.startswith("✏️ Correction: Red Card → Yellow Card\n30' 🟨 Rice (Arsenal)")
