"""A burst as a value: its lines are stored with their matches, and each retraction is noticed once."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bot.outbox.delivery import Delivery
from bot.outbox.digests import burst_digest, find_retracted_lines, make_burst_key, read_line_keys, select_burst_lines
from bot.outbox.news import NewsItem, format_line_name, parse_line_name
from bot.subscribers import ChatRef
from rules.engine.alert import AlertKey, State
from tests.bot.news import alert, news

BURST = make_burst_key(1_790_000_000.0)
IDS = st.text("aZ09_:-é", min_size=1, max_size=12)
LINES = st.lists(
    st.builds(
        lambda match, action, state: replace(news(alert()), key=AlertKey(match, action), state=state),
        IDS,
        IDS,
        st.sampled_from(State),
    ),
    max_size=5,
    unique_by=lambda line: line.key,
)


def sent_digest(lines: list[NewsItem]) -> Delivery:
    return Delivery(BURST, ChatRef(1), rule="\n".join(format_line_name(line, BURST) for line in lines), message_id=1)


@given(LINES)
def test_what_a_chat_was_told_is_remembered_whichever_matches_it_was_of(lines: list[NewsItem]) -> None:
    assert read_line_keys(sent_digest(lines)) == [line.key for line in lines]
    assert find_retracted_lines(sent_digest(lines), lines) == ()


@given(LINES)
def test_what_stood_and_is_taken_back_falls_once(lines: list[NewsItem]) -> None:
    after = [replace(line, state=State.RETRACTED) for line in lines]

    assert find_retracted_lines(sent_digest(lines), after) == tuple(
        a for a, b in zip(after, lines, strict=True) if b.state is not State.RETRACTED
    )
    assert find_retracted_lines(sent_digest(after), after) == ()


@given(LINES, st.frozensets(IDS))
def test_neither_what_fell_nor_what_is_muted_is_told(lines: list[NewsItem], muted: frozenset[str]) -> None:
    found = select_burst_lines(lines, muted)

    assert {line.key for line in found} == {
        line.key for line in lines if line.state is not State.RETRACTED and line.key.fixture_id not in muted
    }


def test_a_summary_of_one_match_remembers_its_lines_by_their_actions_alone() -> None:
    digest_key = AlertKey("f1", "summary:1")

    assert parse_line_name(format_line_name(news(alert()), digest_key), digest_key) == AlertKey("f1", "g")
    assert burst_digest(BURST, alert()).line_ids
