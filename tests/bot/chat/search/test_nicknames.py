"""Names as people say them: nicknames, short forms, initials, national teams in every language."""

from __future__ import annotations

import itertools

import pytest

from bot.chat.search.catalogue import FollowableCatalogue, SearchResult
from bot.chat.search.nicknames import Nicknames, load_shipped_groups, to_core_words
from bot.subscribers import Scope, Subscription
from rules.football.action import Team
from tests.bot.chat.fixtures import NOW, changed, fixture, make_context, run_command

PREMIER, FRENCH = Team("pl", "Premier League"), Team("l1", "Ligue 1")
NAMES = (
    "Arsenal", "Chelsea", "Manchester City", "Manchester United", "Tottenham Hotspur", "Wolverhampton Wanderers", "Barcelona",
    "Atlético Madrid", "Real Madrid", "Bayern Munich", "Bayer Leverkusen", "Borussia Mönchengladbach", "Borussia Dortmund",
    "1. FC Köln", "Inter", "Inter Miami", "Internacional", "AC Milan", "Juventus", "Paris Saint-Germain",
    "Olympique de Marseille", "Germany", "Italy", "Ivory Coast", "Nottingham Forest", "Rangers", "Queens Park Rangers",
)  # fmt: skip
TEAMS = tuple(Team(f"n{number}", name) for number, name in enumerate(NAMES))
FIXTURES = tuple(
    fixture(f"m{number}", home, away, PREMIER if number % 2 else FRENCH, number + 1)
    for number, (home, away) in enumerate(itertools.pairwise(TEAMS))
)


def search(typed: str, nicknames: Nicknames | None = None) -> SearchResult:
    return FollowableCatalogue(FIXTURES, nicknames).search(typed, NOW)


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("Man Utd", "Manchester United"),
        ("man u", "Manchester United"),
        ("man city", "Manchester City"),
        ("psg", "Paris Saint-Germain"),
        ("paris sg", "Paris Saint-Germain"),
        ("spurs", "Tottenham Hotspur"),
        ("SPURS", "Tottenham Hotspur"),
        ("BVB", "Borussia Dortmund"),
        ("wolves", "Wolverhampton Wanderers"),
        ("gunners", "Arsenal"),
        ("the gunners", "Arsenal"),
        ("EPL", "Premier League"),
        ("Barça", "Barcelona"),
        ("barca", "Barcelona"),
        ("fc barcelona", "Barcelona"),
        ("OM", "Olympique de Marseille"),
        ("marseille", "Olympique de Marseille"),
        ("fc bayern", "Bayern Munich"),
        ("Bayern München", "Bayern Munich"),
        ("gladbach", "Borussia Mönchengladbach"),
        ("koeln", "1. FC Köln"),
        ("Cologne", "1. FC Köln"),
        ("juve", "Juventus"),
        ("milan", "AC Milan"),
        ("forest", "Nottingham Forest"),
        ("qpr", "Queens Park Rangers"),
        ("Deutschland", "Germany"),
        ("Alemania", "Germany"),
        ("Azzurri", "Italy"),
        ("Côte d'Ivoire", "Ivory Coast"),
        ("Elfenbeinküste", "Ivory Coast"),
        ("united manchester", "Manchester United"),
        ("real", "Real Madrid"),
        ("Inter", "Inter"),
        ("Rangers", "Rangers"),
    ],
)
def test_a_name_as_people_say_it_is_taken_without_a_question(typed: str, name: str) -> None:
    found = search(typed)

    assert found.exact is not None and found.exact.name == name, found.hits


def test_of_several_candidates_none_is_taken() -> None:
    without_inter = tuple(f for f in FIXTURES if "Inter" not in (f.home.name, f.away.name))
    also = fixture("x", Team("im", "Inter Milan"), Team("im2", "Inter Miami"), PREMIER, 3)
    brazil = fixture("y", Team("ib", "Internacional"), Team("n0", "Arsenal"), PREMIER, 4)
    found = FollowableCatalogue((*without_inter, also, brazil)).search("inter", NOW)

    assert found.exact is None
    assert {choice.name for choice in found.hits} == {"Inter Milan", "Inter Miami", "Internacional"}


def test_the_exact_name_is_taken_and_the_others_are_offered_beside_it() -> None:
    found = search("inter")

    assert found.exact is not None and found.exact.name == "Inter"
    assert {choice.name for choice in found.others} == {"Inter Miami", "Internacional"}


def test_a_match_is_found_by_the_nicknames_of_its_teams() -> None:
    found = search("man utd v man city")

    assert found.exact is not None and found.exact.name == "Manchester City v Manchester United"


def test_a_typing_mistake_in_a_nickname_finds_its_team() -> None:
    assert [choice.name for choice in search("spuurs").suggestions] == ["Tottenham Hotspur"]


def test_what_is_followed_is_found_by_its_nickname() -> None:
    context = make_context(Subscription(Scope.TEAM, "n3", "Manchester United"), fixtures=FIXTURES)

    assert changed(run_command(context, "unsubscribe", "man", "utd")) == [("-", "Manchester United")]
    assert run_command(context, "alerts", "man", "utd", "goals").changes


def test_an_operators_own_nicknames_come_beside_those_that_are_known() -> None:
    own = Nicknames({"Arsenal": ("Los Cañoneros",), "Kickers 04": ("The Kickers",)})
    kickers = fixture("k", Team("k1", "Kickers 04"), Team("k2", "Rovers 09"), PREMIER, 3)
    catalogue = FollowableCatalogue((*FIXTURES, kickers), own)

    for typed, name in (("los canoneros", "Arsenal"), ("gunners", "Arsenal"), ("the kickers", "Kickers 04")):
        found = catalogue.search(typed, NOW).exact
        assert found is not None and found.name == name


def test_every_shipped_group_has_names_that_differ_and_no_team_is_called_like_two() -> None:
    groups = load_shipped_groups()
    first = [to_core_words(group[0]) for group in groups]

    assert len(groups) > 300
    assert [group for group in groups if len(group) < 2] == []
    assert [name for name in set(first) if first.count(name) > 1] == []
