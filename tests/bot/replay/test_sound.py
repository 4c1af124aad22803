"""`touchline test` and `touchline replay` agree on what is loud."""

from __future__ import annotations

import json
from collections import defaultdict

import pytest

from bot.feed.match_source import ScenarioMatch, open_match
from bot.replay.replay import ReplayedMessage, message_to_json, message_to_text, replay_match
from rules.football.catalogue import load_catalogue
from rules.loading.loader import list_packs, load_pack
from rules.scenarios.messages import play_scenario
from rules.scenarios.parser import parse_scenario

CARDS = """
match: Arsenal v Chelsea
events:
  - 5' yellow card Rice (Arsenal), red after 60s
  - 15' goal Saka (Arsenal), disallowed for offside after a video check
  - 25' penalty awarded Palmer (Chelsea)
  - 26' penalty missed Palmer (Chelsea)
  - 35' goal Palmer (Chelsea), cancelled after 15s
  - 45' goal Palmer (Chelsea), deleted after 60s, restored after 90s
  - 75' second yellow Saliba (Arsenal)
"""


@pytest.mark.slow
@pytest.mark.parametrize("pack", sorted(list_packs()))
@pytest.mark.parametrize("name", ["opener", "cards"])
async def test_a_message_that_is_loud_in_a_test_is_loud_in_a_replay(pack: str, name: str) -> None:
    match = ScenarioMatch("cards", parse_scenario(CARDS)) if name == "cards" else open_match(name)
    assert isinstance(match, ScenarioMatch)
    replayed: defaultdict[str, list[ReplayedMessage]] = defaultdict(list)
    await replay_match(match, load_pack(pack), load_catalogue(), lambda message: replayed[message.action_id].append(message))

    sounds = [(group[0].kind, any(not message.silent for message in group)) for group in replayed.values()]
    expected = [(line.kind, line.sound == "loud") for line in play_scenario(match.scenario, load_pack(pack))]
    assert sorted(loud for _, loud in sounds) == sorted(loud for _, loud in expected)
    assert bool(expected) is (pack != "shootout")
    assert all(message.silent for group in replayed.values() for message in group if message.op == "edit")


def test_a_line_shows_the_sound_and_a_json_line_has_it() -> None:
    common = {"fixture_id": "f", "action_id": "a", "rule": "r", "kind": "goal", "state": "confirmed", "home": 1, "away": 0}
    facts = {"at": "2026-01-01T10:00:00Z", "minute": "10", "player": None, "text": "Goal"}
    loud, silent, edit = (
        ReplayedMessage(**common, **facts, op=op, silent=silent)  # type: ignore[arg-type]
        for op, silent in (("send", False), ("reply", True), ("edit", True))
    )

    assert [message_to_text(message) for message in (loud, silent, edit)] == [
        "10:00:00  ✉ 🔔  Goal",
        "10:00:00  ↩ 🔕  Goal",
        "10:00:00  ✎     Goal",
    ]
    assert [json.loads(message_to_json(message))["silent"] for message in (loud, silent, edit)] == [False, True, True]
