"""Numbers that begin anew with each connection are moved to where they belong; numbers of the match stay as they are."""

from __future__ import annotations

import datetime as dt
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bot.feed.decode import Control, ControlKind
from bot.feed.reconnect import FailureCause
from bot.feed.sequence import TAIL_LENGTH, packet_fingerprint
from bot.feed.session import RESUME_OVERLAP, FeedSession
from rules.football.action import Packet
from tests.packets import KICKOFF, Story

ACCEPTED = Control(ControlKind.ACCEPTED)


def match(length: int) -> list[Packet]:
    """Packets as the first connection numbers them, ten seconds apart."""
    return [foul(number) for number in range(1, length + 1)]


def foul(number: int) -> Packet:
    packet = Story().packet("Foul", action=f"a{number}", seq=number)
    return replace(packet, at=KICKOFF + dt.timedelta(seconds=10 * number))


def anew(packets: list[Packet]) -> list[Packet]:
    """The same packets as another connection numbers them."""
    return [replace(packet, seq=place) for place, packet in enumerate(packets, start=1)]


def connected(session: FeedSession, trouble: FailureCause = FailureCause.NETWORK) -> int:
    session.on_failure(trouble)
    start = session.on_connecting()
    session.on_opened(0.0)
    session.on_control(ACCEPTED, 0.0)
    return start


def heard(session: FeedSession, packets: list[Packet], now: float = 0.0) -> list[int | None]:
    return [ready.seq for packet in packets for ready in session.on_packet(packet, now)]


def followed(length: int) -> FeedSession:
    """A session that has read so many packets."""
    session = FeedSession(25.0)
    connected(session)
    heard(session, match(length))
    return session


def test_numbers_that_begin_anew_go_on_where_the_last_connection_ended() -> None:
    session = followed(40)
    start = connected(session)

    assert heard(session, anew(match(50)[start:])) == list(range(41, 51))
    assert (session.position, session.duplicates, session.missing) == (50, RESUME_OVERLAP, 0)


@pytest.mark.parametrize("lost", [1, 3, 12])
def test_where_the_repetition_is_lost_the_position_tells_the_number(lost: int) -> None:
    session = followed(40)
    start = connected(session)
    told = heard(session, anew(match(60)[start:])[lost:])

    assert told == list(range(max(41, start + lost + 1), 61))


def test_numbers_of_the_match_stay_also_when_all_of_it_is_played_again() -> None:
    session = followed(200)
    connected(session)

    assert heard(session, match(205)) == list(range(201, 206))


def test_another_process_goes_on_with_numbers_that_begin_anew() -> None:
    place = followed(40).resume_position
    assert place
    session = FeedSession(25.0, place)
    start = connected(session)

    assert heard(session, anew(match(50)[start:])) == list(range(41, 51))


def test_another_process_goes_on_with_numbers_of_the_match() -> None:
    place = followed(40).resume_position
    session = FeedSession(25.0, place)
    start = connected(session)

    assert heard(session, match(50)[start:]) == list(range(41, 51))
    assert session.position == 50


def test_another_process_is_not_misled_by_a_server_that_plays_everything_again() -> None:
    place = followed(200).resume_position
    session = FeedSession(25.0, place)
    connected(session)
    told = heard(session, match(205))

    assert told[-5:] == list(range(201, 206))
    assert told[:-5] == list(range(1, 200 - TAIL_LENGTH + 1))
    assert session.position == 205


def test_a_place_is_not_kept_while_a_packet_waits_for_another() -> None:
    session = followed(10)
    heard(session, [foul(12)])
    assert session.resume_position is None

    heard(session, [foul(11)])
    assert session.resume_position and session.resume_position.position == 12


def test_a_place_is_small_and_the_same_in_every_process() -> None:
    place = followed(500).resume_position

    assert place and len(place.tail) == TAIL_LENGTH
    assert packet_fingerprint(foul(7)) == packet_fingerprint(replace(foul(7), seq=99)) == 4506150591586775860


@given(st.integers(0, 10_000), st.integers(0, 3), st.integers(20, 120))
def test_however_often_numbers_begin_anew_everything_is_told_once_and_in_order(seed: int, reach: int, length: int) -> None:
    chance, now = random.Random(seed), 0.0
    packets, session, told = match(length), FeedSession(25.0), list[int | None]()
    for _ in range(8):
        start = connected(session)
        sent = anew(packets[start:])
        until = chance.randrange(len(sent) + 1) if sent else 0
        for place in sorted(range(until), key=lambda i: i + chance.uniform(0, reach)):
            now += 0.1
            told += heard(session, [sent[place]], now)
        told += [packet.seq for packet in session.on_failure(FailureCause.NETWORK)]
    start = connected(session)
    told += heard(session, anew(packets[start:]), now)

    assert sorted(seq or 0 for seq in told) == list(range(1, length + 1))
