"""In which language an update is answered, and the limit of each user."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bot.chat import texts
from bot.chat.dialogue import make_button
from bot.chat.features import fixtures
from bot.chat.features.subscriptions import list_subscriptions
from bot.chat.middleware import BURST_SIZE, MAX_REMEMBERED_USERS, REFILL_PER_SECOND, UserRateLimit
from bot.i18n.language import format_long_date, format_short_date, use_language
from bot.subscribers import Scope, Subscription
from tests.bot.chat.conftest import ADMIN, World
from tests.bot.chat.fixtures import FIXTURES, NOW, labels, make_context

GROUP = -100
DATE = dt.date(2026, 11, 22)


async def test_a_whole_dialogue_is_in_the_language_of_the_users_telegram(world: World) -> None:
    world.api.languages[42] = "de"
    followed = await world.ask(42, 42, "/subscribe arsenal")
    listed = await world.ask(42, 42, "/subscriptions")
    await world.ask(42, 42, "/alerts")
    await world.tap(42, 42, "Gelbe Karten")

    assert followed.text.splitlines()[:2] == ["✅ Abonniert: Arsenal.", "Als Nächstes: So. 22 15:00 Arsenal – Chelsea"]
    assert "Meldungen: Tore, Rote Karten" in listed.text
    assert "✅ Gelbe Karten" in world.api.chat(42).last.labels and "✔ Fertig" in world.api.chat(42).last.labels


async def test_everybody_in_a_group_that_has_no_language_yet_is_answered_as_their_telegram(world: World) -> None:
    world.api.chat(GROUP, kind="supergroup").admins = {ADMIN}
    world.api.languages |= {5: "fr", 6: "tlh"}
    answers = [await world.ask(GROUP, user, "/subscriptions") for user in (5, 6)]

    assert [answer.text.partition(".")[0] for answer in answers] == [
        "Tu ne suis encore rien",
        "You don't follow anything yet",
    ]


async def test_a_group_with_a_language_answers_everybody_in_it(world: World) -> None:
    world.api.chat(GROUP, kind="supergroup").admins = {ADMIN}
    world.api.languages[5] = "fr"
    await world.ask(GROUP, ADMIN, "/language it")

    assert (await world.ask(GROUP, 5, "/mute 1h")).text.startswith("Solo gli amministratori del gruppo")


async def test_a_topic_is_answered_in_its_forums_language_until_it_has_its_own(world: World) -> None:
    forum = world.api.chat(GROUP, kind="supergroup", is_forum=True)
    forum.admins, forum.topics = {ADMIN}, {1, 9}
    await world.ask(GROUP, ADMIN, "/language it")
    answers = [await world.ask(GROUP, ADMIN, text, topic=9) for text in ("/subscribe all", "/language de", "/unmute")]

    assert [answer.text.split()[0] for answer in answers] == ["✅", "🌍", "Nichts"]
    assert answers[0].text.startswith("✅ Segui tutte le partite.") and (await world.load_chat(GROUP, 9)).language == "de"


async def test_inline_cards_are_in_the_language_of_their_user(world: World) -> None:
    world.api.languages[5] = "es"
    query = world.api.inline(5, "arsenal")
    await world.api.until(lambda: query in world.api.inline_answers)

    assert "domingo 22 de noviembre" in str(world.api.inline_answers[query])


@pytest.mark.parametrize(
    ("language", "long", "short"),
    [
        ("en", "Sunday 22 November", "22 November"),
        ("es", "domingo 22 de noviembre", "22 de noviembre"),
        ("de", "Sonntag, 22. November", "22. November"),
        ("fr", "dimanche 22 novembre", "22 novembre"),
        ("pt", "domingo, 22 de novembro", "22 de novembro"),
        ("it", "domenica 22 novembre", "22 novembre"),
    ],
)
def test_a_day_is_named_as_the_language_names_it(language: str, long: str, short: str) -> None:
    with use_language(language):
        assert (format_long_date(DATE), format_short_date(DATE)) == (long, short)


def test_a_kind_is_switched_by_its_name_in_the_language_or_in_english() -> None:
    offered = ("goal", "yellow_card")
    with use_language("de"):
        assert [texts.parse_kind(word, offered) for word in ("Tore", "gelbe karten", "yellow_card")] == [
            "goal",
            "yellow_card",
            "yellow_card",
        ]


def test_names_written_from_right_to_left_are_isolated_on_every_screen() -> None:
    home, away = replace(FIXTURES[0].home, name="מכבי חיפה"), replace(FIXTURES[0].away, name="الأهلي")
    match = replace(FIXTURES[0], home=home, away=away)
    context = make_context(Subscription(Scope.TEAM, "t", "מכבי חיפה"), fixtures=(match,))

    assert "• \u2068מכבי חיפה\u2069" in list_subscriptions(context, ()).screen.html
    assert "\u2068מכבי חיפה\u2069 v \u2068الأهلي\u2069" in fixtures.render_match_line(context, match)
    assert make_button("מכבי חיפה", "x", is_chosen=True).label == "✅ \u2068מכבי חיפה\u2069"
    assert texts.escape_text("Beşiktaş & Co") == "Beşiktaş &amp; Co"


def test_the_buttons_of_days_are_translated_and_the_matches_keep_their_names() -> None:
    with use_language("fr"):
        shown = fixtures.show_today(make_context())

    assert labels(shown)[-2:] == ["◀ 21 novembre", "23 novembre ▶"] and "Arsenal – Chelsea" in shown.html


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
