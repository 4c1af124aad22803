"""The session decides what to do next from frames and instants alone."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bot.feed.decode import Control, ControlKind
from bot.feed.reconnect import FailureCause
from bot.feed.session import MAX_FULL_REREADS, RESUME_OVERLAP, TRANSITIONS, Ending, FeedSession, SessionEvent, SessionState
from rules.football.action import Packet
from tests.packets import Story

ACCEPTED = Control(ControlKind.ACCEPTED)
HEARTBEAT = Control(ControlKind.HEARTBEAT)
REFUSAL = Control(ControlKind.REFUSED, "no")


def make_opened_session() -> FeedSession:
    session = FeedSession(25.0)
    session.on_connecting()
    session.on_opened(0.0)
    return session


def make_live_session(*packets: Packet) -> FeedSession:
    session = make_opened_session()
    session.on_control(ACCEPTED, 0.0)
    for packet in packets:
        session.on_packet(packet, 0.0)
    return session


def foul(seq: int, status: str = "Live", finished: bool = False) -> Packet:
    return replace(Story().packet("Foul", action=f"a{seq}", seq=seq, status=status), is_finished=finished)


def end(seq: int, status: str = "Completed") -> Packet:
    return Story().packet("End Match", action="end", seq=seq, status=status)


def reconnect(session: FeedSession, cause: FailureCause = FailureCause.NETWORK) -> int:
    """Lose the connection and make another; the position asked for."""
    session.on_failure(cause)
    start = session.on_connecting()
    session.on_opened(0.0)
    session.on_control(ACCEPTED, 0.0)
    return start


def test_a_connection_goes_from_connecting_to_live() -> None:
    session = FeedSession(25.0)
    states = [session.state]
    session.on_opened(0.0)
    states.append(session.state)
    session.on_control(ACCEPTED, 0.0)

    assert [*states, session.state] == [SessionState.CONNECTING, SessionState.AUTHORISING, SessionState.LIVE]


@pytest.mark.parametrize("first", [HEARTBEAT, foul(1)])
def test_a_server_that_accepts_without_a_word_is_live_with_its_first_frame(first: Control | Packet) -> None:
    session = make_opened_session()
    _ = session.on_packet(first, 0.0) if isinstance(first, Packet) else session.on_control(first, 0.0)

    assert session.state is SessionState.LIVE


def test_a_refused_token_is_a_refusal_until_the_next_attempt() -> None:
    session = make_opened_session()
    session.on_control(REFUSAL, 0.0)
    session.on_failure(FailureCause.CLOSED)

    assert (session.state, session.failure) == (SessionState.REFUSED, FailureCause.REFUSED)
    session.on_connecting()
    assert session.state is SessionState.CONNECTING


def test_an_error_after_the_token_was_accepted_is_no_refusal() -> None:
    session = make_live_session()
    session.on_control(REFUSAL, 0.0)

    assert (session.state, session.failure) == (SessionState.LIVE, None)


def test_silence_makes_a_connection_stale_and_heartbeats_do_not() -> None:
    session = make_live_session()
    session.on_control(HEARTBEAT, 20.0)

    assert not session.check_stale(44.9)
    assert session.check_stale(45.0)
    assert (session.state, session.failure) == (SessionState.STALE, FailureCause.STALE)


def test_an_unreadable_frame_is_a_sign_of_life() -> None:
    session = make_live_session()
    session.on_unreadable_frame(20.0)

    assert not session.check_stale(44.0)


def test_duplicates_are_dropped() -> None:
    session = make_live_session(foul(1), foul(2))

    assert session.on_packet(foul(2), 0.0) == ()
    assert (session.position, session.duplicates) == (2, 1)


def test_the_same_action_with_another_number_is_no_duplicate() -> None:
    session = make_live_session(Story().packet("Goal", "Pending", "g", seq=1))

    assert session.on_packet(Story().packet("Goal", "Confirmed", "g", seq=2), 0.0)


def test_packets_without_numbers_are_identified_by_their_content() -> None:
    first = replace(foul(1), seq=None)
    session = make_live_session(first)

    assert session.on_packet(first, 0.0) == ()
    assert session.on_packet(replace(first, sub_type="Penalty"), 0.0)


def test_a_connection_resumes_with_an_overlap() -> None:
    session = make_live_session(*(foul(n) for n in range(1, 21)))

    assert reconnect(session) == 20 - RESUME_OVERLAP


def test_reading_everything_again_does_not_move_the_position() -> None:
    session = make_live_session(*(foul(n) for n in range(1, 21)))
    reconnect(session)
    for number in range(1, 22):
        session.on_packet(foul(number), 0.0)

    assert session.position == 21


def test_a_position_beyond_the_list_starts_again_from_0() -> None:
    session = make_live_session(*(foul(n) for n in range(1, 21)))
    reconnect(session)
    session.on_control(HEARTBEAT, 10.0)
    session.on_control(HEARTBEAT, 20.0)

    assert session.failure is FailureCause.REPOSITION
    assert reconnect(session) == 0


def test_a_missing_packet_is_read_again_and_handed_on() -> None:
    session = make_live_session(*(foul(n) for n in range(1, 21) if n != 12))
    session.on_wake(1.0)

    assert (session.failure, session.state) == (FailureCause.GAP, SessionState.WAITING)
    assert reconnect(session) <= 11
    assert session.on_packet(foul(12), 2.0) == (foul(12),)
    assert session.missing == 0


def test_what_could_not_be_had_is_read_again_from_0_when_the_match_is_over() -> None:
    session = make_live_session(foul(6), end(7))

    assert (session.failure, session.ending) == (FailureCause.GAP, None)
    assert reconnect(session, FailureCause.GAP) == 0
    received = [p.seq for n in range(1, 6) for p in session.on_packet(foul(n), 1.0)]
    assert (received, session.ending) == ([1, 2, 3, 4, 5], Ending.COMPLETED)


def test_a_match_that_lacks_numbers_for_good_is_read_again_five_times_and_let_be() -> None:
    session, reads = make_live_session(foul(6), end(7)), 0
    while session.ending is None and reads < 99:
        reads += reconnect(session, FailureCause.GAP) == 0
        for packet in (foul(6), end(7)):
            session.on_packet(packet, 1.0)
        session.on_control(HEARTBEAT, 10.0)

    assert (reads, session.ending) == (MAX_FULL_REREADS, Ending.COMPLETED)


def test_a_server_that_goes_after_the_end_ends_it_even_with_packets_missing() -> None:
    session = make_live_session(foul(1), end(3))
    session.on_wake(1.0)
    for _ in range(22):
        session.on_failure(FailureCause.NETWORK)
        session.on_connecting()

    assert session.ending is Ending.COMPLETED


def test_every_state_but_the_last_can_be_left() -> None:
    assert {before for before, _ in TRANSITIONS} == set(SessionState) - {SessionState.FINISHED}
    assert set(TRANSITIONS.values()) == set(SessionState)
    assert {event for _, event in TRANSITIONS} == set(SessionEvent)


@given(st.integers(0, 10_000), st.floats(0, 0.2), st.integers(0, 3), st.booleans())
def test_whatever_is_dropped_doubled_or_shuffled_everything_is_handed_on_once(
    seed: int, drop: float, reach: int, ignores: bool
) -> None:
    rng, now = random.Random(seed), 0.0
    frames = [*(foul(n) for n in range(1, 40)), end(40)]
    session, received = FeedSession(25.0), list[Packet]()
    for attempt in range(60):
        start = session.on_connecting()
        session.on_opened(now)
        session.on_control(ACCEPTED, now)
        sent = frames[0 if ignores else start :]
        for index in sorted(range(len(sent)), key=lambda i: i + rng.uniform(0, reach)):
            now += 0.1
            if rng.random() >= drop * (attempt < MAX_FULL_REREADS) and session.failure is None and session.ending is None:
                received += session.on_packet(sent[index], now)
        now += 2.0
        received += session.on_wake(now)
        if session.ending:
            break
        received += session.on_failure(FailureCause.CLOSED)
        if session.ending:
            break

    assert sorted(packet.seq or 0 for packet in received) == list(range(1, 41))
    assert session.ending is Ending.COMPLETED


def read_on(session: FeedSession, frames: list[Packet | None], start: int, *, beats: bool = False) -> list[int | None]:
    """What a connection to a server with these frames brings from a position on; None cannot be read, and ends it."""
    read: list[int | None] = []
    for frame in frames[start:]:
        if frame is None:
            return read
        read += [packet.seq for packet in session.on_packet(frame, 0.0)]
    if beats:
        session.on_control(HEARTBEAT, 0.0)
    return read


@pytest.mark.parametrize("bad", [(0,), (4,), (19,), (4, 5), (4, 17), (18, 19)])
def test_a_frame_that_ends_every_connection_is_stepped_over_after_a_few_tries(bad: tuple[int, ...]) -> None:
    frames = [None if index in bad else foul(index + 1) for index in range(20)]
    session, read, starts = make_opened_session(), list[int | None](), [0]
    while session.position < 20 and len(starts) < 20:
        read += read_on(session, frames, starts[-1], beats=True)
        starts.append(reconnect(session, FailureCause.UNREADABLE))
        if starts[-1] >= 20:
            break

    assert read == [number for number in range(1, 21) if number - 1 not in bad]
    assert len(starts) <= 2 + 5 * len(bad)
    assert session.missing == 0
    assert session.on_packet(foul(21), 0.0)


def test_no_connection_begins_before_a_frame_that_was_stepped_over() -> None:
    frames = [None if index == 4 else foul(index + 1) for index in range(12)]
    session = make_opened_session()
    start = 0
    while session.position < 12:
        read_on(session, frames, start)
        start = reconnect(session, FailureCause.UNREADABLE if session.position < 12 else FailureCause.NETWORK)

    assert (start, session.start_position) == (5, 5)


def test_a_restart_whose_overlap_holds_such_a_frame_loses_no_later_one() -> None:
    frames = [None if index == 4 else foul(index + 1) for index in range(12)]
    before, start = make_opened_session(), 0
    while before.position < 8:
        read_on(before, frames[:8], start)
        start = reconnect(before, FailureCause.UNREADABLE)
    session = FeedSession(25.0, before.resume_position)
    start = session.on_connecting()
    session.on_opened(0.0)
    read: list[int | None] = []
    while session.position < 12:
        read += read_on(session, frames, start)
        start = reconnect(session, FailureCause.UNREADABLE)

    assert read == [9, 10, 11, 12]


def test_a_connection_that_begins_behind_what_was_read_may_be_quiet() -> None:
    session = make_opened_session()
    read_on(session, [foul(1), None], 0)
    starts = [reconnect(session, FailureCause.UNREADABLE) for _ in range(4)]
    for _ in range(3):
        session.on_control(HEARTBEAT, 0.0)

    assert (starts, session.failure) == ([0, 0, 1, 2], None)
    assert [packet.seq for packet in session.on_packet(foul(3), 0.0)] == [3]
    assert session.missing == 0
