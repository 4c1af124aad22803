import datetime as dt

import msgspec
import pytest

from bot.schedule.plan import plan
from bot.store.model import Scope, Subscription, named
from tests.packets import FIXTURE, KICKOFF

LEAD = dt.timedelta(minutes=15)
EVERYTHING = [Subscription(Scope.ALL)]


def at(minutes: float) -> dt.datetime:
    """So many minutes after kick-off."""
    return KICKOFF + dt.timedelta(minutes=minutes)


def test_a_fixture_is_connected_shortly_before_its_kick_off() -> None:
    assert plan([FIXTURE], EVERYTHING, at(-300), LEAD) == {"f1": at(-15)}


@pytest.mark.parametrize("minutes", [-10, 0, 50, 200])
def test_a_kick_off_that_has_passed_means_now(minutes: int) -> None:
    assert plan([FIXTURE], EVERYTHING, at(minutes), LEAD) == {"f1": at(minutes)}


@pytest.mark.parametrize("status", ["Completed", "cancelled", "Abandoned", "Postponed"])
def test_what_is_over_is_not_connected(status: str) -> None:
    assert plan([msgspec.structs.replace(FIXTURE, status=status)], EVERYTHING, at(0), LEAD) == {}


def test_a_live_match_is_connected_whatever_its_kick_off_says() -> None:
    early = msgspec.structs.replace(FIXTURE, status="Live", kickoff=None)

    assert plan([early], EVERYTHING, at(-600), LEAD) == {"f1": at(-600)}


def test_a_deleted_fixture_is_left_out() -> None:
    assert plan([msgspec.structs.replace(FIXTURE, deleted=True)], EVERYTHING, at(0), LEAD) == {}


@pytest.mark.parametrize(
    ("subscription", "follows"),
    [
        (Subscription(Scope.TEAM, "h"), True),
        (Subscription(Scope.TEAM, named("ARSENAL")), True),
        (Subscription(Scope.TEAM, named("Tottenham")), False),
        (Subscription(Scope.COMPETITION, named("premier league")), True),
        (Subscription(Scope.MATCH, "f1"), True),
        (Subscription(Scope.MATCH, named("Arsenal v Chelsea")), True),
        (Subscription(Scope.MATCH, "f2"), False),
    ],
)
def test_a_fixture_is_followed_when_a_subscription_covers_it(subscription: Subscription, follows: bool) -> None:
    assert bool(plan([FIXTURE], [subscription], at(0), LEAD)) is follows
