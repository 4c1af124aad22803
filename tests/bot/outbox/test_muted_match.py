"""Laws of the mute of one match: nothing new of it is sent, other matches are not touched, corrections still arrive."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bot.outbox.decide import decide
from bot.outbox.delivery import Reason
from bot.outbox.news import NewsItem
from bot.subscribers import Recipient
from rules.engine.alert import Alert, AlertKey, State
from tests.bot.news import CHAT, NOW, alert, delivered, minor, news, pending, retracted
from tests.packets import FIXTURE

MUTED = replace(CHAT, muted_matches=frozenset({FIXTURE.id}))
NEW = st.sampled_from([alert(), pending(), minor(), alert(kind="full_time", rule="ends")])
LATER = st.sampled_from([alert(2), retracted(2), alert(2, severity=3), alert(2, "other words")])
CHATS = st.builds(
    lambda *switched: replace(CHAT, filter=replace(CHAT.filter, confirmed_only=switched[0]), delay=switched[1]),
    st.booleans(),
    st.integers(0, 300),
)


def _of(fixture_id: str, one: Alert) -> NewsItem:
    key = AlertKey(fixture_id, one.key.action_id)
    return news(replace(one, key=key, fixture=replace(FIXTURE, id=fixture_id)))


@given(NEW, CHATS)
def test_a_muted_match_is_never_sent_and_another_is_sent_as_if_nothing_were_muted(one: Alert, chat: object) -> None:
    muted = replace(chat, muted_matches=frozenset({FIXTURE.id}))  # type: ignore[type-var]

    here, there = (decide(None, _of(fixture_id, one), Recipient(muted), NOW) for fixture_id in (FIXTURE.id, "another"))

    assert not here.is_visible
    assert there == decide(None, _of("another", one), Recipient(chat), NOW)  # type: ignore[arg-type]


@given(NEW, LATER)
def test_what_a_chat_was_told_before_is_corrected_as_in_any_match(before: Alert, after: Alert) -> None:
    assert decide(delivered(before), news(after), Recipient(MUTED), NOW) == decide(
        delivered(before), news(after), Recipient(CHAT), NOW
    )


def test_the_full_time_of_a_muted_match_stays_untold_too() -> None:
    ended = alert(9, "end", State.CONFIRMED, kind="full_time", rule="ends", action="end")

    assert decide(None, news(ended), Recipient(MUTED), NOW).reason is Reason.MUTED
