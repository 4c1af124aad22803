"""The matches in play."""

from __future__ import annotations

from msgspec.structs import replace

from bot.chat.features import fixtures
from bot.subscribers import Scope, Subscription
from rules.football.match import Match
from rules.football.minute import Period
from tests.bot.chat.conftest import World
from tests.bot.chat.fixtures import (
    CUP,
    FENER,
    FIXTURES,
    GALATA,
    PLAYING,
    changed,
    changed_chat,
    fixture,
    html_without_dates,
    labels,
    make_context,
    press_button,
)


def test_matches_in_play_are_listed_with_their_scores_and_a_tap_follows_one() -> None:
    shown = fixtures.show_live(make_context(matches=(PLAYING,)))
    result = press_button(make_context(matches=(PLAYING,)), shown.buttons[0][0].data)

    assert "<b>Süper Lig</b>\n13:00 Fenerbahçe 1–0 Galatasaray · 47'" in html_without_dates(shown) and "Arsenal" not in shown.html
    assert changed(result) == [("+", "Fenerbahçe v Galatasaray")]
    assert labels(result.screen)[0] == "✅ Fenerbahçe 1–0 Galatasaray"


def test_a_match_that_a_team_covers_has_a_bell() -> None:
    shown = fixtures.show_live(make_context(Subscription(Scope.TEAM, "t5", "Fenerbahçe"), matches=(PLAYING,)))

    assert labels(shown)[0] == "🔔 Fenerbahçe 1–0 Galatasaray"


def test_a_tap_does_what_the_sign_says() -> None:
    by_team = make_context(Subscription(Scope.TEAM, "t5", "Fenerbahçe"), matches=(PLAYING,))
    muted = press_button(by_team, fixtures.show_live(by_team).buttons[0][0].data)
    after = replace(by_team, chat=changed_chat(muted, by_team))
    unmuted = press_button(after, muted.screen.buttons[0][0].data)

    assert labels(muted.screen)[0] == "🔕 Fenerbahçe 1–0 Galatasaray" and after.chat.muted_matches == {"f3"}
    assert labels(unmuted.screen)[0] == "🔔 Fenerbahçe 1–0 Galatasaray"


def test_a_match_whose_stream_is_not_followed_is_live_when_the_fixtures_say_so() -> None:
    playing = fixture("f9", FENER, GALATA, CUP, -1, status="Live")
    stuck = fixture("f8", GALATA, FENER, CUP, -9, status="Live")

    html = fixtures.show_live(make_context(fixtures=(playing, stuck))).html

    assert "Fenerbahçe v Galatasaray" in html and "Galatasaray v Fenerbahçe" not in html


def test_a_followed_match_that_the_fixtures_call_live_is_listed_before_its_stream_brought_a_packet() -> None:
    playing = fixture("f9", FENER, GALATA, CUP, -1, status="Live")

    html = fixtures.show_live(make_context(fixtures=(playing,), matches=(Match(playing),))).html
    over = fixtures.show_live(make_context(fixtures=(playing,), matches=(Match(playing, status="Abandoned"),))).html

    assert "Fenerbahçe v Galatasaray" in html and "0–0" not in html
    assert "Fenerbahçe" not in over


def test_matches_that_ended_were_abandoned_or_have_not_begun_are_not_in_play() -> None:
    states = (
        Match(FIXTURES[2], period=Period.SECOND_HALF, status="Completed"),
        Match(FIXTURES[2], period=Period.SECOND_HALF, status="Live", ended_by="end"),
        Match(FIXTURES[2], period=Period.FIRST_HALF, status="Abandoned"),
        Match(FIXTURES[2]),
    )

    assert [fixtures.show_live(make_context(matches=(match,))).html for match in states] == ["No match is live now."] * 4


async def test_every_member_may_refresh_and_only_administrators_subscribe(world: World) -> None:
    world.directory.play(PLAYING)
    world.api.chat(-100).admins = {7}
    members = await world.ask(-100, 5, "/live")
    shared = await world.ask(-100, 7, "/live")
    again = await world.tap(-100, 5, "🔄 Refresh")
    refused = await world.tap(-100, 5, "Fenerbahçe")
    await world.tap(-100, 7, "Fenerbahçe")

    assert again == "" and "group admins" in refused and members.labels == ["🔄 Refresh"] and "Fenerbahçe" in shared.labels[0]
    assert await world.list_followed(-100) == ["Fenerbahçe v Galatasaray"]
