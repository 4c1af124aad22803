"""What the feed sends and its documentation does not name: which values these are, and what an unknown send type means.

Nothing unknown is dropped. The vendor's own tables could not be read (feed documentation, sections 4.2 and 5.3), and types
come and go.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from rules.football.action import Action, Packet, PeriodScore, SendType, Side, Summary
from rules.football.catalogue import Catalogue
from rules.football.match import ActionRecord
from rules.football.minute import PERIODS_BY_ID, Period, is_known_period
from rules.football.statuses import COLLECTION_STATUSES, is_known_status

_KNOWN_COLLECTION_STATUSES = frozenset(word.casefold() for word in COLLECTION_STATUSES)


class UnknownValue(NamedTuple):
    """A value that is not known, and the field that it stands in."""

    field: str
    name: str


def find_unknown_values(packet: Packet, catalogue: Catalogue) -> Iterator[UnknownValue]:
    """Yield the names in a packet that nothing here knows."""
    if not catalogue.has_type(packet.type):
        yield UnknownValue("action type", packet.type)
    if packet.sub_type and not catalogue.has_sub_type(packet.sub_type):
        yield UnknownValue("sub action type", packet.sub_type)
    if packet.send_type is SendType.OTHER:
        yield UnknownValue("send type", packet.send_type_word or SendType.OTHER)
    summary = packet.summary
    if summary.status and not is_known_status(summary.status):
        yield UnknownValue("status", summary.status)
    if summary.collection_status and summary.collection_status.casefold() not in _KNOWN_COLLECTION_STATUSES:
        yield UnknownValue("collection status", summary.collection_status)
    yield from _find_unknown_periods(packet.period_id, summary.periods)


# The same few tuples of periods come with every packet of a match.
@lru_cache(maxsize=1024)
def _find_unknown_periods(period_id: int, periods: tuple[PeriodScore, ...]) -> tuple[UnknownValue, ...]:
    described = {period.id for period in periods}
    names = [f"{period.id} {period.type} {period.label}" for period in periods if not is_known_period(period.type, period.label)]
    # 0 is before kick-off, or a status packet (section 6.1).
    if period_id > 0 and period_id not in described and period_id not in PERIODS_BY_ID:
        names.append(str(period_id))
    return tuple(UnknownValue("period", " ".join(name.split())) for name in names)


class ScoreChange(NamedTuple):
    """What a summary shows of the score that an action counts in."""

    gained: Side | None
    """The side whose score rose."""
    lost: Side | None
    """The side whose score fell."""


def resolve_unknown_send_type(action: Action, known: ActionRecord | None, summary: Summary, change: ScoreChange) -> SendType:
    """Return the send type that a revision with an unknown one counts as.

    Confirmed where the summary shows the action's effect. Otherwise a new action is pending, and a known one stays as it was.
    """
    was = known.action.send_type if known else None
    # A goal that the score had falls out of it: whatever the word means, the goal is gone.
    if known and known.is_shown and known.credited and change.lost is known.credited:
        return SendType.DELETED
    if _is_shown_by_summary(action, known, summary, change):
        return SendType.CONFIRMED
    # Pending, if nothing shows it: it is settled at the next break at the latest (`unconfirmed.py`).
    if was is None or was is SendType.PENDING:
        return SendType.PENDING
    return SendType.UPDATED if was.is_standing else was


def _is_shown_by_summary(action: Action, known: ActionRecord | None, summary: Summary, change: ScoreChange) -> bool:
    if action.type == "Goal":
        # With this revision, or with an earlier one while the goal was pending.
        return change.gained is not None or bool(known and known.counted and change.lost is None)
    if action.type == "Penalty Missed" and action.period is Period.SHOOTOUT:
        # The shootout's score is there, and no goal came of the kick.
        shootout = (p for p in summary.periods if p.period is Period.SHOOTOUT)
        return change.gained is None and any(period.home_in_period is not None for period in shootout)
    if action.type == "Start Match":
        return bool(summary.periods) or summary.status.casefold() == "live"
    if action.type == "End Match":
        return summary.status.casefold() == "completed"
    if action.type in ("Start Period", "End Period"):
        at = [n for n, p in enumerate(summary.periods) if p.period is action.period]
        # A period that another follows is over, whether the feed has marked its end or not.
        is_ended = bool(at) and (summary.periods[at[-1]].is_ended or at[-1] + 1 < len(summary.periods))
        return bool(at) and is_ended is (action.type == "End Period")
    return False
