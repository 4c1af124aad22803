import datetime as dt

from bot.cluster.lease_manager import ProcessInfo
from bot.feed.session import SessionState
from bot.feed.source import ConnectionStatus
from bot.monitoring.monitor import render_connection, render_status, render_status_of_processes
from rules.football.match import Match
from tests.packets import FIXTURE, KICKOFF


def test_each_connection_has_a_line() -> None:
    status = ConnectionStatus("f1", SessionState.LIVE, "wss://feed", KICKOFF, 120, 2, 0, 0, 0, 0.25, 1.5)

    line = render_connection(status, Match(FIXTURE), KICKOFF + dt.timedelta(seconds=7))

    assert render_status([line], 3, 4).splitlines() == [
        "1 connected, 3 planned, 4 waiting to be sent",
        "Arsenal v Chelsea: live, last frame 7 s ago, position 120, reconnects 2, lag 250 ms median, 1500 ms p99",
    ]


def test_a_connection_that_heard_nothing_says_so() -> None:
    status = ConnectionStatus("f1", SessionState.WAITING, "wss://feed", None, 0, 0, 0, 0, 0, None, None)

    assert "f1: waiting, no frame yet" in render_connection(status, None, KICKOFF)


def test_several_processes_stand_below_each_other_with_their_roles() -> None:
    processes = {"b:2": ProcessInfo(("send",)), "a:1": ProcessInfo(("chat", "feed"), ("Arsenal v Chelsea: live",))}

    assert render_status_of_processes(processes, 5).splitlines() == [
        "2 processes, 1 connected, 5 waiting to be sent",
        "",
        "a:1 (chat, feed)",
        "Arsenal v Chelsea: live",
        "",
        "b:2 (send)",
    ]
