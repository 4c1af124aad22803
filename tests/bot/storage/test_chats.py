import asyncio
import datetime as dt
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from sqlalchemy import select, update

from bot.storage.chat_rows import chat_to_row, row_to_chat, values_to_chat
from bot.storage.chats import ChatRepository
from bot.storage.database import Database
from bot.storage.schema import chats as chat_table
from bot.storage.subscriptions import SubscriptionRepository, read_followers_page, update_subscription_overrides
from bot.subscribers import AlertFilter, Chat, ChatRef, Scope, Subscription, SubscriptionOverrides, make_name_key
from rules.engine.alert import SHIPPED_KINDS
from rules.football.action import Fixture
from tests.packets import FIXTURE

ARSENAL = Subscription(Scope.TEAM, "h", "Arsenal")
EVERYTHING = Subscription(Scope.ALL)
REF = ChatRef(5)
_KINDS = st.frozensets(st.text("abcdefghijklmnopqrstuvwxyz_", min_size=1, max_size=9))
_INSTANTS = st.integers(1_500_000_000, 2_500_000_000).map(lambda seconds: dt.datetime.fromtimestamp(seconds, dt.UTC))


@pytest.fixture
def chats(db: Database) -> ChatRepository:
    return ChatRepository(db)


@pytest.fixture
def subscriptions(db: Database) -> SubscriptionRepository:
    return SubscriptionRepository(db)


async def read_followers(db: Database, fixture: Fixture = FIXTURE) -> list[ChatRef]:
    async with db.transaction() as tx:
        return [ref for ref, _ in await read_followers_page(tx, fixture, None, 100)]


@given(
    st.builds(
        Chat,
        st.builds(ChatRef, st.integers(-(2**52), 2**52), st.integers(0, 2**31)),
        title=st.text(),
        filter=st.builds(
            AlertFilter, st.booleans(), _KINDS, _KINDS, _KINDS, _KINDS, confirmed_only=st.booleans(), scorers_only=st.booleans()
        ),
        language=st.sampled_from(["", "de"]),
        language_chosen=st.booleans(),
        muted_until=st.none() | _INSTANTS,
        muted_matches=st.frozensets(st.uuids().map(str)),
        mute_button=st.booleans(),
        spoilers=st.booleans(),
        delay=st.integers(0, 300),
        digest_window_at=st.none() | st.floats(0, 2e9),
        username=st.text(),
    )
)
def test_a_chat_is_read_as_it_was_stored(chat: Chat) -> None:
    row = {column.name: None for column in chat_table.columns} | chat_to_row(chat)

    assert row_to_chat(row) == chat
    assert values_to_chat(tuple(row.values())) == chat


async def test_a_chat_gets_a_match_once_however_many_of_its_subscriptions_cover_it(
    db: Database,
    subscriptions: SubscriptionRepository,
) -> None:
    by_name = Subscription(Scope.TEAM, make_name_key("Chelsea"))
    for subscription in (ARSENAL, EVERYTHING, by_name):
        assert await subscriptions.add(REF, subscription)
    assert not await subscriptions.add(REF, ARSENAL)

    assert await read_followers(db) == [REF]


async def test_a_language_that_is_learnt_gives_way_to_a_chosen_one_and_not_the_other_way_round(chats: ChatRepository) -> None:
    await chats.save(Chat(REF))
    await chats.set_language_if_unchosen(REF, "es")
    learnt = await chats.get(REF)
    await chats.save(Chat(REF, language="de", language_chosen=True))
    await chats.set_language_if_unchosen(REF, "fr")

    assert (learnt, await chats.get(REF)) == (Chat(REF, language="es"), Chat(REF, language="de", language_chosen=True))


def mute_match(fixture_id: str, chat: Chat) -> Chat:
    return replace(chat, muted_matches=chat.muted_matches | {fixture_id})


def switch_kind_off(kind: str, overrides: SubscriptionOverrides) -> SubscriptionOverrides:
    return replace(overrides, silent=overrides.silent | {kind})


async def test_changes_of_one_chat_at_the_same_moment_are_all_kept(db: Database, chats: ChatRepository) -> None:
    # The digest window is written by the sender, which knows nothing of the chat's settings.
    await chats.save(Chat(REF, title="Old"))
    window = update(chat_table).where(chat_table.c.chat_id == REF.chat_id).values(burst_at=7.0)

    async def open_digest_window() -> None:
        async with db.transaction() as tx:
            await tx.execute(window)

    await asyncio.gather(
        *(chats.update(REF, partial(mute_match, f"f{number}")) for number in range(20)),
        chats.update(REF, lambda chat: replace(chat, delay=30)),
        open_digest_window(),
        chats.get_or_create(REF, "private", "New"),
        chats.set_language_if_unchosen(REF, "de"),
    )

    muted = frozenset(f"f{number}" for number in range(20))
    assert await chats.get(REF) == Chat(REF, title="New", muted_matches=muted, delay=30, digest_window_at=7.0, language="de")


async def test_a_change_of_a_chat_that_is_not_known_stores_nothing(chats: ChatRepository) -> None:
    assert await chats.update(REF, partial(mute_match, "f1")) is None
    assert await chats.get_all() == ()


async def test_changes_of_one_subscription_at_the_same_moment_are_all_kept(
    db: Database, chats: ChatRepository, subscriptions: SubscriptionRepository
) -> None:
    await subscriptions.add(REF, ARSENAL)

    async def switch_off(kind: str) -> None:
        async with db.transaction() as tx:
            await update_subscription_overrides(tx, REF, ARSENAL, partial(switch_kind_off, kind))

    await asyncio.gather(
        *map(switch_off, SHIPPED_KINDS),
        chats.update(REF, partial(mute_match, "f1")),
    )

    (stored,) = await subscriptions.get_all(REF)
    chat = await chats.get(REF)
    assert stored.overrides.silent == frozenset(SHIPPED_KINDS)
    assert chat and chat.has_overrides and chat.muted_matches == {"f1"}


async def test_a_chat_that_follows_something_else_is_no_follower(db: Database, subscriptions: SubscriptionRepository) -> None:
    await subscriptions.add(REF, Subscription(Scope.TEAM, "other", "Everton"))

    assert await read_followers(db) == []


async def test_unsubscribing_returns_whether_there_was_something_to_end(subscriptions: SubscriptionRepository) -> None:
    await subscriptions.add(REF, ARSENAL)

    assert [await subscriptions.remove(REF, ARSENAL), await subscriptions.remove(REF, ARSENAL)] == [True, False]


async def test_a_suspended_chat_follows_nothing_until_it_is_resumed(
    chats: ChatRepository, subscriptions: SubscriptionRepository
) -> None:
    await subscriptions.add(REF, ARSENAL)
    await chats.suspend(5, "blocked")
    assert await subscriptions.get_active() == ()

    await chats.resume(5)

    assert await subscriptions.get_all(REF) == (ARSENAL,)
    assert [subscription.key for subscription in await subscriptions.get_active()] == [ARSENAL.key]


async def test_a_group_that_moves_takes_its_settings_and_topics_along_once(
    chats: ChatRepository, subscriptions: SubscriptionRepository
) -> None:
    await chats.save(Chat(ChatRef(-5, 3), "group", filter=AlertFilter(all_kinds=True)))
    await subscriptions.add(ChatRef(-5, 3), ARSENAL)
    await chats.get_or_create(ChatRef(-1005, 3), "supergroup", "new")

    for _ in range(2):
        await chats.migrate(-5, -1005)

    assert [(chat.ref, chat.filter.all_kinds) for chat in await chats.get_all()] == [(ChatRef(-1005, 3), True)]
    assert await subscriptions.get_all(ChatRef(-1005, 3)) == (ARSENAL,)


@pytest.mark.parametrize(("old_is_active", "new_is_active"), [(False, True), (True, False), (False, False)])
async def test_a_group_that_moves_is_suspended_only_if_it_was_under_both_ids(
    chats: ChatRepository, old_is_active: bool, new_is_active: bool
) -> None:
    for chat_id, is_active in ((-5, old_is_active), (-1005, new_is_active)):
        await chats.get_or_create(ChatRef(chat_id), "supergroup", "Fans")
        if not is_active:
            await chats.suspend(chat_id, "left")
    await chats.migrate(-5, -1005)

    (chat,) = await chats.get_all()
    assert (chat.ref, chat.is_active) == (ChatRef(-1005), old_is_active or new_is_active)


async def test_a_configuration_that_names_the_new_id_decides_against_what_the_old_one_followed(
    chats: ChatRepository, subscriptions: SubscriptionRepository
) -> None:
    await chats.save(Chat(ChatRef(-5), "group", delay=60))
    await subscriptions.add(ChatRef(-5), ARSENAL)
    await subscriptions.store_configured_chats([(Chat(ChatRef(-1005), "supergroup", language="de"), (EVERYTHING,))])
    await chats.migrate(-5, -1005)

    (chat,) = await chats.get_all()
    assert (chat.ref, chat.language, chat.delay, chat.is_configured) == (ChatRef(-1005), "de", 0, True)
    assert await subscriptions.get_all(chat.ref) == (EVERYTHING,)


async def test_a_group_that_moved_twice_is_known_by_both_ids_that_it_had_and_forgotten_with_its_chat(
    chats: ChatRepository, subscriptions: SubscriptionRepository
) -> None:
    await chats.get_or_create(ChatRef(-5), "group", "Fans")
    await chats.migrate(-5, -1005)
    await chats.migrate(-1005, -2005)
    moved = await subscriptions.store_configured_chats([(Chat(ChatRef(-5)), (EVERYTHING,)), (Chat(ChatRef(-2005)), (ARSENAL,))])
    followed = await subscriptions.get_all(ChatRef(-2005))
    await chats.erase(ChatRef(-2005))

    assert moved == {-5: -2005, -1005: -2005}
    assert followed == (ARSENAL,), "what the file says of the new id"
    assert await subscriptions.store_configured_chats([]) == {}


async def test_overrides_that_come_with_a_subscription_of_the_new_id_are_found_after_a_move(
    chats: ChatRepository, subscriptions: SubscriptionRepository
) -> None:
    await subscriptions.add(ChatRef(-5), EVERYTHING)
    await subscriptions.add(ChatRef(-1005), replace(ARSENAL, overrides=SubscriptionOverrides(confirmed_only=True)))
    await chats.migrate(-5, -1005)

    (chat,) = await chats.get_all()
    assert chat.has_overrides


async def test_a_deleted_topic_leaves_what_it_follows_to_the_general_one_and_settings_where_it_has_none(
    chats: ChatRepository, subscriptions: SubscriptionRepository
) -> None:
    await chats.save(Chat(ChatRef(-5), "supergroup", delay=7))
    for topic in (3, 4):
        await chats.save(Chat(ChatRef(-5, topic), "supergroup", delay=topic))
        await subscriptions.add(ChatRef(-5, topic), EVERYTHING)
        await subscriptions.add(ChatRef(-5, topic), replace(ARSENAL, overrides=SubscriptionOverrides(confirmed_only=True)))
        await chats.merge_topic_into_general(ChatRef(-5, topic))
    await chats.save(Chat(ChatRef(-6, 3), "supergroup", delay=9))
    for _ in range(2):
        await chats.merge_topic_into_general(ChatRef(-6, 3))

    kept = [(chat.ref, chat.delay, chat.has_overrides) for chat in await chats.get_all()]
    assert kept == [(ChatRef(-6), 9, False), (ChatRef(-5), 7, True)]
    assert {one.key for one in await subscriptions.get_all(ChatRef(-5))} == {"", "h"}


async def test_a_chat_keeps_its_settings_when_its_title_changes(chats: ChatRepository) -> None:
    await chats.save(Chat(REF, "group", "Old", delay=30))

    assert await chats.get_or_create(REF, "group", "New") == Chat(REF, "group", "New", delay=30)


@pytest.mark.parametrize("column", ["muted_until", "channel_until", "muted_matches"])
async def test_a_setting_that_cannot_be_read_costs_no_other_and_is_not_overwritten(
    db: Database, chats: ChatRepository, column: str
) -> None:
    chat = Chat(REF, "group", "Old", language="de", delay=30, spoilers=True, is_configured=True, is_active=False)
    await chats.save(chat)
    stored: object = f"f1|{10**20}" if column == "muted_matches" else 1e20
    async with db.transaction() as tx:
        await tx.execute(update(chat_table).values({column: stored}))

    renamed = await chats.get_or_create(REF, "group", "New")
    changed = await chats.update(REF, partial(replace, delay=60))

    assert (renamed, changed) == (replace(chat, title="New"), replace(chat, title="New", delay=60))
    async with db.transaction() as tx:
        (row,) = await tx.fetch(select(chat_table.c[column]))
    assert row[column] == stored


async def test_setting_what_could_not_be_read_replaces_it(db: Database, chats: ChatRepository) -> None:
    await chats.save(Chat(REF, "group"))
    async with db.transaction() as tx:
        await tx.execute(update(chat_table).values(muted_matches=f"f1|{10**20}"))

    await chats.update(REF, partial(mute_match, "f2"))

    assert await chats.get(REF) == Chat(REF, "group", muted_matches=frozenset({"f2"}))


async def test_the_configuration_decides_what_its_chats_follow(
    db: Database, chats: ChatRepository, subscriptions: SubscriptionRepository
) -> None:
    await subscriptions.store_configured_chats([(Chat(REF), [ARSENAL]), (Chat(ChatRef(6)), [EVERYTHING])])
    await subscriptions.store_configured_chats([(Chat(REF), [EVERYTHING])])

    assert await subscriptions.get_all(REF) == (EVERYTHING,)
    assert await read_followers(db) == [REF]
    assert [chat.is_configured for chat in await chats.get_all()] == [True, False]


async def test_every_change_of_who_follows_what_is_reported_at_once(db: Database) -> None:
    changes = list[int]()
    subscriptions = SubscriptionRepository(db, lambda: changes.append(1))

    await subscriptions.add(REF, ARSENAL)
    await subscriptions.remove(REF, ARSENAL)

    assert len(changes) == 2


async def test_followers_come_page_by_page_each_once(db: Database, subscriptions: SubscriptionRepository) -> None:
    for number in range(25):
        await subscriptions.add(ChatRef(number % 9, number), ARSENAL if number % 2 else EVERYTHING)
    found, last = [], None
    while True:
        async with db.transaction() as tx:
            page = [ref for ref, _ in await read_followers_page(tx, FIXTURE, last, 4)]
        if not page:
            break
        found, last = found + page, page[-1]

    assert found == sorted(ChatRef(number % 9, number) for number in range(25))


async def test_a_fixture_without_names_is_covered_by_its_id(db: Database, subscriptions: SubscriptionRepository) -> None:
    bare = replace(FIXTURE, home=type(FIXTURE.home)(), away=type(FIXTURE.away)(), name="")
    await subscriptions.add(REF, Subscription(Scope.MATCH, FIXTURE.id))

    assert await read_followers(db, bare) == [REF]


async def test_a_chat_that_is_gone_is_forgotten_after_the_time_and_not_earlier(
    chats: ChatRepository, subscriptions: SubscriptionRepository
) -> None:
    keep, now = dt.timedelta(days=180), dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    await chats.save(Chat(REF))
    await subscriptions.add(REF, ARSENAL)
    await chats.save(Chat(ChatRef(6)))
    await chats.suspend(REF.chat_id, "Forbidden: bot was blocked by the user")

    assert await chats.forget_suspended(keep, now) == 0
    assert await chats.forget_suspended(keep, now + keep - dt.timedelta(minutes=1)) == 0
    assert await subscriptions.get_all(REF) == (ARSENAL,)
    assert await chats.forget_suspended(keep, now + keep) == 1

    assert [chat.ref for chat in await chats.get_all()] == [ChatRef(6)]
    assert await subscriptions.get_all(REF) == ()


async def test_the_time_of_a_chat_that_came_back_begins_anew(chats: ChatRepository) -> None:
    keep, now = dt.timedelta(days=180), dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    await chats.save(Chat(REF))
    await chats.suspend(REF.chat_id, "blocked")
    await chats.forget_suspended(keep, now)
    await chats.resume(REF.chat_id)
    await chats.suspend(REF.chat_id, "blocked again")

    assert await chats.forget_suspended(keep, now + keep) == 0
    assert await chats.forget_suspended(keep, now + 2 * keep) == 1


async def test_a_chat_of_the_configuration_is_not_forgotten(chats: ChatRepository) -> None:
    keep, now = dt.timedelta(days=180), dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    await chats.save(Chat(REF, is_configured=True))
    await chats.suspend(REF.chat_id, "kicked")
    await chats.forget_suspended(keep, now)

    assert await chats.forget_suspended(keep, now + 2 * keep) == 0
    assert await chats.get(REF)
