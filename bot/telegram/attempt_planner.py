"""Makes attempts of items whose turn has come: reads what decides them, plans each, adds its picture, and counts it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import NamedTuple

import msgspec

from bot.clock import Clock
from bot.media.renderer import PictureRenderer
from bot.outbox.delivery import DeliveryContext, DeliveryResult, QueueItem, collect_timestamps
from bot.outbox.queue import DeliveryQueue
from bot.telegram.execute import Attempt
from bot.telegram.failures import FailureHandler
from bot.telegram.limits.rate_limits import RateLimitPolicy
from bot.telegram.plan import (
    Edit,
    Plan,
    Reply,
    RequestPlan,
    Send,
    Skip,
    drop_picture,
    find_new_mute_offer,
    make_uncertain_delivery,
)
from bot.telegram.queues import ChatQueues
from bot.telegram.shared_plans import SharedPlans
from bot.telegram.unanswered import UncertainEdits


class Planned(NamedTuple):
    """What came of some items: requests to make, and plans to send nothing, which are committed with the other results."""

    attempts: list[Attempt]
    skipped: list[tuple[Skip, DeliveryResult]]


class AttemptPlanner:
    """Plans the items that a sender has taken. An item of which nothing is left to do lets its chat go on."""

    def __init__(
        self,
        queue: DeliveryQueue,
        chat_queues: ChatQueues,
        failures: FailureHandler,
        rate_limiter: RateLimitPolicy,
        clock: Clock,
        requeue: Callable[[QueueItem], None],
        wake: Callable[[], None],
    ) -> None:
        """`requeue` puts an item at the front of its chat's queue, and `wake` lets the sender look for something to send."""
        self._delivery_queue, self._chat_queues, self._failures = queue, chat_queues, failures
        self._rate_limiter, self._clock, self._requeue, self._wake = rate_limiter, clock, requeue, wake
        self.pictures = PictureRenderer()
        self.uncertain_edits = UncertainEdits()

    async def plan(self, items: Sequence[QueueItem], now: float, limited_at: float) -> Planned:
        """Plan these items. What is to be requested is counted for the limits.

        `now` is when they were taken, and `limited_at` when the rate limiter last let nothing leave, by the monotonic clock.
        """
        planned = Planned([], [])
        wall_clock = self._clock.now().timestamp()
        plans = await self._plan_all(items, now)
        # Not before: to read and plan them took a while, in which nothing has left yet.
        started_at = self._clock.monotonic()
        for item, begun in zip(items, plans, strict=True):
            if begun is None or self._failures.unanswered.stays_parked(item, begun[1]):
                self._chat_queues.finish(item.chat.chat_id, now)
                continue
            context, plan = begun[0], self._attach_picture(item, begun[1])
            if plan is None:
                self._chat_queues.finish(item.chat.chat_id, now)
            elif isinstance(plan, Skip):
                # With the chat's delay: a later revision is due after it, and without it would be planned again and again.
                planned.skipped.append((plan, DeliveryResult(item, plan.delivery, delay=context.recipient.chat.delay)))
            else:
                blocked_at = wall_clock - now + max(limited_at, self._chat_queues.blocked_until(item))
                planned.attempts.append(self._make_attempt(item, context, plan, started_at, wall_clock, blocked_at))
        return planned

    def _make_attempt(
        self, item: QueueItem, context: DeliveryContext, plan: RequestPlan, started_at: float, now: float, blocked_at: float
    ) -> Attempt:
        """Return the attempt at a plan, counted for the limits. `now` and `blocked_at` are in seconds since 1970."""
        # Telegram takes no payment for edits and pins. A message that was refused in unknown words is tried without payment,
        # which may be why.
        may_be_paid = isinstance(plan, Send | Reply) and not self._failures.refused.was_refused(item)
        # Counted when it is planned and not when its task runs, so that the next plan knows of it.
        is_paid = self._rate_limiter.record_send(item.chat.chat_id, started_at, is_tracked=True, may_be_paid=may_be_paid)
        timestamps = collect_timestamps(context, plan.alert, now, blocked_at)
        chat = context.recipient.chat
        return Attempt(item, plan, started_at, chat.delay, chat.language, timestamps, context.delivery, is_paid)

    async def _plan_all(self, items: Sequence[QueueItem], now: float) -> Sequence[tuple[DeliveryContext, Plan] | None]:
        # One time for all of them, read when the first is planned.
        start_plans = cache(lambda: SharedPlans(self._clock.now()))
        try:
            return await self._delivery_queue.begin(
                items,
                lambda context: self._plan(context, start_plans()),
                make_uncertain_delivery,
                find_new_mute_offer,
            )
        except BaseException:
            # CancelledError too: a stop must not lose items that were taken from their chat's queue. They go back to its
            # front, so that the chat still gets its messages in order.
            self.put_back(items, now)
            raise

    def put_back(self, items: Sequence[QueueItem], now: float) -> None:
        """Return items that were taken to the front of their chats' queues, in order, and let the chats go on."""
        for item in reversed(items):
            self._requeue(item)
        for item in items:
            self._chat_queues.finish(item.chat.chat_id, now)

    def _plan(self, context: DeliveryContext, plans: SharedPlans) -> Plan:
        """Plan one delivery. If its message may show an edit that is not stored, it is edited though nothing seems to change."""
        plan = plans.plan(context, is_shown_uncertain=self.uncertain_edits.is_unanswered(context.delivery))
        if not isinstance(plan, Skip) or not self.uncertain_edits.is_suspect(context.delivery, plans.now.timestamp()):
            return plan
        plan = plans.plan(context, is_shown_uncertain=True)
        if not isinstance(plan, Skip):
            self.uncertain_edits.count_suspect()
        return plan

    def _attach_picture(self, item: QueueItem, plan: Plan) -> Plan | None:
        """Return the plan with its picture drawn, or as text where there is none.

        None while it is being drawn: the item is queued again once it is.
        """
        if not isinstance(plan, Send | Edit) or plan.picture is None:
            return plan
        if not self._failures.refused.takes_picture(item, self._clock.monotonic()):
            return drop_picture(plan)
        picture = plan.picture

        def requeue() -> None:
            self._requeue(item)
            self._wake()

        png = self.pictures.get_or_start(picture, requeue)
        if png is None:
            return None
        return msgspec.structs.replace(plan, picture=msgspec.structs.replace(picture, png=png)) if png else drop_picture(plan)
