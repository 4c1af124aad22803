"""Rules are replaced in the midst of real matches: nothing is lost, repeated or sent again."""

from __future__ import annotations

import asyncio
import functools
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.feed.match_source import RecordedMatch
from bot.matches.pipeline import Pipeline
from bot.replay.replay import ReplayedMessage, replay_match
from rules.engine.rule import RuleSet
from rules.football.catalogue import load_catalogue
from rules.loading.loader import load_rules
from tests.laws import some_recordings, try_examples
from tests.recordings import needs_recordings, recording
from tests.truth import RULES

OTHER_RULES = "[{name: other goals, match: {action_type: Goal}, alert: {kind: goal, text: 'Goal by {{ player }}'}}]"
EQUAL_RULES = (load_rules(RULES), load_rules(RULES))
"""The same rules, read twice: they are equal, and no part of one belongs to the other."""
WITH_A_RETRACTION = "tottenham-hotspur-leicester-city"
SHORT_WITH_TWO_RETRACTIONS = ("burnley-afc-bournemouth", "crystal-palace-west-bromwich-albion")


class Reloads:
    """Takes rules over before some packets, and counts them all."""

    def __init__(self, rules: Callable[[int], RuleSet | None]) -> None:
        self.rules, self.count = rules, 0

    def __call__(self, pipeline: Pipeline) -> None:
        if rules := self.rules(self.count):
            pipeline.set_rules(rules, load_catalogue())
        self.count += 1


async def replay(path: Path, reloads: Reloads) -> list[ReplayedMessage]:
    messages: list[ReplayedMessage] = []
    await replay_match(RecordedMatch(path), EQUAL_RULES[0], load_catalogue(), messages.append, reloads)
    return messages


@functools.cache
def replay_without_reloads(path: Path) -> tuple[list[ReplayedMessage], int]:
    """What is sent without a reload, and of how many packets."""
    reloads = Reloads(lambda _: None)
    return asyncio.run(replay(path, reloads)), reloads.count


@needs_recordings
@some_recordings
@pytest.mark.slow
def test_reloading_the_same_rules_before_every_packet_changes_nothing(path: Path) -> None:
    messages = asyncio.run(replay(path, Reloads(lambda count: EQUAL_RULES[count % 2])))

    assert messages == replay_without_reloads(path)[0]


@needs_recordings
@try_examples(15)
@given(data=st.data())
@pytest.mark.slow
def test_reloading_the_same_rules_at_any_packets_changes_nothing(data: st.DataObject) -> None:
    path = recording(data.draw(st.sampled_from(SHORT_WITH_TWO_RETRACTIONS)))
    expected, packets = replay_without_reloads(path)
    at = data.draw(st.sets(st.integers(0, packets - 1), max_size=5))

    assert asyncio.run(replay(path, Reloads(lambda count: EQUAL_RULES[1] if count in at else None))) == expected


@pytest.mark.slow
@pytest.mark.parametrize("part", [0.2, 0.5, 0.8])
def test_other_rules_send_nothing_again_and_what_was_sent_is_still_retracted(part: float) -> None:
    path = recording(WITH_A_RETRACTION)
    before, packets = replay_without_reloads(path)
    other, moment = load_rules(OTHER_RULES), int(part * packets)
    messages = asyncio.run(replay(path, Reloads(lambda count: other if count == moment else None)))

    sends = Counter(row.action_id for row in messages if row.op == "send")
    assert max(sends.values()) == 1
    retracted = {row.action_id for row in before if row.state == "retracted"} & set(sends)
    assert retracted
    assert retracted <= {row.action_id for row in messages if row.state == "retracted"}
