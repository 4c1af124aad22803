"""The mute of single matches: which one is meant, and how each mute is ended."""

from __future__ import annotations

import datetime as dt
from typing import Any

from msgspec.structs import replace

from bot.chat.catalogue import ALL_MATCHES
from bot.chat.dialogue import ChatContext, DialogueResult, UpdateChat
from bot.subscribers import Chat
from rules.football.match import Match
from rules.football.minute import Period
from tests.bot.chat.fixtures import FIXTURES, NOW, data, is_outdated, labels, make_context, press_button, run_command

LIVE = tuple(replace(Match(fixture), period=Period.SECOND_HALF) for fixture in (FIXTURES[0], FIXTURES[2]))
HOUR = NOW + dt.timedelta(hours=1)
NO_MATCH = "No match that this chat follows is being played. <code>/mute 2h</code> works at any time."
NOT_MUTED = "This chat is not muted. /mute changes that."


def following(*matches: Match, **chat: Any) -> ChatContext:
    return make_context(ALL_MATCHES.subscription, matches=matches, **chat)


def said(seen: ChatContext, command: str, words: str = "") -> DialogueResult:
    return run_command(seen, command, *words.split())


def settled(turn: DialogueResult) -> Chat:
    (change,) = turn.changes
    assert isinstance(change, UpdateChat)
    return change.chat


def test_mute_match_silences_the_one_match_in_play_and_nothing_else() -> None:
    chat = settled(said(following(LIVE[0]), "mute", "match"))

    assert (chat.muted_matches, chat.muted_until) == ({"f1"}, None)


def test_where_several_are_played_the_bot_asks_which() -> None:
    seen = following(*LIVE)

    asked = said(seen, "mute", "match")

    assert asked.changes == ()
    assert settled(press_button(seen, data(asked.screen, "Fener"))).muted_matches == {"f3"}


def test_however_many_are_played_and_muted_a_keyboard_holds_what_telegram_takes() -> None:
    fixtures = tuple(replace(FIXTURES[0], id=f"n{number}") for number in range(150))
    matches = tuple(replace(Match(fixture), period=Period.SECOND_HALF) for fixture in fixtures)
    muted = frozenset(fixture.id for fixture in fixtures)
    seen = make_context(ALL_MATCHES.subscription, fixtures=fixtures, matches=matches, muted_matches=muted)

    asked, listed = said(seen, "mute", "match").screen, said(seen, "unmute").screen
    turned = press_button(seen, data(asked, "▶"))

    assert 100 > len(labels(asked)) > 8 and 100 > len(labels(listed)) > 8
    assert turned.screen.buttons != asked.buttons


def test_a_match_that_is_muted_already_is_not_asked_for() -> None:
    chat = settled(said(following(*LIVE, muted_matches=frozenset({"f1"})), "mute", "match"))

    assert chat.muted_matches == {"f1", "f3"}


def test_where_no_match_is_played_that_the_chat_follows_nothing_is_muted() -> None:
    for seen in (following(), make_context(matches=LIVE)):
        assert said(seen, "mute", "match") == DialogueResult(said(seen, "mute", "match").screen)
        assert said(seen, "mute", "match").screen.html == NO_MATCH


def test_unmute_ends_the_one_thing_that_is_muted() -> None:
    assert settled(said(following(muted_until=HOUR), "unmute")).muted_until is None
    assert settled(said(following(muted_matches=frozenset({"f1"})), "unmute")).muted_matches == frozenset()
    assert said(following(muted_until=NOW), "unmute").screen.html == NOT_MUTED


def test_unmute_lists_what_is_muted_and_each_is_ended_by_itself_or_all_together() -> None:
    seen = following(muted_until=HOUR, muted_matches=frozenset({"f1", "f2"}))

    listed = said(seen, "unmute")

    assert listed.screen.html == "<b>This is muted here.</b>\nTap what shall be heard again." and len(labels(listed.screen)) == 4
    assert settled(press_button(seen, data(listed.screen, "Chelsea"))) == replace(seen.chat, muted_matches=frozenset({"f2"}))
    assert settled(press_button(seen, data(listed.screen, "until"))) == replace(seen.chat, muted_until=None)
    for turn in (press_button(seen, "mu:all"), said(seen, "unmute", "all")):
        assert settled(turn) == replace(seen.chat, muted_until=None, muted_matches=frozenset())


def test_a_match_that_is_over_is_not_listed_any_more() -> None:
    assert said(following(muted_matches=frozenset({"f4", "gone"})), "unmute").screen.html == NOT_MUTED


def test_a_forged_button_names_no_match_and_does_nothing() -> None:
    for forged in ("mq:x", "mm:AAAAAAAA", "mu:AAAAAAAA", f"mm:{ALL_MATCHES.token}", f"mu:{ALL_MATCHES.token}", "mm:", "mu:"):
        assert is_outdated(following(*LIVE), forged)
