from __future__ import annotations

from bot.console.rules import RULES_NAME, preview_rules
from bot.replay.dry_run import DryRunRequest, DryRunResult
from tests.fakes.dry_run import run_dry_run_here

GOALS = "rules:\n  - name: goals\n    match: {action_type: Goal}\n    alert: {kind: goal, text: Goal}\n"


async def test_a_mistake_stands_at_its_line() -> None:
    preview = await preview_rules(GOALS.replace("Goal}", "Gaol}"), run_dry_run_here)

    mark = preview.marks[0]
    assert preview.has_mistakes
    assert (mark.line, mark.is_mistake) == (3, True)
    assert "Goal" in mark.sentence
    assert RULES_NAME not in mark.sentence


async def test_nothing_is_said_of_rules_that_are_right_before_they_are_compared() -> None:
    preview = await preview_rules(GOALS, run_dry_run_here)

    assert (preview.has_mistakes, preview.changes, preview.summary) == (False, (), "")


async def test_what_would_change_is_told_alert_by_alert() -> None:
    preview = await preview_rules(GOALS, run_dry_run_here, matches=["opener"])

    changes = {change.change for change in preview.changes}
    assert changes == {"dropped", "reworded"}
    reworded = next(change for change in preview.changes if change.change == "reworded")
    assert reworded.minute == "10'"
    assert "Argentina [1]–0 Saudi Arabia" in reworded.before
    assert reworded.after.startswith("Goal")
    assert preview.summary.endswith("over 1 match")


async def test_an_empty_editor_is_no_rules_and_not_those_of_the_files() -> None:
    seen: list[DryRunRequest] = []

    async def run(request: DryRunRequest) -> DryRunResult:
        seen.append(request)
        return await run_dry_run_here(request)

    assert (await preview_rules("", run)).has_mistakes
    assert seen[0].text == "\n"
