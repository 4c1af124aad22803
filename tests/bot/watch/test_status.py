import datetime as dt

from bot.feed.session import State
from bot.feed.standing import Status
from bot.watch.status import status_of_all, status_text
from rules.match import Match
from tests.packets import FIXTURE, KICKOFF


def test_each_connection_has_a_line() -> None:
    status = Status("f1", State.LIVE, "wss://feed", KICKOFF, 120, 2, 0, 0, 0, 0.25, 1.5)

    text = status_text([status], lambda _: Match(FIXTURE), 3, 4, KICKOFF + dt.timedelta(seconds=7))

    assert text.splitlines() == [
        "1 connected, 3 planned, 4 waiting to be told",
        "Arsenal v Chelsea: live, last frame 7 s ago, position 120, reconnects 2, lag 250 ms median, 1500 ms p99",
    ]


def test_a_connection_that_heard_nothing_says_so() -> None:
    status = Status("f1", State.WAITING, "wss://feed", None, 0, 0, 0, 0, 0, None, None)

    assert "f1: waiting, no frame yet" in status_text([status], lambda _: None, 0, 0, KICKOFF)


def test_several_processes_stand_below_each_other_with_their_roles() -> None:
    processes = {"b:2": (["send"], []), "a:1": (["chat", "feed"], ["Arsenal v Chelsea: live"])}

    assert status_of_all(processes, 5).splitlines() == [
        "2 processes, 1 connected, 5 waiting to be told",
        "",
        "a:1 (chat, feed)",
        "Arsenal v Chelsea: live",
        "",
        "b:2 (send)",
    ]
