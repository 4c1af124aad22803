"""The feed's words: send types, statuses, and a fixture's title."""

from __future__ import annotations

import pytest

from rules.football.action import Fixture, SendType, Side, Team


@pytest.mark.parametrize(
    ("word", "read"),
    [
        ("Pending", SendType.PENDING),
        (" confirmed ", SendType.CONFIRMED),
        ("UPDATED", SendType.UPDATED),
        ("deleted", SendType.DELETED),
        ("Cancelled", SendType.CANCELLED),
        ("canceled", SendType.CANCELLED),
        ("Withdrawn", SendType.OTHER),
        ("", SendType.OTHER),
    ],
)
def test_a_send_type_is_read_in_any_letter_case_and_either_spelling(word: str, read: SendType) -> None:
    assert SendType.parse(word) is read


@pytest.mark.parametrize("send_type", SendType)
def test_a_revision_stands_or_takes_back_or_neither(send_type: SendType) -> None:
    assert send_type.is_standing is (send_type in {SendType.CONFIRMED, SendType.UPDATED})
    assert send_type.is_retraction is (send_type in {SendType.DELETED, SendType.CANCELLED})


def test_each_side_has_its_team_and_its_opponent() -> None:
    fixture = Fixture("f1", Team("h", "Arsenal"), Team("a", "Chelsea"))

    assert [fixture.team(side).name for side in Side] == ["Arsenal", "Chelsea"]
    assert [side.other for side in Side] == [Side.AWAY, Side.HOME]


def test_a_fixture_is_titled_by_its_teams_or_as_the_feed_names_it_while_one_is_unknown() -> None:
    home, away = Team("h", "Arsenal"), Team("a", "Chelsea")

    assert Fixture("f1", home, away, name="ARS-CHE").title == "Arsenal v Chelsea"
    assert Fixture("f1", home, name="ARS-CHE").title == "ARS-CHE"
    assert Fixture("f1", away=away, name="ARS-CHE").title == "ARS-CHE"
