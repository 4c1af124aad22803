"""Packets for tests: a story told packet by packet, with the sequence numbers and summaries that the feed would give."""

from __future__ import annotations

import datetime as dt
from typing import Any

from rules.football.action import Fixture, Packet, PeriodScore, Player, SendType, Side, Summary, Team
from rules.football.advance import advance
from rules.football.match import Match, Moment

KICKOFF = dt.datetime(2026, 8, 15, 14, 0, tzinfo=dt.UTC)
HOME, AWAY = Team("h", "Arsenal"), Team("a", "Chelsea")
FIXTURE = Fixture("f1", HOME, AWAY, Team("c", "Premier League"), KICKOFF, name="Arsenal v Chelsea")
REGULAR = (
    PeriodScore(1, "1st half", "Regular", 0, 0, 0, 0),
    PeriodScore(2, "2nd half", "Regular", 0, 0, 0, 0),
    PeriodScore(3, "1st half extra time", "ExtraTime", 0, 0, 0, 0),
    PeriodScore(4, "2nd half extra time", "ExtraTime", 0, 0, 0, 0),
)


class Story:
    """Tells a match: each call makes the next packet and moves `match` on by it."""

    def __init__(self, fixture: Fixture = FIXTURE) -> None:
        self.match = Match(fixture)
        self.seq = 0
        self.score = (0, 0)
        self.minute = 1
        self.packets: list[Packet] = []

    def packet(self, kind: str, send: str = "Confirmed", action: str = "", side: str | None = None, **more: Any) -> Packet:
        """The next packet, not yet told. `score=` is the summary's from here on, `minute=` the minute being played."""
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

    def tell(self, kind: str, send: str = "Confirmed", action: str = "", side: str | None = None, **more: Any) -> Moment:
        """The next packet, told."""
        return self.hear(self.packet(kind, send, action, side, **more))

    def hear(self, packet: Packet) -> Moment:
        """Move the match on by any packet."""
        self.packets.append(packet)
        moment = advance(self.match, packet)
        self.match = moment.after
        return moment

    def goal(self, action: str = "g", side: str = "home", send: str = "Confirmed", **more: Any) -> Moment:
        """A revision of a goal."""
        return self.tell("Goal", send, action, side, **more)
