"""Faults are the same for the same seed, and no worse than configured."""

from __future__ import annotations

import itertools

import msgspec
import pytest

from bot.errors import FrameUnreadable
from bot.feed.decode import decode_frame
from bot.feed.encode import encode_packet
from bot.feed.simulator.faults import OVERSIZE, Faults
from bot.feed.simulator.script import ScheduledFrame
from rules.football.action import Packet
from tests.packets import Story

FRAMES = [ScheduledFrame(float(number), b"%d" % number) for number in range(1000)]


def sent(faults: Faults, connection: int = 0) -> list[ScheduledFrame]:
    return faults.for_connection("f1", connection).apply(FRAMES)


def test_a_good_day_changes_nothing() -> None:
    assert sent(Faults()) == FRAMES
    assert Faults().for_connection("f1", 0).choose_refusal() is None
    assert Faults().for_connection("f1", 0).choose_start(7) == 7


def test_the_same_seed_gives_the_same_day_and_each_connection_its_own() -> None:
    faults = Faults(drop=0.1, duplicate=0.1, garbage=0.1, stall=30.0, reorder=3)

    assert sent(faults) == sent(faults)
    assert sent(faults) != sent(faults, 1)
    assert sent(faults) != sent(msgspec.structs.replace(faults, seed=2))


def test_frames_are_dropped_and_doubled_about_as_often_as_asked() -> None:
    assert 850 < len(sent(Faults(drop=0.1))) < 950
    assert 1050 < len(sent(Faults(duplicate=0.1))) < 1150


def test_garbage_is_no_packet() -> None:
    junk = {scheduled.frame for scheduled in sent(Faults(garbage=0.5))} - {scheduled.frame for scheduled in FRAMES}

    assert junk
    for frame in junk:
        with pytest.raises(FrameUnreadable):
            decode_frame(frame)


def test_frames_come_at_most_so_many_places_late_and_time_never_runs_back() -> None:
    shuffled = sent(Faults(reorder=3))
    places = [int(scheduled.frame) for scheduled in shuffled]

    assert places != sorted(places)
    assert all(max(places[: at + 1]) - place <= 3 for at, place in enumerate(places))
    assert all(earlier.due <= later.due for earlier, later in itertools.pairwise(shuffled))


def test_some_connections_stall_and_some_are_refused() -> None:
    faults = Faults(stall=30.0, refuse=(503, 429))
    stalls = [sum(scheduled.pause for scheduled in sent(faults, connection)) for connection in range(20)]
    refusals = {faults.for_connection("f1", connection).choose_refusal() for connection in range(50)}

    assert set(stalls) == {0.0, 30.0}
    assert refusals == {None, 503, 429}


def test_the_same_frames_are_too_large_on_every_connection() -> None:
    frames = [ScheduledFrame(0.0, b'{"number":%d}' % number) for number in range(100)]
    faults = Faults(oversize=0.03)
    sent = [[len(one.frame) > OVERSIZE for one in faults.for_connection("f1", n).apply(frames)] for n in range(2)]

    assert sent[0] == sent[1]
    assert 0 < sum(sent[0]) < 10


def test_a_spoilt_frame_can_be_read_but_not_by_strict_readers() -> None:
    frame = encode_packet(Story().packet("Goal", side="home", player="Saka"))
    (sent,) = Faults(spoil=1.0).for_connection("f1", 0).apply([ScheduledFrame(0.0, frame)])
    read = decode_frame(sent.frame)

    with pytest.raises(msgspec.DecodeError):
        msgspec.json.decode(sent.frame)
    assert isinstance(read, Packet) and read.player and read.player.name == "\ufffdSaka"
