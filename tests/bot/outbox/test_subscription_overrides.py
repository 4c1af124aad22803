"""Overrides of subscriptions over a real outbox: which of several followers gets what, when, and with sound or not."""

from __future__ import annotations

from msgspec.structs import replace

from bot.storage.subscriptions import update_subscription_overrides
from bot.subscribers import AlertFilter, Chat, ChatRef, Scope, Subscription, SubscriptionOverrides
from bot.telegram.plan import Send
from bot.telegram.planning import plan_delivery
from rules.engine.alert import Facts
from tests.bot.news import NOW, REF, alert, minor, pending
from tests.bot.outbox.conftest import World
from tests.packets import AWAY, HOME

ARSENAL, CHELSEA = Subscription(Scope.TEAM, HOME.id, HOME.name), Subscription(Scope.TEAM, AWAY.id, AWAY.name)
NAMED = Facts(match="Arsenal 1–0 Chelsea", action_type="Goal", player="Saka")


async def follow(world: World, chat: Chat, *subscriptions: Subscription) -> None:
    await world.chats.save(chat)
    for subscription in subscriptions:
        await world.subscriptions.add(chat.ref, subscription)


async def test_each_chat_gets_a_match_as_its_subscriptions_want_it(world: World) -> None:
    cards = replace(ARSENAL, overrides=SubscriptionOverrides(frozenset({"yellow_card"}), loud=frozenset({"yellow_card"})))
    await follow(world, Chat(ChatRef(1)), ARSENAL)
    await follow(world, Chat(ChatRef(2)), cards)
    await follow(world, Chat(ChatRef(3)), cards, CHELSEA)

    await world.outbox.put([alert(1)])
    await world.outbox.put([minor(2, action="card")])
    items = await world.take_all()
    steps = [plan_delivery(context, NOW) for item in items if (context := await world.load_context(item))]

    sent = {(plan.delivery.chat.chat_id, plan.alert.kind, plan.is_silent) for plan in steps if isinstance(plan, Send)}
    assert sent == {(1, "goal", False), (2, "yellow_card", False), (3, "goal", False), (3, "yellow_card", False)}


async def test_overrides_for_another_match_change_nothing_here(world: World) -> None:
    other = Subscription(Scope.TEAM, "other", "Everton", SubscriptionOverrides(frozenset()))
    await follow(world, Chat(REF), ARSENAL, other)

    await world.outbox.put([alert()])

    assert [item.chat for item in await world.take_all()] == [REF]


async def test_a_goal_without_a_scorer_waits_for_its_name_where_scorers_are_wanted_and_comes_once(world: World) -> None:
    await follow(world, Chat(ChatRef(1)), replace(ARSENAL, overrides=SubscriptionOverrides(scorers_only=True)))
    await follow(world, Chat(ChatRef(2)), ARSENAL)
    await world.outbox.put([alert(1)])
    (first,) = await world.take_all()
    await world.record_sent(first)
    await world.restart()
    await world.outbox.put([alert(2)])
    for item in await world.take_all():
        if (context := await world.load_context(item)) and context.recipient.chat.ref == ChatRef(1):
            await world.complete(plan_delivery(context, NOW).delivery)

    await world.outbox.put([alert(3, facts=NAMED)])
    contexts = [context for item in await world.take_all() if (context := await world.load_context(item))]

    assert first.chat == ChatRef(2)
    assert {context.recipient.chat.ref: type(plan_delivery(context, NOW)).__name__ for context in contexts}[ChatRef(1)] == "Send"


async def test_one_subscription_may_wait_for_confirmation_while_the_chat_does_not(world: World) -> None:
    await follow(world, Chat(ChatRef(1)), replace(ARSENAL, overrides=SubscriptionOverrides(confirmed_only=True)))
    await follow(
        world,
        Chat(ChatRef(2), filter=AlertFilter(confirmed_only=True)),
        replace(ARSENAL, overrides=SubscriptionOverrides(confirmed_only=False)),
    )

    await world.outbox.put([pending(1)])
    early = await world.take_all()
    await world.outbox.put([alert(2)])

    assert [item.chat.chat_id for item in early] == [2]
    assert ChatRef(1) in {item.chat for item in await world.take_all()}


async def test_overrides_are_stored_changed_and_deleted_with_their_subscription(world: World) -> None:
    await follow(world, Chat(REF), ARSENAL)
    async with world.db.transaction() as tx:
        await update_subscription_overrides(tx, REF, ARSENAL, lambda _: SubscriptionOverrides(confirmed_only=True))
    tuned, (kept,) = await world.chats.get(REF), await world.subscriptions.get_all(REF)
    await world.subscriptions.remove(REF, ARSENAL)
    plain = await world.chats.get(REF)

    assert (kept.overrides, tuned and tuned.has_overrides, plain and plain.has_overrides) == (
        SubscriptionOverrides(confirmed_only=True),
        True,
        False,
    )
