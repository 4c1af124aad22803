"""Packets that only move the clock on take a short way through `advance`, which comes to the result of the whole way."""

import datetime as dt
import random
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.engine.evaluate import list_changes
from rules.football import advance as module
from rules.football.action import Fixture, Packet, PeriodScore, SendType, Side, Summary
from rules.football.advance import advance
from rules.football.match import Match, Moment
from tests.packets import AWAY, FIXTURE, HOME, KICKOFF, REGULAR

SHOOTOUT = PeriodScore(3, "penalty shootout", "Shootout", home=1, away=1, home_in_period=0, away_in_period=1)
PLAIN_TYPES = ["Throw In", "Attack", "Something New"]
OTHER_TYPES = [
    "Goal",
    "Own Goal",
    "Goal Disallowed",
    "Penalty Kick",
    "Penalty Awarded",
    "Yellow Card",
    "Red Card",
    "Start Period",
]
OTHER_TYPES += ["End Period", "End Match", "Status Updated", "Team Colours", "Lineups", "Video Check Over", "Substitution In"]
ODDITIES = ["pending", "unknown", "deleted", "updated", "late", "unnumbered", "delayed", "again", "home", "away", "home falls"]
ODDITIES += [
    "away falls",
    "no score",
    "next period",
    "no period",
    "shootout",
    "suspended",
    "live",
    "lost",
    "completed",
    "no status",
]
ODDITIES += ["collected", "level", "colour", "away team", "no team", "clock back", "minute on", "scored"]


class Step(NamedTuple):
    """A packet of a match that goes on as matches do, but for its oddities."""

    type: str
    oddities: list[str]


def draw_steps(rng: random.Random) -> list[Step]:
    """Return half a minute of a match in which every other packet is a plain one."""
    drawn = []
    for _ in range(rng.randrange(2, 16)):
        kind = rng.choice(PLAIN_TYPES + rng.choice([[], OTHER_TYPES, ["Goal"]]))
        drawn.append(Step(kind, rng.sample(ODDITIES, rng.choice([0, 0, 1, 2]))))
    return drawn


SHORT_WAY = module._only_moves_clock
SENDS = {"pending": SendType.PENDING, "unknown": SendType.OTHER, "deleted": SendType.DELETED, "updated": SendType.UPDATED}
STATUSES = {"suspended": "Suspended", "live": "Live", "lost": "Abandoned", "completed": "Completed"}


def make_packets(given_steps: list[Step]) -> list[Packet]:
    """Return the packets of some steps. Score, status and period stay as they are until an oddity changes them."""
    sent: list[Packet] = []
    score, period, status, collection, clock = {"home": 0, "away": 0}, 1, "Live", "CollectingLive", 60
    has_shootout = False
    for number, (kind, odd) in enumerate(given_steps, start=1):
        period += "next period" in odd and period < 2
        has_shootout |= "shootout" in odd
        status = next((STATUSES[one] for one in odd if one in STATUSES), status)
        collection = "CollectionSuspended" if "collected" in odd else collection
        clock += 60 if "minute on" in odd else 7
        for side in ("home", "away"):
            score[side] = max(0, score[side] + (side in odd) - (f"{side} falls" in odd))
        summary = Summary(
            home=None if "no score" in odd else score["home"],
            away=None if "no score" in odd else score["away"],
            status="" if "no status" in odd else status,
            collection_status=collection,
            clock=clock,
            periods=(*REGULAR[:period], SHOOTOUT) if has_shootout else REGULAR[:period],
        )
        metadata = {"coverageLevel": 2} if "level" in odd else {"homeTeamColour": "1, 2, 3"} if "colour" in odd else {}
        sent.append(
            Packet(
                FIXTURE.id,
                sent[-1].action_id if "again" in odd and sent else f"a{number}",
                kind,
                next((SENDS[one] for one in odd if one in SENDS), SendType.CONFIRMED),
                KICKOFF + dt.timedelta(seconds=clock),
                "Scored" if "scored" in odd else "",
                None if "unnumbered" in odd else number - 3 if "late" in odd else number,
                0 if "no period" in odd else 3 if has_shootout else period,
                0 if "clock back" in odd else clock,
                None if "no team" in odd else AWAY if "away team" in odd else HOME,
                Side.AWAY if "away team" in odd else None,
                metadata=metadata,
                is_delayed="delayed" in odd,
                summary=summary,
            )
        )
    return sent


def play(match: Match, sent: list[Packet]) -> list[Moment]:
    moments = []
    for packet in sent:
        moments.append(advance(match, packet))
        match = moments[-1].after
    return moments


@given(st.integers(0, 1_000_000))
def test_the_short_way_gives_the_moment_of_the_whole_way(seed: int) -> None:
    rng = random.Random(seed)
    with pytest.MonkeyPatch.context() as patch:
        for _ in range(5):
            match, sent = Match(rng.choice([FIXTURE, Fixture(FIXTURE.id)])), make_packets(draw_steps(rng))
            patch.setattr(module, "_only_moves_clock", SHORT_WAY)
            short = play(match, sent)
            patch.setattr(module, "_only_moves_clock", lambda *_: False)
            assert short == play(match, sent)


def test_a_throw_in_takes_the_short_way(monkeypatch: pytest.MonkeyPatch) -> None:
    sent = [_throw_in(seq) for seq in range(1, 4)]
    match = play(Match(FIXTURE), sent[:1])[0].after

    def fail(*_: Any) -> None:
        raise AssertionError("the whole way was taken")

    monkeypatch.setattr(module, "record_revision", fail)

    moments = play(match, sent[1:])

    assert [moment.after.clock for moment in moments] == [120, 180]
    assert [len(list_changes(moment)) for moment in moments] == [1, 1]


def _throw_in(seq: int) -> Packet:
    summary = Summary(home=0, away=0, period_id=1, status="Live", clock=60 * seq, periods=REGULAR[:1])
    return Packet(FIXTURE.id, f"t{seq}", "Throw In", SendType.CONFIRMED, KICKOFF, "", seq, 1, 60 * seq, HOME, summary=summary)
