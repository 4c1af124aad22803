import datetime as dt

from bot.clock import ManualClock
from bot.cluster.processes import ProcessInfo
from bot.config.models import LimitSettings
from bot.feed.session import SessionState
from bot.feed.source import ConnectionStatus
from bot.metrics import installed_version
from bot.monitoring.monitor import (
    render_chats,
    render_connection,
    render_limits,
    render_status,
    render_status_of_processes,
)
from bot.monitoring.traffic import HourlyTraffic
from bot.outbox.depth import OutboxDepth
from bot.storage.chats import ChatCounts, ChatRepository, count_chats
from bot.storage.database import Database
from bot.storage.subscriptions import SubscriptionRepository
from bot.subscribers import Chat, ChatRef, Scope, Subscription
from rules.football.match import Match
from tests.packets import FIXTURE, KICKOFF


def test_each_connection_has_a_line() -> None:
    status = ConnectionStatus("f1", SessionState.LIVE, "wss://feed", KICKOFF, 120, 2, 0, 0, 0, 0.25, 1.5)

    line = render_connection(status, Match(FIXTURE), KICKOFF + dt.timedelta(seconds=7))

    assert render_status([line], 1, 2, 3, OutboxDepth(4, 4, 0.0, 0)).splitlines() == [
        "1 of 2 due matches connected, 3 planned, 4 waiting to be sent",
        "Arsenal v Chelsea: live, last frame 7 s ago, position 120, reconnects 2, lag 250 ms median, 1500 ms p99",
    ]


def test_a_connection_that_heard_nothing_says_so() -> None:
    status = ConnectionStatus("f1", SessionState.WAITING, "wss://feed", None, 0, 0, 0, 0, 0, None, None)

    assert "f1: waiting, no frame yet" in render_connection(status, None, KICKOFF)


def test_several_processes_stand_below_each_other_with_their_roles() -> None:
    processes = {
        "b:2": ProcessInfo(("send",), (), "Touchline 9, up 2 min"),
        "a:1": ProcessInfo(("chat", "feed"), ("Arsenal v Chelsea: live",), connected=1, due=2),
    }

    assert render_status_of_processes(processes, OutboxDepth(5, 5, 0.0, 0)).splitlines() == [
        "2 processes, 1 of 2 due matches connected, 5 waiting to be sent",
        "",
        "a:1 (chat, feed)",
        "Arsenal v Chelsea: live",
        "",
        "b:2 (send)",
        "Touchline 9, up 2 min",
    ]


def test_the_traffic_of_the_last_hour_is_counted_and_measured() -> None:
    clock = ManualClock(KICKOFF)
    traffic, version = HourlyTraffic(clock), installed_version()
    for number in range(100):
        traffic.add(float(number), is_edit=False)
    clock.move_to(KICKOFF + dt.timedelta(minutes=30))
    traffic.add(900.0, is_edit=True)
    traffic.add(None, is_edit=False)
    begun = traffic.describe()
    clock.move_to(KICKOFF + dt.timedelta(minutes=80))
    later = traffic.describe()
    clock.move_to(KICKOFF + dt.timedelta(hours=26))

    assert begun == f"Touchline {version}, up 30 min: 101 messages and 1 edits since the start, lag 50 ms median, 99 ms p99"
    assert later == (
        f"Touchline {version}, up 1 h 20 min: 1 messages and 1 edits in the last hour, lag 900 ms median, 900 ms p99"
    )
    assert traffic.describe() == f"Touchline {version}, up 1 d 2 h: 0 messages and 0 edits in the last hour"


async def test_chats_are_counted(db: Database) -> None:
    chats, subscriptions = ChatRepository(db), SubscriptionRepository(db)
    for number in (1, 2, 3):
        await chats.save(Chat(ChatRef(number)))
    await subscriptions.add(ChatRef(1), Subscription(Scope.ALL))
    await subscriptions.add(ChatRef(1), Subscription(Scope.TEAM, "t", "Arsenal"))
    await subscriptions.add(ChatRef(3), Subscription(Scope.ALL))
    await chats.suspend(3, "blocked")

    async with db.transaction() as tx:
        counts = await count_chats(tx)

    assert counts == ChatCounts(active=2, following=1, suspended=1)
    assert render_chats(counts) == "2 chats, 1 of them follow something, 1 more gone or blocked"


def test_the_limits_are_one_line_with_what_is_used_of_them() -> None:
    default, some = LimitSettings(), LimitSettings(matches=50, subscriptions_per_chat=20)

    assert render_limits(default, None, 3, 0) == "limits: every chat, 200 subscriptions per chat, all matches"
    assert (
        render_limits(some, ["1", "@a"], 50, 4)
        == "limits: 2 chats and the admins, 20 subscriptions per chat, 50 matches at a time (50 now, 4 wait)"
    )
    # A process that only answers people does not know how many are followed.
    assert render_limits(some, None, None, 0).endswith("50 matches at a time")
