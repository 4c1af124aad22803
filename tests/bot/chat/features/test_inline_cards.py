"""Match cards shared in any chat."""

from __future__ import annotations

import datetime as dt
from typing import Any

from bot.chat.features.inline_cards import find_cards
from bot.subscribers import ChatRef
from rules.football.action import Team
from tests.bot.chat.conftest import World
from tests.bot.chat.fixtures import LEAGUE, NOW, PLAYING, fixture, make_context
from tests.packets import FIXTURE, Story


async def ask_inline(world: World, words: str, user: int = 5) -> list[dict[str, Any]]:
    query = world.api.inline(user, words)
    await world.api.until(lambda: query in world.api.inline_answers)
    return world.api.inline_answers[query]


async def test_a_team_offers_its_matches_nearest_first(world: World) -> None:
    shown, unix = await ask_inline(world, "arsenal"), int((NOW + dt.timedelta(hours=1)).timestamp())

    assert [one["title"] for one in shown] == ["Arsenal v Chelsea", "Manchester United v Arsenal"]
    assert shown[0]["description"] == "Sunday 22 November, 15:00 (UTC) · Premier League"
    assert shown[0]["input_message_content"]["message_text"].startswith(
        f'⚽ <b>Arsenal v Chelsea</b>\n<tg-time unix="{unix}" format="wdt">Sunday 22 November, 15:00'
    )
    assert await world.chats.get_all() == ()


async def test_a_server_that_is_older_than_dates_of_each_reader_gets_the_card_without_them(world: World) -> None:
    world.api.lack_tag("tg-time")

    shown = await ask_inline(world, "arsenal")

    assert shown[0]["input_message_content"]["message_text"].startswith(
        "⚽ <b>Arsenal v Chelsea</b>\nSunday 22 November, 15:00 (UTC)"
    )


async def test_before_anything_is_typed_the_matches_around_now_are_offered_those_in_play_first(world: World) -> None:
    world.directory.play(PLAYING)
    shown = await ask_inline(world, "")

    assert [one["title"] for one in shown] == ["Fenerbahçe 1–0 Galatasaray", "Arsenal v Chelsea"]
    assert shown[0]["description"] == "47' · Süper Lig"


def test_the_card_of_a_match_in_play_tells_its_goals_and_cards_unless_scores_are_hidden() -> None:
    story = Story()
    story.goal("g", minute=12, player="Saka", score=(1, 0))

    (shown,) = find_cards(make_context(fixtures=(FIXTURE,), matches=(story.match,)), "arsenal")
    (hidden,) = find_cards(make_context(fixtures=(FIXTURE,), matches=(story.match,), spoilers=True), "arsenal")

    assert "<b>Arsenal 1–0 Chelsea</b>" in shown.html and "⚽ Saka 12'" in shown.html and "15 August" in shown.html
    assert "Saka" not in hidden.html and "1–0" not in hidden.title


async def test_a_card_is_in_the_time_that_the_user_chose(world: World) -> None:
    await world.ask(5, 5, "/timezone tokyo")
    shown = await ask_inline(world, "chelsea")

    assert "Monday 23 November, 00:00 (Asia/Tokyo)" in shown[0]["input_message_content"]["message_text"]
    assert [chat.ref for chat in await world.chats.get_all()] == [ChatRef(5)]


async def test_a_name_that_fits_nothing_offers_nothing_and_an_old_query_is_ignored(world: World) -> None:
    nothing = await ask_inline(world, "xyzzy <b>")
    world.api.queries.discard(world.api.inline(5, "arsenal"))
    await world.wait_until_idle()

    assert nothing == [] and len(await ask_inline(world, "chelsea")) == 1


def test_names_are_escaped_and_the_cards_are_few() -> None:
    many = tuple(fixture(f"f{n}", Team("a", "A<b>"), Team(f"b{n}", f"B{n}"), LEAGUE, n) for n in range(30))
    found = find_cards(make_context(fixtures=many), "a")

    assert len(found) == 20 and found[0].title == "A<b> v B0" and "A&lt;b&gt; v B0" in found[0].html
