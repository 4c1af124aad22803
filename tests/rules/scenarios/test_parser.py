"""A scenario is a match in a few lines; its packets are what the feed would send of it."""

from __future__ import annotations

import datetime as dt
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.engine.evaluate import evaluate
from rules.football.action import Packet, SendType, Team
from rules.football.advance import advance
from rules.football.match import Match, Moment
from rules.loading.loader import load_pack
from rules.scenarios.builder import build_packets
from rules.scenarios.parser import ScenarioInvalid, load_scenario, parse_scenario
from rules.scenarios.scenario import Scenario, make_id

HEAD = "match: Arsenal v Chelsea\nevents:\n"


def _played(scenario: Scenario, quiet: int | None = None) -> tuple[Match, list[Moment]]:
    match, moments = Match(scenario.fixture), []
    for packet in build_packets(scenario, quiet_interval=quiet):
        moment = advance(match, packet)
        match = moment.after
        moments.append(moment)
    return match, moments


def _play(line: str) -> tuple[Match, list[tuple[str, str, str]]]:
    """The final match and (type, sub type, send type) of what is wanted of one line."""
    scenario = parse_scenario(HEAD + f"  - {line}\n")
    match, _ = _played(scenario)
    framing = {"Team Colours", "Lineups", "Start Match", "End Match", "Start Period", "End Period", "Start Clock"}
    return match, [(p.type, p.sub_type, p.send_type) for p in build_packets(scenario) if p.type not in framing]


def _incidents(match: Match, kind: str) -> list[tuple[str, str]]:
    standing = [r.action for r in match.records.values() if r.is_standing and r.action.type == kind]
    return [(str(a.minute), a.player.name if a.player else "") for a in standing if a.minute]


def test_argentina_v_saudi_arabia_is_played_as_it_was() -> None:
    match, moments = _played(load_scenario("opener"))

    assert (str(match.score), match.shootout, match.is_completed) == ("1–2", None, True)
    assert _incidents(match, "Goal") == [("10", "Messi"), ("48", "Al-Shehri"), ("53", "Al-Dawsari")]
    retracted = [r.action for r in match.records.values() if r.is_retracted]
    assert [str(a.minute) for a in retracted] == ["22", "27", "34"]
    assert all(a.team and a.team.name == "Argentina" for a in retracted)
    disallowed = [m.action for m in moments if m.action.type == "Goal Disallowed"]
    assert [(a.sub_type, a.player.name) for a in disallowed if a.player] == [
        ("Offside", "Messi"),
        ("Offside", "Lautaro Martínez"),
        ("Offside", "Lautaro Martínez"),
    ]
    assert _incidents(match, "Yellow Card") == [
        ("67", "Al-Malki"),
        ("75", "Al-Bulaihi"),
        ("79", "Al-Dawsari"),
        ("82", "Abdulhamid"),
        ("88", "Al-Abed"),
        ("90+2", "Al-Owais"),
    ]


def test_the_final_of_2022_goes_through_extra_time_to_a_shootout() -> None:
    match, _ = _played(load_scenario("final"))

    assert (str(match.score), str(match.shootout), match.is_completed) == ("3–3", "4–2", True)
    assert _incidents(match, "Goal") == [
        ("23", "Messi"),
        ("36", "Di María"),
        ("80", "Mbappé"),
        ("81", "Mbappé"),
        ("108", "Messi"),
        ("118", "Mbappé"),
    ]
    assert _incidents(match, "Yellow Card") == [
        ("45+7", "Fernández"),
        ("55", "Rabiot"),
        ("87", "Thuram"),
        ("90+5", "Giroud"),
        ("90+8", "Acuña"),
        ("114", "Paredes"),
        ("116", "Montiel"),
        ("120+5", "E. Martínez"),
    ]


@pytest.mark.parametrize("name", ["opener", "final"])
def test_the_packets_come_in_the_order_of_their_numbers_and_instants_and_their_clock_never_runs_back(name: str) -> None:
    revisions = build_packets(load_scenario(name), quiet_interval=20)

    assert [p.seq for p in revisions] == list(range(1, len(revisions) + 1))
    assert [p.at for p in revisions] == sorted(p.at for p in revisions)
    by_period: dict[int | None, list[int]] = {}
    for packet in revisions:
        by_period.setdefault(packet.summary.period_id, []).append(packet.summary.clock or 0)
    assert all(clocks == sorted(clocks) for clocks in by_period.values())


def test_the_same_scenario_always_has_the_same_ids() -> None:
    one, other = (build_packets(load_scenario("final")) for _ in range(2))

    assert one == other
    assert len({p.fixture_id for p in one}) == 1


def test_quiet_play_changes_nothing() -> None:
    plain, _ = _played(load_scenario("final"))
    quiet, moments = _played(load_scenario("final"), quiet=30)

    assert quiet.records.keys() == plain.records.keys()
    assert (quiet.score, quiet.shootout) == (plain.score, plain.shootout)
    assert len(moments) > 200


GOAL = ("Goal", "Inside The Box")


@pytest.mark.parametrize(
    ("line", "wanted", "score"),
    [
        ("10' goal Saka (Arsenal)", [("Goal", "", "Pending"), (*GOAL, "Confirmed")], "1–0"),
        ("10' penalty goal Palmer (chelsea)", [("Goal", "", "Pending"), ("Goal", "Penalty", "Confirmed")], "0–1"),
        ("10' own goal Gabriel (Arsenal)", [("Goal", "", "Pending"), ("Goal", "Own Goal", "Confirmed")], "0–1"),
        ("10' goal Saka (Arsenal), pending 0s, header", [("Goal", "Header", "Confirmed")], "1–0"),
        ("10' goal Saka (Arsenal), cancelled after 9s", [("Goal", "", "Pending"), ("Goal", "", "Cancelled")], "0–0"),
        (
            "10' goal Saka (Arsenal), deleted after 60s, restored after 90s",
            [("Goal", "", "Pending"), (*GOAL, "Confirmed"), (*GOAL, "Deleted"), (*GOAL, "Updated")],
            "1–0",
        ),
        (
            "10' goal Saka (Arsenal), disallowed for offside after 40s",
            [("Goal", "", "Pending"), (*GOAL, "Confirmed"), ("Goal Disallowed", "Offside", "Confirmed")],
            "0–0",
        ),
        (
            "10' yellow card Rice (Arsenal), red after 30s",
            [("Yellow Card", "", "Pending"), ("Yellow Card", "", "Confirmed"), ("Red Card", "Straight Red", "Updated")],
            "0–0",
        ),
        (
            "10' second yellow Rice (Arsenal)",
            [("Red Card", "", "Pending"), ("Red Card", "Second Yellow", "Confirmed")],
            "0–0",
        ),
        ("10' penalty saved Palmer (Chelsea)", [("Penalty Missed", "Saved", "Confirmed")], "0–0"),
        (
            "60' substitution Nwaneri for Ødegaard (Arsenal)",
            [("Substitution Out", "", "Confirmed"), ("Substitution In", "", "Confirmed")],
            "0–0",
        ),
    ],
)
def test_each_line_has_its_life_cycle(line: str, wanted: list[tuple[str, str, str]], score: str) -> None:
    match, revisions = _play(line)

    assert revisions == wanted
    assert str(match.score) == score


def test_a_goal_flagged_before_it_is_confirmed_is_disallowed_and_cancelled_and_never_counts() -> None:
    _, revisions = _play("10' goal Saka (Arsenal), disallowed for offside after 12s")

    assert revisions == [("Goal", "", "Pending"), ("Goal Disallowed", "Offside", "Confirmed"), ("Goal", "", "Cancelled")]


def test_a_video_check_comes_before_its_disallowance() -> None:
    _, revisions = _play("10' goal Saka (Arsenal), disallowed for handball after a video check")

    assert [kind for kind, _, _ in revisions[2:]] == ["Video Check Underway"] * 2 + ["Video Check Over", "Goal Disallowed"]


def test_a_corrected_scorer_is_an_update_of_the_same_action() -> None:
    scenario = parse_scenario(HEAD + "  - 10' goal Saka (Arsenal), corrected to Havertz after 50s\n")
    goals = [p for p in build_packets(scenario) if p.type == "Goal"]

    assert [(p.send_type, p.player.name if p.player else "") for p in goals] == [
        (SendType.PENDING, ""),
        (SendType.CONFIRMED, "Saka"),
        (SendType.UPDATED, "Havertz"),
    ]
    assert len({p.action_id for p in goals}) == 1


def test_a_shootout_without_extra_time_is_period_three() -> None:
    scenario = parse_scenario("match: A v B\nshootout:\n  - One (A) scored\n  - Two (B) missed\n")
    kicks = [p for p in build_packets(scenario) if p.type in ("Goal", "Penalty Missed")]

    assert {p.period_id for p in kicks} == {3}
    assert str(_played(scenario)[0].shootout) == "1–0"


def test_a_half_ends_in_the_minute_that_is_written() -> None:
    scenario = parse_scenario(HEAD + "  - 45+6' half time\n  - 90+13' full time\n")
    ends = [m.action for m in _played(scenario)[1] if m.action.type == "End Period"]

    assert [str(a.minute) for a in ends] == ["45+6", "90+13"]


@pytest.mark.parametrize(
    ("text", "mistakes"),
    [
        ("- x", ["s.yaml:1:1: a scenario is a mapping that begins with `match: HOME v AWAY`"]),
        (
            "match: [",
            ["s.yaml:1:8: the [ that is opened here is never closed by ]"],
        ),
        ("kickoff: 2026-08-15T14:00:00Z", ["s.yaml:1:1: a scenario needs `match: HOME v AWAY`"]),
        ("match: Arsenal", ["s.yaml:1:8: 'Arsenal' is not of the form: HOME v AWAY"]),
        ("match: A v B\nmatch: A v C", ['s.yaml:2:1: the key "match" is written twice']),
        ("match: A v B\nkickof: now", ['s.yaml:2:1: unknown key "kickof", did you mean "kickoff"?']),
        ("match: A v B\nkickoff: noon", ["s.yaml:2:10: 'noon' is not an instant such as 2022-11-22T10:00:00Z"]),
        ("match: A v B\nevents: none", ["s.yaml:2:9: a list is expected here, one line for each thing that happens"]),
        (
            HEAD + "  - 10' gaol X (Arsenal)",
            ['s.yaml:3:5: "gaol X" does not begin with a known event, did you mean "goal"?'],
        ),
        (HEAD + "  - 10' goal X", ["s.yaml:3:5: goal needs its team in brackets"]),
        (HEAD + "  - 45' half time (Arsenal)", ["s.yaml:3:5: half time belongs to no team"]),
        (HEAD + "  - 10' goal X (Spurs)", ['s.yaml:3:5: "Spurs" does not play: the teams are Arsenal and Chelsea']),
        (
            HEAD + "  - goal X (Arsenal)",
            ['s.yaml:3:5: "goal X (Arsenal)" is not of the form: 10\' goal NAME (TEAM), DETAILS'],
        ),
        (HEAD + "  - 30+2' goal X (Arsenal)", ["s.yaml:3:5: there is no minute 30+2"]),
        (HEAD + "  - 50' half time", ["s.yaml:3:5: half time comes after minute 45 or 105, not 50"]),
        (HEAD + "  - 9' yellow card X (Arsenal), disallowed", ["s.yaml:3:5: only a goal is disallowed"]),
        (HEAD + "  - 9' red card X (Arsenal), red after 9s", ["s.yaml:3:5: only a yellow card turns red"]),
        (
            HEAD + "  - 9' substitution X (Arsenal)",
            ["s.yaml:3:5: a substitution is of the form: 60' substitution NAME for NAME (TEAM)"],
        ),
        (
            HEAD + "  - 9' goal X (Arsenal)\n  - 8' goal Y (Arsenal)",
            ["s.yaml:4:5: minute 8 comes after minute 9: write them in order"],
        ),
        (HEAD + "  - 90' full time\n  - 91' goal Y (Arsenal)", ["s.yaml:4:5: goal comes after full time"]),
        (
            "match: A v B\nshootout:\n  - X scored",
            ["s.yaml:3:5: 'X scored' is not of the form: NAME (TEAM) scored, or saved, or missed"],
        ),
    ],
)
def test_each_mistake_is_a_sentence_at_its_place(text: str, mistakes: list[str]) -> None:
    with pytest.raises(ScenarioInvalid) as caught:
        parse_scenario(text, "s.yaml")

    assert [m.replace("'goal X (Arsenal)'", '"goal X (Arsenal)"') for m in caught.value.mistakes] == mistakes


def test_all_mistakes_come_at_once() -> None:
    with pytest.raises(ScenarioInvalid) as caught:
        parse_scenario("match: A v B\nkickoff: noon\nevents:\n  - 5' gaol X (A)\n  - 6' goal X (C)\n", "s.yaml")

    assert [line.split(": ")[0] for line in str(caught.value).splitlines()] == ["s.yaml:2:10", "s.yaml:4:5", "s.yaml:5:5"]


def test_a_scenario_without_more_than_its_teams_has_a_kick_off_and_nothing_that_happens() -> None:
    scenario = parse_scenario("match: Arsenal v  Köln")

    assert (scenario.fixture.title, scenario.fixture.name, scenario.fixture.competition) == (
        "Arsenal v Köln", "Arsenal v Köln", Team(),
    )  # fmt: skip
    assert scenario.fixture.kickoff == dt.datetime(2026, 8, 15, 14, tzinfo=dt.UTC)
    assert (scenario.events, scenario.kicks) == ((), ())


def test_a_kick_off_is_kept_in_utc_and_the_competition_by_its_name() -> None:
    fixture = parse_scenario("match: A v B\nkickoff: 2026-08-15T16:00:00+02:00\ncompetition: La Liga").fixture

    assert (str(fixture.kickoff), fixture.competition.name) == ("2026-08-15 14:00:00+00:00", "La Liga")


def test_ids_follow_from_names_and_the_kick_off_and_are_those_of_earlier_versions() -> None:
    first = parse_scenario("match: A v B\ncompetition: C").fixture
    again = parse_scenario("match: A v B\ncompetition: C\nkickoff: 2026-08-15T14:00:00Z").fixture
    later = parse_scenario("match: A v B\ncompetition: C\nkickoff: 2026-08-16T14:00:00Z").fixture

    assert (first, first.home.id, later.home.id) == (again, make_id("team", "A"), first.home.id)
    assert len({first.id, later.id, first.home.id, first.away.id, first.competition.id}) == 5
    assert make_id("team", "A") == "a4c86e05-28cf-5604-9d90-72a627bc27b9"
    assert load_scenario("opener").fixture.id == "84b25e52-433e-5c08-8482-e1d0cccc8473"
    assert load_scenario("argentina-france") == load_scenario("final")


@pytest.mark.parametrize(
    ("lines", "mistake"),
    [
        (["45' half time", "45+1' video check"], "video check comes after half time"),
        (["45' half time", "46' video check"], ""),
        (["90' extra time", "90+1' video check"], "video check comes after extra time"),
        (["120' full time", "120' video check"], "video check comes after full time"),
        (["60' abandoned", "61' video check"], "after abandoned comes resumed, in the same minute, and nowhere else"),
        (["60' video check", "60' resumed after 20h"], "after abandoned comes resumed, in the same minute, and nowhere else"),
        (["10' video check", "10' video check"], ""),
        (["45+2' video check", "45+1' video check"], "minute 45+1 comes after minute 45+2: write them in order"),
    ],
)
def test_events_are_written_in_order_and_none_after_the_end_of_its_period(lines: list[str], mistake: str) -> None:
    text = "match: A v B\nevents:\n" + "".join(f"- {line}\n" for line in lines)
    try:
        parse_scenario(text, "s.yaml")
        found = ""
    except ScenarioInvalid as invalid:
        (found,) = invalid.mistakes

    assert found == (f"s.yaml:4:3: {mistake}" if mistake else "")


@pytest.mark.parametrize("kickoff", ["2026-08-15T14:00:00", "noon"])
def test_a_kick_off_without_a_time_zone_is_no_instant(kickoff: str) -> None:
    with pytest.raises(ScenarioInvalid, match=r"s.yaml:2:10: .* is not an instant such as 2022-11-22T10:00:00Z"):
        parse_scenario(f"match: A v B\nkickoff: {kickoff}", "s.yaml")


@pytest.mark.parametrize("text", ["match: {A: B}", "match: A v B\nevents:\n- a: b"])
def test_a_line_with_a_colon_wants_quotes(text: str) -> None:
    with pytest.raises(ScenarioInvalid, match="a line of text is expected here; where it holds `: `, put it in quotes"):
        parse_scenario(text)


def test_a_scenario_that_does_not_ship_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        load_scenario("nothing")


def test_pending_packets_name_no_player_yet() -> None:
    pending: list[Packet] = [p for p in build_packets(load_scenario("opener")) if p.send_type is SendType.PENDING]

    assert pending
    assert all(p.player is None for p in pending)


@pytest.mark.parametrize("name", ["opener", "final"])
def test_the_rules_that_ship_find_words_for_all_of_it(name: str) -> None:
    rules, (_, moments) = load_pack(), _played(load_scenario(name))
    alerts = [alert for moment in moments for alert in evaluate(rules, moment)]

    assert [alert.text_error for alert in alerts if alert.text_error] == []
    assert {"goal", "yellow_card", "kick_off", "half_time", "full_time"} <= {alert.kind for alert in alerts}


_WORDS = st.sampled_from(
    ["10'", "45+2'", "120'", "goal", "own goal", "red card", "half time", "X", "(A)", "(B)", "(", ",", "deleted after 9s"]
)


@given(st.lists(st.lists(_WORDS, max_size=6).map(" ".join), max_size=5))
def test_any_lines_make_a_match_or_sentences(lines: list[str]) -> None:
    text = "match: A v B\nevents:\n" + "".join(f"  - {json.dumps(line)}\n" for line in lines)
    try:
        scenario = parse_scenario(text)
    except ScenarioInvalid as invalid:
        assert invalid.mistakes
        assert all(re.match(r"scenario\.yaml:\d+:\d+: \S", mistake) for mistake in invalid.mistakes)
    else:
        assert _played(scenario)[0].is_completed


@given(st.text(max_size=80) | st.text("[]{}:- ?&*!|>#\n'\"ab", max_size=30))
def test_any_text_is_a_scenario_or_has_mistakes(text: str) -> None:
    try:
        scenario = parse_scenario(text)
    except ScenarioInvalid as invalid:
        assert invalid.mistakes
    else:
        assert _played(scenario)[0].is_completed
