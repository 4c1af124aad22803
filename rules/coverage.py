"""News that no action tells: live data lost and found, a match suspended, postponed, abandoned or cancelled.

They are made from the summary's two statuses and given action types of Touchline's own (feed documentation, sections 6 and
10), so that rules speak of them like of anything else. The end of coverage is never full time.
"""

from __future__ import annotations

import datetime as dt
import uuid

from rules.action import Action, Fixture, Packet, SendType, Summary
from rules.minute import Minute, Period

COVERAGE_LOST = "Coverage Lost"
COVERAGE_BACK = "Coverage Back"
COVERAGE_DROPPED = "Coverage Dropped"
MATCH_SUSPENDED = "Match Suspended"
MATCH_RESUMED = "Match Resumed"

_NAMESPACE = uuid.UUID("1a0d4d0e-63f4-53a5-8a5e-7e0a0f9a5c1d")
_ENDS = {
    "abandoned": "Match Abandoned",
    "postponed": "Match Postponed",
    "cancelled": "Match Cancelled",
    "canceled": "Match Cancelled",
}
_ONCE = frozenset({*_ENDS.values(), COVERAGE_DROPPED})
"""What happens to a match once, whoever says it first, stream or fixtures; postponed, it may be so again on its new day."""
_FINAL_BY_REST = frozenset({*_ENDS, "completed"})


def change(status: tuple[str, str], now: tuple[str, str]) -> str:
    """The action type of what changed between two (status, collection status) pairs; empty where nothing worth telling did."""
    (was, had), (is_now, has) = (tuple(word.casefold() for word in pair) for pair in (status, now))
    if is_now != was and is_now in _ENDS:
        return _ENDS[is_now]
    if has != had and has in ("collectionsuspended", "collectiondropped"):
        return COVERAGE_LOST if has == "collectionsuspended" else COVERAGE_DROPPED
    if had == "collectionsuspended" and has == "collectinglive":
        return COVERAGE_BACK
    if has in ("collectionsuspended", "collectiondropped"):
        return ""
    if is_now == "suspended" and was != "suspended":
        return MATCH_SUSPENDED
    return MATCH_RESUMED if was == "suspended" and is_now == "live" else ""


def action_of(name: str, cause: Action, fixture: Fixture, minute: Minute | None, period: Period) -> Action:
    """The action that tells it; its id is the same whenever the same history is read."""
    which = f"{fixture.kickoff:%Y-%m-%d}" if name in _ONCE and fixture.kickoff else "" if name in _ONCE else str(cause.seq)
    return Action(
        fixture_id=cause.fixture_id,
        id=str(uuid.uuid5(_NAMESPACE, f"{cause.fixture_id} {name} {which}")),
        type=name,
        sub_type="",
        send_type=SendType.CONFIRMED,
        seq=cause.seq,
        at=cause.at,
        period=period,
        minute=minute,
    )


def status_packet(fixture: Fixture, seq: int, at: dt.datetime) -> Packet:
    """What the REST side says of a fixture, as the packet that the stream would have sent."""
    return Packet(
        fixture_id=fixture.id,
        action_id=str(uuid.uuid5(_NAMESPACE, f"{fixture.id} status {fixture.status} {fixture.collection_status} {seq}")),
        type="Status Updated",
        send_type=SendType.CONFIRMED,
        at=at,
        seq=seq,
        summary=Summary(status=fixture.status, collection_status=fixture.collection_status),
    )


def final(status: str) -> bool:
    """Tell whether the REST side's word is believed over a stream that says nothing of the kind."""
    return status.casefold() in _FINAL_BY_REST
