"""Laws of filters: a chat gets what any of its subscriptions brings, as loud as any says, as early as any allows."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.storage.copies import decode_copies
from bot.subscribers import (
    NO_OVERRIDES,
    AlertFilter,
    Chat,
    ChatRef,
    Recipient,
    SubscriptionOverrides,
    format_overrides,
    parse_overrides,
)
from rules.engine.alert import DEFAULT_KINDS, LIVE_MESSAGE_KINDS, SHIPPED_KINDS
from rules.loading.loader import load_pack

SETS = st.frozensets(st.sampled_from([*SHIPPED_KINDS, "of_a_rule"]))
KINDS_ON = st.frozensets(st.sampled_from([*SHIPPED_KINDS, "of_a_rule", *LIVE_MESSAGE_KINDS]))
OVERRIDES = st.builds(SubscriptionOverrides, st.none() | SETS, SETS, SETS, st.none() | st.booleans(), st.none() | st.booleans())
FILTERS = st.builds(AlertFilter, st.booleans(), KINDS_ON, SETS, SETS, SETS, st.booleans(), st.booleans())
CHATS = st.builds(Chat, st.just(ChatRef(1)), filter=FILTERS)
COVERING = st.lists(OVERRIDES, min_size=1, max_size=4)
KIND = st.sampled_from([*SHIPPED_KINDS, "of_a_rule"])
ANY_KIND = st.sampled_from([*SHIPPED_KINDS, "of_a_rule", *LIVE_MESSAGE_KINDS])


@dataclass(frozen=True)
class ChatOfTheFirstVersion:
    """A chat as version 0.1 decided with it: `views` are the chat as each of its subscriptions sees it."""

    all_kinds: bool
    kinds_on: frozenset[str]
    kinds_off: frozenset[str]
    loud: frozenset[str]
    silent: frozenset[str]
    confirmed_only: bool
    scorers_only: bool
    only_kinds: frozenset[str] | None = None
    views: tuple[ChatOfTheFirstVersion, ...] = ()

    def is_loud(self, kind: str, *, important: bool) -> bool:
        if self.views:
            return any(view.accepts(kind) and view.is_loud(kind, important=important) for view in self.views)
        return kind in self.loud or (important and kind not in self.silent)

    def accepts(self, kind: str) -> bool:
        if kind in LIVE_MESSAGE_KINDS:
            return kind in self.kinds_on
        if self.views:
            return any(view.accepts(kind) for view in self.views)
        if self.scorers_only:
            return kind == "goal"
        if self.only_kinds is not None:
            return kind in self.only_kinds
        if self.all_kinds or kind in self.kinds_on:
            return True
        return kind not in self.kinds_off and (kind in DEFAULT_KINDS or kind not in SHIPPED_KINDS)

    def is_ready(self, kind: str, *, confirmed: bool, named: bool) -> bool:
        if self.views and kind not in LIVE_MESSAGE_KINDS:
            return any(view.accepts(kind) and view.is_ready(kind, confirmed=confirmed, named=named) for view in self.views)
        return (confirmed or not self.confirmed_only) and (named or not self.scorers_only or kind != "goal")

    def with_views(self, overrides: list[SubscriptionOverrides]) -> ChatOfTheFirstVersion:
        if not any(own.has_any for own in overrides):
            return self
        return replace(self, views=tuple(self.with_overrides(own) for own in overrides))

    def with_overrides(self, overrides: SubscriptionOverrides) -> ChatOfTheFirstVersion:
        scorers = (self.scorers_only and overrides.kinds is None) if overrides.scorers_only is None else overrides.scorers_only
        return replace(
            self,
            only_kinds=self.only_kinds if overrides.kinds is None else overrides.kinds,
            loud=(self.loud - overrides.silent) | overrides.loud,
            silent=(self.silent - overrides.loud) | overrides.silent,
            confirmed_only=self.confirmed_only if overrides.confirmed_only is None else overrides.confirmed_only,
            scorers_only=scorers,
        )


@given(CHATS, st.lists(OVERRIDES, max_size=4), ANY_KIND, st.booleans(), st.booleans(), st.booleans())
def test_a_recipient_decides_as_the_chat_of_the_first_version_did(
    chat: Chat, overrides: list[SubscriptionOverrides], kind: str, important: bool, confirmed: bool, named: bool
) -> None:
    own = chat.filter
    before = ChatOfTheFirstVersion(
        own.all_kinds, own.kinds_on, own.kinds_off, own.loud, own.silent, own.confirmed_only, own.scorers_only
    ).with_views(overrides)
    now = Recipient.of(chat, overrides)

    assert now.accepts(kind) is before.accepts(kind)
    assert now.is_loud(kind, important=important) is before.is_loud(kind, important=important)
    assert now.is_ready(kind, confirmed=confirmed, named=named) is before.is_ready(kind, confirmed=confirmed, named=named)
    for one in overrides:
        alone, then = own.with_overrides(one), replace(before, views=()).with_overrides(one)
        assert alone.accepts(kind) is then.accepts(kind)
        assert alone.is_loud(kind, important=important) is then.is_loud(kind, important=important)
        assert alone.is_ready(kind, confirmed=confirmed, named=named) is then.is_ready(kind, confirmed=confirmed, named=named)


@pytest.mark.parametrize("text", ["{", '{"newer":' + "[" * 100_000], ids=["no JSON", "too deep"])
def test_stored_overrides_and_copies_that_cannot_be_read_count_as_none(text: str) -> None:
    assert parse_overrides(text) == NO_OVERRIDES
    assert decode_copies("[" + text) == ()


@given(OVERRIDES)
def test_overrides_are_read_as_they_were_stored_and_none_cost_nothing(overrides: SubscriptionOverrides) -> None:
    assert parse_overrides(format_overrides(overrides)) == overrides
    assert (format_overrides(overrides) == "") is (overrides == NO_OVERRIDES)


def test_stored_overrides_keep_the_keys_of_the_first_version() -> None:
    overrides = SubscriptionOverrides(frozenset({"goal"}), frozenset({"var"}), frozenset({"goal"}), True, False)

    assert format_overrides(overrides) == '{"kinds":["goal"],"ring":["var"],"silent":["goal"],"waits":true,"scorers":false}'


@given(CHATS, COVERING, KIND)
def test_a_chat_gets_what_any_of_its_subscriptions_brings(chat: Chat, overrides: list[SubscriptionOverrides], kind: str) -> None:
    each = [chat.filter.with_overrides(own) for own in overrides]

    assert Recipient.of(chat, overrides).accepts(kind) is any(one.accepts(kind) for one in each)


@given(CHATS, COVERING, KIND, st.booleans())
def test_an_alert_is_loud_if_it_is_for_any_subscription_that_brings_it(
    chat: Chat, overrides: list[SubscriptionOverrides], kind: str, important: bool
) -> None:
    each = [chat.filter.with_overrides(own) for own in overrides]

    is_loud = Recipient.of(chat, overrides).is_loud(kind, important=important)

    assert is_loud is (
        any(one.accepts(kind) and one.is_loud(kind, important=important) for one in each)
        if any(own.has_any for own in overrides)
        else chat.filter.is_loud(kind, important=important)
    )


@given(CHATS, COVERING, KIND, st.booleans(), st.booleans())
def test_an_alert_waits_no_longer_than_for_any_subscription_that_brings_it(
    chat: Chat, overrides: list[SubscriptionOverrides], kind: str, confirmed: bool, named: bool
) -> None:
    recipient = Recipient.of(chat, overrides)
    early = [
        one
        for one in (chat.filter.with_overrides(own) for own in overrides)
        if one.accepts(kind) and one.is_ready(kind, confirmed=True, named=True)
    ]

    is_ready = recipient.accepts(kind) and recipient.is_ready(kind, confirmed=confirmed, named=named)

    assert is_ready is any(one.is_ready(kind, confirmed=confirmed, named=named) for one in early)


@given(CHATS, st.lists(st.just(NO_OVERRIDES)))
def test_subscriptions_without_overrides_leave_the_chat_as_it_is(chat: Chat, overrides: list[SubscriptionOverrides]) -> None:
    assert Recipient.of(chat, overrides) == Recipient(chat)


@given(CHATS, OVERRIDES, st.sampled_from(LIVE_MESSAGE_KINDS))
def test_cards_and_pictures_are_the_chats_alone(chat: Chat, overrides: SubscriptionOverrides, kind: str) -> None:
    assert Recipient.of(chat, [overrides]).accepts(kind) is chat.filter.accepts(kind)


@given(CHATS, st.booleans())
def test_with_scorers_only_there_are_goals_once_their_scorer_is_named(chat: Chat, confirmed: bool) -> None:
    wanted = chat.filter.with_overrides(SubscriptionOverrides(scorers_only=True))

    assert [kind for kind in SHIPPED_KINDS if wanted.accepts(kind)] == ["goal"]
    assert not wanted.is_ready("goal", confirmed=confirmed, named=False)


def test_a_chat_that_changed_nothing_gets_the_default_kinds_and_those_of_an_operators_own_rules() -> None:
    unchanged = Chat(ChatRef(1)).filter
    offered = (*load_pack("everything").list_kinds(), "of_a_rule")

    assert {kind for kind in offered if unchanged.accepts(kind)} == DEFAULT_KINDS | {"of_a_rule"}
    assert AlertFilter(kinds_on=frozenset({"play"})).accepts("play")


def test_a_subscription_with_kinds_of_its_own_brings_exactly_these() -> None:
    chat = Chat(ChatRef(1), filter=AlertFilter(all_kinds=True, scorers_only=True))
    wanted = chat.filter.with_overrides(SubscriptionOverrides(frozenset({"yellow_card"})))

    assert [kind for kind in (*SHIPPED_KINDS, "of_a_rule") if wanted.accepts(kind)] == ["yellow_card"]
