"""When a match is over by what its stream says, and how long it is read on."""

from __future__ import annotations

import datetime as dt

import pytest
from msgspec.structs import replace

from bot.feed.match_end import MAX_READ_AFTER_END, MIN_READ_AFTER_END
from bot.feed.reconnect import FailureCause
from bot.feed.reorder import REORDER_WAIT
from bot.feed.session import Ending, FeedSession, SessionState
from rules.football.action import Packet, SendType
from tests.bot.feed.test_session import HEARTBEAT, end, foul, make_live_session, reconnect
from tests.packets import Story, with_collection_status


def test_end_match_with_a_completed_summary_is_the_end() -> None:
    session = make_live_session(foul(1), end(2))

    assert (session.ending, session.state) == (Ending.COMPLETED, SessionState.FINISHED)


def test_a_pending_end_or_one_that_is_not_completed_is_not_the_end() -> None:
    assert make_live_session(foul(1), end(2, status="Live")).ending is None
    assert make_live_session(Story().packet("End Match", "Pending", status="Completed")).ending is None


def test_the_end_waits_for_what_is_missing_before_it() -> None:
    session = make_live_session(foul(1), end(3))
    assert session.ending is None

    session.on_packet(foul(2), 0.5)
    assert session.ending is Ending.COMPLETED


def test_completed_without_an_end_match_is_the_end_when_the_server_closes() -> None:
    session = make_live_session(foul(1, status="Completed"))
    assert session.ending is None

    session.on_failure(FailureCause.CLOSED)
    assert session.ending is Ending.COMPLETED


def test_completed_and_finished_is_the_end_at_the_next_heartbeat() -> None:
    session = make_live_session(foul(1, status="Completed", finished=True))
    session.on_control(HEARTBEAT, 10.0)

    assert session.ending is Ending.COMPLETED


def test_completed_alone_is_the_end_after_five_minutes() -> None:
    session = make_live_session(foul(1, status="Completed"))
    session.on_control(HEARTBEAT, 10.0)
    assert session.ending is None

    session.on_control(HEARTBEAT, 301.0)
    assert session.ending is Ending.COMPLETED


def test_a_bare_finished_is_never_the_end() -> None:
    session = make_live_session(foul(1, status="Live", finished=True))
    session.on_control(HEARTBEAT, 10_000.0)
    session.on_failure(FailureCause.CLOSED)

    assert session.ending is None


def test_a_dropped_match_is_lost_and_not_completed() -> None:
    session = make_live_session(foul(1, status="Unverified", finished=True))
    session.on_failure(FailureCause.CLOSED)

    assert session.ending is Ending.LOST


def test_a_dropped_match_whose_server_is_gone_is_lost() -> None:
    session = make_live_session(foul(1, status="Unverified", finished=True))
    for _ in range(7):
        session.on_failure(FailureCause.NOT_OPEN)
        session.on_connecting()

    assert session.ending is Ending.LOST


def test_a_late_packet_does_not_reopen_a_match() -> None:
    session = make_live_session(foul(1), foul(3, status="Completed"))
    session.on_packet(foul(2, status="Live"), 0.0)
    session.on_failure(FailureCause.CLOSED)

    assert session.ending is Ending.COMPLETED


def test_an_end_match_that_comes_late_is_the_end() -> None:
    session = make_live_session(foul(1))
    session.on_packet(foul(3, status="Completed"), 0.0)
    assert session.on_wake(REORDER_WAIT) and session.ending is None

    reconnect(session, FailureCause.GAP)
    session.on_packet(end(2), REORDER_WAIT)
    assert session.ending is Ending.COMPLETED


def make_post_match_session(*packets: Packet) -> FeedSession:
    """A session that reads on after the end."""
    session = FeedSession(25.0, reads_post_match=True)
    session.on_connecting()
    session.on_opened(0.0)
    for packet in packets:
        session.on_packet(packet, 0.0, packet.at)
    return session


def test_a_match_is_read_on_after_its_end_and_not_for_ever() -> None:
    session = make_post_match_session(foul(1), end(2))
    assert (session.is_match_over, session.ending) == (True, None)

    for now in range(10, 3600, 10):
        session.on_control(HEARTBEAT, now)
        assert session.ending is None
    session.on_control(HEARTBEAT, MAX_READ_AFTER_END)
    assert session.ending is Ending.COMPLETED


@pytest.mark.parametrize("word", ["CollectionCompleted", "PostMatchChecked", "CollectionDropped"])
def test_a_match_that_is_not_collected_any_more_is_read_on_for_ten_minutes(word: str) -> None:
    session = make_post_match_session(foul(1), with_collection_status(end(2), word))
    session.on_control(HEARTBEAT, MIN_READ_AFTER_END - 1)
    assert session.ending is None

    session.on_control(HEARTBEAT, MIN_READ_AFTER_END)
    assert session.ending is Ending.COMPLETED


def test_the_time_after_the_end_counts_from_the_end_and_not_from_when_it_was_read() -> None:
    session, late = FeedSession(25.0, reads_post_match=True), end(2)
    session.on_connecting()
    session.on_opened(0.0)
    session.on_packet(foul(1), 0.0, late.at)
    session.on_packet(late, 0.0, late.at + dt.timedelta(seconds=MAX_READ_AFTER_END))
    session.on_control(HEARTBEAT, 1.0)

    assert session.ending is Ending.COMPLETED


def test_an_end_that_is_taken_back_reopens_the_match() -> None:
    session = make_post_match_session(foul(1), end(2), replace(end(3, status="Live"), send_type=SendType.DELETED))
    assert (session.is_match_over, session.is_ended) == (False, False)

    session.on_control(HEARTBEAT, 2 * MAX_READ_AFTER_END)
    session.on_packet(replace(end(4), action_id="end2"), 2 * MAX_READ_AFTER_END)
    assert (session.is_match_over, session.ending) == (True, None)


def test_an_end_that_is_taken_back_late_reopens_the_match() -> None:
    session = make_post_match_session(foul(1), end(2))
    assert session.is_match_over

    session.on_packet(foul(4), 0.0)
    session.on_wake(REORDER_WAIT)
    session.on_packet(replace(end(3, status="Live"), send_type=SendType.DELETED), REORDER_WAIT)
    assert (session.is_match_over, session.is_ended, session.is_reopened) == (False, False, True)


def test_an_end_that_comes_after_its_own_retraction_is_no_end() -> None:
    session = make_post_match_session(foul(1))
    session.on_packet(replace(end(3, status="Live"), send_type=SendType.DELETED), 0.0)
    session.on_wake(REORDER_WAIT)
    session.on_packet(end(2), REORDER_WAIT)

    assert (session.is_match_over, session.is_ended) == (False, False)


def test_an_end_that_is_taken_back_while_the_status_stays_is_the_end_after_five_minutes() -> None:
    session = make_post_match_session(foul(1), end(2), replace(end(3), send_type=SendType.DELETED, is_finished=True))
    session.on_control(HEARTBEAT, 10.0)
    assert not session.is_match_over

    session.on_control(HEARTBEAT, 301.0)
    assert session.is_match_over


def test_a_correction_that_says_live_does_not_reopen_a_match_whose_end_stands() -> None:
    session = make_post_match_session(foul(1), end(2), foul(3))
    assert session.is_match_over

    session.on_control(HEARTBEAT, MAX_READ_AFTER_END)
    assert session.ending is Ending.COMPLETED


def test_a_server_that_closes_after_the_end_is_asked_again_until_the_time_is_over() -> None:
    session = make_post_match_session(foul(1), end(2))
    for now in range(60, int(MAX_READ_AFTER_END), 60):
        session.on_failure(FailureCause.CLOSED, now)
        assert session.ending is None
        session.on_connecting()
    session.on_failure(FailureCause.NOT_OPEN, MAX_READ_AFTER_END)

    assert session.ending is Ending.COMPLETED


def test_an_earlier_process_has_seen_the_end() -> None:
    session = FeedSession(25.0, reads_post_match=True, ended_at=-100.0)
    session.on_connecting()
    session.on_opened(0.0)
    session.on_control(HEARTBEAT, MIN_READ_AFTER_END - 101)
    assert (session.is_match_over, session.ending) == (True, None)

    session.on_control(HEARTBEAT, MIN_READ_AFTER_END - 100)
    assert session.ending is Ending.COMPLETED
