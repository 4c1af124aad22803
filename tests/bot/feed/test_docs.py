"""The tables in docs/feed.md match the code."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.feed.reconnect import REMEDIES
from bot.feed.session import TRANSITIONS
from rules.football.statuses import STATUSES, FixtureStatus

TEXT = (Path(__file__).parents[3] / "docs" / "feed.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(("state", "event", "then"), [(*pair, then) for pair, then in TRANSITIONS.items()])
def test_every_transition_is_documented(state: str, event: str, then: str) -> None:
    assert f"| {state} | {event} | {then} |" in TEXT


@pytest.mark.parametrize("status", STATUSES, ids=lambda status: status.name)
def test_every_status_is_documented_with_its_meaning(status: FixtureStatus) -> None:
    marks = ["yes" if mark else "" for mark in (status.is_live, status.is_over, status.is_lost)]
    row = next(line for line in TEXT.splitlines() if line.startswith(f"| {status.name} |"))

    assert [cell.strip() for cell in row.split("|")][2:5] == marks
    assert status.news in row


def test_every_failure_cause_is_documented_with_its_remedy() -> None:
    rows = {row[1]: row[3] for line in TEXT.splitlines() if len(row := [cell.strip() for cell in line.split("|")]) == 5}

    assert all(rows[cause].startswith(remedy.wait) for cause, remedy in REMEDIES.items())
