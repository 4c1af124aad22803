"""What can be followed, made from fixtures."""

from __future__ import annotations

from bot.chat.catalogue import ALL_MATCHES, FollowableCatalogue, has_ended
from bot.subscribers import Scope, Subscription, make_name_key
from rules.football.action import Team
from tests.bot.chat.fixtures import FIXTURES, LEAGUE, NOW, fixture


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

    assert tokens == [choice.token for choice in (ALL_MATCHES, *FollowableCatalogue(FIXTURES).teams)] and {
        len(t) for t in tokens
    } == {8}
    assert FollowableCatalogue(FIXTURES).find(tokens[1]) == FollowableCatalogue(FIXTURES).teams[0]


def test_a_match_is_over_by_its_status_or_long_after_its_kick_off() -> None:
    team = Team("t", "T")
    cases = [(-1, "InProgress"), (-1, "Completed"), (-5, "InProgress"), (1, "Postponed")]

    assert [has_ended(fixture("f", team, team, LEAGUE, hours, status=status), NOW) for hours, status in cases] == [
        False,
        True,
        True,
        True,
    ]
