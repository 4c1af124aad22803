"""/mute, /unmute and the mute screens that /live and /today lead to."""

from __future__ import annotations

import datetime as dt
from typing import Any

from msgspec.structs import replace

from bot.chat.dialogue import ChatContext, DialogueResult
from bot.chat.features import fixtures
from bot.chat.search.catalogue import ALL_MATCHES
from bot.subscribers import MatchMute
from rules.football.match import Match
from rules.football.minute import Period
from tests.bot.chat.conftest import World
from tests.bot.chat.fixtures import (
    FIXTURES,
    NOW,
    changed_chat,
    data,
    html_without_dates,
    is_outdated,
    labels,
    make_context,
    press_button,
    run_command,
)

LIVE = tuple(replace(Match(fixture), period=Period.SECOND_HALF) for fixture in (FIXTURES[0], FIXTURES[2]))
HOUR = NOW + dt.timedelta(hours=1)
NO_MATCH = "None of your matches is live. Mute everything instead:"
NOT_MUTED = "Nothing is muted."


def following(*matches: Match, **chat: Any) -> ChatContext:
    return make_context(ALL_MATCHES.subscription, matches=matches, **chat)


def run(context: ChatContext, command: str, words: str = "") -> DialogueResult:
    return run_command(context, command, *words.split())


def test_mute_match_mutes_the_only_match_in_play_and_nothing_else() -> None:
    chat = changed_chat(run(following(LIVE[0]), "mute", "match"), following())

    assert (chat.muted_matches, chat.muted_until) == ({"f1"}, None)


def test_mute_match_asks_which_if_several_are_in_play() -> None:
    context = following(*LIVE)

    asked = run(context, "mute", "match")

    assert asked.changes == ()
    assert changed_chat(press_button(context, data(asked.screen, "Fener"))).muted_matches == {"f3"}


def test_no_keyboard_has_more_buttons_than_telegram_takes() -> None:
    fixtures = tuple(replace(FIXTURES[0], id=f"n{number}") for number in range(150))
    matches = tuple(replace(Match(fixture), period=Period.SECOND_HALF) for fixture in fixtures)
    muted = frozenset(fixture.id for fixture in fixtures)
    context = make_context(ALL_MATCHES.subscription, fixtures=fixtures, matches=matches, muted_matches=muted)

    asked, listed = run(context, "mute", "match").screen, run(context, "unmute").screen
    turned = press_button(context, data(asked, "▶"))

    assert 100 > len(labels(asked)) > 8 and 100 > len(labels(listed)) > 8
    assert turned.screen.buttons != asked.buttons


def test_mute_match_said_twice_means_the_same_match() -> None:
    one = following(LIVE[0], muted_matches=frozenset({"f1"}))
    several = following(*LIVE, muted_matches=frozenset({"f1"}))
    asked = run(several, "mute", "match")

    assert changed_chat(run(one, "mute", "match"), one).muted_matches == {"f1"}
    assert not asked.changes
    assert set(labels(asked.screen)[:2]) == {"🔕 Arsenal v Chelsea", "🔔 Fenerbahçe v Galatasaray"}


def test_mute_match_mutes_nothing_if_no_followed_match_is_in_play() -> None:
    for context in (following(), make_context(matches=LIVE)):
        assert run(context, "mute", "match") == DialogueResult(run(context, "mute", "match").screen)
        assert run(context, "mute", "match").screen.html == NO_MATCH


def test_unmute_ends_the_only_mute() -> None:
    muted, match_muted = following(muted_until=HOUR), following(muted_matches=frozenset({"f1"}))

    assert changed_chat(run(muted, "unmute"), muted).muted_until is None
    assert changed_chat(run(match_muted, "unmute"), match_muted).muted_matches == frozenset()
    assert run(following(muted_until=NOW), "unmute").screen.html == NOT_MUTED


def test_unmute_lists_several_mutes_and_ends_one_or_all() -> None:
    context = following(muted_until=HOUR, muted_matches=frozenset({"f1", "f2"}))

    listed = run(context, "unmute")

    assert listed.screen.html == "<b>Muted</b>\nTap to unmute." and len(labels(listed.screen)) == 6
    unmuted = press_button(context, data(listed.screen, "Chelsea"))
    assert changed_chat(unmuted, context) == replace(context.chat, muted_matches=frozenset({"f2"}))
    unmuted = press_button(context, data(listed.screen, "until"))
    assert changed_chat(unmuted, context) == replace(context.chat, muted_until=None)
    for result in (press_button(context, "mu:all"), run(context, "unmute", "all")):
        assert changed_chat(result, context) == replace(context.chat, muted_until=None, muted_matches=frozenset())


def test_unmute_does_not_list_a_match_that_has_ended() -> None:
    assert run(following(muted_matches=frozenset({"f4", "gone"})), "unmute").screen.html == NOT_MUTED


def test_a_forged_mute_button_does_nothing() -> None:
    for forged in ("mq:x", "mm:AAAAAAAA", "mu:AAAAAAAA", f"mm:{ALL_MATCHES.token}", f"mu:{ALL_MATCHES.token}", "mm:", "mu:"):
        assert is_outdated(following(*LIVE), forged)


PLAYING = replace(Match(FIXTURES[2]), period=Period.SECOND_HALF, status="Live")


def test_a_match_in_play_is_muted_and_unmuted_on_one_screen() -> None:
    context = make_context(ALL_MATCHES.subscription, matches=(PLAYING,))
    offered = press_button(context, data(fixtures.show_live(context), "🔕 Mute…"))
    assert "🔔 Fenerbahçe v Galatasaray" in labels(offered.screen)

    muted = press_button(context, data(offered.screen, "Fenerbahçe"))
    assert "🔕 Fenerbahçe v Galatasaray" in labels(muted.screen)
    chat = changed_chat(muted, context)
    assert chat.muted_matches == {FIXTURES[2].id}

    unmuted = press_button(replace(context, chat=chat), data(muted.screen, "Fenerbahçe"))
    assert "🔔 Fenerbahçe v Galatasaray" in labels(unmuted.screen)


def test_the_back_button_leads_to_the_screen_before() -> None:
    context = make_context(ALL_MATCHES.subscription, matches=(PLAYING,))
    for before in (fixtures.show_live(context), fixtures.show_today(context)):
        offered = press_button(context, data(before, "🔕 Mute…"))
        back = press_button(context, offered.screen.buttons[-1][0].data)
        assert back.screen == before


def test_no_mute_button_is_offered_if_the_chat_follows_none_of_the_matches() -> None:
    assert "🔕 Mute…" not in labels(fixtures.show_live(make_context(matches=(PLAYING,))))


def test_forged_and_outdated_buttons_do_nothing() -> None:
    for typed in ("n:x:v:0", "n:0:zz", "mt:nobody:n:0:v:0", "n:0", "mt:"):
        assert is_outdated(make_context(ALL_MATCHES.subscription, matches=(PLAYING,)), typed)


async def test_only_administrators_mute_and_their_press_edits_the_message(world: World) -> None:
    world.directory.play(PLAYING)
    world.api.chat(-100).admins = {7}
    await world.ask(-100, 7, "/subscribe all")
    message = await world.ask(-100, 7, "/live")
    refused = await world.tap(-100, 5, "🔕 Mute…")
    await world.tap(-100, 7, "🔕 Mute…")
    await world.api.until(lambda: any("Fenerbahçe" in label and "🔔" in label for label in message.labels))
    await world.tap(-100, 7, "Fenerbahçe")
    await world.api.until(lambda: any("🔕 Fenerbahçe" in label for label in message.labels))

    assert "group admins" in refused and world.api.chat(-100).last is message


PLAYED = make_context(ALL_MATCHES.subscription, matches=(PLAYING,))


def test_a_match_that_is_muted_for_a_while_sends_again_after_it_and_can_be_muted_to_its_end() -> None:
    muted = run(PLAYED, "mute", "Fenerbahçe for half an hour")
    chat = changed_chat(muted, PLAYED)
    ends = NOW + dt.timedelta(minutes=30)

    assert html_without_dates(muted.screen) == "🔇 <b>Fenerbahçe v Galatasaray</b> is muted until 14:30. Other matches continue."
    assert chat.list_muted_matches(ends - dt.timedelta(seconds=1)) == {"f3"} and not chat.list_muted_matches(ends)
    longer = changed_chat(press_button(replace(PLAYED, chat=chat), data(muted.screen, "full time")), replace(PLAYED, chat=chat))
    assert (longer.muted_matches, longer.match_mutes) == ({"f3"}, ())
    unmuted = changed_chat(press_button(replace(PLAYED, chat=chat), data(muted.screen, "Unmute")), replace(PLAYED, chat=chat))
    assert not unmuted.list_muted_matches(NOW)


def test_the_time_may_stand_first_and_in_any_language() -> None:
    for words in ("for an hour Fenerbahçe", "Galatasaray eine Stunde", "Fener por una hora", "fenerbahce until 3pm"):
        assert changed_chat(run(PLAYED, "mute", words), PLAYED).match_mutes == (MatchMute("f3", HOUR),), words


def test_a_mute_that_is_over_before_kick_off_says_so() -> None:
    muted = run(PLAYED, "mute", "Manchester City for an hour")

    assert html_without_dates(muted.screen).endswith("Kick-off: Mon 23 16:00. Alerts are on again by then.")


def test_a_team_that_is_not_followed_is_no_dead_end() -> None:
    context = make_context(matches=(PLAYING,))
    answer = run(context, "mute", "Arsenal")

    assert answer.screen.html == "No followed match of <b>Arsenal</b> in the coming days. Mute everything instead:"
    assert not answer.changes and labels(answer.screen)[:2] == ["1 hour", "3 hours"]


def test_unmute_takes_the_name_of_a_team() -> None:
    both = replace(PLAYED, chat=PLAYED.chat.with_muted_match("f1").with_muted_match("f3", HOUR))

    assert changed_chat(run(both, "unmute", "galatasaray"), both).list_muted_matches(NOW) == {"f1"}
    assert not changed_chat(run(both, "unmute", "everything"), both).list_muted_matches(NOW)
