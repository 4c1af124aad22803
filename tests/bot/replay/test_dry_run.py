"""Rules are tried on recorded matches in another process."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.replay.comparison import DifferenceKind
from bot.replay.dry_run import TOOK_TOO_LONG, DryRunRequest, run_dry_run
from tests.recordings import recording
from tests.waiting import DEADLINE

pytestmark = pytest.mark.whole_process

CORNERS = "{extends: default, rules: [{name: corners, match: {action_type: Corner}, alert: {kind: corner, text: Corner}}]}"
GAOL = "[{name: goals, match: {action_type: Gaol}, alert: {kind: goal, text: Goal}}]"
LOOPS = '{% for i in "aaaaaaaaaaaaaaaaaaaa" %}' * 9 + "{% endfor %}" * 9
ENDLESS = CORNERS.replace("text: Corner", f"text: '{LOOPS}'")


@pytest.fixture
def config(tmp_path: Path) -> str:
    path = tmp_path / "config.yaml"
    path.write_text("extends: default\n")
    return str(path)


async def test_it_tells_what_would_have_been_told_otherwise(config: str) -> None:
    match = str(recording("newcastle-united-chelsea"))
    tried = await run_dry_run(DryRunRequest(config, CORNERS, "corners.yaml", recordings=(match,)), DEADLINE)
    back = await run_dry_run(DryRunRequest(config, "", "config.yaml", before=CORNERS, recordings=(match,)), DEADLINE)

    assert tried.comparison is not None and back.comparison is not None and tried.matches == 1
    assert tried.comparison.count(DifferenceKind.ADDED) == back.comparison.count(DifferenceKind.DROPPED) > 0


async def test_mistakes_are_found_and_nothing_is_tried(config: str) -> None:
    tried = await run_dry_run(DryRunRequest(config, GAOL, "goals.yaml", recordings=("nowhere.jsonl",)), DEADLINE)

    assert tried.comparison is None
    assert tried.checked.mistakes == ('goals.yaml:1:37: rule "goals": unknown action type "Gaol", did you mean "Goal"?',)


async def test_a_recording_that_cannot_be_read_is_a_note(config: str) -> None:
    tried = await run_dry_run(DryRunRequest(config, CORNERS, "corners.yaml", recordings=("nowhere.jsonl",)), DEADLINE)

    assert not tried.checked.mistakes and tried.comparison is None and "nowhere.jsonl" in tried.note


async def test_without_matches_the_file_is_only_checked(config: str) -> None:
    tried = await run_dry_run(DryRunRequest(config, CORNERS.replace("action_type: Corner", ""), "corners.yaml"), DEADLINE)

    assert tried.comparison is None and "match is empty" in tried.checked.warnings[0]


async def test_a_text_that_never_ends_is_ended(config: str) -> None:
    tried = await run_dry_run(DryRunRequest(config, ENDLESS, "endless.yaml"), seconds=2.0)

    assert tried.checked.mistakes == (TOOK_TOO_LONG,)
