"""The matches of a day."""

from __future__ import annotations

import datetime as dt

from msgspec.structs import replace

from bot.chat.dialogue import DialogueResult
from bot.chat.features import fixtures
from bot.chat.search.catalogue import ALL_MATCHES, FollowableCatalogue
from bot.subscribers import Scope, Subscription
from rules.football.action import Team
from rules.football.match import Match, Score
from rules.football.minute import Minute, Period
from tests.bot.chat.fixtures import (
    FIXTURES,
    LEAGUE,
    NOW,
    changed,
    data,
    fixture,
    html_without_dates,
    labels,
    make_context,
    press_button,
)


def test_the_day_is_listed_by_kick_off_with_scores() -> None:
    playing = Match(FIXTURES[2], Score(1, 0), period=Period.SECOND_HALF, minute=Minute(47), status="InProgress")
    lines = html_without_dates(fixtures.show_today(make_context(matches=(playing,)))).splitlines()

    assert lines[0] == "<b>Sunday 22 November</b>"
    assert lines[2:4] == ["<b>Süper Lig</b>", "13:00 Fenerbahçe 1–0 Galatasaray · 47'"]
    assert lines[5:7] == ["<b>Premier League</b>", "15:00 Arsenal v Chelsea"]


def test_the_day_and_the_times_are_the_chats() -> None:
    late = fixture("f9", Team("a", "A"), Team("b", "B"), LEAGUE, 11)
    in_tokyo = html_without_dates(fixtures.show_today(make_context(fixtures=(late,), timezone="Asia/Tokyo")))
    tomorrow = html_without_dates(fixtures.show_day(make_context(fixtures=(late,), timezone="Asia/Tokyo"), dt.date(2026, 11, 23)))

    assert "No matches" in in_tokyo and "10:00 A v B" in tomorrow


def test_a_match_that_the_chat_follows_has_a_bell() -> None:
    html = html_without_dates(fixtures.show_today(make_context(Subscription(Scope.TEAM, "t1", "Arsenal"))))

    assert "15:00 Arsenal v Chelsea 🔔" in html and "Fenerbahçe v Galatasaray 🔔" not in html


def test_the_next_day_is_one_tap_away() -> None:
    shown = fixtures.show_today(make_context())
    result = press_button(make_context(), data(shown, "▶"))

    assert "Manchester City v Manchester United" in result.screen.html


def test_a_match_of_the_day_is_two_taps_away_and_back() -> None:
    chosen = press_button(make_context(), data(fixtures.show_today(make_context()), "Follow"))
    ticked = press_button(make_context(), data(chosen.screen, "15:00 Arsenal"))

    assert changed(ticked) == [("+", "Arsenal v Chelsea")]
    assert "✅ 15:00 Arsenal v Chelsea" in labels(ticked.screen)
    assert press_button(make_context(), data(ticked.screen, "Back")) == DialogueResult(fixtures.show_today(make_context()))


def test_a_finished_match_says_so_and_names_are_escaped() -> None:
    done = fixture("f9", Team("a", "A<b>"), Team("b", "B & C"), LEAGUE, -2)
    kicks = Match(done, Score(3, 3), shootout=Score(4, 2), period=Period.SHOOTOUT, status="Completed")
    html = html_without_dates(fixtures.show_today(make_context(fixtures=(done,), matches=(kicks,))))

    assert "A&lt;b&gt; 3–3 B &amp; C (4–2 pens) · full time" in html


def test_a_postponed_match_and_an_unknown_zone_break_nothing() -> None:
    off = fixture("f9", Team("a", "A"), Team("b", "B"), LEAGUE, 2, status="Postponed")
    html = html_without_dates(fixtures.show_today(make_context(fixtures=(off,), timezone="Mars/Base")))

    assert "16:00 A v B · postponed" in html


def test_a_match_without_live_coverage_says_so() -> None:
    dropped = fixture("f9", Team("a", "A"), Team("b", "B"), LEAGUE, 2, status="Unverified")
    dropped = replace(dropped, collection_status="CollectionDropped")
    broken_off = Match(dropped, Score(1, 0), period=Period.SECOND_HALF, status="Live", collection_status="CollectionDropped")
    before = html_without_dates(fixtures.show_today(make_context(fixtures=(dropped,))))
    in_play = html_without_dates(fixtures.show_today(make_context(fixtures=(dropped,), matches=(broken_off,))))

    assert "16:00 A v B · no live coverage" in before
    assert "A 1–0 B · no live coverage" in in_play


def test_a_muted_match_has_a_struck_bell_among_those_that_are_followed() -> None:
    context = make_context(ALL_MATCHES.subscription, muted_matches=frozenset({"f1"}))

    assert [fixtures.render_match_line(context, known)[-1] for known in FIXTURES[:2]] == ["🔕", "🔔"]


def test_one_sign_has_one_meaning_in_the_list_and_on_its_buttons() -> None:
    own = next(choice.subscription for choice in FollowableCatalogue(FIXTURES).matches if choice.id == "f1")
    context = make_context(own, Subscription(Scope.TEAM, "t5", "Fenerbahçe"))
    day, choice = fixtures.show_today(context), press_button(context, "e:20261122:0").screen

    lines = html_without_dates(day).splitlines()
    assert "15:00 Arsenal v Chelsea ✅" in lines and "13:00 Fenerbahçe v Galatasaray 🔔" in lines
    assert labels(choice)[:2] == ["🔔 13:00 Fenerbahçe v Galatasaray", "✅ 15:00 Arsenal v Chelsea"]
    assert lines[-1].startswith("<i>✅ followed") and "✅" not in fixtures.show_today(make_context()).html


def test_a_day_of_20_000_matches_is_paged_and_nothing_is_worked_out_that_no_line_shows() -> None:
    crowd = tuple(fixture(f"x{n}", Team(f"h{n}", f"Home {n}"), Team(f"a{n}", f"Away {n}"), LEAGUE, 3) for n in range(20_000))
    context = make_context(Subscription(Scope.TEAM, "h1", "Home 1"), fixtures=crowd)
    shown = fixtures.show_today(context)

    assert sum(" v " in line for line in shown.html.splitlines()) == fixtures.DAY_PAGE_SIZE
    assert "1 / 800" in " ".join(labels(shown))
    # Teams, tokens and the like of all of them took seconds.
    assert vars(context.catalogue).keys().isdisjoint(("teams", "competitions", "matches", "_by_token"))


def test_a_kick_off_is_a_date_that_each_reader_sees_in_his_own_time() -> None:
    html = fixtures.show_today(make_context(timezone="Europe/Madrid")).html

    assert (
        f'<tg-time unix="{int((NOW + dt.timedelta(hours=1)).timestamp())}" format="t">16:00</tg-time> Arsenal v Chelsea' in html
    )
