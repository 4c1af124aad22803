"""Packets for tests: a match packet by packet, with the sequence numbers and summaries that the feed would give."""

from __future__ import annotations

import datetime as dt
from typing import Any

from msgspec.structs import replace

from rules.football.action import Fixture, Packet, PeriodScore, Player, SendType, Side, Summary, Team
from rules.football.advance import advance
from rules.football.match import Match, Moment
from rules.scenarios.builder import build_packets
from rules.scenarios.parser import load_scenario

KICKOFF = dt.datetime(2026, 8, 15, 14, 0, tzinfo=dt.UTC)
HOME, AWAY = Team("h", "Arsenal"), Team("a", "Chelsea")
FIXTURE = Fixture("f1", HOME, AWAY, Team("c", "Premier League"), KICKOFF, name="Arsenal v Chelsea")
REGULAR = (
    PeriodScore(1, "1st half", "Regular", 0, 0, 0, 0),
    PeriodScore(2, "2nd half", "Regular", 0, 0, 0, 0),
    PeriodScore(3, "1st half extra time", "ExtraTime", 0, 0, 0, 0),
    PeriodScore(4, "2nd half extra time", "ExtraTime", 0, 0, 0, 0),
)


def with_collection_status(packet: Packet, word: str) -> Packet:
    """Return the packet with another collection status in its summary."""
    return replace(packet, summary=replace(packet.summary, collection_status=word))


def play_scenario(name: str) -> Match:
    """Return a match of the scenarios that ship as it stands at its end."""
    scenario = load_scenario(name)
    match = Match(scenario.fixture)
    for packet in build_packets(scenario):
        match = advance(match, packet).after
    return match


class Story:
    """A match that a test plays: each call makes the next packet, and moves `match` on by it."""

    def __init__(self, fixture: Fixture = FIXTURE) -> None:
        self.match = Match(fixture)
        self.seq = 0
        self.score = (0, 0)
        self.minute = 1
        self.packets: list[Packet] = []

    def packet(self, kind: str, send: str = "Confirmed", action: str = "", side: str | None = None, **more: Any) -> Packet:
        """Make the next packet, and add it nowhere. `score=` is the summary's from here on, `minute=` the minute being played."""
        self.seq = more.pop("seq", self.seq + 1)
        self.score = more.pop("score", self.score)
        self.minute = more.pop("minute", self.minute)
        period = more.pop("period", 2 if self.minute > 45 else 1)
        fixture = self.match.fixture
        home, away = (
            (fixture.home, fixture.away) if fixture.home.name else (HOME, AWAY)
        )  # packets name teams that fixtures do not
        team = {None: None, "home": home, "away": away}[side]
        player = more.pop("player", None)
        defaults: dict[str, Any] = {
            "sub_type": more.pop("sub", ""),
            "seq": self.seq,
            "period_id": period,
            "clock": (self.minute - 1) * 60 + 5,
            "team": team,
            "team_side": Side(side) if side else None,
            "player": Player(f"id-{player}", player) if player else None,
            "summary": Summary(
                *self.score, period, more.pop("status", "Live"), "CollectingLive", (self.minute - 1) * 60 + 5, REGULAR[:period]
            ),
            "send_type_word": send if SendType.parse(send) is SendType.OTHER else "",
            "at": KICKOFF + dt.timedelta(minutes=self.minute, seconds=self.seq),
        }
        return Packet(fixture.id, action or f"a{self.seq}", kind, SendType.parse(send), **(defaults | more))

    def add(self, kind: str, send: str = "Confirmed", action: str = "", side: str | None = None, **more: Any) -> Moment:
        """Make the next packet, and move the match on by it."""
        return self.add_packet(self.packet(kind, send, action, side, **more))

    def add_packet(self, packet: Packet) -> Moment:
        """Move the match on by any packet."""
        self.packets.append(packet)
        moment = advance(self.match, packet)
        self.match = moment.after
        return moment

    def goal(self, action: str = "g", side: str = "home", send: str = "Confirmed", **more: Any) -> Moment:
        """Add a revision of a goal."""
        return self.add("Goal", send, action, side, **more)
