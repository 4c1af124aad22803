"""Line-ups and substitutions in every shape that is assumed."""

from typing import Any

import pytest

from rules.engine.evaluate import evaluate
from rules.football.lineups import Lineup, LineupPlayer, Lineups, merge_lineups, read_lineups
from rules.football.match import Moment
from rules.loading.loader import load_pack
from tests.packets import Story

RULES = load_pack("default")

RAYA = {"id": "1", "shirtNumber": "22", "fullName": "David Raya", "firstName": "David", "lastName": "Raya"}
ODEGAARD = {"id": "2", "shirtNumber": 8, "firstName": "Martin", "lastName": "Ødegaard", "captain": True}


def text_of(moment: Moment, notified: dict[str, set[str]] | None = None) -> str:
    (alert,) = evaluate(RULES, moment, notified)
    return alert.text


def test_the_documented_shape_with_formation_and_captain() -> None:
    home = {"teamId": "h", "startingLineup": [RAYA, ODEGAARD], "substitutes": [{"name": "Nwaneri"}], "formation": "4-3-3"}
    read = read_lineups({"fixtureId": "f1", "home": home, "away": {"startingLineup": []}})

    assert str(read.home) == "4-3-3: 22 David Raya, 8 Martin Ødegaard (c)"
    assert (read.home.captain, read.home.substitutes) == ("Martin Ødegaard", (LineupPlayer("Nwaneri"),))
    assert (str(read.away), read.is_complete) == ("", False)


@pytest.mark.parametrize(("home", "away"), [("home", "away"), ("homeTeam", "awayTeam"), ("HomeTeam", "AWAY")])
def test_the_teams_are_found_under_any_of_their_names(home: str, away: str) -> None:
    read = read_lineups({home: {"startingLineup": ["Raya"]}, away: {"startingLineup": ["Sánchez"]}})

    assert (str(read.home), str(read.away)) == ("Raya", "Sánchez")


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"home": None, "away": "eleven friends"},
        {"home": {"startingLineup": {"a": 1}}},
        {"home": {"startingLineup": [None, 7, {"shirtNumber": "9"}, []]}},
        {"home": {"formation": "very offensive", "startingLineup": []}},
    ],
)
def test_what_cannot_be_read_is_left_out(values: dict[str, Any]) -> None:
    assert read_lineups(values) == Lineups()


def test_a_captain_named_beside_the_players_and_bare_names_are_read() -> None:
    read = read_lineups({"startingLineup": ["Raya", {"name": "Rice", "shirtNumber": True}], "captain": "Rice"})
    alone = read_lineups({"startingLineup": ["Raya", "Rice"], "captain": {"fullName": "Rice"}}, side=None)

    assert read == alone == Lineups()
    story = Story()
    story.add("Lineups", action="l", side="home", metadata={"startingLineup": ["Raya", "Rice"], "captain": "Rice"})
    assert story.match.lineups.home == Lineup((LineupPlayer("Raya"), LineupPlayer("Rice", is_captain=True)))


def test_a_team_keeps_its_line_up_while_only_the_other_one_comes() -> None:
    home, away = Lineup((LineupPlayer("Raya"),)), Lineup((LineupPlayer("Sánchez"),))

    assert merge_lineups(Lineups(home), Lineups(away=away)) == Lineups(home, away)


def test_the_alert_names_the_players_of_both_teams() -> None:
    metadata = {"home": {"startingLineup": [RAYA], "formation": "4-3-3"}, "away": {"startingLineup": [{"name": "Sánchez"}]}}
    text = text_of(Story().add("Lineups", metadata=metadata))

    assert "<b>Arsenal</b> 4-3-3: 22 David Raya\n<b>Chelsea</b> Sánchez" in text


def test_without_players_the_alert_says_that_the_line_ups_are_there() -> None:
    assert text_of(Story().add("Lineups")).splitlines() == ["📋 <b>Line-ups: Arsenal v Chelsea</b>", "Kick-off 14:00 UTC"]


def substitute(story: Story, *order: str, **more: Any) -> list[Moment]:
    """Two actions in an order; `more` belongs to the one that comes on."""
    revisions = {
        "out": lambda: story.add("Substitution Out", action="out", side="home", minute=60, player="Ødegaard"),
        "in": lambda: story.add("Substitution In", action="in", side="home", minute=60, player="Nwaneri", **more),
    }
    return [revisions[one]() for one in order]


def test_a_substitution_says_who_comes_and_who_goes() -> None:
    out, coming = substitute(Story(), "out", "in", related=("out",))

    assert evaluate(RULES, out) == ()
    assert text_of(coming).startswith("🔁 <b>Arsenal</b>: Nwaneri for Ødegaard (60')")


def test_it_is_one_message_where_the_one_who_goes_is_told_second() -> None:
    coming, out = substitute(Story(), "in", "out")

    assert text_of(coming).startswith("🔁 <b>Arsenal</b>: Nwaneri on (60')")
    (alert,) = evaluate(RULES, out, {"in": {"substitutions"}})
    assert (alert.key.action_id, alert.text.splitlines()[0]) == ("in", "🔁 <b>Arsenal</b>: Nwaneri for Ødegaard (60')")
    assert alert.seq == out.action.seq


def test_two_substitutions_of_one_minute_are_not_mixed_up() -> None:
    story = Story()
    for name, number in (("Ødegaard", 1), ("Rice", 2)):
        story.add("Substitution Out", action=f"out{number}", side="home", minute=60, player=name)
    first = story.add("Substitution In", action="in1", side="home", player="Nwaneri", related=("out1",))
    second = story.add("Substitution In", action="in2", side="home", player="Jorginho", related=("out2",))

    assert "Nwaneri for Ødegaard" in text_of(first)
    assert [a.text.splitlines()[0] for a in evaluate(RULES, second)] == ["🔁 <b>Arsenal</b>: Jorginho for Rice (60')"]


def test_one_action_may_name_both_players() -> None:
    metadata = {"playerIn": {"fullName": "Nwaneri"}, "playerOut": "Ødegaard"}
    story = Story()
    moment = story.add("Substitution", action="s", side="home", minute=60, metadata=metadata)

    assert text_of(moment).startswith("🔁 <b>Arsenal</b>: Nwaneri for Ødegaard (60')")


@pytest.mark.parametrize(
    ("metadata", "sub", "shown"),
    [
        ({"minutes": 4}, "", "+4'"),
        ({"addedTime": "3 min"}, "", "+3'"),
        ({}, "5 minutes", "+5'"),
        ({"minutes": True}, "", "Stoppage time"),
        ({"minutes": "a while"}, "Regular", "Stoppage time"),
    ],
)
def test_stoppage_time_where_the_feed_tells_it(metadata: dict[str, Any], sub: str, shown: str) -> None:
    moment = Story().add("Added Time", minute=45, sub=sub, metadata=metadata)

    assert text_of(moment) == f"⏱ <b>{shown}: Arsenal 0–0 Chelsea</b>"
