"""What the admins read about rules fits into a message and says everything that matters."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.chat.features import rules_proposal as words
from bot.fake_telegram.html import parse
from bot.replay.comparison import AlertMessages, Comparison, Difference, DifferenceKind
from bot.replay.dry_run import DryRunResult, RulesCheck
from rules.engine.rule_diff import RulesDiff


def make_difference(change: DifferenceKind, text: str = "Goal") -> Difference:
    before = None if change is DifferenceKind.ADDED else AlertMessages("r", "goal", (f"send: {text}",))
    after = None if change is DifferenceKind.DROPPED else AlertMessages("r", "goal", (f"send: {text}!",))
    return Difference(change, "2026", "f", "a", "12", before, after)


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (DifferenceKind.ADDED, "➕ 12' Goal!"),
        (DifferenceKind.DROPPED, "➖ 12' Goal"),
        (DifferenceKind.REWORDED, "✏️ 12' Goal → Goal!"),
    ],
)
def test_each_difference_is_one_line(change: DifferenceKind, line: str) -> None:
    assert words.render_dry_run(DryRunResult(RulesCheck(), Comparison((make_difference(change),)), 1))[-1] == line


def test_of_many_differences_some_are_shown_and_the_rest_counted() -> None:
    lines = words.render_dry_run(DryRunResult(RulesCheck(), Comparison((make_difference(DifferenceKind.ADDED),) * 50), 5))

    assert lines[-1] == "… and 42 more"


def test_a_change_of_a_rule_names_what_of_it_changed() -> None:
    lines = words.render_rules_diff(RulesDiff(("a",), ("b", "<c>"), (("goals", ("text", "kind")),), reordered=True))

    assert lines[1:] == ["➕ a", "➖ b, &lt;c&gt;", "✏️ goals: text, kind", "↕️ evaluated in another order"]


@given(st.lists(st.text(max_size=300), max_size=60), st.text(max_size=5000))
def test_whatever_was_sent_the_answer_is_html_that_fits(names: list[str], text: str) -> None:
    difference = RulesDiff(tuple(names), tuple(names), tuple((name, ("text",)) for name in names))
    result = DryRunResult(
        RulesCheck(warnings=tuple(names)), Comparison((make_difference(DifferenceKind.REWORDED, text),) * 9, 1), 2
    )

    for html in (words.render_proposal(text, difference, result), words.render_mistakes(text, [*names, text])):
        assert len(html) <= 4096
        parse(html)
