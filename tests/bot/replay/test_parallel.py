from functools import partial
from pathlib import Path

import pytest

from bot.config.load import load_rules_of
from bot.errors import UserMistake
from bot.feed.match_source import MatchSource, open_matches
from bot.replay.parallel import replay_with_processes
from bot.replay.replay import message_to_text, replay_match

load_rules = partial(load_rules_of, Path("missing.yaml"), {}, optional=True)


async def replay_alone(match: MatchSource) -> list[str]:
    lines: list[str] = []
    await replay_match(match, *load_rules(), lambda message: lines.append(message_to_text(message)))
    return lines


@pytest.mark.whole_process
async def test_matches_come_in_their_order_and_as_each_would_alone() -> None:
    matches = open_matches(["final", "opener", "final"])

    together = list(replay_with_processes(matches, load_rules, 2, json_lines=False))

    assert together == [await replay_alone(match) for match in matches]
    assert together[0] != together[1] != []


@pytest.mark.slow
def test_a_match_that_cannot_be_read_ends_the_replay_with_its_sentence_after_those_before_it(tmp_path: Path) -> None:
    (tmp_path / "broken.jsonl").write_text("{}\n")
    matches = open_matches(["opener", tmp_path / "broken.jsonl", "opener"])
    seen = []

    with pytest.raises(UserMistake, match=r"broken\.jsonl:1: "):
        for lines in replay_with_processes(matches, load_rules, 2, json_lines=False):
            seen.append(lines)

    assert len(seen) == 1
