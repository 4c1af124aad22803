"""Laws of tastes: what any subscription hears the chat hears, as loudly as any rings, as early as any tells."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.subscribers import (
    NO_OVERRIDES,
    Chat,
    ChatRef,
    SubscriptionOverrides,
    apply_overrides,
    combine_overrides,
    format_overrides,
    parse_overrides,
)
from rules.engine.alert import LIVE_MESSAGE_KINDS, SHIPPED_KINDS

SETS = st.frozensets(st.sampled_from([*SHIPPED_KINDS, "of_a_rule"]))
FLAGS = st.none() | st.booleans()
TASTES = st.builds(SubscriptionOverrides, st.none() | SETS, SETS, SETS, FLAGS, FLAGS)
CHATS = st.builds(
    Chat,
    st.just(ChatRef(1)),
    all_kinds=st.booleans(),
    kinds_on=SETS,
    kinds_off=SETS,
    ring=SETS,
    silent=SETS,
    waits=st.booleans(),
    scorers=st.booleans(),
)
KIND = st.sampled_from([*SHIPPED_KINDS, "of_a_rule"])


@given(TASTES)
def test_a_taste_is_read_as_it_was_stored_and_none_costs_nothing(taste: SubscriptionOverrides) -> None:
    assert parse_overrides(format_overrides(taste)) == taste
    assert (format_overrides(taste) == "") is (taste == NO_OVERRIDES)


@given(CHATS, st.lists(TASTES, min_size=1, max_size=4), KIND)
def test_a_chat_hears_what_any_of_its_subscriptions_hears(chat: Chat, tastes: list[SubscriptionOverrides], kind: str) -> None:
    each = [apply_overrides(chat, taste) for taste in tastes]

    assert combine_overrides(chat, tastes).takes(kind) is any(one.takes(kind) for one in each)


@given(CHATS, st.lists(TASTES, min_size=1, max_size=4), KIND, st.booleans())
def test_it_rings_if_it_rings_for_any_that_hears_it(
    chat: Chat, tastes: list[SubscriptionOverrides], kind: str, important: bool
) -> None:
    each = [apply_overrides(chat, taste) for taste in tastes]

    rings = combine_overrides(chat, tastes).sounds(kind, important=important)

    assert rings is (
        any(one.takes(kind) and one.sounds(kind, important=important) for one in each)
        if any(taste.own for taste in tastes)
        else chat.sounds(kind, important=important)
    )


@given(CHATS, st.lists(TASTES, min_size=1, max_size=4), KIND, st.booleans(), st.booleans())
def test_it_waits_no_longer_than_any_that_hears_it(
    chat: Chat, tastes: list[SubscriptionOverrides], kind: str, confirmed: bool, named: bool
) -> None:
    heard = combine_overrides(chat, tastes)
    early = [
        one
        for one in (apply_overrides(chat, t) for t in tastes)
        if one.takes(kind) and one.ready(kind, confirmed=True, named=True)
    ]

    ready = heard.takes(kind) and heard.ready(kind, confirmed=confirmed, named=named)

    assert ready is any(one.ready(kind, confirmed=confirmed, named=named) for one in early)


@given(CHATS, st.lists(st.just(NO_OVERRIDES)))
def test_subscriptions_without_a_taste_leave_the_chat_as_it_is(chat: Chat, tastes: list[SubscriptionOverrides]) -> None:
    assert combine_overrides(chat, tastes) == chat


@given(CHATS, TASTES, st.sampled_from(LIVE_MESSAGE_KINDS))
def test_cards_and_pictures_are_the_chats_alone(chat: Chat, taste: SubscriptionOverrides, extra: str) -> None:
    assert combine_overrides(chat, [taste]).takes(extra) is chat.takes(extra)


@given(CHATS, st.booleans())
def test_who_wants_scorers_alone_hears_goals_once_they_are_named(chat: Chat, confirmed: bool) -> None:
    heard = apply_overrides(chat, SubscriptionOverrides(scorers=True))

    assert [kind for kind in SHIPPED_KINDS if heard.takes(kind)] == ["goal"]
    assert not heard.ready("goal", confirmed=confirmed, named=False)


def test_a_taste_with_kinds_of_its_own_hears_exactly_these() -> None:
    heard = apply_overrides(Chat(ChatRef(1), all_kinds=True, scorers=True), SubscriptionOverrides(frozenset({"yellow_card"})))

    assert [kind for kind in (*SHIPPED_KINDS, "of_a_rule") if heard.takes(kind)] == ["yellow_card"]
