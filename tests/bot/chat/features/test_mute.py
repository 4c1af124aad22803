"""Muting matches from /live and /today: one message, edited in place."""

from __future__ import annotations

from msgspec.structs import replace

from bot.chat.catalogue import ALL_MATCHES
from bot.chat.dialogue import UpdateChat
from bot.chat.features import fixtures
from rules.football.match import Match
from rules.football.minute import Period
from tests.bot.chat.conftest import World
from tests.bot.chat.fixtures import FIXTURES, data, is_outdated, labels, make_context, press_button

PLAYING = replace(Match(FIXTURES[2]), period=Period.SECOND_HALF, status="Live")


def test_a_match_in_play_that_the_chat_follows_is_muted_and_heard_again_on_one_screen() -> None:
    seen = make_context(ALL_MATCHES.subscription, matches=(PLAYING,))
    offered = press_button(seen, data(fixtures.show_live(seen), "🔕 Mute …"))
    assert "🔔 Fenerbahçe v Galatasaray" in labels(offered.screen)

    muted = press_button(seen, data(offered.screen, "Fenerbahçe"))
    assert "🔕 Fenerbahçe v Galatasaray" in labels(muted.screen)
    (change,) = muted.changes
    assert isinstance(change, UpdateChat) and change.chat.muted_matches == {FIXTURES[2].id}

    heard = press_button(replace(seen, chat=change.chat), data(muted.screen, "Fenerbahçe"))
    assert "🔔 Fenerbahçe v Galatasaray" in labels(heard.screen)


def test_the_way_back_leads_to_the_screen_that_it_came_from() -> None:
    seen = make_context(ALL_MATCHES.subscription, matches=(PLAYING,))
    for before in (fixtures.show_live(seen), fixtures.show_today(seen)):
        offered = press_button(seen, data(before, "🔕 Mute …"))
        back = press_button(seen, offered.screen.buttons[-1][0].data)
        assert back.screen == before


def test_where_the_chat_follows_none_of_the_matches_nothing_is_offered() -> None:
    assert "🔕 Mute …" not in labels(fixtures.show_live(make_context(matches=(PLAYING,))))


def test_forged_and_outdated_buttons_do_nothing() -> None:
    for wanted in ("n:x:v:0", "n:0:zz", "mt:nobody:n:0:v:0", "n:0", "mt:"):
        assert is_outdated(make_context(ALL_MATCHES.subscription, matches=(PLAYING,)), wanted)


async def test_only_administrators_mute_and_their_press_edits_the_message(world: World) -> None:
    world.directory.play(PLAYING)
    world.api.chat(-100).admins = {7}
    await world.ask(-100, 7, "/subscribe all")
    message = await world.ask(-100, 5, "/live")
    refused = await world.tap(-100, 5, "🔕 Mute …")
    await world.tap(-100, 7, "🔕 Mute …")
    await world.api.until(lambda: any("Fenerbahçe" in label and "🔔" in label for label in message.labels))
    await world.tap(-100, 7, "Fenerbahçe")
    await world.api.until(lambda: any("🔕 Fenerbahçe" in label for label in message.labels))

    assert "administrators" in refused and world.api.chat(-100).last is message
