"""Makes the actions that no packet carries: coverage lost or restored, a match suspended or postponed, a missing full time."""

from __future__ import annotations

import datetime as dt
import uuid

import msgspec

from rules.football.action import Action, Fixture, Packet, SendType, Summary
from rules.football.match import Match, Moment
from rules.football.minute import PERIOD_IDS, Minute, Period
from rules.football.statuses import STATUSES, find_status

COVERAGE_LOST = "Coverage Lost"
COVERAGE_RESTORED = "Coverage Back"
COVERAGE_DROPPED = "Coverage Dropped"
MATCH_SUSPENDED = "Match Suspended"
MATCH_RESUMED = "Match Resumed"

BEFORE_KICKOFF = "Before Kick-off"
"""The sub action type of coverage that was dropped before the match began."""

_ONE_TIME_CHANGES = frozenset({*(status.news for status in STATUSES if status.news), COVERAGE_DROPPED})
"""Changes that happen to a match once, whether the stream or the list of fixtures has them first."""

_WITHOUT_DATA = frozenset({"collectionsuspended", "collectiondropped"})
"""Collection statuses in which the feed has no live data of a match, in lower case."""

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
    if collection != old_collection and collection in _WITHOUT_DATA:
        return COVERAGE_LOST if collection == "collectionsuspended" else COVERAGE_DROPPED
    if old_collection == "collectionsuspended" and collection == "collectinglive":
        return COVERAGE_RESTORED
    # While data is missing, a status of Suspended may mean the coverage and not the match (feed documentation, section 10.5).
    if collection in _WITHOUT_DATA:
        return ""
    if status == "suspended" and old_status != "suspended":
        return MATCH_SUSPENDED
    was = find_status(old_status)
    # Also one that was abandoned: it may be played to its end on another day.
    may_go_on = was.is_suspended or (was.is_played and bool(was.news))
    return MATCH_RESUMED if may_go_on and status == "live" else ""


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
        metadata=cause.metadata,  # the feed's own reason is in it
    )


_REASON_KEYS = {
    COVERAGE_LOST: "collectionstatusreason",
    COVERAGE_DROPPED: "collectionstatusreason",
    MATCH_SUSPENDED: "fixturestatusreason",
    "Match Abandoned": "fixturestatusreason",
}
"""Where a status packet gives the reason, in lower case (section 3.4). The key for a fixture is assumed: only that of its code
was seen."""


def read_status_reason(action: Action) -> str:
    """Return why coverage was lost or a match stopped, in the feed's words; empty where it does not say."""
    wanted = _REASON_KEYS.get(action.type)
    values = (value for key, value in action.metadata.items() if key.casefold() == wanted)
    reason = next(values, "")
    return reason.strip() if isinstance(reason, str) else ""


def lose_connection(match: Match, reason: str, at: dt.datetime) -> Moment:
    """Return the moment in which Touchline itself gets no data of a match any more. `reason` says why, for chats."""
    after = msgspec.structs.replace(match, is_cut_off=True, cut_offs=match.cut_offs + 1, score_when_coverage_lost=match.score)
    return _make_connection_moment(match, after, COVERAGE_LOST, {"collectionStatusReason": reason}, at)


def restore_connection(match: Match, at: dt.datetime) -> Moment:
    """Return the moment in which Touchline gets data of a match again.

    It is news only if the match goes on with data: the feed itself may have none by now, which it says in its packets.
    """
    moment = _make_connection_moment(match, msgspec.structs.replace(match, is_cut_off=False), COVERAGE_RESTORED, {}, at)
    return moment if can_lose_connection(moment.after) else msgspec.structs.replace(moment, coverage_change=None)


def can_lose_connection(match: Match) -> bool:
    """Return True if losing the connection to a match is news for its chats: it is not over, and its coverage is not lost yet."""
    is_covered = match.collection_status.casefold() not in _WITHOUT_DATA
    return is_covered and not (match.is_cut_off or match.is_lost or match.is_completed or match.ended_by)


def has_live_data(packet: Packet) -> bool:
    """Return True unless a packet says that the feed itself has no live data of the match."""
    return packet.summary.collection_status.casefold() not in _WITHOUT_DATA


def _make_connection_moment(before: Match, after: Match, name: str, metadata: dict[str, str], at: dt.datetime) -> Moment:
    change = Action(
        fixture_id=after.fixture.id,
        # Numbered, so that a restart which tells the same loss again gives it the same id.
        id=str(uuid.uuid5(_CHANGE_NAMESPACE, f"{after.fixture.id} connection {name} {after.cut_offs}")),
        type=name,
        sub_type="",
        send_type=SendType.CONFIRMED,
        seq=max(1, after.seq),
        at=at,
        period=after.period,
        minute=after.minute,
        metadata=metadata,
    )
    # Not news by itself: the change of coverage is all that rules are asked about.
    return Moment(before, change, after, is_news=False, coverage_change=change)


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
    """Return True if the list of fixtures is believed about this status, even if the stream of the match does not have it."""
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
