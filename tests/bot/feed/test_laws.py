"""Whatever the feed does, the same alerts result, and no frame is so bad that anything is raised."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bot.feed.decode import Control, ControlKind
from bot.feed.encode import encode_packet
from bot.feed.reconnect import FailureCause
from bot.feed.session import Ending, FeedSession
from rules.engine.evaluate import evaluate
from rules.football.action import Packet
from rules.football.advance import advance
from rules.football.match import Match
from rules.loading.loader import load_rules
from rules.scenarios.builder import build_packets
from rules.scenarios.parser import load_scenario
from tests.bot.feed.test_connection import Listener, run
from tests.fakes.feed import ScriptedFeed, accept, send
from tests.laws import try_examples
from tests.packets import Story
from tests.truth import RULES

RULE_SET = load_rules(RULES)
SCENARIO = load_scenario("final")
MATCH = tuple(build_packets(SCENARIO, quiet_interval=300))


class BadNetwork:
    """A bad network: every connection drops, duplicates and shuffles frames in its own way, and breaks off somewhere."""

    def __init__(self, seed: int, drop: float, double: float, reach: int, *, counts_from_one: bool) -> None:
        self._rng, self._counts_from_one = random.Random(seed), counts_from_one
        self._drop, self._double, self._reach = drop, double, reach

    def connection(self, start: int, attempt: int) -> Iterator[Packet]:
        """What one connection brings; the later ones lose less, so that the match has an end."""
        sent = [replace(p, seq=n) for n, p in enumerate(MATCH[start:], start=1)] if self._counts_from_one else MATCH[start:]
        for index in sorted(range(len(sent)), key=lambda i: i + self._rng.uniform(0, self._reach)):
            if self._rng.random() < 0.01 / (attempt + 1):
                return
            for _ in range(1 + (self._rng.random() < self._double)):
                if self._rng.random() >= self._drop / (attempt + 1):
                    yield sent[index]


def receive(network: BadNetwork) -> list[Packet]:
    """What a session hands on of a match, through all its connections."""
    session, now, ready = FeedSession(25.0), 0.0, list[Packet]()
    for attempt in range(400):
        start = session.on_connecting()
        session.on_opened(now)
        session.on_control(Control(ControlKind.ACCEPTED), now)
        for packet in network.connection(start, attempt):
            now += 0.2
            ready += session.on_packet(packet, now)
            if session.failure or session.ending:
                break
        now += 2.0
        ready += session.on_wake(now)
        ready += session.on_failure(FailureCause.NETWORK) if session.ending is None else ()
        if session.ending:
            break
    assert session.ending is Ending.COMPLETED
    return ready


def alerts(packets: Iterable[Packet]) -> dict[str, tuple[object, ...]]:
    """By action, the first alternative of the last that rules make of it; of the end, the score too."""
    match, last, by = Match(SCENARIO.fixture), dict[str, tuple[object, ...]](), dict[str, set[str]]()
    for packet in packets:
        moment = advance(match, packet)
        match = moment.after
        for alert in reversed(evaluate(RULE_SET, moment, by)):
            score = (alert.home_score, alert.away_score) if alert.kind == "full_time" else ()
            last[alert.key.action_id] = (alert.state, alert.kind, alert.facts.minute, alert.facts.player, score)
            by.setdefault(alert.key.action_id, set()).add(alert.rule)
    return {action: seen for action, seen in last.items() if seen[0] != "retracted"}


ALERTS_OF_MATCH = alerts(MATCH)


@pytest.mark.slow
@try_examples(60)
@given(st.integers(0, 10_000), st.floats(0, 0.2), st.floats(0, 0.3), st.integers(0, 3), st.booleans())
def test_any_drops_doubles_shuffles_and_reconnects_give_the_same_alerts(
    seed: int, drop: float, double: float, reach: int, counts_from_one: bool
) -> None:
    assert alerts(receive(BadNetwork(seed, drop, double, reach, counts_from_one=counts_from_one))) == ALERTS_OF_MATCH


def noise(seed: int) -> Sequence[bytes]:
    """Real frames, damaged at random, and bytes that never were one."""
    rng, frames = random.Random(seed), list[bytes]()
    for packet in MATCH[:300]:
        frame = bytearray(encode_packet(packet))
        for _ in range(rng.randrange(1, 6)):
            frame[rng.randrange(len(frame))] = rng.randrange(32, 127)
        frames += [bytes(frame[: rng.randrange(len(frame))]), bytes(frame[:200])]
        frames.append("".join(rng.choices('{}[]",:0 \u2028é', k=30)).encode())
    return frames


@pytest.mark.virtual_time
async def test_a_thousand_frames_of_noise_raise_nothing_and_hide_nothing() -> None:
    end = Story().packet("End Match", action="end", seq=10_000, status="Completed")
    listener = Listener()

    assert await run(ScriptedFeed([accept, send(*noise(1)), send(end)]), listener) is Ending.COMPLETED
    assert listener.connection.status().position == 1
