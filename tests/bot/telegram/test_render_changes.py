"""What a chat reads of a message that is about something else now, and of copies and messages that do not count."""

from __future__ import annotations

import pytest

from bot.i18n.language import use_language
from bot.outbox.delivery import Subject
from bot.telegram.render import render_change, render_unconfirmed, render_with_note
from rules.engine.alert import Facts
from tests.bot.news import alert


@pytest.mark.parametrize(
    ("before", "facts", "title"),
    [
        (Subject(2, "home", "Red Card"), Facts(action_type="Yellow Card", side="home"), "Correction: Red Card → Yellow Card"),
        (Subject(2, "home", "Red Card"), Facts(action_type="Yellow Card", side="away"), "Correction: Red Card → Yellow Card"),
        (Subject(2, "home", "A <b>"), Facts(action_type="B", side="home"), "Correction: A &lt;b&gt; → B"),
        (Subject(2, "home", "Goal"), Facts(action_type="Goal", side="away"), "Correction: Goal, Arsenal → Chelsea"),
        (Subject(2, "", "Goal"), Facts(action_type="Goal", side="away"), "Correction"),
        (Subject(2, "home", "Goal"), Facts(action_type="Goal"), "Correction"),
        (Subject(2, "home", "Goal"), Facts(action_type="Goal", side="home"), "Correction"),
        (Subject(2, "home"), Facts(action_type="Goal", side="home"), "Correction"),
        (Subject(0, "", "End Match", "2–2"), Facts(action_type="End Match", score="2–3"), "The result has changed: 2–2 → 2–3"),
        (
            Subject(0, "", "End Match", "1–1 (6–5)"),
            Facts(action_type="End Match", score="1–1", shootout="5–6"),
            "The result has changed: 1–1 (6–5) → 1–1 (5–6)",
        ),
        (Subject(0, "", "End Match", "2–2"), Facts(action_type="End Match", score="2–2"), "Correction"),
    ],
)
def test_a_reply_says_what_a_message_was_about_and_what_it_is_about_now(before: Subject, facts: Facts, title: str) -> None:
    assert render_change(before, alert(facts=facts), "the message") == f"✏️ <b>{title}</b>\nthe message"


def test_a_changed_result_is_written_as_the_language_writes_scores() -> None:
    with use_language("de"):
        found = render_change(
            Subject(0, "", "End Match", "2–2"), alert(facts=Facts(action_type="End Match", score="2–3")), "Abpfiff"
        )

    assert found.partition("\n")[0].endswith("2:2 → 2:3</b>")


def test_what_was_never_confirmed_is_struck_through_with_the_reason_below_it() -> None:
    assert render_unconfirmed("<b>goal</b>") == "<s><b>goal</b></s>\n⏳ <i>was not confirmed</i>"


@pytest.mark.parametrize(
    ("bodies", "note"),
    [
        (["a", "<s>b</s>"], "An earlier copy no longer counts, if you got one:</i>\n<s>a</s>\n<s>b</s>"),
        ([], "An earlier copy of this message no longer counts, if you got one.</i>"),
    ],
)
def test_a_note_says_that_earlier_copies_do_not_count_and_what_they_say(bodies: list[str], note: str) -> None:
    assert render_with_note("goal", bodies) == f"goal\n↩️ <i>{note}"
