"""How often a user may ask, and what happens to the rest."""

from __future__ import annotations

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from bot.chat.user_limits import BURST_SIZE, MAX_REMEMBERED_USERS, REFILL_PER_SECOND, UserRateLimit
from tests.bot.chat.conftest import World
from tests.bot.chat.fixtures import NOW

GROUP = -100

SLOW_DOWN = "Too fast! Try again in a few seconds."


@given(st.lists(st.floats(0, 5), max_size=200))
def test_no_user_sends_more_than_the_burst_and_one_a_second(pauses: list[float]) -> None:
    limit, now, allowed = UserRateLimit(), 1000.0, 0
    for pause in pauses:
        now += pause
        allowed += limit.allow(1, now)

    assert allowed <= BURST_SIZE + sum(pauses) * REFILL_PER_SECOND + 1e-6


def test_a_user_who_waits_a_second_may_send_again_and_others_never_wait() -> None:
    limit = UserRateLimit()
    allowed = [limit.allow(1, 0.0) for _ in range(25)]

    assert allowed == [True] * 20 + [False] * 5
    assert limit.allow(2, 0.0) and limit.allow(1, 1.0)


def test_a_user_is_warned_once_until_slowing_down() -> None:
    limit = UserRateLimit()
    for _ in range(21):
        limit.allow(1, 0.0)
    warned = [limit.should_warn(1), limit.should_warn(1)]
    limit.allow(1, 30.0)

    assert [*warned, limit.should_warn(1)] == [True, False, True]


def test_the_number_of_remembered_users_is_limited() -> None:
    limit = UserRateLimit()
    for user in range(MAX_REMEMBERED_USERS + 5):
        limit.allow(user, 0.0)

    assert len(limit._buckets) == MAX_REMEMBERED_USERS


async def test_a_flood_in_a_group_gets_one_warning_and_other_members_are_answered(world: World) -> None:
    for _ in range(40):
        world.api.say(GROUP, 5, "/help")
        world.api.say(GROUP, 5, "only talking")
    await world.wait_until_idle()
    other = await world.ask(GROUP, 6, "/today")

    texts_sent = [message.text for message in world.api.chat(GROUP).messages]
    assert texts_sent.count(SLOW_DOWN) == 1 and len(texts_sent) == 22
    assert "Arsenal" in other.text


async def test_a_flood_of_presses_is_answered_once_with_a_note(world: World) -> None:
    message = await world.ask(42, 42, "/today")
    queries = [world.api.press(42, 42, message, "d:20261122:0") for _ in range(25)]
    await world.wait_until_idle()
    world.clock.move_to(NOW + dt.timedelta(seconds=3))
    again = await world.press(42, 42, message, "d:20261122:0")

    notes = [answer["text"] for query in queries if (answer := world.api.answer(query))]
    assert notes.count(SLOW_DOWN) == 1 and len(notes) == 20 and again == ""


async def test_anonymous_administrators_of_different_groups_do_not_share_a_bucket(world: World) -> None:
    for _ in range(25):
        world.api.say(GROUP, 0, "/help", as_chat=True)
    await world.wait_until_idle()
    answer = await world.ask(-200, 0, "/subscribe Arsenal", as_chat=True)

    assert "Arsenal" in answer.text and await world.list_followed(-200) == ["Arsenal"]
