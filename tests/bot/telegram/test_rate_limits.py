from hypothesis import given, settings
from hypothesis import strategies as st

from bot.outbox.delivery import Urgency
from bot.telegram.rate_limits import RateLimiter, SlidingWindow
from tests.fakes import bot_api_state as strict

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


@settings(max_examples=200)
@given(
    st.integers(1, 40),
    st.lists(st.floats(0, 0.4), max_size=80),
    st.integers(1, 50),
)
def test_room_is_how_often_one_more_is_allowed(limit: int, pauses: list[float], most: int) -> None:
    window, now = SlidingWindow(limit, 1.0), 0.0
    for pause in pauses:
        now = window.next_free_at(now + pause)
        window.taken.append(now)
    room = window.available(now, most)

    allowed = 0
    while allowed < most and window.next_free_at(now) <= now:
        window.taken.append(now)
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


def test_a_message_that_waited_here_does_not_make_the_way_seem_longer() -> None:
    limits = RateLimiter(1000)
    for chat_id in range(1000):
        limits.record_send(chat_id, 0.0)
        limits.record_answer(0.0, 0.05, 0.049)

    assert (limits.available(1.05, 100), limits.available(1.0575, 100)) == (0, 50)


def test_what_can_wait_leaves_a_third_of_a_groups_minute_to_news() -> None:
    limits = RateLimiter()
    for second in range(14):
        limits.record_send(-1, float(2 * second))

    assert limits.next_chat_send_at(-1, 30.0) == 30.0
    assert limits.next_chat_send_at(-1, 30.0, Urgency.LIVE_MESSAGE) == 60.2


def test_silent_news_leaves_five_of_a_groups_minute_and_one_of_each_short_burst_to_what_rings() -> None:
    limits = RateLimiter()
    for second in range(15):
        limits.record_send(-1, float(2 * second))
    limits.record_send(7, 0.0)
    limits.record_send(7, 0.0)

    assert [limits.next_chat_send_at(-1, 30.0, urgency) for urgency in (Urgency.LOUD, Urgency.SILENT)] == [30.0, 60.2]
    assert [limits.next_chat_send_at(7, 0.1, urgency) for urgency in (Urgency.LOUD, Urgency.SILENT)] == [0.1, 3.05]
