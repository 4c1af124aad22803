"""Makes the actions that no packet carries: coverage lost or restored, a match suspended or postponed, a missing full time."""

from __future__ import annotations

import datetime as dt
import uuid

from rules.football.action import Action, Fixture, Packet, SendType, Summary
from rules.football.match import Match
from rules.football.minute import PERIOD_IDS, Minute, Period
from rules.football.statuses import STATUSES, find_status

COVERAGE_LOST = "Coverage Lost"
COVERAGE_RESTORED = "Coverage Back"
COVERAGE_DROPPED = "Coverage Dropped"
MATCH_SUSPENDED = "Match Suspended"
MATCH_RESUMED = "Match Resumed"

_ONE_TIME_CHANGES = frozenset({*(status.news for status in STATUSES if status.news), COVERAGE_DROPPED})
"""Changes that happen to a match once, whether the stream or the list of fixtures has them first."""

# Action ids are stored in the outbox: a changed namespace, or a changed text that is hashed, would send the same news twice.
_CHANGE_NAMESPACE = uuid.UUID("1a0d4d0e-63f4-53a5-8a5e-7e0a0f9a5c1d")
_END_NAMESPACE = uuid.UUID("6f1c3b0e-5d0e-5c39-9f5b-0d7c1f3a2b44")


def detect_change(before: tuple[str, str], after: tuple[str, str]) -> str:
    """Return the action type of what changed between two (status, collection status) pairs; empty where nothing is news."""
    old_status, old_collection = (word.casefold() for word in before)
    status, collection = (word.casefold() for word in after)
    # The end of a match before its coverage: an abandoned match is often dropped too, and chats want the reason, once.
    if status != old_status and (news := find_status(status).news):
        return news
    if collection != old_collection and collection in ("collectionsuspended", "collectiondropped"):
        return COVERAGE_LOST if collection == "collectionsuspended" else COVERAGE_DROPPED
    if old_collection == "collectionsuspended" and collection == "collectinglive":
        return COVERAGE_RESTORED
    # While data is missing, a status of Suspended may mean the coverage and not the match (feed documentation, section 10.5).
    if collection in ("collectionsuspended", "collectiondropped"):
        return ""
    if status == "suspended" and old_status != "suspended":
        return MATCH_SUSPENDED
    return MATCH_RESUMED if old_status == "suspended" and status == "live" else ""


def make_action(name: str, cause: Action, fixture: Fixture, minute: Minute | None, period: Period) -> Action:
    """Make the action of a change of coverage or status. The same history always gives it the same id."""
    # What happens once has the same id wherever it comes from, so that it is sent once. The date is part of it, because a
    # postponed match may be postponed again on its new day.
    date = f"{fixture.kickoff:%Y-%m-%d}" if fixture.kickoff else ""
    occurrence = date if name in _ONE_TIME_CHANGES else str(cause.seq)
    return Action(
        fixture_id=cause.fixture_id,
        id=str(uuid.uuid5(_CHANGE_NAMESPACE, f"{cause.fixture_id} {name} {occurrence}")),
        type=name,
        sub_type="",
        send_type=SendType.CONFIRMED,
        seq=cause.seq,
        at=cause.at,
        period=period,
        minute=minute,
    )


def make_status_packet(fixture: Fixture, seq: int, at: dt.datetime) -> Packet:
    """Make the packet that the stream would have sent for a status of the list of fixtures."""
    return Packet(
        fixture_id=fixture.id,
        action_id=str(uuid.uuid5(_CHANGE_NAMESPACE, f"{fixture.id} status {fixture.status} {fixture.collection_status} {seq}")),
        type="Status Updated",
        send_type=SendType.CONFIRMED,
        at=at,
        seq=seq,
        summary=Summary(status=fixture.status, collection_status=fixture.collection_status),
    )


def is_final_status(status: str) -> bool:
    """Return True if the status of a fixture is believed even where its stream says nothing of the kind."""
    return find_status(status).is_final


def make_full_time_packet(match: Match, at: dt.datetime) -> Packet:
    """Make the End Match that the feed did not send, from the match as it stands. A fixture has one action id for it."""
    return Packet(
        fixture_id=match.fixture.id,
        action_id=str(uuid.uuid5(_END_NAMESPACE, match.fixture.id)),
        type="End Match",
        send_type=SendType.CONFIRMED,
        at=at,
        seq=match.seq + 1,
        period_id=PERIOD_IDS.get(match.period, 0),
        clock=match.clock,
        summary=Summary(status=match.status or "Completed"),
    )
