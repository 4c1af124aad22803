"""Packets come out in the order of their numbers; a missing number is requested again, but not for ever."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bot.feed.reorder import GAP_PROBE_INTERVAL, MAX_GAP_REQUESTS, MAX_REWINDS_PER_MINUTE, REORDER_WAIT, Reorderer
from rules.football.action import Packet
from tests.packets import Story


def packet(seq: int) -> Packet:
    return Story().packet("Foul", action=f"a{seq}", seq=seq)


def add(reorderer: Reorderer, *seqs: int, now: float = 0.0) -> list[int | None]:
    """Add packets with these numbers; return the numbers of those that are released."""
    return [p.seq for position, seq in enumerate(seqs, start=1) for p in reorderer.add(packet(seq), position, now)]


def seqs(packets: Iterable[Packet]) -> list[int | None]:
    return [p.seq for p in packets]


def test_packets_in_order_pass_at_once() -> None:
    assert add(Reorderer(), 1, 2, 3) == [1, 2, 3]


def test_a_packet_before_an_earlier_one_waits_for_it() -> None:
    reorderer = Reorderer()

    assert add(reorderer, 1, 3) == [1]
    assert seqs(reorderer.add(packet(2), 3, 0.1)) == [2, 3]
    assert (reorderer.missing, reorderer.should_rewind(9.0)) == (0, False)


def test_a_packet_waits_no_longer_than_a_second() -> None:
    reorderer = Reorderer()
    add(reorderer, 1, 3)

    assert reorderer.wake_at == REORDER_WAIT
    assert seqs(reorderer.release(REORDER_WAIT)) == [3]


def test_a_packet_waits_for_no_more_than_three_others() -> None:
    assert add(Reorderer(), 1, 3, 4, 5, 6) == [1, 3, 4, 5, 6]


def test_a_packet_that_comes_too_late_passes_at_once() -> None:
    reorderer = Reorderer()
    add(reorderer, 1, 3, 4, 5, 6)

    assert seqs(reorderer.add(packet(2), 6, 0.5)) == [2]


def test_a_packet_without_a_number_passes_at_once() -> None:
    reorderer = Reorderer()
    add(reorderer, 1, 3)

    assert seqs(reorderer.add(replace(packet(9), seq=None), 3, 0.0)) == [None]


def test_a_missing_number_is_asked_for_again_from_where_it_was_missed() -> None:
    reorderer = Reorderer()
    add(reorderer, 1, 2, 4)

    assert not reorderer.should_rewind(0.5)
    assert reorderer.should_rewind(REORDER_WAIT)
    assert reorderer.rewind_to == 2


def test_a_number_that_cannot_be_had_is_given_up() -> None:
    reorderer = Reorderer()
    add(reorderer, 1, 3)
    rewinds = 0
    for now in range(1, 20):
        rewinds += reorderer.should_rewind(float(2 * now))
        reorderer.rearm_gaps_before(packet(3), float(2 * now))

    reorderer.release(99.0)

    assert (rewinds, reorderer.is_waiting, reorderer.missing) == (MAX_GAP_REQUESTS, False, 1)


def test_a_feed_that_leaves_numbers_out_is_not_asked_for_ever() -> None:
    reorderer = Reorderer()
    rewinds, now = 0, 0.0
    for number in range(1, 100, 2):
        reorderer.add(packet(number), number, now)
        for _ in range(5):
            now += 2 * REORDER_WAIT
            rewinds += reorderer.should_rewind(now)
            reorderer.rearm_gaps_before(packet(number), now)

    assert rewinds <= 4 * MAX_GAP_REQUESTS


def make_reorderer_without(*numbers: int) -> Reorderer:
    """Numbers that were asked for as often as they are, in vain: one after the other, each before the next packet."""
    reorderer, now = Reorderer(), 0.0
    add(reorderer, 1)
    for number in numbers:
        reorderer.add(packet(number + 1), number, now)
        for _ in range(MAX_GAP_REQUESTS + 1):
            now += 30.0
            reorderer.should_rewind(now)
            reorderer.rearm_gaps_before(packet(number + 1), now)
            now += 30.0
    return reorderer


def test_numbers_that_never_come_do_not_stop_the_repair_of_others() -> None:
    reorderer = make_reorderer_without(2, 4)
    reorderer.add(packet(7), 4, 5000.0)

    assert reorderer.add(packet(8), 5, 5000.0) == ()
    assert reorderer.should_rewind(5000.0 + REORDER_WAIT)


def test_what_was_given_up_is_asked_for_later_all_together() -> None:
    reorderer = make_reorderer_without(2, 4, 6, 8)

    assert reorderer.should_rewind(9000.0)
    assert reorderer.rewind_to == 1
    assert not reorderer.should_rewind(9000.0 + GAP_PROBE_INTERVAL)


def test_a_number_that_comes_after_all_makes_packets_wait_again() -> None:
    reorderer = make_reorderer_without(2, 4, 6, 8)
    reorderer.add(packet(4), 9, 9000.0)

    assert reorderer.add(packet(11), 10, 9000.0) == ()
    assert seqs(reorderer.release(9000.0 + REORDER_WAIT)) == [11]


def test_missing_numbers_make_few_connections_a_minute() -> None:
    reorderer, rewinds = Reorderer(), 0
    for number in range(1, 40, 2):
        reorderer.add(packet(number), number, float(number))
        reorderer.add(packet(number - 1), number, number + 1.9) if number > 1 and rewinds % 2 else None
        rewinds += reorderer.should_rewind(number + 1.95)
        reorderer.rearm_gaps_before(packet(number), number + 1.97)

    assert rewinds <= MAX_REWINDS_PER_MINUTE


def test_where_numbers_are_left_out_no_packet_waits() -> None:
    reorderer = Reorderer()
    for number in (1, 3, 5, 7):
        reorderer.add(packet(number), number, 0.0)
    for now in range(1, 30):
        reorderer.release(float(2 * now))
        reorderer.should_rewind(float(2 * now))
        reorderer.rearm_gaps_before(packet(7), float(2 * now))

    assert seqs(reorderer.add(packet(9), 5, 99.0)) == [9]


def test_a_first_packet_that_never_came_is_missed() -> None:
    reorderer = Reorderer(first=1)
    add(reorderer, 2)

    assert reorderer.should_rewind(REORDER_WAIT)
    assert reorderer.rewind_to == 0


def test_a_feed_may_begin_to_count_anywhere() -> None:
    assert add(Reorderer(first=1), 7, 8) == [7, 8]


def test_a_wide_jump_is_a_way_to_count_and_not_a_loss() -> None:
    reorderer = Reorderer()

    assert add(reorderer, 1, 1000) == [1, 1000]
    assert reorderer.missing == 0


@given(st.permutations(range(3)), st.integers(1, 20))
def test_any_order_within_three_comes_out_in_order(offsets: list[int], start: int) -> None:
    reorderer = Reorderer()
    numbers = [start, *(start + 1 + offset for offset in offsets), start + 4]

    assert add(reorderer, *numbers) == sorted(numbers)
