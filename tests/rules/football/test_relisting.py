"""What a listing says that chats do not know yet."""

import datetime as dt

import pytest
from msgspec.structs import replace

from rules.football.action import Fixture, Team
from rules.football.match import Match
from rules.football.relisting import compare_listing, find_successor, is_placeholder, list_replaced_teams, make_relisting_moments
from tests.packets import FIXTURE, KICKOFF

NOW = KICKOFF - dt.timedelta(hours=3)
WINNER = Team("w49", "Winner of Match 49")


def moved(minutes: float) -> Fixture:
    return replace(FIXTURE, kickoff=KICKOFF + dt.timedelta(minutes=minutes))


def list_changes(before: Fixture, after: Fixture) -> tuple[str, ...]:
    return compare_listing(before, after).changes


@pytest.mark.parametrize(
    ("minutes", "changes"),
    [(0, ()), (5, ()), (-5, ()), (6, ("Kick-off Moved",)), (-90, ("Kick-off Moved",)), (24 * 60, ("New Date",))],
)
def test_a_kick_off_is_news_from_more_than_five_minutes_on(minutes: float, changes: tuple[str, ...]) -> None:
    assert list_changes(FIXTURE, moved(minutes)) == changes


def test_small_moves_add_up_until_they_are_news() -> None:
    known = FIXTURE
    compared = []
    for minutes in (4, 8, 10, 12, 14):
        relisting = compare_listing(known, moved(minutes))
        known = relisting.after
        compared.append((minutes, relisting.changes, known.kickoff))

    assert [minutes for minutes, news, _ in compared if news] == [8, 14]
    assert compared[0][2] == KICKOFF


def test_a_time_that_was_not_known_is_no_move_but_another_date_is() -> None:
    midnight = replace(FIXTURE, kickoff=KICKOFF.replace(hour=0), is_kickoff_known=False)

    assert list_changes(midnight, FIXTURE) == ()
    assert list_changes(midnight, moved(24 * 60)) == ("New Date",)


@pytest.mark.parametrize("status", ["Live", "Completed", "Abandoned", "Cancelled"])
def test_a_match_that_has_begun_or_is_cancelled_is_not_moved(status: str) -> None:
    assert list_changes(FIXTURE, replace(moved(30), status=status, venue="Elsewhere")) == ()


@pytest.mark.parametrize("status", ["Postponed", "Cancelled", "Abandoned"])
def test_a_match_that_is_on_again_is_told_once_with_its_new_date(status: str) -> None:
    assert list_changes(replace(FIXTURE, status=status), replace(moved(7 * 24 * 60), status="Scheduled")) == ("Match On Again",)


def test_coverage_that_comes_back_is_no_match_that_is_on_again() -> None:
    assert list_changes(replace(FIXTURE, status="Unverified"), FIXTURE) == ()


def test_a_deleted_fixture_is_withdrawn_and_one_that_was_over_is_not() -> None:
    deleted = replace(FIXTURE, is_deleted=True)

    assert list_changes(FIXTURE, deleted) == ("Match Withdrawn",)
    assert list_changes(deleted, deleted) == ()
    assert list_changes(deleted, FIXTURE) == ("Match On Again",)
    assert list_changes(replace(FIXTURE, status="Completed"), replace(deleted, status="Completed")) == ()


def test_another_venue_is_news_and_one_that_is_named_first_or_left_out_is_not() -> None:
    here, there = replace(FIXTURE, venue="Emirates Stadium"), replace(FIXTURE, venue="Wembley")

    assert list_changes(here, there) == ("Venue Changed",)
    assert list_changes(FIXTURE, here) == list_changes(here, replace(here, venue="EMIRATES stadium")) == ()
    assert compare_listing(compare_listing(here, FIXTURE).after, there).changes == ("Venue Changed",)


def test_teams_of_a_placeholder_are_news_and_another_spelling_is_not() -> None:
    before = replace(FIXTURE, home=WINNER)

    assert list_changes(before, FIXTURE) == ("Teams Known",)
    assert list_replaced_teams(before, FIXTURE) == [(WINNER, FIXTURE.home)]
    assert list_changes(FIXTURE, replace(FIXTURE, home=replace(FIXTURE.home, name="Arsenal FC"))) == ()
    assert list_changes(FIXTURE, replace(FIXTURE, home=FIXTURE.away, away=FIXTURE.home)) == ()
    assert list_changes(replace(FIXTURE, home=Team(), away=Team()), FIXTURE) == ()


@pytest.mark.parametrize(
    "name", ["Winner of Match 49", "Loser SF1", "Runner-up Group A", "1A", "W49", "TBD", "To be confirmed", ""]
)
def test_placeholders_are_known_by_their_words(name: str) -> None:
    assert is_placeholder(Team("x", name))


@pytest.mark.parametrize("name", ["Arsenal", "Winners Park FC 1901", "1. FC Köln", "1860 München", "Third Lanark"])
def test_teams_are_no_placeholders(name: str) -> None:
    assert not is_placeholder(Team("x", name))


def test_coverage_that_falls_by_itself_is_news_and_dropped_coverage_is_told_elsewhere() -> None:
    good, poor = replace(FIXTURE, coverage_level="In Venue"), replace(FIXTURE, coverage_level="Standard Stream")

    assert list_changes(good, poor) == ("Coverage Reduced",)
    assert list_changes(poor, good) == ()
    assert list_changes(good, replace(poor, coverage_level="No Coverage", collection_status="CollectionDropped")) == ()


def test_several_changes_at_once_are_told_one_by_one_with_keys_of_their_own() -> None:
    known = replace(FIXTURE, venue="Here")
    relisting = compare_listing(known, replace(moved(60), venue="There"))
    moments = make_relisting_moments(Match(relisting.after), known, relisting, 1, NOW)
    again = make_relisting_moments(Match(relisting.after), known, relisting, 1, NOW)
    later = make_relisting_moments(Match(relisting.after), known, relisting, 2, NOW)

    assert [moment.action.type for moment in moments] == ["Kick-off Moved", "Venue Changed"]
    assert [m.action.id for m in moments] == [m.action.id for m in again]
    assert {m.action.id for m in moments}.isdisjoint(m.action.id for m in later)


def test_a_fixture_with_a_new_id_is_found_by_teams_and_competition() -> None:
    new = replace(moved(60), id="f9")

    assert find_successor(FIXTURE, [new], frozenset({"f1"})) is new
    assert find_successor(FIXTURE, [new], frozenset({"f1", "f9"})) is None
    assert find_successor(FIXTURE, [new, replace(new, id="f10")], frozenset()) is None
    assert find_successor(FIXTURE, [replace(new, home=new.away, away=new.home)], frozenset()) is None
