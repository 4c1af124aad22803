"""Bursts over a real outbox and sender: the first alert at once, what follows within seconds in one message, kept correct."""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import Any

import pytest
from msgspec.structs import replace

from bot.outbox.delivery import Reason
from bot.outbox.explanation import explain_message
from bot.subscribers import ChatRef
from rules.engine.alert import Alert, AlertKey
from rules.football.action import Team
from tests.bot.news import NOW, alert, minor, pending, retracted
from tests.bot.telegram.conftest import World
from tests.packets import FIXTURE

pytestmark = pytest.mark.virtual_time
TEAMS = {"f1": "Arsenal", "f2": "Leeds", "f3": "Everton"}


def of(match: str, one: Alert, at: float = 0.0, **more: Any) -> Alert:
    """The same news of another match, so many seconds later."""
    team = TEAMS[match]
    fixture = replace(FIXTURE, id=match, home=Team(match, team), name=f"{team} v Chelsea")
    facts = replace(one.facts, match=f"{team} 1–0 Chelsea", player=more.pop("player", "Smith"), minute="10", team=team)
    return replace(one, key=AlertKey(match, one.key.action_id), fixture=fixture, facts=facts, at=NOW + dt.timedelta(seconds=at))


def texts(world: World, chat_id: int = 1) -> list[str]:
    return [message.text for message in world.shown(chat_id)]


async def test_behind_spoilers_the_title_of_several_stands_once(world: World) -> None:
    await world.follow(1, digests=True, spoilers=True)

    await world.send(*(of(match, alert(1)) for match in TEAMS), seconds=20)

    html = world.shown(1)[-1].html
    assert html.count("Just now") == 1 and html.startswith("🔔 <b>Just now</b>\n<tg-spoiler>• 10' ")


async def test_the_first_comes_at_once_and_what_follows_in_one_message_with_a_line_each(world: World) -> None:
    await world.follow(1, digests=True)
    await world.follow(2)

    await world.send(of("f1", alert(1)), of("f2", pending(1)), of("f3", minor(1)), seconds=2)
    early = (len(world.shown(1)), len(world.shown(2)))
    await world.send(seconds=20)

    assert early == (1, 3)
    first, together = world.shown(1)
    assert first.text == "goal" and together.text.splitlines() == [
        "🔔 Just now",
        "• ⏳ 10' ⚽ Smith (Leeds) · Leeds 1–0 Chelsea",
        "• 10' ⚽ Smith (Everton) · Everton 1–0 Chelsea",
    ]
    assert together.at - first.at < 15.1 and not together.silent


async def test_a_correction_in_a_burst_is_an_edit_and_a_retraction_is_struck_through_with_one_reply(world: World) -> None:
    await world.follow(1, digests=True)
    await world.send(of("f1", alert(1)), of("f2", pending(1)), of("f3", alert(1)), seconds=20)
    await world.restart()

    await world.send(of("f2", alert(2)), of("f3", retracted(2)), seconds=10)
    await world.send(of("f2", alert(3, "goal by Kane")), seconds=10)

    (_, together, reply) = world.shown(1)
    assert (reply.reply_to, reply.text, reply.silent) == (
        together.id,
        "❌ Everton: no goal\n10' Smith · Everton 1–0 Chelsea",
        False,
    )
    assert "⏳" not in together.html and "• <s>" in together.html.splitlines()[2]
    assert "Leeds" in together.html.splitlines()[1] and "<s>" not in together.html.splitlines()[1]


async def test_what_disallows_a_goal_of_a_burst_is_shown_there_and_not_sent_by_itself_too(world: World) -> None:
    await world.follow(1, digests=True)
    await world.send(of("f1", alert(1)), of("f2", alert(1)), of("f3", alert(1)), seconds=40)
    check = of("f3", alert(2, "no goal", action="var", rule="var", kind="var", disallows_action="g"), at=40)

    await world.send(check, of("f3", retracted(3)), seconds=40)

    assert [text.splitlines()[0] for text in texts(world)] == ["goal", "🔔 Just now", "❌ Everton: no goal"]


async def test_why_is_known_of_every_line_of_it(world: World) -> None:
    await world.follow(1, digests=True)
    await world.send(of("f1", alert(1)), of("f2", alert(1)), of("f3", minor(1)), seconds=20)

    explanation = await explain_message(world.outbox.queue, 1, world.shown()[1].id)

    assert explanation is not None
    assert [(line.key.fixture_id, line.alternatives[0].rule) for line in explanation.lines] == [
        ("f2", "goals"),
        ("f3", "yellows"),
    ]


async def test_a_line_retracted_before_the_burst_is_left_out_and_sent_when_it_is_restored(world: World) -> None:
    await world.follow(1, digests=True)
    await world.send(of("f1", alert(1)), of("f2", alert(1)), of("f3", alert(1)), of("f2", retracted(2)), seconds=20)
    assert texts(world) == ["goal", "goal"]

    await world.send(of("f2", alert(3), at=21), seconds=20)

    assert len(world.shown(1)) == 3


async def test_a_single_message_that_was_sent_is_corrected_at_once(world: World) -> None:
    await world.follow(1, digests=True)

    await world.send(of("f1", alert(1)), of("f2", alert(1)), of("f1", retracted(2)), seconds=2)

    assert [message.html[:3] for message in world.shown(1)] == ["<s>", "❌ <"]


async def test_what_was_held_survives_a_kill_and_comes_once(world: World) -> None:
    await world.follow(1, digests=True)
    await world.send(of("f1", alert(1)), of("f2", alert(1)), of("f3", alert(1)), seconds=1)
    await world.restart()

    await world.send(seconds=20)
    await world.restart()
    await world.send(seconds=20)

    assert len(world.shown(1)) == 2


async def test_news_that_goes_on_comes_in_one_message_after_the_other_and_nothing_is_sent_twice(world: World) -> None:
    await world.follow(1, digests=True)
    story = [of(match, alert(1, action=f"g{number}"), at=3.0 * number, player=f"P{number}x")
             for number, match in enumerate(["f1", "f2", "f3"] * 4)]  # fmt: skip

    for one in story:
        await world.send(one, seconds=2.9)
    await world.send(seconds=20)

    words = "\n".join(texts(world)[1:])
    assert texts(world)[0] == "goal" and 2 <= len(world.shown(1)) <= 5
    assert [words.count(f"P{number}x ") for number in range(1, 12)] == [1] * 11


async def test_after_a_quiet_minute_news_comes_at_once_again(world: World) -> None:
    await world.follow(1, digests=True)
    await world.send(of("f1", alert(1)), of("f2", alert(1)), seconds=60)

    await world.send(of("f3", alert(1, "late"), at=61), seconds=1)

    assert texts(world)[-1] == "late"


async def test_a_delay_and_a_mute_of_a_match_hold_in_it_too(world: World) -> None:
    await world.follow(1, digests=True, delay=60)
    await world.send(of("f1", alert(1)), of("f2", alert(1)), of("f3", alert(1)), seconds=50)
    assert texts(world) == []
    chat = await world.chats.get(ChatRef(1))
    assert chat is not None
    await world.chats.save(replace(chat, muted_matches=frozenset({"f2"})))

    await world.send(seconds=60)

    assert texts(world) == ["goal", "goal"]


async def test_what_was_held_and_could_not_leave_in_time_is_in_the_digest_of_each_match(world: World) -> None:
    await world.follow(1, digests=True)
    await world.send(of("f1", alert(1)), of("f2", alert(1)), of("f3", alert(1)), seconds=1)
    await asyncio.sleep(900)
    await world.restart()
    await world.send(seconds=5)
    assert (len(world.shown(1)), world.sender.skipped[Reason.EXPIRED]) == (1, 1)

    await world.outbox.summarise_missed("f2")
    await world.send(seconds=5)

    assert texts(world)[-1].splitlines()[1:] == ["• 10' ⚽ Smith (Leeds)"]
