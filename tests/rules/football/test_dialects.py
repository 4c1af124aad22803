"""Whatever dialect the feed uses, the official score is that of the goals that stand, each for the side that gets it."""

from __future__ import annotations

from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from rules.football.action import Packet, Player, SendType, Side, Summary, Team
from rules.football.advance import advance
from rules.football.match import Match, Score
from tests.packets import AWAY, FIXTURE, HOME, KICKOFF, REGULAR

TEAMS = {Side.HOME: HOME, Side.AWAY: AWAY}


class Dialect(NamedTuple):
    """The choices that the documentation leaves to the feed."""

    counts_pending: bool
    own_goal_is_a_type: bool
    own_goal_names_the_players_team: bool
    links_and_sides: bool
    """Newer versions link a disallowance to its goal and say which team is home."""


class GoalHistory(NamedTuple):
    """A goal and what became of it."""

    side: Side
    own: bool
    fate: str


DIALECTS = st.builds(Dialect, *[st.booleans()] * 4)
STEPS = {
    "stands": ["Pending", "Confirmed"],
    "corrected": ["Pending", "Confirmed", "Updated"],
    "cancelled": ["Pending", "Cancelled"],
    "deleted": ["Pending", "Confirmed", "Deleted"],
    "restored": ["Pending", "Confirmed", "Deleted", "Updated"],
    "disallowed": ["Pending", "Confirmed", "Disallowed"],
    "deleted then disallowed": ["Pending", "Confirmed", "Deleted", "Disallowed"],
    "disallowed then deleted": ["Pending", "Confirmed", "Disallowed", "Deleted"],
}
GOALS = st.lists(st.builds(GoalHistory, st.sampled_from(list(Side)), st.booleans(), st.sampled_from(list(STEPS))), max_size=8)
STANDING_FATES = {"stands", "corrected", "restored"}


class DialectPackets:
    """Makes the packets of goals in a dialect, and knows the official score after each."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self.seq = 0
        self.official = Score()
        self.shown = Score()

    def packets(self, number: int, goal: GoalHistory) -> list[tuple[Packet, Score]]:
        return [self._packet(f"g{number}", goal, step) for step in STEPS[goal.fate]]

    def _packet(self, action: str, goal: GoalHistory, step: str) -> tuple[Packet, Score]:
        self._count(goal, step)
        own = goal.own and step != "Disallowed"
        named = goal.side.other if own and self.dialect.own_goal_names_the_players_team else goal.side
        kind = "Goal Disallowed" if step == "Disallowed" else "Own Goal" if own and self.dialect.own_goal_is_a_type else "Goal"
        official = "" if step == "Pending" or kind != "Goal" else "Own Goal" if own else "Header"
        self.seq += 1
        packet = Packet(
            fixture_id=FIXTURE.id,
            action_id=f"d{self.seq}" if step == "Disallowed" else action,
            type=kind,
            send_type=SendType.CONFIRMED if step == "Disallowed" else SendType.parse(step),
            at=KICKOFF,
            sub_type=official,
            seq=self.seq,
            period_id=1,
            clock=self.seq * 20,
            team=Team(TEAMS[named].id, TEAMS[named].name),
            team_side=named if self.dialect.links_and_sides else None,
            player=Player("p", "Somebody"),
            related=(action,) if step == "Disallowed" and self.dialect.links_and_sides else (),
            summary=Summary(self.shown.home, self.shown.away, 1, "Live", "", self.seq * 20, REGULAR[:1]),
        )
        return packet, self.official

    def _count(self, goal: GoalHistory, step: str) -> None:
        """Move the score that the feed shows and the official one on by one step."""
        gain = _plus(self.official, goal.side)
        if step == "Pending":
            self.shown = gain if self.dialect.counts_pending else self.official
        elif step == "Confirmed" or (step == "Updated" and goal.fate == "restored"):
            self.official = self.shown = gain
        elif step == "Cancelled":
            self.shown = self.official
        elif self._takes_back(goal, step):
            self.official = self.shown = self.official.minus_one(goal.side)

    def _takes_back(self, goal: GoalHistory, step: str) -> bool:
        """Return True for the first of the two that take a goal back: the second changes no score."""
        first = next((s for s in STEPS[goal.fate] if s in ("Deleted", "Disallowed")), "")
        return step == first


def _plus(score: Score, side: Side) -> Score:
    return Score(score.home + (side is Side.HOME), score.away + (side is Side.AWAY))


@given(DIALECTS, GOALS)
def test_the_score_is_official_after_every_packet(dialect: Dialect, goals: list[GoalHistory]) -> None:
    dialect_packets, match = DialectPackets(dialect), Match(FIXTURE)
    for number, goal in enumerate(goals):
        for packet, official in dialect_packets.packets(number, goal):
            match = advance(match, packet).after

            assert match.score == official


@given(DIALECTS, GOALS)
def test_every_goal_stands_or_fell_and_belongs_to_its_side(dialect: Dialect, goals: list[GoalHistory]) -> None:
    dialect_packets, match = DialectPackets(dialect), Match(FIXTURE)
    for number, goal in enumerate(goals):
        for packet, _ in dialect_packets.packets(number, goal):
            match = advance(match, packet).after

    found = [(match.records[f"g{n}"].is_standing, match.records[f"g{n}"].credited) for n in range(len(goals))]
    expected = [(goal.fate in STANDING_FATES, goal.side) for goal in goals]
    assert [stands for stands, _ in found] == [stands for stands, _ in expected]
    assert all(one == other for one, other in zip(found, expected, strict=True) if other[0])


@given(DIALECTS, GOALS)
def test_a_score_that_is_a_packet_behind_makes_no_official_score_wrong(dialect: Dialect, goals: list[GoalHistory]) -> None:
    # Which goal is disallowed, and whose an own goal is, cannot be told before the score follows.
    goals, dialect = [goal._replace(own=False) for goal in goals], dialect._replace(links_and_sides=True)
    dialect_packets, match, shown = DialectPackets(dialect), Match(FIXTURE), (0, 0)
    for number, goal in enumerate(goals):
        for packet, official in dialect_packets.packets(number, goal):
            summary = replace(packet.summary, home=shown[0], away=shown[1])
            # Goals are minutes apart: nobody scores twice within one.
            clock = packet.clock + 120 * number
            shown = (packet.summary.home or 0, packet.summary.away or 0)
            match = advance(match, replace(packet, summary=replace(summary, clock=clock), clock=clock)).after

            assert match.score == official
    assert [match.records[f"g{n}"].is_standing for n in range(len(goals))] == [goal.fate in STANDING_FATES for goal in goals]
