"""Packets come out in the order of their numbers, and what is missing is asked for again, but not for ever."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bot.feed.sequence import GAP_PROBE_INTERVAL, MAX_GAP_REQUESTS, MAX_REWINDS_PER_MINUTE, REORDER_WAIT, Reorderer
from rules.football.action import Packet
from tests.packets import Story


def packet(seq: int) -> Packet:
    return Story().packet("Foul", action=f"a{seq}", seq=seq)


def told(order: Reorderer, *seqs: int, now: float = 0.0) -> list[int | None]:
    """What may be told after these have come."""
    return [p.seq for position, seq in enumerate(seqs, start=1) for p in order.add(packet(seq), position, now)]


def seqs(packets: Iterable[Packet]) -> list[int | None]:
    return [p.seq for p in packets]


def test_packets_in_order_pass_at_once() -> None:
    assert told(Reorderer(), 1, 2, 3) == [1, 2, 3]


def test_a_packet_before_its_forerunner_waits_for_it() -> None:
    order = Reorderer()

    assert told(order, 1, 3) == [1]
    assert seqs(order.add(packet(2), 3, 0.1)) == [2, 3]
    assert (order.missing, order.should_rewind(9.0)) == (0, False)


def test_a_packet_waits_no_longer_than_a_second() -> None:
    order = Reorderer()
    told(order, 1, 3)

    assert order.wake_at == REORDER_WAIT
    assert seqs(order.release(REORDER_WAIT)) == [3]


def test_a_packet_waits_for_no_more_than_three_others() -> None:
    assert told(Reorderer(), 1, 3, 4, 5, 6) == [1, 3, 4, 5, 6]


def test_a_packet_that_comes_too_late_passes_at_once() -> None:
    order = Reorderer()
    told(order, 1, 3, 4, 5, 6)

    assert seqs(order.add(packet(2), 6, 0.5)) == [2]


def test_a_packet_without_a_number_passes_at_once() -> None:
    order = Reorderer()
    told(order, 1, 3)

    assert seqs(order.add(replace(packet(9), seq=None), 3, 0.0)) == [None]


def test_a_missing_number_is_asked_for_again_from_where_it_was_missed() -> None:
    order = Reorderer()
    told(order, 1, 2, 4)

    assert not order.should_rewind(0.5)
    assert order.should_rewind(REORDER_WAIT)
    assert order.rewind_to == 2


def test_a_number_that_cannot_be_had_is_given_up() -> None:
    order = Reorderer()
    told(order, 1, 3)
    rewinds = 0
    for now in range(1, 20):
        rewinds += order.should_rewind(float(2 * now))
        order.on_repeated(packet(3), float(2 * now))

    order.release(99.0)

    assert (rewinds, order.is_waiting, order.missing) == (MAX_GAP_REQUESTS, False, 1)


def test_a_feed_that_leaves_numbers_out_is_not_asked_for_ever() -> None:
    order = Reorderer()
    rewinds, now = 0, 0.0
    for number in range(1, 100, 2):
        order.add(packet(number), number, now)
        for _ in range(5):
            now += 2 * REORDER_WAIT
            rewinds += order.should_rewind(now)
            order.on_repeated(packet(number), now)

    assert rewinds <= 4 * MAX_GAP_REQUESTS


def lacking(*numbers: int) -> Reorderer:
    """Numbers that were asked for as often as they are, in vain: one after the other, each before the next packet."""
    order, now = Reorderer(), 0.0
    told(order, 1)
    for number in numbers:
        order.add(packet(number + 1), number, now)
        for _ in range(MAX_GAP_REQUESTS + 1):
            now += 30.0
            order.should_rewind(now)
            order.on_repeated(packet(number + 1), now)
            now += 30.0
    return order


def test_numbers_that_never_come_do_not_stop_the_repair_of_others() -> None:
    order = lacking(2, 4)
    order.add(packet(7), 4, 5000.0)

    assert order.add(packet(8), 5, 5000.0) == ()
    assert order.should_rewind(5000.0 + REORDER_WAIT)


def test_what_was_given_up_is_asked_for_later_all_together() -> None:
    order = lacking(2, 4, 6, 8)

    assert order.should_rewind(9000.0)
    assert order.rewind_to == 1
    assert not order.should_rewind(9000.0 + GAP_PROBE_INTERVAL)


def test_a_number_that_comes_after_all_makes_packets_wait_again() -> None:
    order = lacking(2, 4, 6, 8)
    order.add(packet(4), 9, 9000.0)

    assert order.add(packet(11), 10, 9000.0) == ()
    assert seqs(order.release(9000.0 + REORDER_WAIT)) == [11]


def test_missing_numbers_make_few_connections_a_minute() -> None:
    order, rewinds = Reorderer(), 0
    for number in range(1, 40, 2):
        order.add(packet(number), number, float(number))
        order.add(packet(number - 1), number, number + 1.9) if number > 1 and rewinds % 2 else None
        rewinds += order.should_rewind(number + 1.95)
        order.on_repeated(packet(number), number + 1.97)

    assert rewinds <= MAX_REWINDS_PER_MINUTE


def test_where_numbers_are_left_out_no_packet_waits() -> None:
    order = Reorderer()
    for number in (1, 3, 5, 7):
        order.add(packet(number), number, 0.0)
    for now in range(1, 30):
        order.release(float(2 * now))
        order.should_rewind(float(2 * now))
        order.on_repeated(packet(7), float(2 * now))

    assert seqs(order.add(packet(9), 5, 99.0)) == [9]


def test_a_first_packet_that_never_came_is_missed() -> None:
    order = Reorderer(first=1)
    told(order, 2)

    assert order.should_rewind(REORDER_WAIT)
    assert order.rewind_to == 0


def test_a_feed_may_begin_to_count_anywhere() -> None:
    assert told(Reorderer(first=1), 7, 8) == [7, 8]


def test_a_wide_leap_is_a_way_to_count_and_not_a_loss() -> None:
    order = Reorderer()

    assert told(order, 1, 1000) == [1, 1000]
    assert order.missing == 0


@given(st.permutations(range(3)), st.integers(1, 20))
def test_any_order_within_three_comes_out_in_order(places: list[int], start: int) -> None:
    order = Reorderer()
    numbers = [start, *(start + 1 + place for place in places), start + 4]

    assert told(order, *numbers) == sorted(numbers)
