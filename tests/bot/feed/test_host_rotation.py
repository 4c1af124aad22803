"""After a minute of failures of its name or TLS, a host is replaced by the next."""

from __future__ import annotations

from bot.feed.reconnect import FailureCause, HostRotation


def test_a_host_without_name_or_tls_is_replaced_after_a_minute() -> None:
    hosts = HostRotation(["wss://new/", "wss://old"])
    changed = [
        hosts.on_failure(FailureCause.DNS, 0.0),
        hosts.on_failure(FailureCause.TLS, 59.0),
        hosts.on_failure(FailureCause.DNS, 60.0),
    ]

    assert (changed, hosts.current) == ([False, False, True], "wss://old")


def test_after_the_last_host_comes_the_first_again() -> None:
    hosts = HostRotation(["wss://new", "wss://old"])
    for now in (0.0, 60.0, 61.0, 121.0):
        hosts.on_failure(FailureCause.DNS, now)

    assert hosts.current == "wss://new"


def test_a_host_that_was_reached_has_its_minute_again() -> None:
    hosts = HostRotation(["wss://new", "wss://old"])
    hosts.on_failure(FailureCause.DNS, 0.0)
    hosts.on_success()

    assert not hosts.on_failure(FailureCause.DNS, 100.0)


def test_other_troubles_and_a_single_host_change_nothing() -> None:
    assert not any(HostRotation(["wss://new", "wss://old"]).on_failure(FailureCause.SERVER, now) for now in (0.0, 100.0))
    single = HostRotation(["wss://only"])
    assert not any(single.on_failure(FailureCause.DNS, now) for now in (0.0, 100.0))
