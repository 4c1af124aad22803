"""What the admins read about rules fits into a message and says everything that matters."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.chats import rules_words as words
from bot.rulebook.compare import Change, Comparison, Difference, Side
from bot.rulebook.tried import Checked, Tried
from rules.compare import RulesDiff
from tests.fakes.telegram_html import parse


def told(change: Change, text: str = "Goal") -> Difference:
    before = None if change is Change.ADDED else Side("r", "goal", (f"send: {text}",))
    after = None if change is Change.DROPPED else Side("r", "goal", (f"send: {text}!",))
    return Difference(change, "2026", "f", "a", "12", before, after)


@pytest.mark.parametrize(
    ("change", "line"), [(Change.ADDED, "➕ 12' Goal!"), (Change.DROPPED, "➖ 12' Goal"), (Change.REWORDED, "✏️ 12' Goal → Goal!")]
)
def test_each_difference_is_one_line(change: Change, line: str) -> None:
    assert words.preview(Tried(Checked(), Comparison((told(change),)), 1))[-1] == line


def test_of_many_differences_some_are_shown_and_the_rest_counted() -> None:
    lines = words.preview(Tried(Checked(), Comparison((told(Change.ADDED),) * 50), 5))

    assert lines[-1] == "… and 42 more"


def test_a_change_of_a_rule_names_what_of_it_changed() -> None:
    lines = words.diff(RulesDiff(("a",), ("b", "<c>"), (("goals", ("text", "kind")),), reordered=True))

    assert lines[1:] == ["➕ a", "➖ b, &lt;c&gt;", "✏️ goals: text, kind", "↕️ asked in another order"]


@given(st.lists(st.text(max_size=300), max_size=60), st.text(max_size=5000))
def test_whatever_was_sent_the_answer_is_html_that_fits(names: list[str], text: str) -> None:
    difference = RulesDiff(tuple(names), tuple(names), tuple((name, ("text",)) for name in names))
    tried = Tried(Checked(warnings=tuple(names)), Comparison((told(Change.REWORDED, text),) * 9, 1), 2)

    for html in (words.proposal(text, difference, tried), words.mistakes(text, [*names, text])):
        assert len(html) <= 4096
        parse(html)
