"""How the free matches spread over processes."""

from hypothesis import given
from hypothesis import strategies as st

from bot.cluster.balance import EXTRA_LEASE_DELAY, choose_leases

TEN = {f"fixture:{number}": 0.0 for number in range(10)}


def test_of_two_processes_each_takes_half_at_once_and_leaves_the_rest() -> None:
    assert len(choose_leases(TEN, 0, 10, 2)) == 5
    assert choose_leases({"a": 0.0}, 5, 10, 2) == []


def test_what_nobody_takes_is_taken_by_who_has_its_share() -> None:
    assert choose_leases({"a": EXTRA_LEASE_DELAY, "b": 0.0}, 5, 10, 2) == ["a"]


@given(st.dictionaries(st.text(), st.floats(0, 60)), st.integers(0, 50), st.integers(0, 9))
def test_what_has_been_free_for_long_is_always_taken_and_nothing_that_is_not_free(
    free: dict[str, float], held: int, processes: int
) -> None:
    taken = choose_leases(free, held, held + len(free), processes)

    assert {name for name, seconds in free.items() if seconds >= EXTRA_LEASE_DELAY} <= set(taken) <= set(free)
    assert len(taken) == len(set(taken))
