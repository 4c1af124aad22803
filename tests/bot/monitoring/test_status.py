import datetime as dt

import msgspec

from bot.cluster.processes import ProcessInfo
from bot.config.models import LimitSettings
from bot.feed.session import SessionState
from bot.feed.source import ConnectionStatus
from bot.monitoring.status import (
    render_chats,
    render_connection,
    render_limits,
    render_status,
    render_status_of_processes,
)
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


def test_a_connection_with_gaps_says_how_many_packets_are_missing() -> None:
    one, some = (
        ConnectionStatus("f1", SessionState.LIVE, "wss://feed", KICKOFF, 120, 2, 0, missing, 1, None, None) for missing in (1, 3)
    )

    assert render_connection(one, None, KICKOFF).endswith(", 1 packet missing, 1 unreadable")
    assert render_connection(some, None, KICKOFF).endswith(", 3 packets missing, 1 unreadable")


def test_a_connection_without_a_frame_is_shown_as_such() -> None:
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


def test_connections_that_are_still_open_after_the_end_are_not_counted_as_those_of_due_matches() -> None:
    info = ProcessInfo(("feed",), ("Arsenal v Chelsea: ended",), connected=0, due=0)

    (total, *_) = render_status_of_processes({"a:1": info}, OutboxDepth(0, 0, 0.0, 0)).splitlines()

    assert total == "1 processes, 0 of 0 due matches connected, 0 waiting to be sent"


def test_the_connections_of_a_process_of_0_1_which_does_not_say_which_are_live_are_all_counted() -> None:
    info = msgspec.json.decode(
        b'{"roles": ["feed"], "lines": ["Arsenal v Chelsea: live", "Germany v Italy: live"]}', type=ProcessInfo
    )

    (total, *_) = render_status_of_processes({"a:1": info}, OutboxDepth(0, 0, 0.0, 0)).splitlines()

    assert total == "1 processes, 2 of 2 due matches connected, 0 waiting to be sent"


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
