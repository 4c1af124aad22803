"""Who asked for it in a group is mentioned after loud news of the match, five people a message."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from bot.outbox.match_states import STATE_PREFIX
from bot.outbox.news import SAMPLE, NewsItem
from bot.quiet_hours import QuietHours
from bot.subscribers import Chat, ChatRef, Mentions
from bot.telegram.mentions import has_mention_button, render_mentions, split_replies
from rules.engine.alert import CARD, AlertKey
from tests.bot.news import CHAT, NOW, alert, minor, news, pending, retracted
from tests.bot.telegram.conftest import World
from tests.packets import FIXTURE
from tests.sqlite import new_sqlite

pytestmark = pytest.mark.virtual_time

PEOPLE = tuple((number, f"<Fan {number}>") for number in range(1, 8))


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = World(new_sqlite(tmp_path))
    await made.open()
    await made.follow(1)
    await change(made, type="supergroup", mentions=True, mentioned=(Mentions(FIXTURE.id, PEOPLE), Mentions("other", ((9, "X"),))))
    yield made
    await made.db.close()


async def change(world: World, **settings: Any) -> None:
    """Change settings of the group."""
    await world.chats.update(ChatRef(1), lambda chat: replace(chat, **settings))


def mentions(world: World) -> list[str]:
    """Return the messages that mention somebody."""
    return [shown.html for shown in world.shown() if "tg://user" in shown.html]


async def test_a_goal_mentions_everybody_once_five_a_message_in_reply_to_it(world: World) -> None:
    await world.send(pending(1), alert(2, "goal, confirmed"), alert(3, "goal, named"))

    first, second = mentions(world)
    assert first.startswith('🔔 <a href="tg://user?id=1">&lt;Fan 1&gt;</a>, ') and first.count("tg://user") == 5
    assert [second.count("tg://user"), len(world.shown())] == [2, 3]
    assert not any(shown.silent for shown in world.shown())


async def test_silent_news_and_other_matches_mention_nobody(world: World) -> None:
    await world.send(minor(1, action="card"))
    await change(world, mentioned=(Mentions("other", PEOPLE),))
    await world.send(alert(1))

    assert mentions(world) == [] and len(world.shown()) == 2


@pytest.mark.parametrize("settings", [{"mentions": False}, {"spoilers": True}, {"mentioned": ()}])
async def test_nobody_is_mentioned_where_it_is_off_or_scores_are_hidden(world: World, settings: dict[str, Any]) -> None:
    await change(world, **settings)
    await world.send(alert(1))

    assert mentions(world) == [] and len(world.shown()) == 1


async def test_a_goal_that_is_taken_back_is_told_even_if_the_mentions_have_not_left(world: World) -> None:
    await world.send(alert(1), retracted(2))

    assert "No goal" in world.shown()[-1].html and len(mentions(world)) <= 2


async def test_a_kick_off_has_the_button_and_mentions_nobody(world: World) -> None:
    await world.send(alert(1, "kick-off", kind="kick_off", action="k"), alert(1))
    await change(world, mentions=False)
    await world.send(alert(1, "second half", kind="kick_off", action="s"))

    keyboards = [
        plan.keyboard for plan, _result in world.delivered if plan.alert.kind == "kick_off" and hasattr(plan, "keyboard")
    ]
    labels = [[b["callback_data"] for row in msgspec.json.decode(k or b"{}")["inline_keyboard"] for b in row] for k in keyboards]
    assert labels[0] == ["me", "a"] and "me" not in labels[1] and len(mentions(world)) == 2


def test_replies_that_wait_are_sent_one_by_one() -> None:
    assert split_replies("one\x1etwo\x1ethree") == ("one", "two\x1ethree") and split_replies("one") == ("one", None)


GROUP = replace(CHAT, type="group", mentions=True, mentioned=(Mentions(FIXTURE.id, ((1, "Ann"), (2, "B & C"))),))


def test_people_are_named_by_their_number_and_their_escaped_name() -> None:
    expected = '🔔 <a href="tg://user?id=1">Ann</a>, <a href="tg://user?id=2">B &amp; C</a>'

    assert render_mentions(GROUP, news(alert()), alert(), NOW, is_silent=False) == expected


@pytest.mark.parametrize(
    ("chat", "item"),
    [
        (replace(GROUP, quiet_hours=QuietHours(14 * 60, 15 * 60)), news(alert())),
        (replace(GROUP, spoilers=True), news(alert())),
        (replace(GROUP, mentions=False), news(alert())),
        (replace(GROUP, mentioned=()), news(alert())),
        (GROUP, news(alert(kind="kick_off"))),
        (GROUP, news(alert(kind=CARD))),
        (GROUP, news(alert(), line_ids=("g",))),
        (GROUP, news(alert(action=f"{STATE_PREFIX}7"))),
        (
            replace(GROUP, mentioned=(Mentions(SAMPLE, ((1, "Ann"),)),)),
            news(replace(alert(), key=AlertKey(SAMPLE, "1"))),
        ),
    ],
    ids=["quiet hours", "spoilers", "not allowed", "nobody", "kick-off", "card", "digest", "state", "sample"],
)
def test_what_is_no_loud_alert_mentions_nobody(chat: Chat, item: NewsItem) -> None:
    assert render_mentions(chat, item, item.alternatives[0], NOW, is_silent=False) is None


def test_a_silent_message_mentions_nobody() -> None:
    assert render_mentions(GROUP, news(alert()), alert(), NOW, is_silent=True) is None


@pytest.mark.parametrize(
    ("settings", "kind", "has_button"),
    [
        ({}, "kick_off", True),
        ({"type": "supergroup"}, "kick_off", True),
        ({"type": "private"}, "kick_off", False),
        ({"type": "channel"}, "kick_off", False),
        ({"mentions": False}, "kick_off", False),
        ({}, "goal", False),
    ],
)
def test_the_button_stands_under_the_kick_off_in_groups_that_allow_it(
    settings: dict[str, Any], kind: str, has_button: bool
) -> None:
    assert has_mention_button(replace(GROUP, **settings), kind) is has_button
