"""Laws of when a burst ends: soon, later than now, and the same for chats that got something at about the same time."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.subscribers import Chat, ChatRef

SECONDS = st.floats(0, 100, allow_nan=False)


def end(sent_at: float | None, now: float, *, bursts: bool = True) -> float | None:
    return Chat(ChatRef(1), digests=bursts, digest_window_at=sent_at).digest_window_ends_at(now)


@given(SECONDS, SECONDS)
def test_news_is_held_for_fifteen_seconds_at_most_and_never_for_the_past(sent_at: float, later: float) -> None:
    found = end(sent_at, sent_at + later)

    assert found is None or sent_at + later < found <= sent_at + 15
    assert (found is None) is (later >= 10) or 10 <= later < 15


@given(st.integers(20, 99), st.integers(0, 15))
def test_what_comes_before_a_burst_is_sent_joins_it(at: int, before: int) -> None:
    assert end(at, at - before) == (at if before else end(at, at))


def test_where_nothing_was_sent_or_bursts_are_not_wanted_news_comes_at_once() -> None:
    assert (end(None, 5), end(5, 5, bursts=False), end(0, 60)) == (None, None, None)
