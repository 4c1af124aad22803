from __future__ import annotations

from bot.telegram.limits.circuit_breaker import CircuitBreaker


def failed(*chats: int, now: float = 0.0) -> CircuitBreaker:
    """A breaker after these chats could not be reached."""
    breaker = CircuitBreaker()
    for chat_id in chats:
        breaker.on_failure(chat_id, now)
    return breaker


def test_four_chats_that_fail_or_one_that_fails_often_stop_nobody() -> None:
    assert failed(1, 2, 3, 4).available(0.0, 7, 20) == 20
    assert failed(1, 1, 1, 1, 1, 1).available(0.0, 7, 20) == 20


def test_five_chats_that_fail_stop_all_for_a_second_and_then_two_requests_at_once_try_again() -> None:
    breaker = failed(1, 2, 3, 4, 5)

    assert (breaker.retry_at, breaker.available(0.99, 0, 20)) == (1.0, 0)
    assert [breaker.available(1.0, in_flight, 20) for in_flight in (0, 1, 2, 3)] == [2, 1, 0, 0]
    assert breaker.available(1.0, 0, 1) == 1


def test_the_pause_doubles_up_to_five_seconds_and_failures_in_flight_together_count_once() -> None:
    breaker, pauses, now = failed(1, 2, 3, 4, 5), [], 0.0
    for _ in range(4):
        breaker.on_failure(6, now)  # it was in flight with the others
        pauses.append(breaker.retry_at - now)
        now = breaker.retry_at
        breaker.on_failure(7, now)

    assert pauses == [1.0, 2.0, 4.0, 5.0]


def test_one_success_lets_everything_leave_again_and_the_next_pause_is_short() -> None:
    breaker = failed(1, 2, 3, 4, 5)
    breaker.on_failure(6, 1.0)
    assert breaker.retry_at == 3.0

    breaker.on_success()
    assert breaker.available(1.0, 9, 20) == 20
    for chat_id in range(5):
        breaker.on_failure(chat_id, 2.0)
    assert breaker.retry_at == 3.0


def test_a_token_that_is_refused_stops_all_for_a_minute_and_then_two_requests_at_once_try_again() -> None:
    breaker = CircuitBreaker()
    breaker.on_failure(1, 5.0, is_token_refused=True)

    assert (breaker.retry_at, breaker.available(64.9, 0, 20)) == (65.0, 0)
    assert [breaker.available(65.0, in_flight, 20) for in_flight in (0, 1, 2)] == [2, 1, 0]
    breaker.on_success()
    assert breaker.available(65.0, 7, 20) == 20


def test_a_failure_that_concerns_all_chats_stops_all_at_once_and_a_later_one_of_a_chat_leaves_it_so() -> None:
    breaker = CircuitBreaker()
    breaker.on_failure(1, 5.0, concerns_all=True)
    breaker.on_failure(2, 5.5)

    assert (breaker.is_open, breaker.retry_at) == (True, 6.0)
    breaker.on_success()
    assert not breaker.is_open


def test_before_the_first_failure_as_much_leaves_as_is_allowed() -> None:
    breaker = CircuitBreaker()

    assert (breaker.is_open, breaker.available(-1e9, 50, 20)) == (False, 20)


def test_a_probe_that_a_refused_token_answers_waits_a_minute_again() -> None:
    breaker = failed(1, 2, 3, 4, 5)
    breaker.on_failure(6, 1.0, is_token_refused=True)

    assert breaker.retry_at == 61.0 and breaker.available(30.0, 0, 20) == 0
