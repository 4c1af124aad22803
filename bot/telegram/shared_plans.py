"""Plans for the chats of one batch: those that differ in nothing but who they are get the same message, planned once; pure."""

from __future__ import annotations

import datetime as dt
from collections import deque

import msgspec
from msgspec.structs import replace

from bot.outbox.delivery import DeliveryContext
from bot.subscribers import NO_CHAT
from bot.telegram.plan import Plan
from bot.telegram.planning import plan_delivery

# A page of chats seldom has more languages and settings in it, and each that is remembered may be compared with.
_MAX_REMEMBERED = 8
"""Plans that are remembered, the latest first."""


class _Remembered(msgspec.Struct, frozen=True):
    """A plan, and what it was made of: a delivery without the chat's identity."""

    context: DeliveryContext
    is_shown_uncertain: bool
    plan: Plan


class SharedPlans:
    """Plans deliveries as of one instant, `now`. To plan one takes longer than to read and note it."""

    def __init__(self, now: dt.datetime) -> None:
        self.now = now
        self._remembered: deque[_Remembered] = deque(maxlen=_MAX_REMEMBERED)

    def plan(self, context: DeliveryContext, *, is_shown_uncertain: bool = False) -> Plan:
        """Return what `plan_delivery` returns."""
        delivery, recipient = context.delivery, context.recipient
        # No text and no decision depends on who the chat is, and hardly two chats have the same title.
        anonymous = replace(
            context,
            delivery=replace(delivery, chat=NO_CHAT),
            recipient=replace(recipient, chat=recipient.chat.without_identity()),
        )
        plan = self._find(anonymous, is_shown_uncertain)
        if plan is None:
            plan = plan_delivery(anonymous, self.now, is_shown_uncertain=is_shown_uncertain)
            self._remembered.appendleft(_Remembered(anonymous, is_shown_uncertain, plan))
        return replace(plan, delivery=replace(plan.delivery, chat=delivery.chat))

    def _find(self, context: DeliveryContext, is_shown_uncertain: bool) -> Plan | None:
        for one in self._remembered:
            # The news is one object for all of a batch, unless each chat has its own: then nothing is shared.
            is_same = one.context.news is context.news and one.is_shown_uncertain is is_shown_uncertain
            if is_same and one.context == context:
                return one.plan
        return None
