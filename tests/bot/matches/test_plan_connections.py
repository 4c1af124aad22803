import datetime as dt

import msgspec
import pytest

from bot.matches.connection_plan import plan_connections
from bot.subscribers import Scope, Subscription, list_subscription_keys, make_name_key
from rules.football.action import Fixture, Team
from tests.packets import FIXTURE, KICKOFF

LEAD = dt.timedelta(minutes=15)
EVERYTHING = [Subscription(Scope.ALL)]


def test_what_somebody_chose_and_what_is_near_to_its_kick_off_is_connected_first() -> None:
    def fixture(name: str, minutes: float) -> Fixture:
        return msgspec.structs.replace(FIXTURE, id=name, home=Team(name, name), kickoff=at(minutes))

    crowd = [fixture("long ago", -100), fixture("soon", 10), fixture("just now", -2), fixture("mine", -50), fixture("later", 90)]
    wanted = [*EVERYTHING, Subscription(Scope.TEAM, "mine")]

    assert list(plan_connections(crowd, wanted, at(0), LEAD)) == ["mine", "just now", "soon", "long ago", "later"]


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
    assert subscription.covers(FIXTURE) is follows


@pytest.mark.parametrize("scope", Scope)
@pytest.mark.parametrize("key", ["", "~", "h", "~arsenal", "c", "f1", "~arsenal v chelsea"])
@pytest.mark.parametrize("fixture", [FIXTURE, Fixture("f1"), Fixture("f1", home=Team("", "Arsenal"))])
def test_a_subscription_covers_what_its_key_is_listed_for(scope: Scope, key: str, fixture: Fixture) -> None:
    assert Subscription(scope, key).covers(fixture) is ((scope, key) in list_subscription_keys(fixture))
