"""Scenario -> packets: the match in the feed's own words, with its sequence numbers, life cycles and summaries."""

from __future__ import annotations

import datetime as dt

from rules.action import Packet, PeriodScore, Player, Side, Summary, Team
from rules.scenario import Scenario, identity
from rules.storyline import Part, Step, steps_of


def packets(scenario: Scenario, *, quiet: int | None = None) -> tuple[Packet, ...]:
    """The match as the feed would tell it; with `quiet`, the everyday actions of play too, one in so many seconds."""
    teller = _Teller(scenario)
    return tuple(teller.packet(step) for step in steps_of(scenario, quiet))


class _Teller:
    """Walks the steps in order and knows the score, the periods and the next sequence number."""

    def __init__(self, scenario: Scenario) -> None:
        self.fixture = scenario.fixture
        self.seq = 0
        self.parts: list[Part] = []
        self.ended: set[int] = set()
        self.goals: dict[tuple[int, Side], int] = {}

    def packet(self, step: Step) -> Packet:
        """The next packet."""
        self.seq += 1
        self._move(step)
        fixture_id = self.fixture.id
        team = self.fixture.team(step.side) if step.side else None
        return Packet(
            fixture_id=fixture_id,
            action_id=identity(fixture_id, step.key),
            type=step.type,
            send_type=step.send,
            at=(self.fixture.kickoff or dt.datetime.fromtimestamp(0, dt.UTC)) + dt.timedelta(seconds=step.at),
            sub_type=step.sub_type,
            seq=self.seq,
            period_id=step.part.id if step.part else 0,
            clock=step.clock,
            team=team,
            team_side=step.side,
            player=_player(team, step),
            related=tuple(identity(fixture_id, key) for key in step.related),
            metadata={"homeTeamColour": "117, 170, 219", "awayTeamColour": "255, 255, 255"}
            if step.type == "Team Colours"
            else {},
            finished=step.status == "Completed",
            summary=self._summary(step),
        )

    def _move(self, step: Step) -> None:
        if step.part and step.part not in self.parts:
            self.parts.append(step.part)
        if step.part and step.type == "End Period":
            self.ended.add(step.part.id)
        for side, change in ((step.gains, 1), (step.loses, -1)):
            if side and step.part:
                self.goals[step.part.id, side] = self.goals.get((step.part.id, side), 0) + change

    def _summary(self, step: Step) -> Summary:
        periods = tuple(self._period(part) for part in self.parts)
        part = self.parts[-1] if self.parts else None
        shootout = bool(part and part.type == "Shootout")
        clock = 0 if part is None or shootout else min(part.last, part.first + step.at - part.starts)
        home, away = (self._until(part, side) for side in Side)
        return Summary(home, away, part.id if part else 1, step.status, "CollectingLive", clock, periods)

    def _period(self, part: Part) -> PeriodScore:
        home, away = (self._until(part, side) for side in Side)
        home_in, away_in = (self.goals.get((part.id, side), 0) for side in Side)
        return PeriodScore(part.id, part.label, part.type, home, away, home_in, away_in, part.id in self.ended)

    def _until(self, last: Part | None, side: Side) -> int:
        """Goals of play up to the end of a period; a shootout's kicks are not among them."""
        counted = [p for p in self.parts if last and p.id <= last.id and p.type != "Shootout"]
        return sum(self.goals.get((part.id, side), 0) for part in counted)


def _player(team: Team | None, step: Step) -> Player | None:
    return Player(identity("player", team.name if team else "", step.player), step.player) if step.player else None
