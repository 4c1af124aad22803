"""Full time where the feed sends none: the same packet that it would have sent."""

from __future__ import annotations

import datetime as dt
import uuid

from rules.action import Packet, SendType, Summary
from rules.match import Match

_NAMESPACE = uuid.UUID("6f1c3b0e-5d0e-5c39-9f5b-0d7c1f3a2b44")
_PERIOD_IDS = {"first half": 1, "second half": 2, "first half of extra time": 3, "second half of extra time": 4, "shootout": 5}


def full_time(match: Match, at: dt.datetime) -> Packet:
    """An end of the match, made from how it stands; its action id is always the same for a fixture."""
    return Packet(
        fixture_id=match.fixture.id,
        action_id=str(uuid.uuid5(_NAMESPACE, match.fixture.id)),
        type="End Match",
        send_type=SendType.CONFIRMED,
        at=at,
        seq=match.seq + 1,
        period_id=_PERIOD_IDS.get(match.period.value, 0),
        clock=match.clock,
        summary=Summary(status=match.status or "Completed"),
    )
