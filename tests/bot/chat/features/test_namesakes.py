"""Teams and competitions of one name are told apart in buttons, by what is typed, and in what is stored and answered."""

from __future__ import annotations

from msgspec.structs import replace

from bot.chat.dialogue import DialogueResult, Subscribe
from bot.chat.search.catalogue import FollowableCatalogue
from bot.subscribers import Subscription
from rules.football.action import Fixture, Team
from tests.bot.chat.fixtures import fixture, make_context, run_command

MEN, WOMEN = Team("t1", "Arsenal"), Team("t2", "Arsenal", "Women")
LEEDS, KANO, ENYIMBA = Team("t3", "Leeds"), Team("t4", "Kano Pillars"), Team("t5", "Enyimba")
ENGLAND, NIGERIA = Team("c1", "Premier League", "England"), Team("c2", "Premier League", "Nigeria")

FIXTURES = (
    fixture("f1", MEN, LEEDS, ENGLAND, 24),
    fixture("f2", WOMEN, LEEDS, Team("c3", "Women's Super League"), 25),
    fixture("f3", KANO, ENYIMBA, NIGERIA, 26),
)


def without_details(one: Fixture) -> Fixture:
    home, away, competition = (replace(team, detail="") for team in (one.home, one.away, one.competition))
    return replace(one, home=home, away=away, competition=competition)


def subscribe(name: str = "", fixtures: tuple[Fixture, ...] = FIXTURES) -> DialogueResult:
    return run_command(make_context(fixtures=fixtures), "subscribe", *name.split())


def labels(result: DialogueResult) -> list[str]:
    return [button.label for row in result.screen.buttons for button in row]


def followed(result: DialogueResult) -> list[Subscription]:
    return [change.subscription for change in result.changes if isinstance(change, Subscribe)]


def test_the_menu_says_which_country_sex_or_age_group() -> None:
    assert {"🏆 Premier League · England", "🏆 Premier League · Nigeria"} <= set(labels(subscribe("premier league")))
    assert {"Arsenal", "Arsenal · Women"} <= set(labels(subscribe("arsenal")))
    assert {"Premier League · England", "Premier League · Nigeria"} <= set(labels(subscribe()))


def test_the_qualified_name_is_enough_and_is_what_is_stored_and_answered() -> None:
    result = subscribe("premier league nigeria")

    assert [(one.key, one.name) for one in followed(result)] == [("c2", "Premier League (Nigeria)")]
    assert "Premier League (Nigeria)" in result.screen.html
    assert [one.key for one in followed(subscribe("Arsenal (Women)"))] == ["t2"]


def test_where_the_feed_gives_no_details_teams_are_told_apart_by_their_competitions_and_these_by_their_next_match() -> None:
    plain = tuple(map(without_details, FIXTURES))

    assert {"Arsenal · Premier League", "Arsenal · Women's Super League"} <= set(labels(subscribe("arsenal", plain)))
    found = labels(subscribe("premier league", plain))
    assert "🏆 Premier League · Kano… v Enyi…" in found
    assert any(label.startswith("🏆 Premier League · Arse… v Leed") for label in found)


def test_what_is_alone_with_its_name_keeps_it() -> None:
    result = subscribe("premier league", FIXTURES[:1])

    assert [one.name for one in followed(result)] == ["Premier League"]


def test_a_fixture_without_the_detail_does_not_hide_it() -> None:
    catalogue = FollowableCatalogue((without_details(FIXTURES[1]), *FIXTURES))

    assert sorted(team.full_name for team in catalogue.teams if team.name == "Arsenal") == ["Arsenal", "Arsenal (Women)"]
