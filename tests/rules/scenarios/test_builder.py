"""The timetable of a match: when each packet of a scenario comes, and what its summary counts."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from rules.football.action import Packet, PeriodScore, Side
from rules.football.lineups import read_lineups
from rules.football.minute import Minute, Period
from rules.scenarios.builder import build_packets
from rules.scenarios.parser import ScenarioInvalid, load_scenario, parse_scenario
from rules.scenarios.periods import find_period
from rules.scenarios.scenario import Scenario
from rules.scenarios.steps import Step, lay_out

MATCH = """
match: Arsenal v Chelsea
kickoff: 2026-08-15T14:00:00Z
competition: Premier League
events:
  - 10' goal Saka (Arsenal)
  - 10' own goal Gabriel (Arsenal), pending 0s
  - 20' goal Palmer (Chelsea), disallowed for offside after 12s
  - 30' goal Palmer (Chelsea), disallowed for handball after a video check
  - 40' goal Saka (Arsenal), cancelled after 9s
  - 45+1' yellow card Rice (Arsenal), red after 30s
  - 45+3' half time
  - 50' penalty awarded (Arsenal)
  - 51' penalty saved Saka (Arsenal)
  - 52' penalty goal Palmer (Chelsea), corrected to Jackson after 50s, deleted after 60s, restored after 90s
  - 60' substitution Nwaneri for Rice (Arsenal)
  - 70' video check
  - 95' red card James (Chelsea)
shootout:
  - Saka (Arsenal) scored
  - Palmer (Chelsea) saved
  - Rice (Arsenal) missed
"""

TIMETABLE = """
-3600 0 00:00 colours Confirmed Team Colours - Scheduled
-2400 0 00:00 lineups Confirmed Lineups - Scheduled
0 1 00:00 start Confirmed Start Match -
0 1 00:00 start-1 Confirmed Start Period -
0 1 00:00 clock-1 Confirmed Start Clock -
545 1 09:05 event-0 Pending Goal home
555 1 09:15 event-1 Confirmed Goal away (Own Goal) Gabriel +away
565 1 09:05 event-0 Confirmed Goal home (Inside The Box) Saka +home
1145 1 19:05 event-2 Pending Goal away
1157 1 19:17 event-2-disallowed Confirmed Goal Disallowed away (Offside) Palmer <- event-2
1158 1 19:05 event-2 Cancelled Goal away
1745 1 29:05 event-3 Pending Goal away
1765 1 29:05 event-3 Confirmed Goal away (Inside The Box) Palmer +away
1775 1 29:35 event-3-check Pending Video Check Underway -
1783 1 29:35 event-3-check Confirmed Video Check Underway - (Potential Goal)
1833 1 30:33 event-3-check-over Confirmed Video Check Over - <- event-3-check
1835 1 30:35 event-3-disallowed Confirmed Goal Disallowed away (Handball) Palmer <- event-3 -away
2345 1 39:05 event-4 Pending Goal home
2354 1 39:05 event-4 Cancelled Goal home
2705 1 45:05 event-5 Pending Yellow Card home
2714 1 45:05 event-5 Confirmed Yellow Card home Rice
2735 1 45:05 event-5 Updated Red Card home (Straight Red) Rice
2875 1 47:55 end-1 Confirmed End Period -
3775 2 45:00 start-2 Confirmed Start Period -
3775 2 45:00 clock-2 Confirmed Start Clock -
4020 2 49:05 event-6 Pending Penalty Awarded home
4035 2 49:05 event-6 Confirmed Penalty Awarded home (Foul)
4080 2 50:05 event-7 Confirmed Penalty Missed home (Saved) Saka
4140 2 51:05 event-8 Pending Goal away
4158 2 51:05 event-8 Confirmed Goal away (Penalty) Palmer +away
4190 2 51:05 event-8 Updated Goal away (Penalty) Jackson
4200 2 51:05 event-8 Deleted Goal away (Penalty) Jackson -away
4230 2 51:05 event-8 Updated Goal away (Penalty) Jackson +away
4620 2 59:05 event-9-out Confirmed Substitution Out home Rice
4621 2 59:05 event-9 Confirmed Substitution In home Nwaneri <- event-9-out
5220 2 69:05 event-10 Pending Video Check Underway -
5228 2 69:05 event-10 Confirmed Video Check Underway - (Other)
5278 2 70:03 event-10-over Confirmed Video Check Over - <- event-10
6755 2 94:40 end-2 Confirmed End Period -
7055 3 90:00 start-3 Confirmed Start Period -
7055 3 90:00 clock-3 Confirmed Start Clock -
7300 3 94:05 event-11 Pending Red Card away
7312 3 94:05 event-11 Confirmed Red Card away (Straight Red) James
7995 3 105:40 end-3 Confirmed End Period -
8115 4 105:00 start-4 Confirmed Start Period -
8115 4 105:00 clock-4 Confirmed Start Clock -
9055 4 120:40 end-4 Confirmed End Period -
9355 5 00:00 start-5 Confirmed Start Period -
9355 5 00:00 clock-5 Confirmed Start Clock -
9390 5 00:00 kick-1 Confirmed Goal home (Penalty) Saka +home
9430 5 00:00 kick-2 Confirmed Penalty Missed away (Saved) Palmer
9470 5 00:00 kick-3 Confirmed Penalty Missed home Rice
9515 5 00:00 end-5 Confirmed End Period -
9518 5 00:00 end Confirmed End Match - Completed
"""
"""Seconds after kick-off, period, clock, key, send type, type, side; then sub type, player, related, score and status."""


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return parse_scenario(MATCH)


def show(step: Step) -> str:
    """One line of the timetable."""
    more = (
        f"({step.sub_type})" if step.sub_type else "",
        step.player,
        *(f"<- {key}" for key in step.related),
        f"+{step.scoring_side}" if step.scoring_side else "",
        f"-{step.losing_side}" if step.losing_side else "",
        step.status if step.status != "Live" else "",
    )
    clock = f"{step.clock // 60:02}:{step.clock % 60:02}"
    place = f"{step.at} {step.period.id if step.period else 0} {clock} {step.key}"
    return " ".join(filter(None, (place, step.send_type, step.type, step.side or "-", *more)))


def test_every_packet_of_a_match_has_its_time_and_its_place(scenario: Scenario) -> None:
    assert [show(step) for step in lay_out(scenario)] == TIMETABLE.strip().split("\n")


def test_play_without_extra_time_is_laid_out_with_its_usual_added_time() -> None:
    steps = [show(step) for step in lay_out(parse_scenario("match: A v B"))]

    assert [step for step in steps if "End" in step] == [
        "2800 1 46:40 end-1 Confirmed End Period -",
        "6680 2 94:40 end-2 Confirmed End Period -",
        "6683 2 94:40 end Confirmed End Match - Completed",
    ]


@pytest.mark.parametrize(
    ("line", "end"),
    [
        ("45+1' goal X (A), deleted after 600s", "55:35"),
        ("45+1' goal X (A), corrected to Y after 600s", "55:35"),
        ("45+1' goal X (A), pending 600s", "55:35"),
        ("45+1' goal X (A), disallowed for offside after 600s", "55:35"),
        ("45+1' yellow card X (A), red after 600s", "55:35"),
        ("45' video check", "46:40"),
        ("45+5' video check", "50:35"),
        ("45+9' half time", "53:55"),
        ("45' half time", "44:55"),
    ],
)
def test_a_half_lasts_until_its_last_event_is_settled(line: str, end: str) -> None:
    steps = [show(step) for step in lay_out(parse_scenario(f"match: A v B\nevents:\n- {line}"))]

    assert next(step for step in steps if " end-1 " in step).split()[2] == end


@pytest.mark.parametrize(
    ("minute", "period"),
    [
        (Minute(0), Period.FIRST_HALF),
        (Minute(45, 9), Period.FIRST_HALF),
        (Minute(46), Period.SECOND_HALF),
        (Minute(90, 9), Period.SECOND_HALF),
        (Minute(91), Period.EXTRA_FIRST),
        (Minute(105, 1), Period.EXTRA_FIRST),
        (Minute(106), Period.EXTRA_SECOND),
        (Minute(120, 1), Period.EXTRA_SECOND),
    ],
)
def test_a_minute_is_played_in_its_period(minute: Minute, period: Period) -> None:
    assert find_period(minute) is period


def packet_at(packets: tuple[Packet, ...], kind: str, minute: int) -> Packet:
    return next(p for p in packets if p.type == kind and p.clock // 60 + 1 == minute and p.send_type == "Confirmed")


def test_the_summary_is_the_state_after_the_action(scenario: Scenario) -> None:
    packets = build_packets(scenario)
    first, disallowed = packet_at(packets, "Goal", 10), packet_at(packets, "Goal Disallowed", 31)
    end = packets[-1].summary

    assert (first.summary.home, first.summary.away, first.summary.clock, first.summary.period_id) == (0, 1, 555, 1)
    assert (disallowed.summary.home, disallowed.summary.away) == (1, 1)
    assert (end.home, end.away, end.status, end.period_id, end.clock) == (1, 2, "Completed", 5, 0)
    assert end.collection_status == "CollectingLive"
    assert end.periods == (
        PeriodScore(1, "1st half", "Regular", 1, 1, 1, 1, is_ended=True),
        PeriodScore(2, "2nd half", "Regular", 1, 2, 0, 1, is_ended=True),
        PeriodScore(3, "1st half extra time", "ExtraTime", 1, 2, 0, 0, is_ended=True),
        PeriodScore(4, "2nd half extra time", "ExtraTime", 1, 2, 0, 0, is_ended=True),
        PeriodScore(5, "penalty shootout", "Shootout", 1, 2, 1, 0, is_ended=True),
    )


def test_before_kick_off_the_summary_has_no_period_and_the_clock_stands(scenario: Scenario) -> None:
    colours, lineups, start, *_ = build_packets(scenario)

    assert (colours.period_id, colours.clock, colours.summary.clock, colours.summary.periods) == (0, 0, 0, ())
    assert (colours.summary.status, colours.summary.period_id) == ("Scheduled", 1)
    assert colours.metadata == {"homeTeamColour": "117, 170, 219", "awayTeamColour": "255, 255, 255"}
    assert (lineups.metadata, start.period_id, start.summary.periods[0].is_ended) == ({}, 1, False)


def test_a_packet_names_its_team_its_player_and_its_relations_by_stable_ids(scenario: Scenario) -> None:
    packets = build_packets(scenario)
    out, on = (next(p for p in packets if p.type == f"Substitution {way}") for way in ("Out", "In"))
    goal = packet_at(packets, "Goal", 10)

    assert on.related == (out.action_id,)
    assert on.player and out.player and (on.player.name, out.player.name) == ("Nwaneri", "Rice")
    assert (goal.team, goal.team_side) == (scenario.fixture.away, Side.AWAY)
    assert len({p.player.id for p in packets if p.player and p.player.name == "Saka"}) == 1
    assert (packets[0].team, packets[0].player, packets[0].related) == (None, None, ())
    assert len({packet.action_id for packet in packets}) == len({step.key for step in lay_out(scenario)})


def test_packets_are_numbered_in_the_order_sent_and_placed_in_the_order_of_play(scenario: Scenario) -> None:
    packets = build_packets(scenario)
    third = packets[2]

    assert [packet.seq for packet in packets] == list(range(1, len(packets) + 1))
    assert third.trace_id == f"{3:032x}"
    assert packets[0].timeline == Decimal("0.0000000000000001")
    assert packet_at(packets, "Penalty Missed", 51).timeline == Decimal("2.0000300500000028")
    assert [packet.is_finished for packet in packets[-2:]] == [False, True]
    assert scenario.fixture.kickoff and (packet_at(packets, "Goal", 10).at - scenario.fixture.kickoff).total_seconds() == 555


def test_quiet_play_fills_the_periods_with_a_clock_and_neither_breaks_nor_a_shootout(scenario: Scenario) -> None:
    quiet = [show(step) for step in lay_out(scenario, 300) if step.key.startswith("quiet")]

    assert quiet[:5] == [
        "300 1 05:00 quiet-1-0 Confirmed Attack away",
        "600 1 10:00 quiet-1-1 Confirmed Safe Possession away",
        "900 1 15:00 quiet-1-2 Confirmed Throw In away",
        "1200 1 20:00 quiet-1-3 Confirmed Dangerous Attack home",
        "1500 1 25:00 quiet-1-4 Confirmed Safe Possession home",
    ]
    assert [sum(f"quiet-{period}-" in step for step in quiet) for period in range(1, 6)] == [9, 9, 3, 3, 0]


def test_a_penalty_goal_that_is_sent_twice_comes_a_second_later_under_another_name_and_counts_once() -> None:
    twice = parse_scenario("match: A v B\nevents:\n- 10' penalty goal X (A), sent twice, deleted after 60s\n- 20' goal Y (A)")

    assert [show(step) for step in lay_out(twice) if "event-0" in step.key] == [
        "545 1 09:05 event-0 Pending Goal home",
        "546 1 09:05 event-0-scored Pending Penalty Scored home",
        "563 1 09:05 event-0 Confirmed Goal home (Penalty) X +home",
        "564 1 09:05 event-0-scored Confirmed Penalty Scored home X",
        "605 1 09:05 event-0 Deleted Goal home (Penalty) X -home",
        "606 1 09:05 event-0-scored Deleted Penalty Scored home X",
    ]
    assert not any("event-1-scored" in step.key for step in lay_out(twice))


def test_events_of_one_minute_keep_their_order_ten_seconds_apart() -> None:
    cards = parse_scenario("match: A v B\nevents:\n" + "- 10' red card X (A), pending 0s\n" * 4)

    assert [step.clock for step in lay_out(cards) if step.type == "Red Card"] == [545, 555, 565, 575]


def types_of(text: str) -> list[tuple[str, int]]:
    """The types of the packets that a line makes, with their minutes of the clock."""
    packets = build_packets(parse_scenario(f"match: A v B\nevents:\n{text}"))
    usual = {"Team Colours", "Lineups", "Start Match", "Start Period", "Start Clock", "End Period", "End Match"}
    return [(packet.type, packet.clock // 60) for packet in packets if packet.type not in usual]


def test_a_player_is_back_from_the_sin_bin_after_ten_minutes_of_play_the_break_not_counted() -> None:
    usual = types_of("  - 20' sin bin X (A)")
    over_the_break = types_of("  - 40' sin bin X (A)\n  - 45' half time")
    at_the_end = types_of("  - 88' sin bin X (A)\n  - 90' full time")

    assert usual == [("Temporary Dismissal", 19), ("Temporary Dismissal", 19), ("Temporary Dismissal Over", 29)]
    assert over_the_break[-1] == ("Temporary Dismissal Over", 49)
    assert [kind for kind, _ in at_the_end] == ["Temporary Dismissal"] * 2


def test_breaks_injuries_and_added_time_have_packets_of_their_own() -> None:
    built = types_of("  - 30' water break\n  - 40' injury X (A)\n  - 45' added time 3")

    assert built == [("Play Stopped", 29), ("Play Resumed", 30), ("Injury", 39), ("Added Time", 44)]


def test_a_substitution_may_come_as_one_action_and_a_goal_may_never_be_confirmed() -> None:
    assert types_of("  - 60' substitution X for Y (A), in one action") == [("Substitution", 59)]
    assert types_of("  - 60' goal X (A), never confirmed") == [("Goal", 59)]


def test_line_ups_are_in_the_metadata_of_their_packet() -> None:
    scenario = parse_scenario("match: A v B\nlineups:\n  - A (4-4-2) 1 X, 10 Y (c); 12 Z\n  - B 1 V\nevents: [10' goal X (A)]")
    packets = build_packets(scenario)
    (packet,) = (packet for packet in packets if packet.type == "Lineups")
    (scorer,) = {packet.player for packet in packets if packet.type == "Goal" and packet.player}

    assert read_lineups(packet.metadata) == scenario.lineups
    # As in the real feed, a player has one id in line-ups and actions.
    assert packet.metadata["home"]["startingLineup"][0] == {"id": scorer.id, "shirtNumber": "1", "fullName": "X"}
    assert str(scenario.lineups.home) == "4-4-2: 1 X, 10 Y (c)"


@pytest.mark.parametrize(
    "text",
    [
        "events:\n  - 45' added time soon",
        "events:\n  - 45' goal X (A), in one action",
        "lineups:\n  - A eleven friends",
        "lineups:\n  - A 1 X, Y",
        "lineups:\n  - C 1 X",
    ],
)
def test_what_is_not_understood_is_a_mistake(text: str) -> None:
    with pytest.raises(ScenarioInvalid):
        parse_scenario(f"match: A v B\n{text}")


def test_a_match_that_is_resumed_goes_on_where_it_was_abandoned_and_the_clock_has_stood_still() -> None:
    packets = build_packets(load_scenario("abandoned"))
    stopped = next(place for place, packet in enumerate(packets) if packet.summary.status == "Abandoned")
    abandoned, resumed = packets[stopped : stopped + 2]
    goal = next(packet for packet in packets[stopped:] if packet.type == "Goal")

    assert (abandoned.type, resumed.type, resumed.summary.status) == ("Status Updated", "Status Updated", "Live")
    assert resumed.at - abandoned.at == dt.timedelta(hours=19, seconds=10)
    assert resumed.summary.clock == (abandoned.summary.clock or 0) + 10
    assert goal.at - resumed.at < dt.timedelta(minutes=15)


def test_a_match_that_is_abandoned_for_good_ends_there() -> None:
    scenario = parse_scenario("match: A v B\nevents: [12' goal X (A), 30' abandoned]\n")

    assert [packet.summary.status for packet in build_packets(scenario)][-1] == "Abandoned"
