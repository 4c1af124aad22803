"""What each action type does by default: the tables of docs/feed.md, and what becomes of an action that is sent."""

from __future__ import annotations

import pytest

from docs.make_action_table import (
    PAGE,
    ActionRow,
    insert_tables,
    list_action_rows,
    list_quoting_types,
    list_sub_type_rows,
    send_action,
)
from rules.football.action import SendType
from rules.football.catalogue import load_catalogue, load_catalogue_file
from rules.loading.loader import load_pack

ROWS = list_action_rows()


@pytest.mark.slow
def test_the_page_has_the_tables_of_today() -> None:
    page = PAGE.read_text(encoding="utf-8")

    assert page == insert_tables(page), "made anew by `python -m docs.make_action_table`"


def test_every_action_type_and_sub_action_type_of_the_catalogue_has_a_row() -> None:
    assert list(dict.fromkeys(row.action_type for row in ROWS)) == list(load_catalogue().action_type_names)
    assert [row.name for row in list_sub_type_rows()] == list(load_catalogue().sub_action_type_names)
    assert {row.rule for row in ROWS if row.rule} == {rule.name for rule in load_pack("everything").rules}
    others = [entry.name for entry in load_catalogue_file().action_types if entry.canonical_pair]
    assert all(any(f"{name} (" in also for row in ROWS for also in row.also) for name in others)


def first_alert(row: ActionRow) -> tuple[str, str, str]:
    """Return from when an action of a row is told, the rule and the kind, as the program does it."""
    pending = send_action(row.action_type, send_type=SendType.PENDING)
    rule, kind, _ = pending if pending[0] else send_action(row.action_type)
    return ("at once" if pending[0] else "when confirmed"), rule, kind


PLAYED = [row for row in ROWS if row.rule and row.period in ("", "not shootout")]
"""What may happen in the 30th minute, where the action is sent."""


@pytest.mark.parametrize("row", PLAYED, ids=lambda row: row.action_type)
def test_an_action_that_is_sent_becomes_what_the_table_says(row: ActionRow) -> None:
    since, rule, kind = first_alert(row)

    assert (rule, kind) == (row.rule, row.kind)
    assert since == row.since.partition(",")[0]


@pytest.mark.parametrize("row", [row for row in ROWS if not row.rule], ids=lambda row: row.action_type)
def test_an_action_without_a_rule_makes_no_message(row: ActionRow) -> None:
    assert send_action(row.action_type) == ("", "", "")


def test_a_sub_action_type_is_shown_where_the_table_says_so() -> None:
    changes = {row.name: row.changes for row in list_sub_type_rows()}

    assert (
        changes["Own Goal"] == ("Goal",) and changes["Second Yellow"] == ("Red Card",) and changes["Saved"] == ("Penalty Missed",)
    )
    assert "Play Stopped" in list_quoting_types() and "water break" in send_action("Play Stopped", "Water Break")[2]
