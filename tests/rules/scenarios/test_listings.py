"""A scenario says how its fixture is listed as the day goes on, and is played at the last kick-off."""

from __future__ import annotations

import datetime as dt

import pytest

from rules.loading.loader import load_pack
from rules.scenarios.builder import build_packets
from rules.scenarios.expectations import read_tests, run_test
from rules.scenarios.messages import play_scenario
from rules.scenarios.parser import ScenarioInvalid, load_scenario, parse_scenario

HEAD = "match: Fulham v Everton\nkickoff: 2026-11-21T15:00:00Z\nlistings:\n"
GROUND = "venue: Craven Cottage\n"


def _at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


def test_the_match_begins_at_the_kick_off_that_is_listed_last() -> None:
    scenario = load_scenario("moved")
    start = next(packet for packet in build_packets(scenario) if packet.type == "Start Match")

    assert [(at, fixture.kickoff) for at, fixture in scenario.relisted_fixtures] == [
        (_at("2026-11-21T12:10Z"), _at("2026-11-21T15:30Z")),
        (_at("2026-11-21T15:02Z"), _at("2026-11-21T16:15Z")),
    ]
    assert scenario.fixture.kickoff == _at("2026-11-21T15:00Z")
    assert start.at == scenario.played_fixture.kickoff == _at("2026-11-21T16:15Z")


def test_times_of_other_days_and_zones_and_another_ground_can_be_written() -> None:
    scenario = parse_scenario(
        f"{GROUND}{HEAD}  - 9:30 venue Selhurst Park\n  - 2026-11-21T11:00+01:00 Kickoff 2026-11-22T13:00Z\n"
    )

    assert [(at, fixture.kickoff, fixture.venue) for at, fixture in scenario.relisted_fixtures] == [
        (_at("2026-11-21T09:30Z"), _at("2026-11-21T15:00Z"), "Selhurst Park"),
        (_at("2026-11-21T10:00Z"), _at("2026-11-22T13:00Z"), "Selhurst Park"),
    ]
    assert [message.rule for message in play_scenario(scenario, load_pack())][:2] == ["venue changed", "new date"]


def test_small_moves_add_up_to_one_that_is_told() -> None:
    scenario = parse_scenario(f"{HEAD}  - 12:00 kick-off 15:04\n  - 13:00 kick-off 15:08\n")

    moved = [message.text for message in play_scenario(scenario, load_pack()) if message.kind == "fixture"]
    assert len(moved) == 1 and "15:08" in moved[0]


def test_a_test_of_rules_expects_the_news_of_a_listing() -> None:
    listed = "listings: [12:10 kick-off 15:30]"
    (test,) = read_tests(
        f"tests:\n  - match: A v B\n    kickoff: 2026-11-21T15:00Z\n    {listed}\n    kinds: fixture\n"
        "    expect:\n      - 'fixture (kick-off moved) loud: Kick-off 15:30'\n"
    ).tests

    assert run_test(test, load_pack()).diff == ()


@pytest.mark.parametrize(
    ("lines", "mistakes"),
    [
        (["kick-off 15:30"], ["4:5: 'kick-off 15:30' is not of the form: 11:40 kick-off 15:30, or 11:40 venue NAME"]),
        (["12:00 venue"], ["4:5: '12:00 venue' is not of the form: 11:40 kick-off 15:30, or 11:40 venue NAME"]),
        (
            ["25:00 kick-off 15:30", "12:00 kick-off 15.30"],
            [
                "4:5: '25:00' is neither a time in UTC such as 15:30 nor an instant such as 2026-11-21T15:00:00Z",
                "5:5: '15.30' is neither a time in UTC such as 15:30 nor an instant such as 2026-11-21T15:00:00Z",
            ],
        ),
        (
            ["2026-11-21T12:00 kick-off 15:30"],
            ["4:5: '2026-11-21T12:00' is neither a time in UTC such as 15:30 nor an instant such as 2026-11-21T15:00:00Z"],
        ),
        (["12:00 kick-off 15:00"], ["4:5: the fixture is listed like that already"]),
        (["12:00 kick-off 16:00", "11:00 kick-off 15:30"], ["5:5: 11:00 does not come after 12:00: write them in order"]),
        (["15:40 kick-off 15:30"], ["4:5: 15:40 is not before the kick-off, which is at 15:30"]),
        (
            ["2026-11-23T12:00Z kick-off 2026-11-22T15:30Z"],
            ["4:5: 2026-11-23 12:00 is not before the kick-off, which is at 2026-11-22 15:30"],
        ),
    ],
)
def test_a_mistake_in_a_listing_is_reported_at_its_line(lines: list[str], mistakes: list[str]) -> None:
    with pytest.raises(ScenarioInvalid) as raised:
        parse_scenario(HEAD + "".join(f"  - {line}\n" for line in lines), "derby.yaml")

    assert list(raised.value.mistakes) == [f"derby.yaml:{mistake}" for mistake in mistakes]
