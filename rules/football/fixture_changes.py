"""Actions that no packet tells: coverage lost, suspended, postponed, moved kick-off, a missing full time."""

from __future__ import annotations

import datetime as dt
import uuid

from rules.football.action import Action, Fixture, Packet, SendType, Summary
from rules.football.match import Match
from rules.football.minute import PERIOD_IDS, Minute, Period

COVERAGE_LOST = "Coverage Lost"

COVERAGE_RESTORED = "Coverage Back"

COVERAGE_DROPPED = "Coverage Dropped"

MATCH_SUSPENDED = "Match Suspended"

MATCH_RESUMED = "Match Resumed"

_CHANGE_NAMESPACE = uuid.UUID("1a0d4d0e-63f4-53a5-8a5e-7e0a0f9a5c1d")

_END_ACTION_TYPES = {
    "abandoned": "Match Abandoned",
    "postponed": "Match Postponed",
    "cancelled": "Match Cancelled",
    "canceled": "Match Cancelled",
}

_ONE_TIME_CHANGES = frozenset({*_END_ACTION_TYPES.values(), COVERAGE_DROPPED})
"""What happens to a match once, whoever says it first, stream or fixtures; postponed, it may be so again on its new day."""

_FINAL_STATUSES = frozenset({*_END_ACTION_TYPES, "completed"})


def detect_change(status: tuple[str, str], now: tuple[str, str]) -> str:
    """The action type of what changed between two (status, collection status) pairs; empty where nothing worth telling did."""
    (was, had), (is_now, has) = (tuple(word.casefold() for word in pair) for pair in (status, now))
    if is_now != was and is_now in _END_ACTION_TYPES:
        return _END_ACTION_TYPES[is_now]
    if has != had and has in ("collectionsuspended", "collectiondropped"):
        return COVERAGE_LOST if has == "collectionsuspended" else COVERAGE_DROPPED
    if had == "collectionsuspended" and has == "collectinglive":
        return COVERAGE_RESTORED
    if has in ("collectionsuspended", "collectiondropped"):
        return ""
    if is_now == "suspended" and was != "suspended":
        return MATCH_SUSPENDED
    return MATCH_RESUMED if was == "suspended" and is_now == "live" else ""


def make_action(name: str, cause: Action, fixture: Fixture, minute: Minute | None, period: Period) -> Action:
    """The action that tells it; its id is the same whenever the same history is read."""
    which = (
        f"{fixture.kickoff:%Y-%m-%d}"
        if name in _ONE_TIME_CHANGES and fixture.kickoff
        else ""
        if name in _ONE_TIME_CHANGES
        else str(cause.seq)
    )
    return Action(
        fixture_id=cause.fixture_id,
        id=str(uuid.uuid5(_CHANGE_NAMESPACE, f"{cause.fixture_id} {name} {which}")),
        type=name,
        sub_type="",
        send_type=SendType.CONFIRMED,
        seq=cause.seq,
        at=cause.at,
        period=period,
        minute=minute,
    )


def make_status_packet(fixture: Fixture, seq: int, at: dt.datetime) -> Packet:
    """What the REST side says of a fixture, as the packet that the stream would have sent."""
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
    """Tell whether the REST side's word is believed over a stream that says nothing of the kind."""
    return status.casefold() in _FINAL_STATUSES


_END_NAMESPACE = uuid.UUID("6f1c3b0e-5d0e-5c39-9f5b-0d7c1f3a2b44")


def make_full_time_packet(match: Match, at: dt.datetime) -> Packet:
    """An end of the match, made from how it stands; its action id is always the same for a fixture."""
    return Packet(
        fixture_id=match.fixture.id,
        action_id=str(uuid.uuid5(_END_NAMESPACE, match.fixture.id)),
        type="End Match",
        send_type=SendType.CONFIRMED,
        at=at,
        seq=match.seq + 1,
        period_id=PERIOD_IDS.get(match.period.value, 0),
        clock=match.clock,
        summary=Summary(status=match.status or "Completed"),
    )
