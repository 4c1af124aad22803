"""A host that cannot be had gives way to the next."""

from __future__ import annotations

from bot.feed.backoff import Trouble
from bot.feed.hosts import Hosts


def test_a_host_without_name_or_tls_gives_way_after_a_minute() -> None:
    hosts = Hosts(["wss://new/", "wss://old"])
    changed = [hosts.failed(Trouble.DNS, 0.0), hosts.failed(Trouble.TLS, 59.0), hosts.failed(Trouble.DNS, 60.0)]

    assert (changed, hosts.current) == ([False, False, True], "wss://old")


def test_after_the_last_host_comes_the_first_again() -> None:
    hosts = Hosts(["wss://new", "wss://old"])
    for now in (0.0, 60.0, 61.0, 121.0):
        hosts.failed(Trouble.DNS, now)

    assert hosts.current == "wss://new"


def test_a_host_that_was_reached_has_its_minute_again() -> None:
    hosts = Hosts(["wss://new", "wss://old"])
    hosts.failed(Trouble.DNS, 0.0)
    hosts.reached()

    assert not hosts.failed(Trouble.DNS, 100.0)


def test_other_troubles_and_a_single_host_change_nothing() -> None:
    assert not any(Hosts(["wss://new", "wss://old"]).failed(Trouble.SERVER, now) for now in (0.0, 100.0))
    single = Hosts(["wss://only"])
    assert not any(single.failed(Trouble.DNS, now) for now in (0.0, 100.0))
