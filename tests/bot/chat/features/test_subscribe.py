"""Following and stopping, by name and by button."""

from __future__ import annotations

import contextlib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.chat import texts
from bot.chat.application import ROUTER
from bot.chat.dialogue import ChatContext, OutdatedButton
from bot.chat.features import channel, subscribe
from bot.chat.search.catalogue import FollowableCatalogue
from bot.subscribers import Scope, Subscription, make_name_key
from rules.football.action import Team
from tests.bot.chat.fixtures import (
    FIXTURES,
    LEAGUE,
    changed,
    data,
    fixture,
    is_outdated,
    labels,
    make_context,
    press_button,
    run_command,
)

ARSENAL = Subscription(Scope.TEAM, "t1", "Arsenal")
ALL = Subscription(Scope.ALL)


def test_a_team_is_followed_by_the_feeds_id() -> None:
    result = run_command(make_context(), "subscribe", "arsenal")

    assert [change.subscription for change in result.changes] == [ARSENAL]  # type: ignore[union-attr]
    assert "<b>Arsenal</b>" in result.screen.html


def test_everything_can_be_followed_before_a_fixture_is_known() -> None:
    result = run_command(make_context(fixtures=()), "subscribe", "ALL")

    assert [change.subscription for change in result.changes] == [ALL]  # type: ignore[union-attr]


def test_who_follows_everything_is_told_how_many_matches_the_bot_follows_at_a_time() -> None:
    limited = msgspec.structs.replace(make_context(), max_matches=50)

    assert (
        "The bot follows 50 matches at a time, those of followed teams and leagues first."
        in run_command(limited, "subscribe", "all").screen.html.splitlines()
    )
    assert "at a time" not in run_command(limited, "subscribe", "arsenal").screen.html
    assert "at a time" not in run_command(make_context(), "subscribe", "all").screen.html


def test_who_follows_a_match_that_is_held_back_is_told_so_in_the_answer() -> None:
    context = make_context()
    fixture = next(f for f in context.catalogue.all_fixtures if f.home.name == "Arsenal")
    waiting = msgspec.structs.replace(context, held_back={fixture.id})

    def answer(context: ChatContext, *words: str) -> str:
        return run_command(context, "subscribe", *words).screen.html

    assert "⏳ No alerts for <b>Arsenal v Chelsea</b> yet: the bot is already following" in answer(waiting, "arsenal")
    assert "⏳" not in answer(context, "arsenal")
    assert "⏳" not in answer(waiting, "all"), "who follows everything is told the number"


def test_a_subscription_that_exists_is_not_stored_again() -> None:
    by_name = Subscription(Scope.TEAM, make_name_key("Arsenal"), "Arsenal")
    results = [run_command(make_context(known), "subscribe", "Arsenal") for known in (ARSENAL, by_name)]

    assert [result.changes for result in results] == [(), ()]


def test_an_unknown_name_stores_nothing_and_offers_near_ones() -> None:
    result = run_command(make_context(), "subscribe", "Chelsae", "<b>")

    assert not result.changes and labels(result.screen) == ["Chelsea", "🔎 Browse leagues", "📅 Today", "✔ Done"]
    assert "Chelsae &lt;b&gt;" in result.screen.html


def test_one_of_several_hits_is_followed_by_its_button() -> None:
    offered = run_command(make_context(), "subscribe", "manchester").screen
    result = press_button(make_context(), data(offered, "United"))

    assert labels(offered)[:2] == ["Manchester City", "Manchester United"]
    assert changed(result) == [("+", "Manchester United")]


def test_two_teams_of_one_name_are_shown_with_their_competitions() -> None:
    women = fixture("f9", Team("w1", "Arsenal"), Team("w2", "Leeds"), Team("c9", "Women's League"), 3)
    offered = run_command(make_context(fixtures=(*FIXTURES, women)), "subscribe", "arsenal").screen

    assert {"Arsenal · Premier League", "Arsenal · Women's League"} <= set(labels(offered))


def test_without_fixtures_the_answer_is_a_sentence_without_buttons() -> None:
    assert (
        run_command(make_context(fixtures=()), "subscribe").screen.html
        == "No matches are known yet. Try again in a little while; <code>/subscribe all</code> already works."
    )
    assert run_command(make_context(fixtures=()), "subscribe").screen.buttons == ()


def test_a_screen_of_a_competition_that_is_gone_is_out_of_date() -> None:
    home = run_command(make_context(), "subscribe").screen

    assert is_outdated(make_context(fixtures=()), data(home, "Premier League"))
    assert is_outdated(make_context(), f"c:{FollowableCatalogue(FIXTURES).teams[0].token}:0")


def test_a_match_that_has_ended_can_be_unfollowed_but_not_followed() -> None:
    match = FollowableCatalogue(FIXTURES).matches[0]

    assert is_outdated(make_context(), f"s:{match.token}")
    assert changed(press_button(make_context(match.subscription), f"t:{match.token}:h:0")) == [
        ("-", "Manchester United v Arsenal")
    ]


def test_a_competition_is_browsed_down_to_a_match() -> None:
    home = run_command(make_context(), "subscribe").screen
    teams = press_button(make_context(), data(home, "Premier League"))
    matches = press_button(make_context(), data(teams.screen, "Matches"))
    result = press_button(make_context(), data(matches.screen, "Arsenal v Chelsea"))

    assert labels(home)[:3] == ["All matches", "Premier League", "Süper Lig"]
    assert labels(matches.screen)[:2] == ["Sun 22 15:00 Arsenal v Chelsea", "Mon 23 16:00 Man… City v Man… Uni…"]
    assert changed(result) == [("+", "Arsenal v Chelsea")]


def test_a_chosen_team_is_ticked_and_a_second_tap_unsubscribes() -> None:
    home = run_command(make_context(), "subscribe").screen
    teams = press_button(make_context(), data(home, "Premier League"))
    on = press_button(make_context(), data(teams.screen, "Arsenal"))
    off = press_button(make_context(ARSENAL), data(on.screen, "Arsenal"))

    assert "✅ Arsenal" in labels(on.screen) and changed(on) == [("+", "Arsenal")]
    assert "Arsenal" in labels(off.screen) and changed(off) == [("-", "Arsenal")]


def test_many_competitions_come_in_pages() -> None:
    many = tuple(
        fixture(f"f{n}", Team(f"a{n}", f"A{n}"), Team(f"b{n}", f"B{n}"), Team(f"c{n}", f"Cup {n:02}"), 1) for n in range(20)
    )
    first = run_command(make_context(fixtures=many), "subscribe").screen
    second = press_button(make_context(fixtures=many), data(first, "▶"))

    assert "Cup 07" in labels(first) and "1 / 3" in labels(first)
    assert "Cup 08" in labels(second.screen) and "◀" in labels(second.screen)


def test_unsubscribe_offers_what_is_followed() -> None:
    known = (ARSENAL, Subscription(Scope.COMPETITION, "c1", LEAGUE.name), ALL)
    offered = run_command(make_context(*known), "unsubscribe").screen
    result = press_button(make_context(*known), data(offered, "Premier League"))

    assert labels(offered) == ["✖ Arsenal", "✖ Premier League", "✖ all matches", texts.done_label()]
    assert changed(result) == [("-", "Premier League")]
    assert labels(result.screen) == ["✖ Arsenal", "✖ all matches", texts.done_label()]


@pytest.mark.parametrize(
    ("typed", "stopped"),
    [("arsenal", ["Arsenal"]), ("ars", ["Arsenal"]), ("Leeds", [])],
)
def test_unsubscribe_takes_a_name(typed: str, stopped: list[str]) -> None:
    result = run_command(make_context(ARSENAL, Subscription(Scope.TEAM, "t2", "Chelsea")), "unsubscribe", typed)

    assert changed(result) == [("-", name) for name in stopped]


def test_the_list_shows_subscriptions_and_kinds() -> None:
    html = run_command(make_context(ARSENAL, Subscription(Scope.TEAM, "x", "<Team>")), "subscriptions").screen.html

    assert "• Arsenal\n• &lt;Team&gt;" in html
    assert "goals, red cards, shootouts, full time" in html


def test_a_name_without_a_command_is_followed_unless_it_is_too_short_to_be_one() -> None:
    named, short = (subscribe.follow_typed_name(make_context(), text) for text in ("Arsenal", "ar"))

    assert changed(named) == [("+", "Arsenal")]
    assert not short.changes and labels(short.screen)[0] == "Arsenal"


@given(
    st.one_of(
        st.text(max_size=64),
        st.from_regex(
            r"(h|c|m|t|s|u|k|l|d|e|v|o|b|bw|bs|ks|ka|kn|q|w|z|p|x|y|pr|un|sw|fd|st|sd|do|os|ls|qs|zs|hp|td|sl|mq|menu|done)(:[\w-]{0,8}){0,4}",
            fullmatch=True,
        ),
    )
)
def test_no_button_data_can_do_harm(pressed: str) -> None:
    screens = []
    for press in (press_button, lambda context, data: channel.press_channel_button(context, data, ROUTER)):
        with contextlib.suppress(OutdatedButton):
            screens.append(press(make_context(ARSENAL), pressed).screen)

    assert all(len(button.data.encode()) <= 64 for screen in screens for row in screen.buttons for button in row)


def test_a_button_of_a_fixture_that_is_gone_is_out_of_date() -> None:
    offered = run_command(make_context(), "subscribe", "manchester").screen

    assert is_outdated(make_context(fixtures=()), data(offered, "United"))
