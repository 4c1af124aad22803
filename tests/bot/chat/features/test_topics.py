"""A competition gets a topic of its own in a forum."""

from __future__ import annotations

import pytest

from bot.fake_telegram import FakeChat
from bot.fake_telegram.state import RefusedError, too_many
from tests.bot.chat.conftest import ADMIN, World

BOT, MEMBER, FORUM = 7_000_000_001, 5, -1_000_000_000_500


@pytest.fixture
def forum(world: World) -> FakeChat:
    found = world.api.chat(FORUM, title="Fans", is_forum=True)
    found.admins, found.topics = {ADMIN, BOT}, {11}
    return found


async def test_the_bot_makes_a_topic_and_moves_a_competition_there_with_its_settings(world: World, forum: FakeChat) -> None:
    await world.ask(FORUM, ADMIN, "/subscribe Premier League")
    await world.ask(FORUM, ADMIN, "/alerts only goals")
    await world.ask(FORUM, ADMIN, "/quiet 23-7")
    world.api.say(FORUM, ADMIN, "/topic Premier League")
    await world.api.until(lambda: "now has its own topic" in forum.last.text)
    ((topic, name),) = forum.topic_names.items()
    hello = forum.messages[-2]

    assert name == "Premier League" and (hello.topic, hello.text.partition(".")[0]) == (
        topic,
        "🧵 Alerts for Premier League come here",
    )
    assert (await world.list_followed(FORUM), await world.list_followed(FORUM, topic)) == ([], ["Premier League"])
    general, moved = await world.load_chat(FORUM), await world.load_chat(FORUM, topic)
    assert moved.quiet_hours == general.quiet_hours is not None and moved.filter == general.filter


async def test_in_a_topic_that_exists_the_competition_comes_there(world: World, forum: FakeChat) -> None:
    await world.ask(FORUM, ADMIN, "/subscribe Premier League")
    answer = await world.ask(FORUM, ADMIN, "/topic premier league", topic=11)

    assert (answer.topic, answer.text) == (11, "🧵 Alerts for Premier League now come in this topic.")
    assert (await world.list_followed(FORUM), await world.list_followed(FORUM, 11)) == ([], ["Premier League"])
    assert not world.api.calls("createForumTopic")


async def test_what_is_followed_is_offered_and_a_tap_gives_it_a_topic(world: World, forum: FakeChat) -> None:
    await world.ask(FORUM, ADMIN, "/subscribe Arsenal")
    offered = await world.ask(FORUM, ADMIN, "/topic")
    refused = await world.press(FORUM, MEMBER, offered, offered.button("Arsenal").data)
    await world.press(FORUM, ADMIN, offered, offered.button("Arsenal").data)

    assert "group admins" in refused and offered.text == "🧵 Arsenal now has its own topic."
    assert list(forum.topic_names.values()) == ["Arsenal"]


async def test_a_second_tap_leads_to_the_topic_that_the_first_has_made(world: World, forum: FakeChat) -> None:
    await world.ask(FORUM, ADMIN, "/subscribe Arsenal")
    offered = await world.ask(FORUM, ADMIN, "/topic")
    data = offered.button("Arsenal").data
    for _ in range(2):
        world.api.press(FORUM, ADMIN, offered, data)
    await world.api.until(lambda: "already has its own topic" in offered.text)
    typed = await world.ask(FORUM, ADMIN, "/topic Arsenal")
    ((topic, _name),) = forum.topic_names.items()

    assert f'<a href="https://t.me/c/{-1_000_000_000_000 - FORUM}/{topic}">' in typed.html
    assert len(world.api.calls("createForumTopic")) == 1
    assert (await world.list_followed(FORUM), await world.list_followed(FORUM, topic)) == ([], ["Arsenal"])


@pytest.mark.parametrize(
    ("refusal", "note"),
    [(too_many(90), "try again in 2 min"), (RefusedError(502, "Bad Gateway"), "Something went wrong")],
    ids=["wait", "unreachable"],
)
async def test_a_press_is_answered_though_telegram_makes_no_topic_now(
    world: World, forum: FakeChat, refusal: RefusedError, note: str
) -> None:
    await world.ask(FORUM, ADMIN, "/subscribe Arsenal")
    offered = await world.ask(FORUM, ADMIN, "/topic")
    data = offered.button("Arsenal").data
    world.api.fail("createForumTopic", refusal)

    assert note in await world.press(FORUM, ADMIN, offered, data)
    assert await world.list_followed(FORUM) == ["Arsenal"]
    await world.press(FORUM, ADMIN, offered, data)
    assert list(forum.topic_names.values()) == ["Arsenal"]


async def test_without_the_right_the_bot_says_what_it_needs_and_what_helps(world: World, forum: FakeChat) -> None:
    forum.lacks = {"can_manage_topics"}
    await world.ask(FORUM, ADMIN, "/subscribe Arsenal")
    answer = await world.ask(FORUM, ADMIN, "/topic Arsenal")

    assert answer.text.startswith("I need the right to manage topics.") and await world.list_followed(FORUM) == ["Arsenal"]


async def test_members_make_no_topics_and_groups_without_topics_have_none(world: World, forum: FakeChat) -> None:
    member = await world.ask(FORUM, MEMBER, "/topic Arsenal")
    private = await world.ask(42, 42, "/topic Arsenal")

    assert "group admins" in member.text and private.text.startswith("Topics are off here")
    assert not forum.topic_names


async def test_a_name_that_is_not_known_is_no_topic(world: World, forum: FakeChat) -> None:
    unknown = await world.ask(FORUM, ADMIN, "/topic Qwertz")
    near = await world.ask(FORUM, ADMIN, "/topic Chelsae")

    assert "I couldn't find" in unknown.text and "Chelsea" in near.labels and not forum.topic_names
