"""In which language an update is answered."""

from __future__ import annotations

import datetime as dt

import pytest
from msgspec.structs import replace

from bot.chat import texts
from bot.chat.dialogue import make_button
from bot.chat.features import fixtures
from bot.chat.features.subscriptions import list_subscriptions
from bot.chat.parsing.kinds import parse_kind
from bot.i18n.language import format_long_date, format_short_date, use_language
from bot.subscribers import Scope, Subscription
from tests.bot.chat.conftest import ADMIN, World
from tests.bot.chat.fixtures import FIXTURES, labels, make_context

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
        assert [parse_kind(word, offered) for word in ("Tore", "gelbe karten", "yellow_card")] == [
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
