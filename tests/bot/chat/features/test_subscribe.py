"""Following and stopping, by name and by button."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.chat import texts
from bot.chat.catalogue import FollowableCatalogue
from bot.chat.features import channel, subscribe, subscriptions
from bot.chat.routing import press_button
from bot.subscribers import Scope, Subscription, make_name_key
from rules.football.action import Team
from tests.bot.chat.fixtures import FIXTURES, LEAGUE, changed, data, fixture, labels, view

ARSENAL = Subscription(Scope.TEAM, "t1", "Arsenal")
ALL = Subscription(Scope.ALL)


def test_a_team_is_followed_by_the_feeds_id() -> None:
    turn = subscribe.subscribe(view(), "arsenal")

    assert [change.subscription for change in turn.changes] == [ARSENAL]  # type: ignore[union-attr]
    assert "<b>Arsenal</b>" in turn.reply.html


def test_everything_can_be_followed_before_a_fixture_is_known() -> None:
    turn = subscribe.subscribe(view(fixtures=()), "ALL")

    assert [change.subscription for change in turn.changes] == [ALL]  # type: ignore[union-attr]


def test_what_is_followed_already_is_not_stored_again() -> None:
    by_name = Subscription(Scope.TEAM, make_name_key("Arsenal"), "Arsenal")
    turns = [subscribe.subscribe(view(known), "Arsenal") for known in (ARSENAL, by_name)]

    assert [turn.changes for turn in turns] == [(), ()]


def test_an_unknown_name_stores_nothing_and_offers_near_ones() -> None:
    turn = subscribe.subscribe(view(), "Chelsae <b>")

    assert not turn.changes and labels(turn.reply) == ["Chelsea"]
    assert "Chelsae &lt;b&gt;" in turn.reply.html


def test_one_of_several_hits_is_followed_by_its_button() -> None:
    asked = subscribe.subscribe(view(), "manchester").reply
    turn = press_button(view(), data(asked, "United"))

    assert labels(asked) == ["Manchester City", "Manchester United"]
    assert changed(turn) == [("+", "Manchester United")]


def test_two_teams_of_one_name_are_told_apart_by_their_competition() -> None:
    women = fixture("f9", Team("w1", "Arsenal"), Team("w2", "Leeds"), Team("c9", "Women's League"), 3)
    asked = subscribe.subscribe(view(fixtures=(*FIXTURES, women)), "arsenal").reply

    assert {"Arsenal · Premier League", "Arsenal · Women's League"} <= set(labels(asked))


def test_without_fixtures_there_is_a_sentence_and_no_button() -> None:
    assert subscribe.subscribe(view(fixtures=()), "").reply.html == subscribe.no_fixtures_text()
    assert subscribe.subscribe(view(fixtures=()), "").reply.rows == ()


def test_a_screen_of_a_competition_that_is_gone_is_out_of_date() -> None:
    home = subscribe.subscribe(view(), "").reply

    assert press_button(view(fixtures=()), data(home, "Premier League")) is None
    assert press_button(view(), f"c:{FollowableCatalogue(FIXTURES).teams[0].token}:0") is None


def test_a_match_that_is_over_can_be_stopped_but_not_followed() -> None:
    match = FollowableCatalogue(FIXTURES).matches[0]

    assert press_button(view(), f"s:{match.token}") is None
    assert changed(press_button(view(match.subscription), f"t:{match.token}:h:0")) == [("-", "Manchester United v Arsenal")]


def test_a_competition_is_browsed_down_to_a_match() -> None:
    home = subscribe.subscribe(view(), "").reply
    teams = press_button(view(), data(home, "Premier League"))
    assert teams is not None
    matches = press_button(view(), data(teams.reply, "Matches"))
    assert matches is not None
    turn = press_button(view(), data(matches.reply, "Arsenal v Chelsea"))

    assert labels(home)[:3] == ["All matches", "Premier League", "Süper Lig"]
    assert labels(matches.reply)[:2] == ["Sun 22 15:00 Arsenal v Chelsea", "Mon 23 16:00 Manchester City v Manchest…"]
    assert changed(turn) == [("+", "Arsenal v Chelsea")]


def test_what_is_chosen_is_ticked_and_a_second_tap_stops_it() -> None:
    home = subscribe.subscribe(view(), "").reply
    teams = press_button(view(), data(home, "Premier League"))
    assert teams is not None
    on = press_button(view(), data(teams.reply, "Arsenal"))
    assert on is not None
    off = press_button(view(ARSENAL), data(on.reply, "Arsenal"))

    assert "✅ Arsenal" in labels(on.reply) and changed(on) == [("+", "Arsenal")]
    assert off is not None and "Arsenal" in labels(off.reply) and changed(off) == [("-", "Arsenal")]


def test_many_competitions_come_in_pages() -> None:
    many = tuple(
        fixture(f"f{n}", Team(f"a{n}", f"A{n}"), Team(f"b{n}", f"B{n}"), Team(f"c{n}", f"Cup {n:02}"), 1) for n in range(20)
    )
    first = subscribe.subscribe(view(fixtures=many), "").reply
    second = press_button(view(fixtures=many), data(first, "▶"))

    assert "Cup 07" in labels(first) and "1 / 3" in labels(first)
    assert second is not None and "Cup 08" in labels(second.reply) and "◀" in labels(second.reply)


def test_stopping_offers_what_is_followed() -> None:
    known = (ARSENAL, Subscription(Scope.COMPETITION, "c1", LEAGUE.name), ALL)
    offered = subscriptions.unsubscribe(view(*known), "").reply
    turn = press_button(view(*known), data(offered, "Premier League"))

    assert labels(offered) == ["✖ Arsenal", "✖ Premier League", "✖ all matches", texts.done_label()]
    assert changed(turn) == [("-", "Premier League")]
    assert turn is not None and labels(turn.reply) == ["✖ Arsenal", "✖ all matches", texts.done_label()]


@pytest.mark.parametrize(
    ("wanted", "stopped"),
    [("arsenal", ["Arsenal"]), ("ars", ["Arsenal"]), ("all", ["Arsenal", "Chelsea"]), ("Leeds", [])],
)
def test_stopping_by_name(wanted: str, stopped: list[str]) -> None:
    turn = subscriptions.unsubscribe(view(ARSENAL, Subscription(Scope.TEAM, "t2", "Chelsea")), wanted)

    assert changed(turn) == [("-", name) for name in stopped]


def test_the_list_says_what_is_followed_and_heard() -> None:
    html = subscriptions.list_subscriptions(view(ARSENAL, Subscription(Scope.TEAM, "x", "<Team>"))).reply.html

    assert "• Arsenal\n• &lt;Team&gt;" in html
    assert "goals, red cards, shootouts, full time" in html


def test_a_name_without_a_command_is_offered_but_not_followed() -> None:
    turn = subscribe.offer_typed_name(view(), "Arsenal")

    assert not turn.changes and labels(turn.reply) == ["Arsenal"]


@given(
    st.one_of(
        st.text(max_size=64),
        st.from_regex(r"(h|c|m|t|s|u|k|l|d|e|v|o|b|bw|bs|ks|ka|kn|q|w|z|p|x|y|menu|done)(:[\w-]{0,8}){0,4}", fullmatch=True),
    )
)
def test_no_button_data_can_do_harm(pressed: str) -> None:
    turns = (press_button(view(ARSENAL), pressed), channel.press_channel_button(view(ARSENAL), pressed))

    replies = [turn.reply for turn in turns if turn]
    assert all(len(button.data.encode()) <= 64 for reply in replies for row in reply.rows for button in row)


def test_a_button_of_a_fixture_that_is_gone_is_out_of_date() -> None:
    asked = subscribe.subscribe(view(), "manchester").reply

    assert press_button(view(fixtures=()), data(asked, "United")) is None
