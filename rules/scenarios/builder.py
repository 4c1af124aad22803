"""Makes the feed's packets of a scenario.

The packets follow the feed documentation, so that everything behind the socket can be tested and shown without the feed.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from rules.football.action import Packet, PeriodScore, Player, Side, Summary
from rules.scenarios.periods import PlayedPeriod
from rules.scenarios.scenario import Scenario, make_id
from rules.scenarios.steps import Step, lay_out


def build_packets(scenario: Scenario, *, quiet_interval: int | None = None) -> tuple[Packet, ...]:
    """Return the packets that the feed would send. `quiet_interval` adds everyday actions of play, one in so many seconds."""
    builder = _PacketBuilder(scenario)
    packets: list[Packet] = []
    abandoned_for = 0
    for step in lay_out(scenario, quiet_interval):
        abandoned_for += step.break_before
        packets.append(builder.build(step, abandoned_for))
    return tuple(packets)


class _PacketBuilder:
    """Makes a packet of each step in order; keeps the score, the periods and the next sequence number."""

    def __init__(self, scenario: Scenario) -> None:
        self.fixture = scenario.played_fixture
        self.seq = 0
        self.periods: list[PlayedPeriod] = []
        self.ended: set[int] = set()
        self.goals: dict[tuple[int, Side], int] = {}
        self.timelines: dict[str, Decimal] = {}

    def build(self, step: Step, abandoned_for: int = 0) -> Packet:
        """Return the next packet. `abandoned_for`: the seconds by which play runs late, since the match had been abandoned."""
        self.seq += 1
        # The summary is the state after the action (feed documentation, section 3.3).
        self._count(step)
        fixture_id, period_id = self.fixture.id, step.period.id if step.period else 0
        # The place in the order of play: the period, then the seconds of the clock, then a counter (section 7).
        timeline = Decimal(f"{period_id}.{step.clock:08d}{self.seq:08d}")
        # Ids are made of names, so that a player or an action has the same id in every process and in every run.
        team = self.fixture.team(step.side) if step.side else None
        return Packet(
            fixture_id=fixture_id,
            action_id=make_id(fixture_id, step.key),
            type=step.type,
            send_type=step.send_type,
            at=(self.fixture.kickoff or dt.datetime.fromtimestamp(0, dt.UTC)) + dt.timedelta(seconds=step.at + abandoned_for),
            sub_type=step.sub_type,
            seq=self.seq,
            period_id=period_id,
            clock=step.clock,
            team=team,
            team_side=step.side,
            player=Player(make_id("player", team.name if team else "", step.player), step.player) if step.player else None,
            related=tuple(make_id(fixture_id, key) for key in step.related),
            metadata=dict(step.metadata),
            is_finished=step.status == "Completed",
            summary=self._make_summary(step),
            trace_id=f"{self.seq:032x}",
            # A revision keeps the place of its action's first packet.
            timeline=self.timelines.setdefault(step.key, timeline),
        )

    def _count(self, step: Step) -> None:
        """Add what a step changes in the score and the periods."""
        if step.period and step.period not in self.periods:
            self.periods.append(step.period)
        if step.period and step.type == "End Period":
            self.ended.add(step.period.id)
        for side, change in ((step.scoring_side, 1), (step.losing_side, -1)):
            if side and step.period:
                self.goals[step.period.id, side] = self.goals.get((step.period.id, side), 0) + change

    def _make_summary(self, step: Step) -> Summary:
        periods = []
        for one in self.periods:
            home, away = (self._sum_goals(one, side) for side in Side)
            home_in, away_in = (self.goals.get((one.id, side), 0) for side in Side)
            periods.append(PeriodScore(one.id, one.label, one.type, home, away, home_in, away_in, one.id in self.ended))
        period = self.periods[-1] if self.periods else None
        shootout = bool(period and period.type == "Shootout")
        # The live clock, which has run on since the action (section 3.3), and stands still between two periods.
        clock = 0 if period is None or shootout else min(period.last_clock, period.first_clock + step.at - period.starts_at)
        home, away = (self._sum_goals(period, side) for side in Side)
        # The current period is 1 already before kick-off (section 3.3).
        return Summary(home, away, period.id if period else 1, step.status, "CollectingLive", clock, tuple(periods))

    def _sum_goals(self, last: PlayedPeriod | None, side: Side) -> int:
        """Return the goals of play up to the end of a period; a shootout's kicks are not among them."""
        counted = [p for p in self.periods if last and p.id <= last.id and p.type != "Shootout"]
        return sum(self.goals.get((period.id, side), 0) for period in counted)
