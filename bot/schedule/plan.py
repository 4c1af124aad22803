"""Which fixtures to follow, and from when on: a pure function of what is known now."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from bot.store.model import Scope, Subscription, keys_of
from rules.action import Fixture

OVER = frozenset({"completed", "cancelled", "canceled", "abandoned", "postponed", "unverified"})
"""Statuses in which there is nothing to connect to; a postponed fixture comes back with a new kick-off."""
LIVE = frozenset({"live", "suspended"})


def plan(
    fixtures: Iterable[Fixture], subscriptions: Iterable[Subscription], now: dt.datetime, lead: dt.timedelta
) -> dict[str, dt.datetime]:
    """By fixture id, the instant at which to connect; an instant that has passed is `now`.

    Left out: what nobody follows, what is over or cancelled, and what has no kick-off. A kick-off at midnight may be a
    placeholder (feed documentation, section 14) or a true one: connecting early costs an idle connection, late a goal.
    """
    wanted = {(subscription.scope, subscription.key) for subscription in subscriptions}
    instants = ((fixture, connect_at(fixture, now, lead)) for fixture in fixtures if followed(fixture, wanted))
    return {fixture.id: instant for fixture, instant in instants if instant is not None}


def followed(fixture: Fixture, wanted: set[tuple[Scope, str]]) -> bool:
    """Tell whether some subscription covers the fixture."""
    return not wanted.isdisjoint(keys_of(fixture))


def connect_at(fixture: Fixture, now: dt.datetime, lead: dt.timedelta) -> dt.datetime | None:
    """When to connect to the fixture; None where there is nothing to connect to, or not yet."""
    status = fixture.status.casefold()
    if fixture.deleted or status in OVER:
        return None
    if status in LIVE:
        return now
    if fixture.kickoff is None:
        return None
    return max(now, fixture.kickoff - lead)
