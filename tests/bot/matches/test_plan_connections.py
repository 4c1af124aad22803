import datetime as dt

import msgspec
import pytest

from bot.matches.schedule import plan_connections
from bot.subscribers import Scope, Subscription, make_name_key
from tests.packets import FIXTURE, KICKOFF

LEAD = dt.timedelta(minutes=15)
EVERYTHING = [Subscription(Scope.ALL)]


def at(minutes: float) -> dt.datetime:
    """So many minutes after kick-off."""
    return KICKOFF + dt.timedelta(minutes=minutes)


def test_a_fixture_is_connected_shortly_before_its_kick_off() -> None:
    assert plan_connections([FIXTURE], EVERYTHING, at(-300), LEAD) == {"f1": at(-15)}


@pytest.mark.parametrize("minutes", [-10, 0, 50, 200])
def test_a_kick_off_that_has_passed_means_now(minutes: int) -> None:
    assert plan_connections([FIXTURE], EVERYTHING, at(minutes), LEAD) == {"f1": at(minutes)}


@pytest.mark.parametrize("status", ["Completed", "cancelled", "Abandoned", "Postponed"])
def test_what_is_over_is_not_connected(status: str) -> None:
    assert plan_connections([msgspec.structs.replace(FIXTURE, status=status)], EVERYTHING, at(0), LEAD) == {}


def test_a_live_match_is_connected_whatever_its_kick_off_says() -> None:
    early = msgspec.structs.replace(FIXTURE, status="Live", kickoff=None)

    assert plan_connections([early], EVERYTHING, at(-600), LEAD) == {"f1": at(-600)}


def test_a_deleted_fixture_is_left_out() -> None:
    assert plan_connections([msgspec.structs.replace(FIXTURE, is_deleted=True)], EVERYTHING, at(0), LEAD) == {}


@pytest.mark.parametrize(
    ("subscription", "follows"),
    [
        (Subscription(Scope.TEAM, "h"), True),
        (Subscription(Scope.TEAM, make_name_key("ARSENAL")), True),
        (Subscription(Scope.TEAM, make_name_key("Tottenham")), False),
        (Subscription(Scope.COMPETITION, make_name_key("premier league")), True),
        (Subscription(Scope.MATCH, "f1"), True),
        (Subscription(Scope.MATCH, make_name_key("Arsenal v Chelsea")), True),
        (Subscription(Scope.MATCH, "f2"), False),
    ],
)
def test_a_fixture_is_followed_when_a_subscription_covers_it(subscription: Subscription, follows: bool) -> None:
    assert bool(plan_connections([FIXTURE], [subscription], at(0), LEAD)) is follows
