from __future__ import annotations

import pytest

from bot.console.access import (
    ATTEMPT_WINDOW,
    MAX_ATTEMPTS,
    MAX_ATTEMPTS_OF_ALL,
    SESSION_DURATION,
    Access,
    is_own_request,
)


class MovableClock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_session_lasts_until_it_is_ended_or_too_old() -> None:
    clock = MovableClock()
    access = Access("right", clock)
    first, second = access.log_in("right", "1.2.3.4"), access.log_in("right", "1.2.3.4")

    assert first and second and first != second
    assert access.has_access(first)
    access.log_out(first)
    assert not access.has_access(first)
    clock.now = SESSION_DURATION
    assert not access.has_access(second)


@pytest.mark.parametrize("session", ["", "made up"])
def test_nobody_is_let_in_without_a_session_unless_there_is_no_password(session: str) -> None:
    assert not Access("right", MovableClock()).has_access(session)
    assert Access("", MovableClock()).has_access(session)


def test_one_address_that_guesses_waits_and_others_do_not() -> None:
    clock = MovableClock()
    access = Access("right", clock)
    for _ in range(MAX_ATTEMPTS):
        assert not access.must_wait("1.2.3.4")
        assert access.log_in("wröng", "1.2.3.4") is None

    assert access.must_wait("1.2.3.4")
    assert not access.must_wait("5.6.7.8")
    clock.now = ATTEMPT_WINDOW
    assert not access.must_wait("1.2.3.4")


def test_many_addresses_that_guess_make_everybody_wait() -> None:
    access = Access("right", MovableClock())
    for number in range(MAX_ATTEMPTS_OF_ALL):
        access.log_in("wrong", f"10.0.0.{number}")

    assert access.must_wait("192.0.2.1")


@pytest.mark.parametrize(
    ("host", "origin", "loopback", "own"),
    [
        ("127.0.0.1:8081", None, True, True),
        ("localhost:8081", "http://localhost:8081", True, True),
        ("[::1]:8081", "http://[::1]:8081", True, True),
        ("127.0.0.1:8081", "http://evil.example", True, False),
        ("127.0.0.1:8081", "null", True, False),
        ("evil.example:8081", None, True, False),
        ("console.example", "https://console.example", False, True),
        ("console.example", "https://evil.example", False, False),
        ("", None, True, False),
        ("127.0.0.1:8081", "http://[", True, False),
        ("[", None, True, False),
        ("console.example", "http://[", False, False),
    ],
)
def test_a_request_of_another_page_is_told_from_our_own(host: str, origin: str | None, loopback: bool, own: bool) -> None:
    assert is_own_request(host, origin, is_loopback_only=loopback) is own


@pytest.mark.parametrize(
    ("host", "origin", "forwarded", "own"),
    [
        ("console.example", None, None, True),
        ("console.example", "https://console.example", None, True),
        ("127.0.0.1:8081", "https://console.example", "console.example", True),
        ("127.0.0.1:8081", "https://evil.example", "console.example", False),
        ("console.example", "https://evil.example", None, False),
        ("127.0.0.1:8081", "https://console.example", None, False),
        ("127.0.0.1:8081", "null", "", False),
        ("127.0.0.1:8081", "file://", "", False),
    ],
)
def test_with_a_password_a_proxy_on_this_machine_may_bring_the_requests(
    host: str, origin: str | None, forwarded: str | None, own: bool
) -> None:
    found = is_own_request(host, origin, is_loopback_only=True, needs_password=True, forwarded_host=forwarded)

    assert found is own


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1"])
def test_without_a_password_no_name_but_this_machines_is_let_in(host: str) -> None:
    assert not is_own_request(host, "http://evil.example", is_loopback_only=True, forwarded_host="evil.example")
