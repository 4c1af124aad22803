"""Decides which fixtures to follow and from when; pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

import msgspec

from bot.subscribers import Scope, Subscription, list_subscription_keys
from rules.football.action import Fixture

LOOK_BACK = dt.timedelta(days=1)
"""A match that began before midnight may still be in play, or be one that an earlier process left in the middle."""

LOOK_AHEAD = dt.timedelta(days=14)
"""How far ahead chats can see fixtures and follow a single match."""

LONGEST_MATCH = dt.timedelta(hours=3)
"""How long a match may last, with extra time, penalties and what its feed corrects after the end."""

FixtureKeys = Callable[[Fixture], frozenset[tuple[Scope, str]]]


def plan_connections(
    fixtures: Iterable[Fixture],
    subscriptions: Iterable[Subscription],
    now: dt.datetime,
    lead: dt.timedelta,
    keys_of: FixtureKeys = list_subscription_keys,
) -> dict[str, dt.datetime]:
    """Return by fixture id when to connect: `lead` before kick-off, or `now` if that has passed; the most urgent first.

    Fixtures that no chat follows, that are over or cancelled or that have no kick-off are left out. Of those that are due, the
    ones that somebody follows by team, competition or match go before those that only "everything" covers, and those near to
    their kick-off before others.
    """
    rank = make_ranking(subscriptions, now, lead, keys_of)
    return order_ranked([ranked for fixture in fixtures if (ranked := rank(fixture))])


RankedConnection = tuple[float, bool, float, str, dt.datetime]
"""The place of a fixture in the plan: when to connect (in seconds since 1970), whether only "everything" covers it, how many
seconds its kick-off is from now. Then its id, and when to connect."""


def make_ranking(
    subscriptions: Iterable[Subscription], now: dt.datetime, lead: dt.timedelta, keys_of: FixtureKeys
) -> Callable[[Fixture], RankedConnection | None]:
    """Return a function that gives the place of a fixture in the plan, or None if it is left out."""
    everything = (Scope.ALL, "")
    wanted = {(subscription.scope, subscription.key) for subscription in subscriptions}
    chosen = wanted - {everything}

    def rank(fixture: Fixture) -> RankedConnection | None:
        instant = find_connect_time(fixture, now, lead)
        if instant is None or (everything not in wanted and wanted.isdisjoint(keys_of(fixture))):
            return None
        # While everything is all that anybody follows, no fixture comes after others.
        is_by_default = bool(chosen) and chosen.isdisjoint(keys_of(fixture))
        distance = abs(fixture.kickoff - now) if fixture.kickoff else _UNKNOWN_DISTANCE
        # Numbers, for twenty thousand of them are sorted several times as fast as times are.
        return instant.timestamp(), is_by_default, distance.total_seconds(), fixture.id, instant

    return rank


def order_ranked(ranked: list[RankedConnection]) -> dict[str, dt.datetime]:
    """Return by fixture id when to connect, in the order of the places."""
    return {fixture_id: instant for _, _, _, fixture_id, instant in sorted(ranked)}


def find_connect_time(fixture: Fixture, now: dt.datetime, lead: dt.timedelta) -> dt.datetime | None:
    """Return when to connect to the fixture; None if there is nothing to connect to, or not yet."""
    if fixture.is_deleted or fixture.is_over:
        return None
    # Whatever its kick-off says: the feed has a stream of it.
    if fixture.is_live:
        return now
    if fixture.kickoff is None:
        return None
    # A kick-off at midnight may stand for a time that is not known (feed documentation, section 14). It is taken as it is:
    # connecting too early costs an idle connection, connecting too late costs a goal.
    return max(now, fixture.kickoff - lead)


def find_known_kickoff(fixture: Fixture) -> dt.datetime | None:
    """Return the kick-off; None if the feed knows only its date and writes midnight for the time."""
    return fixture.kickoff if fixture.is_kickoff_known else None


_UNKNOWN_DISTANCE = dt.timedelta(days=1)


class PlannedConnection(msgspec.Struct, frozen=True):
    """When to connect, by two clocks of which the first counts.

    The wall clock may be set, and the monotonic one stands still while the machine sleeps. A connection that is made too early
    costs nothing, one that is made too late costs a goal.
    """

    at: dt.datetime
    monotonic: float

    def is_due(self, now: dt.datetime, monotonic: float) -> bool:
        """Return True if one of the clocks has reached it."""
        return now >= self.at or monotonic >= self.monotonic


def select_within_limit(
    due: Sequence[str],
    limit: int | None,
    followed: Collection[str],
    planned: Mapping[str, PlannedConnection],
    is_chosen: Callable[[str], bool],
    now: dt.datetime,
) -> list[str]:
    """Return those of the due matches that may be followed, in their order: at most `limit` with those that are; None: all.

    Matches that chats have chosen come first. Places are kept for those of them that begin while a match would be played,
    since one that is followed is never cut off for another.
    """
    if limit is None:
        return list(due)
    room = max(0, limit - len(followed))
    chosen = [fixture_id for fixture_id in due if is_chosen(fixture_id)]
    known, until = {*due, *followed}, now + LONGEST_MATCH
    soon = sum(plan.at <= until and i not in known and is_chosen(i) for i, plan in planned.items())
    by_choice = set(chosen)
    # Of the rest, what the chosen ones of now and of soon leave.
    others = [fixture_id for fixture_id in due if fixture_id not in by_choice]
    return [*chosen[:room], *others[: max(0, room - len(chosen) - soon)]]
