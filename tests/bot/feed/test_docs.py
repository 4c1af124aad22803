"""The tables in docs/feed.md match the code."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from bot.feed import decode
from bot.feed.reconnect import REMEDIES, FailureCause
from bot.feed.session import TRANSITIONS
from bot.monitoring.incidents import INCIDENT_POLICIES
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


TROUBLE = TEXT[TEXT.index("## What can go wrong") : TEXT.index("## The simulator")]


@pytest.mark.parametrize("cause", FailureCause)
def test_every_cause_of_a_lost_connection_is_among_the_troubles(cause: FailureCause) -> None:
    assert f"(`{cause}`" in TROUBLE or f", `{cause}`" in TROUBLE


@pytest.mark.parametrize("incident", [name for name in INCIDENT_POLICIES if name.startswith(("feed-", "fixtures-"))])
def test_every_message_to_admins_about_the_feed_is_among_the_troubles(incident: str) -> None:
    assert f"(operate/messages.md#{incident})" in TROUBLE


DESCRIPTIONS = [
    (field, row[2].strip())
    for line in TEXT.splitlines()
    if line.startswith("| `") and len(row := line.split("|")) == 4
    for field in re.findall(r"`([A-Za-z.]+)`", row[1])
]
"""Each field of the feed in the tables, with what is said of it."""

DOCUMENTED = """
traceId version finished actionId period sendType sendTypeId clockTime fixtureId timestamp fixtureSeqNum timelineSequence
fixtureActionType fixtureActionTypeId fixtureActionSubType fixtureActionSubTypeId relatedFixtureActionIds team player metadata
delayStatus homeTeamScore awayTeamScore isTied currentPeriod currentStatus collectionStatus currentClockTime
currentClockState isHomeTeamInPossesion reason reasonId periods id label type start end homeTeamPeriodScore
awayTeamPeriodScore homeTeam name fullName firstName lastName
status coverageLevel startDateUTC teams club stage venue sport fixtureDeleted rules updateCount
"""
"""Every field that the vendor's documentation shows, of packets and of fixtures."""

READ = [
    field.encode_name
    for struct in (decode._FrameJson, decode._ActionJson, decode._SummaryJson, decode._PeriodJson, decode._PlayerJson)
    for field in msgspec.structs.fields(struct)
    if field.encode_name not in ("fixtureAction", "fixtureSummary")
]
"""Every field of a packet that is read."""


def find_uses(field: str) -> list[str]:
    return [what for name, what in DESCRIPTIONS if name.rpartition(".")[2] == field]


@pytest.mark.parametrize("field", DOCUMENTED.split())
def test_every_field_of_the_feed_is_used_or_said_to_be_ignored(field: str) -> None:
    assert find_uses(field)


@pytest.mark.parametrize("field", READ)
def test_every_field_that_is_read_is_said_to_be_used(field: str) -> None:
    assert any(not what.startswith("ignored: ") for what in find_uses(field))


USED = sorted({name.split(".")[1] for name, what in DESCRIPTIONS if "." in name and not what.startswith("ignored: ")})


@pytest.mark.parametrize("field", USED)
def test_every_field_that_is_said_to_be_used_is_read(field: str) -> None:
    assert field in READ


def test_every_failure_cause_is_documented_with_its_remedy() -> None:
    rows = {row[1]: row[3] for line in TEXT.splitlines() if len(row := [cell.strip() for cell in line.split("|")]) == 5}

    assert all(rows[cause].startswith(remedy.wait) for cause, remedy in REMEDIES.items())
