"""Muting matches from /live and /today: one message, edited in place."""

from __future__ import annotations

from msgspec.structs import replace

from bot.chat.catalogue import ALL_MATCHES
from bot.chat.dialogue import UpdateChat
from bot.chat.features import fixtures
from bot.chat.routing import press_button
from rules.football.match import Match
from rules.football.minute import Period
from tests.bot.chat.conftest import World
from tests.bot.chat.fixtures import FIXTURES, data, labels, view

PLAYING = replace(Match(FIXTURES[2]), period=Period.SECOND_HALF, status="Live")


def test_a_match_in_play_that_the_chat_follows_is_muted_and_heard_again_on_one_screen() -> None:
    seen = view(ALL_MATCHES.subscription, matches=(PLAYING,))
    offered = press_button(seen, data(fixtures.show_live(seen), fixtures.mute_matches_label()))
    assert offered is not None and "🔔 Fenerbahçe v Galatasaray" in labels(offered.reply)

    muted = press_button(seen, data(offered.reply, "Fenerbahçe"))
    assert muted is not None and "🔕 Fenerbahçe v Galatasaray" in labels(muted.reply)
    (change,) = muted.changes
    assert isinstance(change, UpdateChat) and change.chat.muted_matches == {FIXTURES[2].id}

    heard = press_button(replace(seen, chat=change.chat), data(muted.reply, "Fenerbahçe"))
    assert heard is not None and "🔔 Fenerbahçe v Galatasaray" in labels(heard.reply)


def test_the_way_back_leads_to_the_screen_that_it_came_from() -> None:
    seen = view(ALL_MATCHES.subscription, matches=(PLAYING,))
    for before in (fixtures.show_live(seen), fixtures.show_today(seen)):
        offered = press_button(seen, data(before, fixtures.mute_matches_label()))
        assert offered is not None
        back = press_button(seen, offered.reply.rows[-1][0].data)
        assert back is not None and back.reply == before


def test_where_the_chat_follows_none_of_the_matches_nothing_is_offered() -> None:
    assert fixtures.mute_matches_label() not in labels(fixtures.show_live(view(matches=(PLAYING,))))


def test_forged_and_outdated_buttons_do_nothing() -> None:
    for wanted in ("n:x:v:0", "n:0:zz", "mt:nobody:n:0:v:0", "n:0", "mt:"):
        assert press_button(view(ALL_MATCHES.subscription, matches=(PLAYING,)), wanted) is None


async def test_only_administrators_mute_and_their_press_edits_the_message(world: World) -> None:
    world.directory.play(PLAYING)
    world.api.chat(-100).admins = {7}
    await world.ask(-100, 7, "/subscribe all")
    message = await world.ask(-100, 5, "/live")
    refused = await world.tap(-100, 5, fixtures.mute_matches_label())
    await world.tap(-100, 7, fixtures.mute_matches_label())
    await world.api.until(lambda: any("Fenerbahçe" in label and "🔔" in label for label in message.labels))
    await world.tap(-100, 7, "Fenerbahçe")
    await world.api.until(lambda: any("🔕 Fenerbahçe" in label for label in message.labels))

    assert "administrators" in refused and world.api.chat(-100).last is message
