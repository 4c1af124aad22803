from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.clock import ManualClock
from bot.fake_telegram import state as strict
from bot.outbox.delivery import Urgency
from bot.telegram.limits.paid_messages import PaidMessages
from bot.telegram.limits.rate_limits import RateLimiter, SlidingWindow, Unlimited, share_after_pause
from tests.fakes.rate_shares import FakePaidCounts, ShareTable
from tests.laws import try_examples
from tests.packets import KICKOFF

CHATS = st.sampled_from([1, 2, 3, -1, -2])


def next_send_to(limits: RateLimiter, chat_id: int, now: float) -> float:
    """When this chat may get its next message, all limits considered."""
    return max(limits.next_send_at(now), limits.next_chat_send_at(chat_id, now))


@given(st.lists(st.tuples(CHATS, st.floats(0, 2)), max_size=300))
def test_a_sender_that_waits_as_told_is_never_refused(wanted: list[tuple[int, float]]) -> None:
    limits, telegram, now = RateLimiter(), strict.Limits(), 0.0
    for chat_id, pause in wanted:
        now = max(now + pause, next_send_to(limits, chat_id, now + pause))
        limits.record_send(chat_id, now)
        telegram.check(chat_id, now, paid=False)


def sent_until(limits: RateLimiter, end: float, chats: range, start: float = 0.0) -> int:
    now, count = start, 0
    for chat_id in chats:
        now = max(now, next_send_to(limits, chat_id, now))
        if now >= end:
            break
        limits.record_send(chat_id, now)
        count += 1
    return count


def test_the_allowance_is_used_to_the_full() -> None:
    assert sent_until(RateLimiter(), 60.0, range(1, 5000)) >= 0.98 * 30 * 60
    assert sent_until(RateLimiter(1000), 10.0, range(1, 50_000)) >= 0.98 * 1000 * 10


def test_a_refusal_holds_only_its_own_chat_back() -> None:
    limits = RateLimiter()
    limits.on_retry_after(1, 30, now=0)

    assert (next_send_to(limits, 1, 1), next_send_to(limits, 2, 1)) == (30, 1)


def test_several_refusals_within_a_second_slow_everybody_who_then_speeds_up_again() -> None:
    limits = RateLimiter()
    for chat_id in (1, 2, 3):
        limits.on_retry_after(chat_id, 5, now=chat_id / 10)

    assert next_send_to(limits, 9, 1) == 5.3
    assert sent_until(limits, 6.3, range(100, 200), 5.3) < 20
    assert sent_until(RateLimiter(), 6.3, range(100, 200), 5.3) >= 29


def test_refusals_far_apart_mean_nothing_for_others() -> None:
    limits = RateLimiter()
    for chat_id in (1, 2, 3):
        limits.on_retry_after(chat_id, 60, now=chat_id * 2)

    assert next_send_to(limits, 9, 7) == 7


@try_examples(200)
@given(
    st.integers(1, 40),
    st.lists(st.floats(0, 0.4), max_size=80),
    st.integers(1, 50),
)
def test_room_is_how_often_one_more_is_allowed(limit: int, pauses: list[float], most: int) -> None:
    window, now = SlidingWindow(limit, 1.0), 0.0
    for pause in pauses:
        now = window.next_free_at(now + pause)
        window.add(now)
    room = window.available(now, most)

    allowed = 0
    while allowed < most and window.next_free_at(now) <= now:
        window.add(now)
        allowed += 1
    assert room == allowed


def test_a_message_that_arrived_late_counts_from_then_on() -> None:
    limits = RateLimiter(2)
    for chat_id in (1, 2):
        limits.record_send(chat_id, 0.0)
    limits.record_answer(0.0, 0.1)

    assert (limits.available(1.05, 2), limits.available(1.12, 2)) == (1, 2)


def test_a_large_allowance_does_not_leave_at_once() -> None:
    limits = RateLimiter(1000)
    for chat_id in range(50):
        limits.record_send(chat_id, 0.0)

    assert (limits.available(0.0, 100), limits.available(0.04, 100)) == (0, 50)


def test_a_message_that_waited_here_does_not_make_requests_seem_slower() -> None:
    limits = RateLimiter(1000)
    for chat_id in range(1000):
        limits.record_send(chat_id, 0.0)
        limits.record_answer(0.0, 0.05, 0.049)

    assert (limits.available(1.05, 100), limits.available(1.058, 100)) == (0, 50)


def test_what_can_wait_leaves_a_third_of_a_groups_minute_to_news() -> None:
    limits = RateLimiter()
    for second in range(14):
        limits.record_send(-1, float(2 * second))

    assert limits.next_chat_send_at(-1, 30.0) == 30.0
    assert limits.next_chat_send_at(-1, 30.0, Urgency.LIVE_MESSAGE) == 60.2


def test_silent_news_leaves_five_of_a_groups_minute_and_one_of_each_short_burst_to_what_is_loud() -> None:
    limits = RateLimiter()
    for second in range(15):
        limits.record_send(-1, float(2 * second))
    limits.record_send(7, 0.0)
    limits.record_send(7, 0.0)

    assert [limits.next_chat_send_at(-1, 30.0, urgency) for urgency in (Urgency.LOUD, Urgency.SILENT)] == [30.0, 60.2]
    assert [limits.next_chat_send_at(7, 0.1, urgency) for urgency in (Urgency.LOUD, Urgency.SILENT)] == [0.1, 3.05]


@pytest.mark.parametrize("chat_id", [7, -7])
def test_a_chat_gets_three_at_once_and_the_fourth_three_seconds_later(chat_id: int) -> None:
    limits = RateLimiter()
    for _ in range(3):
        assert limits.next_chat_send_at(chat_id, 1.0) == 1.0
        limits.record_send(chat_id, 1.0)

    assert limits.next_chat_send_at(chat_id, 1.0) == 4.05
    assert limits.next_chat_send_at(8, 1.0) == 1.0


@pytest.mark.parametrize(("chat_id", "at"), [(-7, 60.2), (7, 40.0)])
def test_only_a_group_has_twenty_a_minute(chat_id: int, at: float) -> None:
    limits = RateLimiter()
    for number in range(20):
        limits.record_send(chat_id, 2.0 * number)

    assert limits.next_chat_send_at(chat_id, 40.0) == at


def test_a_bot_sends_thirty_a_second_and_no_more() -> None:
    limits = RateLimiter()
    for chat_id in range(30):
        assert limits.next_send_at(0.0) == 0.0
        limits.record_send(chat_id, 0.0)

    assert (limits.available(0.0, 5), limits.next_send_at(0.0)) == (0, 1.008)
    assert (limits.available(1.007, 5), limits.available(1.008, 5), limits.available(1.008, 99)) == (0, 5, 30)


def test_a_longer_wait_is_not_made_shorter_by_a_later_refusal() -> None:
    limits = RateLimiter()
    limits.on_retry_after(1, 30, now=0)
    limits.on_retry_after(1, 5, now=1)
    assert limits.next_chat_send_at(1, 2) == 30

    for chat_id in (2, 3):
        limits.on_retry_after(chat_id, 9, now=1.0)
    limits.on_retry_after(4, 1, now=1.5)
    assert limits.next_send_at(2) == 10
    assert (limits.is_paused(9.9), limits.is_paused(10), limits.available(9.9, 9)) == (True, False, 0)


def refuse_three(limits: RateLimiter, seconds: float, now: float) -> None:
    for chat_id in (1, 2, 3):
        limits.on_retry_after(chat_id, seconds, now)


def test_a_long_pause_of_all_chats_ends_with_the_first_message_that_telegram_takes() -> None:
    limits = RateLimiter()
    refuse_three(limits, 3600, now=0.0)
    before = limits.available(9.9, 9), limits.next_send_at(1.0), limits.available(10.0, 9)
    limits.record_send(9, 10.0, is_tracked=True)
    meanwhile = limits.available(10.1, 9), limits.next_send_at(10.1)
    limits.record_answer(10.0, 10.2)
    limits.on_accepted(10.0, 10.2)

    assert (before, meanwhile) == ((0, 10.0, 1), (0, 30.0))
    assert (limits.available(10.3, 9), next_send_to(limits, 1, 10.3)) == (9, 3600)


def test_a_message_that_left_before_a_pause_does_not_end_it_and_refused_ones_make_the_next_later() -> None:
    limits = RateLimiter()
    refuse_three(limits, 3600, now=5.0)
    limits.on_accepted(4.9, 5.1)
    probes = []
    now = 5.1
    for _ in range(8):
        now = limits.next_send_at(now)
        probes.append(now)
        limits.record_send(9, now)
        limits.on_retry_after(9, 3600, now)

    assert [round(later - sooner) for sooner, later in pairwise(probes)] == [20, 40, 80, 160, 300, 300, 300]


def test_the_same_chat_refused_often_and_two_chats_are_not_the_whole_bot() -> None:
    limits = RateLimiter()
    for chat_id in (1, 1, 1, 2):
        limits.on_retry_after(chat_id, 30, now=0.5)

    assert not limits.is_paused(0.5)


@pytest.mark.parametrize(("now", "is_paused"), [(1.0, True), (1.01, False)])
def test_refusals_count_together_within_a_second(now: float, is_paused: bool) -> None:
    limits = RateLimiter()
    limits.on_retry_after(1, 30, now=0.0)
    limits.on_retry_after(2, 30, now=0.5)
    limits.on_retry_after(3, 30, now=now)

    assert limits.is_paused(now + 1) is is_paused


@pytest.mark.parametrize(("seconds", "share"), [(-5.0, 0.5), (0.0, 0.5), (5.0, 0.75), (10.0, 1.0), (99.0, 1.0)])
def test_after_a_pause_half_the_rate_grows_to_all_of_it_in_ten_seconds(seconds: float, share: float) -> None:
    assert share_after_pause(seconds) == share


def test_the_smallest_allowance_is_not_halved_to_nothing() -> None:
    limits = RateLimiter(1)
    for chat_id in (1, 2, 3):
        limits.on_retry_after(chat_id, 5, now=0)

    assert limits.available(5, 9) == 1


@pytest.mark.parametrize(("answers", "room"), [(500, 0), (1000, 30)])
def test_messages_count_from_their_answers_until_five_hundred_have_shown_how_long_a_request_takes(
    answers: int, room: int
) -> None:
    limits = RateLimiter(500)
    for chat_id in range(500):
        limits.record_send(chat_id, 0.0)
    for _ in range(answers - 500):
        limits.record_answer(-1.0, 0.05, 0.0)
    for _ in range(500):
        limits.record_answer(0.0, 0.05)

    assert (limits.available(1.0331, 50), limits.available(1.0581, 50)) == (room, 30)


def test_a_window_forbids_nothing_once_its_last_event_is_over() -> None:
    window = SlidingWindow(2, 10.0)
    assert window.is_idle(0.0)
    window.add(0.0)
    window.add(5.0)

    assert (window.is_idle(14.9), window.is_idle(15.0)) == (False, True)
    assert (window.next_free_at(6.0), window.next_free_at(6.0, 1), window.next_free_at(12.0)) == (10.0, 15.0, 12.0)
    window.shift(0.0, 7.0)
    window.shift(99.0, 100.0)
    assert window.taken == [5.0, 7.0]


@try_examples(200)
@given(st.integers(1, 20), st.lists(st.tuples(st.floats(0, 0.4), st.booleans()), max_size=60))
def test_a_window_holds_its_events_in_order_whatever_arrived_late(limit: int, steps: list[tuple[float, bool]]) -> None:
    window, events, now = SlidingWindow(limit, 1.0), list[float](), 0.0
    for pause, arrived_late in steps:
        now += pause
        if arrived_late and events:
            late = events.pop(0)
            assert window.shift(late, now)
        else:
            window.add(now)
        events = [*events, now][-limit:]

        assert window.taken == events
        assert window.count(now) == sum(at + 1.0 > now for at in events)


def test_without_limits_everything_may_leave_now() -> None:
    limits = Unlimited()
    limits.record_send(1, 5.0)
    limits.on_retry_after(1, 30, 5.0)
    limits.record_answer(5.0, 6.0)
    limits.on_accepted(5.0, 6.0)

    assert (limits.next_send_at(5.0), limits.next_chat_send_at(1, 5.0), limits.available(5.0, 9)) == (5.0, 5.0, 9)


def test_what_an_earlier_process_sent_counts_as_if_this_one_had_sent_it() -> None:
    limits = RateLimiter()

    limits.restore_sends([(-1, -50.0 + number) for number in range(20)])

    assert limits.next_chat_send_at(-1, 0.0) == pytest.approx(10.2) and limits.next_chat_send_at(-2, 0.0) == 0.0


@pytest.mark.parametrize(("late", "answered"), [(1.05, False), (1.05, True), (2.9, False)])
def test_a_message_without_an_answer_counts_as_if_it_arrived_a_moment_ago(late: float, answered: bool) -> None:
    limits = RateLimiter(30)
    for chat_id in range(20):
        limits.record_send(chat_id, 0.0, is_tracked=True)
    if answered:
        for _ in range(20):
            limits.record_answer(0.0, late)

    assert limits.available(late, 99) == 10
    assert limits.next_send_at(late) == late


def test_messages_that_nobody_answers_hold_the_others_up_for_three_seconds_and_not_for_ever() -> None:
    limits = RateLimiter(30)
    for chat_id in range(30):
        limits.record_send(chat_id, 0.0, is_tracked=True)

    assert limits.next_send_at(1.1) > 1.1
    assert [limits.available(now, 99) for now in (1.1, 3.0, 3.1)] == [0, 0, 30]
    assert limits.next_send_at(3.1) == 3.1


def test_answers_that_come_after_others_took_their_places_still_count() -> None:
    limits = RateLimiter(30)
    for chat_id in range(20):
        limits.record_send(chat_id, 0.0, is_tracked=True)
    for chat_id in range(10):
        limits.record_send(100 + chat_id, 1.1, is_tracked=True)
    assert limits.available(1.1, 99) == 0
    for _ in range(20):
        limits.record_answer(0.0, 1.5)

    assert (limits.available(2.2, 99), limits.available(2.55, 99)) == (0, 20)


@given(st.lists(st.sampled_from([0.0, 0.001, 0.02, 0.06, 0.1]), min_size=40, max_size=60))
def test_no_second_sees_more_arrivals_than_allowed_when_later_requests_are_quicker_than_the_first(
    ways: list[float],
) -> None:
    limits, now, arrivals = RateLimiter(500), 0.0, []
    for _ in range(501):
        limits.record_answer(-2.0, 0.08, 0.0)  # 40 ms there and 40 ms back
    for way in ways:
        now = max(now + 0.04, limits.next_send_at(now))
        for number in range(limits.available(now, 500)):
            limits.record_send(number, now, is_tracked=True)
            arrivals.append(now + way)
            limits.record_answer(now, arrivals[-1] + 0.04)

    for end in set(arrivals):
        assert sum(end - 1.0 < at <= end for at in arrivals) <= 500


@pytest.mark.slow
@given(st.lists(st.tuples(st.floats(0.0, 0.3), st.floats(0.0, 1.5), st.floats(0.0, 1.5)), min_size=40, max_size=120))
def test_whenever_the_loop_and_requests_are_late_no_second_has_more_arrivals_than_allowed(
    delays: list[tuple[float, float, float]],
) -> None:
    limits, now, arrivals, answers = RateLimiter(30), 0.0, [], []
    for pause, way, back in delays:
        now += pause
        for at, taken_at in sorted(answer for answer in answers if answer[0] <= now):
            limits.record_answer(taken_at, at)
        answers = [answer for answer in answers if answer[0] > now]
        for number in range(limits.available(now, 40)):
            limits.record_send(len(arrivals), now, is_tracked=True)
            arrivals.append(now + way * (number % 3) / 2)
            answers.append((arrivals[-1] + back, now))

    for end in arrivals:
        assert sum(end - 1.0 < at <= end for at in arrivals) <= 30


def test_what_another_process_sent_counts_for_its_chats_alone() -> None:
    limits = RateLimiter()
    limits.restore_chats([(7, 0.0)] * 3 + [(number, 0.0) for number in range(100, 140)])

    assert (limits.next_send_at(0.0), limits.count_in_use(0.0)) == (0.0, 0)
    assert (limits.next_chat_send_at(7, 0.0), limits.next_chat_send_at(8, 0.0)) == (3.05, 0.0)


def test_a_pause_of_another_process_holds_and_is_not_made_shorter() -> None:
    limits = RateLimiter()
    limits.pause_until(9.0, now=0.0)
    limits.pause_until(5.0, now=1.0)

    assert [limits.is_paused(now) for now in (8.9, 9.0)] == [True, False]
    assert limits.next_send_at(1.0) == 9.0


def test_what_counts_now_is_what_left_in_the_last_second_and_what_is_not_answered() -> None:
    limits = RateLimiter()
    limits.record_send(1, 0.0)
    for _ in range(2):
        limits.record_send(2, 0.0, is_tracked=True)
    limits.record_send(3, 0.5)

    assert [limits.count_in_use(now) for now in (1.0, 1.1, 1.6, 3.0, 3.1)] == [4, 3, 2, 2, 0]
    limits.record_send(2, 4.0, is_tracked=True)
    limits.record_send(2, 4.0, is_tracked=True)
    limits.record_answer(4.0, 4.0)
    assert limits.count_in_use(5.1) == 1
    limits.record_answer(4.0, 5.1)
    assert limits.count_in_use(5.9) == 1 and limits.count_in_use(6.2) == 0


def test_a_late_answer_to_what_was_not_tracked_is_not_counted_again() -> None:
    limits = RateLimiter(2)
    limits.record_send(1, 0.0)
    for number in range(2):
        limits.record_send(number, 1.1)
    limits.record_answer(0.0, 1.5)

    assert limits.available(2.2, 9) == 2


def test_chats_without_recent_messages_are_forgotten_once_there_are_very_many() -> None:
    limits = RateLimiter()
    limits.on_retry_after(1, 50, now=0.0)
    limits.on_retry_after(2, 500, now=0.0)
    limits.restore_chats([(number, 0.0) for number in range(1, 20_001)])
    assert limits.next_chat_send_at(5, 0.0, Urgency.SILENT) == 0.0 and len(limits._chats) == 20_000
    limits.restore_chats([(-1, 100.0), (-2, 159.0)])

    assert set(limits._chats) == {-1, -2}
    assert [limits.next_chat_send_at(chat, 100.0) for chat in (1, 2)] == [100.0, 500.0]
    assert set(limits._chat_paused_until) == {2}


def test_a_full_window_takes_an_event_in_its_place_and_one_before_all_others_is_left_out() -> None:
    window = SlidingWindow(3, 10.0)
    for at in (5.0, 1.0, 3.0):
        window.add(at)
    assert list(window.taken) == [1.0, 3.0, 5.0]
    window.add(0.5)
    assert list(window.taken) == [1.0, 3.0, 5.0]
    window.add(2.0)
    assert list(window.taken) == [2.0, 3.0, 5.0]
    window.add(4.0)

    assert list(window.taken) == [3.0, 4.0, 5.0]
    assert [window.count(now) for now in (12.9, 13.0, 14.5, 15.0)] == [3, 2, 1, 0]
    assert (window.shift(4.0, 9.0), window.shift(4.0, 9.0), list(window.taken)) == (True, False, [3.0, 5.0, 9.0])


def test_a_rate_of_nothing_lets_nothing_leave() -> None:
    limits = RateLimiter()
    limits.rate = 0

    assert (limits.available(5.0, 9), limits.next_send_at(5.0)) == (0, 5.05)


def test_a_rate_below_the_limit_holds() -> None:
    limits = RateLimiter(30)
    limits.rate = 2
    limits.record_send(1, 0.0)

    assert limits.available(0.0, 9) == 1
    limits.record_send(2, 0.1)
    assert (limits.available(0.1, 9), limits.next_send_at(0.1)) == (0, 1.008)


def test_without_limits_nothing_is_paid_for() -> None:
    assert not Unlimited().record_send(1, 0.0, may_be_paid=True)
    assert not RateLimiter().record_send(1, 0.0, may_be_paid=True)


class ReservedMessages(PaidMessages):
    """Ten paid messages, reserved in no database."""

    def __init__(self) -> None:
        super().__init__(FakePaidCounts(ShareTable()), ManualClock(KICKOFF), 100)
        self._reserved, self._day_ends_at = 10, 86_400.0


def test_more_is_reserved_only_where_what_is_free_and_what_is_paid_for_do_not_suffice() -> None:
    limits, asked = RateLimiter(1000, ReservedMessages()), list[bool]()
    limits.on_unpaid_used = lambda: asked.append(True)

    assert [limits.available(0.0, wanted) for wanted in (29, 30, 31, 40)] == [29, 30, 31, 40]
    assert asked == []
    assert limits.available(0.0, 41) == 40
    assert asked == [True]


def test_the_free_messages_of_a_second_are_used_before_one_is_paid_for() -> None:
    limits = RateLimiter(100, ReservedMessages())

    paid = [limits.record_send(chat, 0.0, may_be_paid=True) for chat in range(42)]

    assert paid == [False] * 30 + [True] * 10 + [False] * 2
    limits.give_back_paid(0.0)
    assert not limits.record_send(1, 0.5), "an edit is never paid for"
    assert limits.record_send(1, 0.5, may_be_paid=True)
