"""The dry run checks rules and compares them on recorded matches in another process."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.replay.comparison import DifferenceKind
from bot.replay.dry_run import TOOK_TOO_LONG, DryRunRequest, run_dry_run
from tests.fakes.dry_run import run_dry_run_here
from tests.recordings import recording
from tests.waiting import DEADLINE

pytestmark = pytest.mark.whole_process

CORNERS = "{extends: default, rules: [{name: corners, match: {action_type: Corner}, alert: {kind: corner, text: Corner}}]}"
MISSPELT = "[{name: goals, match: {action_type: Gaol}, alert: {kind: goal, text: Goal}}]"
LOOPS = '{% for i in "aaaaaaaaaaaaaaaaaaaa" %}' * 9 + "{% endfor %}" * 9
ENDLESS = CORNERS.replace("text: Corner", f"text: '{LOOPS}'")


@pytest.fixture
def config(tmp_path: Path) -> str:
    path = tmp_path / "config.yaml"
    path.write_text("extends: default\n")
    return str(path)


async def test_a_dry_run_reports_the_alerts_that_the_new_rules_add_or_drop(config: str) -> None:
    match = str(recording("newcastle-united-chelsea"))
    result = await run_dry_run(DryRunRequest(config, CORNERS, "corners.yaml", recordings=(match,)), DEADLINE)
    reverse = await run_dry_run_here(DryRunRequest(config, "", "config.yaml", active_text=CORNERS, recordings=(match,)))

    assert result.comparison is not None and reverse.comparison is not None and result.match_count == 1
    assert result.comparison.count(DifferenceKind.ADDED) == reverse.comparison.count(DifferenceKind.DROPPED) > 0


async def test_rules_with_mistakes_are_not_replayed(config: str) -> None:
    result = await run_dry_run_here(DryRunRequest(config, MISSPELT, "goals.yaml", recordings=("nowhere.jsonl",)))

    assert result.comparison is None
    assert result.check.mistakes == ('goals.yaml:1:37: rule "goals": unknown action type "Gaol", did you mean "Goal"?',)


async def test_an_unreadable_recording_is_reported_as_the_reason(config: str) -> None:
    result = await run_dry_run_here(DryRunRequest(config, CORNERS, "corners.yaml", recordings=("nowhere.jsonl",)))

    assert not result.check.mistakes and result.comparison is None and "nowhere.jsonl" in result.reason


async def test_without_recordings_the_rules_are_only_checked(config: str) -> None:
    result = await run_dry_run_here(DryRunRequest(config, CORNERS.replace("action_type: Corner", ""), "corners.yaml"))

    assert result.comparison is None and "match is empty" in result.check.warnings[0]


async def test_a_template_that_never_ends_is_a_mistake_at_its_place(config: str) -> None:
    result = await run_dry_run(DryRunRequest(config, ENDLESS, "endless.yaml"), DEADLINE)

    (mistake,) = result.check.mistakes
    assert mistake.startswith("endless.yaml:1:") and mistake.endswith("it takes too many steps")


async def test_a_dry_run_that_takes_too_long_is_stopped(config: str) -> None:
    # No process starts within a thousandth of a second.
    result = await run_dry_run(DryRunRequest(config, ENDLESS, "endless.yaml"), seconds=0.001)

    assert result.check.mistakes == (TOOK_TOO_LONG,)
