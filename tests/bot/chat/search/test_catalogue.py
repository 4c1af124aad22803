"""What can be followed, made from fixtures, and finding it by what people type."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.chat.features.subscribe import search_followable
from bot.chat.search.catalogue import ALL_MATCHES, FollowableCatalogue, has_ended
from bot.chat.search.name_index import Fit, measure_fit
from bot.subscribers import Scope, Subscription, make_name_key
from rules.football.action import Team
from tests.bot.chat.fixtures import FIXTURES, LEAGUE, NOW, fixture, make_context


def test_every_team_is_listed_once_by_name() -> None:
    names = [team.name for team in FollowableCatalogue(FIXTURES).teams]

    assert names == ["Arsenal", "Chelsea", "Fenerbahçe", "Galatasaray", "Manchester City", "Manchester United"]


def test_a_team_known_by_name_alone_is_the_one_with_the_id() -> None:
    catalogue = FollowableCatalogue((*FIXTURES, fixture("f9", Team(name="ARSENAL"), Team(name="Leeds"), LEAGUE, 3)))

    assert [team.subscription.key for team in catalogue.teams if team.name.casefold() == "arsenal"] == ["t1"]
    assert Subscription(Scope.TEAM, make_name_key("Leeds"), "Leeds") in [team.subscription for team in catalogue.teams]


def test_a_deleted_fixture_and_one_without_names_are_not_offered() -> None:
    catalogue = FollowableCatalogue(
        (fixture("f1", Team("t1", "A"), Team("t2", "B"), LEAGUE, 1, is_deleted=True), fixture("f2", Team(), Team(), LEAGUE, 1))
    )

    assert catalogue.teams == () and catalogue.matches == () and [c.name for c in catalogue.competitions] == ["Premier League"]


def test_a_token_is_short_and_the_same_after_a_restart() -> None:
    tokens = [choice.token for choice in (ALL_MATCHES, *FollowableCatalogue(FIXTURES).teams)]

    # As they were when this was written: buttons in old messages have them.
    assert tokens[:2] == ["j17oAzNk", "NY3a7P1W"]
    assert {len(token) for token in tokens} == {8} and len(set(tokens)) == len(tokens) > 2
    assert FollowableCatalogue(FIXTURES).find(tokens[1]) == FollowableCatalogue(FIXTURES).teams[0]


def test_a_match_has_ended_by_its_status_or_long_after_its_kick_off() -> None:
    team = Team("t", "T")
    cases = [(-1, "InProgress"), (-1, "Completed"), (-5, "InProgress"), (1, "Postponed")]

    assert [has_ended(fixture("f", team, team, LEAGUE, hours, status=status), NOW) for hours, status in cases] == [
        False,
        True,
        True,
        True,
    ]


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("Arsenal", "Arsenal"),
        ("ARSENAL", "Arsenal"),
        ("fenerbahce", "Fenerbahçe"),
        ("super lig", "Süper Lig"),
        ("galata", "Galatasaray"),
        ("man city", "Manchester City"),
        ("arsenal v chelsea", "Arsenal v Chelsea"),
        ("chelsea - arsenal", "Arsenal v Chelsea"),
        ("Galatasaray vs Fener", "Fenerbahçe v Galatasaray"),
    ],
)
def test_a_name_without_doubt_is_taken(typed: str, name: str) -> None:
    found = search_followable(make_context(), typed)

    assert found.exact is not None and found.exact.name == name


def test_several_hits_are_offered_the_nearest_first() -> None:
    found = search_followable(make_context(), "manchester")

    assert found.exact is None
    assert [choice.name for choice in found.hits] == ["Manchester City", "Manchester United"]


def test_a_few_letters_from_the_middle_of_a_word_are_offered_and_more_are_taken() -> None:
    few, more = (search_followable(make_context(), typed) for typed in ("enal", "rsenal"))

    assert few.exact is None and [choice.name for choice in few.hits] == ["Arsenal"]
    assert more.exact is not None and more.exact.name == "Arsenal"


def test_a_typing_mistake_finds_similar_names() -> None:
    found = search_followable(make_context(), "Arsneal")

    assert not found.hits and [choice.name for choice in found.suggestions] == ["Arsenal"]


def test_a_match_that_has_ended_is_not_found() -> None:
    found = search_followable(make_context(), "United v Arsenal")

    assert found.exact is None and not found.hits


def test_punctuation_does_not_matter() -> None:
    assert measure_fit("saint etienne", "Saint-Étienne") is Fit.EXACT


@given(st.text(max_size=200))
def test_anything_can_be_searched_for_and_only_what_is_on_offer_is_found(typed: str) -> None:
    context = make_context()

    found = search_followable(context, typed)

    choices = [found.exact] if found.exact else [*found.hits, *found.suggestions]
    assert [context.catalogue.find(choice.token) for choice in choices] == choices
