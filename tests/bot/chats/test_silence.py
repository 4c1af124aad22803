"""Muting matches from /live and /today: one message, edited in place."""

from __future__ import annotations

from msgspec.structs import replace

from bot.chats import live, place_words, today
from bot.chats.dialogue import press
from bot.chats.guide import ALL
from bot.chats.reply import Settle
from rules.match import Match
from rules.minute import Period
from tests.bot.chats.conftest import World
from tests.bot.chats.fixtures import FIXTURES, data, labels, view

PLAYING = replace(Match(FIXTURES[2]), period=Period.SECOND_HALF, status="Live")


def test_a_match_in_play_that_the_chat_follows_is_muted_and_heard_again_on_one_screen() -> None:
    seen = view(ALL.subscription, matches=(PLAYING,))
    offered = press(seen, data(live.live(seen), place_words.mute_some()))
    assert offered is not None and "🔔 Fenerbahçe v Galatasaray" in labels(offered.reply)

    muted = press(seen, data(offered.reply, "Fenerbahçe"))
    assert muted is not None and "🔕 Fenerbahçe v Galatasaray" in labels(muted.reply)
    (change,) = muted.changes
    assert isinstance(change, Settle) and change.chat.muted_matches == {FIXTURES[2].id}

    heard = press(replace(seen, chat=change.chat), data(muted.reply, "Fenerbahçe"))
    assert heard is not None and "🔔 Fenerbahçe v Galatasaray" in labels(heard.reply)


def test_the_way_back_leads_to_the_screen_that_it_came_from() -> None:
    seen = view(ALL.subscription, matches=(PLAYING,))
    for before in (live.live(seen), today.today(seen)):
        offered = press(seen, data(before, place_words.mute_some()))
        assert offered is not None
        back = press(seen, offered.reply.rows[-1][0].data)
        assert back is not None and back.reply == before


def test_where_the_chat_follows_none_of_the_matches_nothing_is_offered() -> None:
    assert place_words.mute_some() not in labels(live.live(view(matches=(PLAYING,))))


def test_forged_and_outdated_buttons_do_nothing() -> None:
    for wanted in ("n:x:v:0", "n:0:zz", "mt:nobody:n:0:v:0", "n:0", "mt:"):
        assert press(view(ALL.subscription, matches=(PLAYING,)), wanted) is None


async def test_only_administrators_mute_and_their_press_edits_the_message(world: World) -> None:
    world.directory.play(PLAYING)
    world.api.chat(-100).admins = {7}
    await world.ask(-100, 7, "/subscribe all")
    message = await world.ask(-100, 5, "/live")
    refused = await world.tap(-100, 5, place_words.mute_some())
    await world.tap(-100, 7, place_words.mute_some())
    await world.api.until(lambda: any("Fenerbahçe" in label and "🔔" in label for label in message.labels))
    await world.tap(-100, 7, "Fenerbahçe")
    await world.api.until(lambda: any("🔕 Fenerbahçe" in label for label in message.labels))

    assert "administrators" in refused and world.api.chat(-100).last is message
