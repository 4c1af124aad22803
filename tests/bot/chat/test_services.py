"""What dialogues decide is stored, also if two of them looked at the same chat."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from sqlalchemy import select, update

from bot.chat.application import ROUTER
from bot.chat.dialogue import DialogueResult
from bot.chat.replies import ReplySender
from bot.chat.services import ChatServices
from bot.chat.update_origin import UpdateOrigin
from bot.clock import ManualClock
from bot.storage.chats import ChatRepository
from bot.storage.database import Database
from bot.storage.schema import chats
from bot.storage.subscriptions import SubscriptionRepository, restore_unfollowed
from bot.subscribers import ChatRef, Scope, Subscription
from bot.telegram.messenger import build_bot
from rules.engine.alert import SHIPPED_KINDS
from tests.bot.chat.fixtures import ARSENAL, NOW, KnownFixtures, press_button, run_command

ORIGIN = UpdateOrigin(ChatRef(42), "private", "Reader", 42, 1)


@pytest.fixture
def services(db: Database) -> ChatServices:
    return make_services(db)


def make_services(db: Database) -> ChatServices:
    return ChatServices(
        chats=ChatRepository(db),
        subscriptions=SubscriptionRepository(db),
        directory=KnownFixtures(),
        list_kinds=lambda: SHIPPED_KINDS,
        clock=ManualClock(NOW),
        replies=ReplySender(build_bot("1:token", "http://127.0.0.1:9")),
        commands=ROUTER.menu,
    )


async def test_of_two_changes_that_were_decided_from_the_same_chat_both_are_stored(db: Database, services: ChatServices) -> None:
    await SubscriptionRepository(db).add(ORIGIN.ref, Subscription(Scope.TEAM, ARSENAL.id, ARSENAL.name))
    seen = await services.load_context(ORIGIN)
    results: list[DialogueResult] = [
        run_command(seen, "alerts", "+yellow_card"),
        run_command(seen, "alerts", "-goal"),
        run_command(seen, "alerts", "silent", "full_time"),
        run_command(seen, "alerts", "Arsenal", "wait"),
        run_command(seen, "alerts", "Arsenal", "scorers"),
        run_command(seen, "delay", "30"),
        run_command(seen, "timezone", "Europe/Madrid"),
        press_button(seen, "f:spoilers"),
    ]

    for result in results:
        await services.apply_changes(ORIGIN.ref, result.changes)

    context = await services.load_context(ORIGIN)
    chat, overrides = context.chat, context.subscriptions[0].overrides
    assert chat.filter.accepts("yellow_card") and not chat.filter.accepts("goal") and chat.filter.silent == {"full_time"}
    assert (chat.delay, chat.timezone, chat.spoilers, chat.has_overrides) == (30, "Europe/Madrid", True, True)
    assert (overrides.confirmed_only, overrides.scorers_only) == (True, True)


async def test_stop_can_be_undone_after_a_restart(db: Database, services: ChatServices) -> None:
    subscriptions = SubscriptionRepository(db)
    await subscriptions.add(ORIGIN.ref, Subscription(Scope.TEAM, ARSENAL.id, ARSENAL.name))
    seen = await services.load_context(ORIGIN)
    await services.apply_changes(ORIGIN.ref, run_command(seen, "alerts", "Arsenal", "scorers").changes)
    before = await subscriptions.get_all(ORIGIN.ref)
    stopped = run_command(await services.load_context(ORIGIN), "stop")
    await services.apply_changes(ORIGIN.ref, stopped.changes)

    restarted = make_services(db)
    undone = press_button(await restarted.load_context(ORIGIN), "p!:undo")
    await restarted.apply_changes(ORIGIN.ref, undone.changes)

    assert before and await subscriptions.get_all(ORIGIN.ref) == before
    assert (await restarted.load_context(ORIGIN)).chat.unfollowed == ()


async def test_an_undo_of_what_cannot_be_read_restores_nothing_leaves_it_stored_and_is_reported(
    db: Database, services: ChatServices
) -> None:
    reported = list[str]()
    db.on_damaged = lambda rows: reported.extend(rows)
    unreadable = '[{"scope":"team","newer":' + "[" * 100_000  # deeper than the decoder goes
    await services.load_context(ORIGIN)
    async with db.transaction() as tx:
        await tx.execute(update(chats).values(unfollowed=unreadable))
        await restore_unfollowed(tx, ORIGIN.ref)
    async with db.transaction() as tx:
        (row,) = await tx.fetch(select(chats))

    assert await SubscriptionRepository(db).get_all(ORIGIN.ref) == ()
    assert row["unfollowed"] == unreadable and (await services.load_context(ORIGIN)).chat.unfollowed == ()
    assert set(reported) == {f"the row of chats with chat_id {ORIGIN.ref.chat_id}, topic {ORIGIN.ref.topic}"}


async def test_a_second_stop_keeps_what_the_first_one_removed(db: Database, services: ChatServices) -> None:
    await SubscriptionRepository(db).add(ORIGIN.ref, Subscription(Scope.ALL))
    stopped = run_command(await services.load_context(ORIGIN), "stop")
    for _ in range(2):
        await services.apply_changes(ORIGIN.ref, stopped.changes)

    undone = press_button(await services.load_context(ORIGIN), "p!:undo")
    await services.apply_changes(ORIGIN.ref, undone.changes)

    assert [one.scope for one in await SubscriptionRepository(db).get_all(ORIGIN.ref)] == [Scope.ALL]


async def test_the_operators_page_about_privacy_is_named(services: ChatServices) -> None:
    context = await services.load_context(ORIGIN)

    html = run_command(replace(context, privacy_url="https://example.org/privacy?a=1&b=2"), "privacy").screen.html

    assert html.endswith("https://example.org/privacy?a=1&amp;b=2")
    assert "https" not in run_command(context, "privacy").screen.html
