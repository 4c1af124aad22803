"""A recorded match in steps: which of its packets bring news, so that a test waits for the chat there and nowhere else."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import msgspec

from bot.fake_telegram import Message
from bot.feed.decode import decode_frame
from bot.feed.recording import read_fixtures_beside
from bot.feed.simulator.script import script_from_recording
from rules.engine.alert import State
from rules.engine.evaluate import evaluate
from rules.engine.rule import RuleSet
from rules.football.action import Fixture, Packet
from rules.football.advance import advance
from rules.football.match import Match
from tests.fakes.stepped_feed import SteppedFeed
from tests.waiting import until


class ExpectedAlerts(NamedTuple):
    """After so many packets, how many alerts a chat that takes everything was sent, and how many of them are struck through."""

    packets: int
    sent: int
    struck: int


def list_expected_alerts(path: Path, rules: RuleSet) -> list[ExpectedAlerts]:
    """Every step of a recording at which a new alert comes or one falls; revisions of an alert are no steps."""
    script = script_from_recording(path)
    match = Match(read_fixtures_beside(path).get(script.fixture.id, Fixture(script.fixture.id)))
    notified: defaultdict[str, set[str]] = defaultdict(set)
    states: dict[str, State] = {}
    expected = [ExpectedAlerts(0, 0, 0)]
    for number, frame in enumerate(script.frames, start=1):
        packet = decode_frame(msgspec.json.encode(frame.frame), frame.at)
        assert isinstance(packet, Packet)
        moment = advance(match, packet)
        match = moment.after
        for alert in evaluate(rules, moment, notified):
            notified[alert.key.action_id].add(alert.rule)
            if alert.state is not State.RETRACTED or alert.key.action_id in states:
                states[alert.key.action_id] = alert.state
        now = ExpectedAlerts(number, len(states), sum(state is State.RETRACTED for state in states.values()))
        if now[1:] != expected[-1][1:]:
            expected.append(now)
    return expected[1:]


async def play(feed: SteppedFeed, expected: list[ExpectedAlerts], alerts: Callable[[], list[Message]]) -> None:
    """Send the recording as fast as a chat keeps up, whose alerts are given; then the rest of it."""
    for step in expected:
        await feed.send_next(step.packets - feed.sent())
        await until(lambda step=step: len(alerts()) >= step.sent and sum(m.struck for m in alerts()) == step.struck)  # type: ignore[misc]
    await feed.send_rest()
