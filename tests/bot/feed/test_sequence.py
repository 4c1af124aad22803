"""Numbers that start again at each connection are shifted to those of the match; numbers of the match stay as they are."""

from __future__ import annotations

import datetime as dt
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bot.feed.reconnect import FailureCause
from bot.feed.sequence import TAIL_LENGTH, Deduplicator, FeedPosition, packet_fingerprint
from bot.feed.session import RESUME_OVERLAP, FeedSession
from rules.football.action import Packet
from tests.bot.feed.test_session import reconnect
from tests.packets import KICKOFF, Story


def make_packets(length: int) -> list[Packet]:
    """Packets as the first connection numbers them, ten seconds apart."""
    return [foul(number) for number in range(1, length + 1)]


def foul(number: int) -> Packet:
    packet = Story().packet("Foul", action=f"a{number}", seq=number)
    return replace(packet, at=KICKOFF + dt.timedelta(seconds=10 * number))


def renumber_from_one(packets: list[Packet]) -> list[Packet]:
    """The same packets as another connection numbers them."""
    return [replace(packet, seq=number) for number, packet in enumerate(packets, start=1)]


def receive(session: FeedSession, packets: list[Packet], now: float = 0.0) -> list[int | None]:
    return [ready.seq for packet in packets for ready in session.on_packet(packet, now)]


def make_session_after(length: int) -> FeedSession:
    """A session that has read so many packets."""
    session = FeedSession(25.0)
    reconnect(session)
    receive(session, make_packets(length))
    return session


def test_numbers_that_begin_anew_go_on_where_the_last_connection_ended() -> None:
    session = make_session_after(40)
    start = reconnect(session)

    assert receive(session, renumber_from_one(make_packets(50)[start:])) == list(range(41, 51))
    assert (session.position, session.duplicates, session.missing) == (50, RESUME_OVERLAP, 0)


@pytest.mark.parametrize("lost", [1, 3, 12])
def test_without_a_repetition_the_position_gives_the_number(lost: int) -> None:
    session = make_session_after(40)
    start = reconnect(session)
    received = receive(session, renumber_from_one(make_packets(60)[start:])[lost:])

    assert received == list(range(max(41, start + lost + 1), 61))


def test_numbers_of_the_match_stay_also_when_all_of_it_is_played_again() -> None:
    session = make_session_after(200)
    reconnect(session)

    assert receive(session, make_packets(205)) == list(range(201, 206))


def test_another_process_goes_on_with_numbers_that_begin_anew() -> None:
    resume_from = make_session_after(40).resume_position
    assert resume_from
    session = FeedSession(25.0, resume_from)
    start = reconnect(session)

    assert receive(session, renumber_from_one(make_packets(50)[start:])) == list(range(41, 51))


def test_another_process_goes_on_with_numbers_of_the_match() -> None:
    resume_from = make_session_after(40).resume_position
    session = FeedSession(25.0, resume_from)
    start = reconnect(session)

    assert receive(session, make_packets(50)[start:]) == list(range(41, 51))
    assert session.position == 50


def test_another_process_is_not_misled_by_a_server_that_plays_everything_again() -> None:
    resume_from = make_session_after(200).resume_position
    session = FeedSession(25.0, resume_from)
    reconnect(session)
    received = receive(session, make_packets(205))

    assert received[-5:] == list(range(201, 206))
    assert received[:-5] == list(range(1, 200 - TAIL_LENGTH + 1))
    assert session.position == 205


@pytest.mark.parametrize("start", [None, 0])
@pytest.mark.parametrize("length", [5, 40, 200])
def test_another_process_knows_packets_without_numbers_again(length: int, start: int | None) -> None:
    packets = [replace(packet, seq=None) for packet in make_packets(length + 5)]
    before = FeedSession(25.0)
    reconnect(before)
    receive(before, packets[:length])
    session = FeedSession(25.0, before.resume_position)
    for _ in range(2):
        begin = reconnect(session) if start is None else start * reconnect(session)
        received = receive(session, packets[begin:length])
        assert (received, session.position) == ([], length)

    delayed = replace(foul(1), seq=None, action_id="offline")
    assert receive(session, [*packets[length:], delayed]) == [None] * 6
    assert session.position == length + 6


def test_another_process_knows_a_packet_whose_number_was_lost_once() -> None:
    packets = make_packets(12)
    packets[9] = replace(packets[9], seq=None)
    before = FeedSession(25.0)
    reconnect(before)
    receive(before, packets)
    session = FeedSession(25.0, FeedPosition(12, 12, before._tracker.tail))
    reconnect(session)

    assert receive(session, packets[4:]) == []


def test_there_is_no_resume_position_while_a_packet_waits_for_another() -> None:
    session = make_session_after(10)
    receive(session, [foul(12)])
    assert session.resume_position is None

    receive(session, [foul(11)])
    assert session.resume_position and session.resume_position.position == 12


def test_a_resume_position_is_small_and_the_same_in_every_process() -> None:
    resume_from = make_session_after(500).resume_position

    assert resume_from and len(resume_from.tail) == TAIL_LENGTH
    at = foul(7).at.timestamp()
    assert packet_fingerprint(foul(7), at) == packet_fingerprint(replace(foul(7), seq=99), at) == 4506150591586775860


@given(st.integers(0, 10_000), st.integers(0, 3), st.integers(20, 120))
def test_however_often_numbers_start_again_everything_is_handed_on_once_and_in_order(seed: int, reach: int, length: int) -> None:
    rng, now = random.Random(seed), 0.0
    packets, session, received = make_packets(length), FeedSession(25.0), list[int | None]()
    for _ in range(8):
        start = reconnect(session)
        sent = renumber_from_one(packets[start:])
        until = rng.randrange(len(sent) + 1) if sent else 0
        for index in sorted(range(until), key=lambda i: i + rng.uniform(0, reach)):
            now += 0.1
            received += receive(session, [sent[index]], now)
        received += [packet.seq for packet in session.on_failure(FailureCause.NETWORK)]
    start = reconnect(session)
    received += receive(session, renumber_from_one(packets[start:]), now)

    assert sorted(seq or 0 for seq in received) == list(range(1, length + 1))


@given(st.lists(st.tuples(st.none() | st.integers(0, 9) | st.sampled_from([4_000, 9_000]), st.sampled_from("abc"))))
def test_a_packet_is_new_once_wherever_it_is_kept(arrivals: list[tuple[int | None, str]]) -> None:
    deduplicator = Deduplicator()
    read: set[tuple[int | None, str]] = set()
    for seq, action in arrivals:
        packet = replace(foul(1), seq=seq, action_id=action)
        assert (packet in deduplicator) is ((seq, action) in read)
        assert deduplicator.add(packet) is ((seq, action) not in read)
        read.add((seq, action))
