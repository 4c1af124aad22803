"""Logs and measures each delivered alert."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import structlog

from bot.clock import Clock
from bot.metrics import ALERT_STEP_SECONDS, ALERT_TOTAL_SECONDS, DELIVERIES
from bot.outbox.delivery import DeliveryResult
from bot.telegram.plan import MessagePlan
from rules.engine.alert import LIVE_MESSAGE_KINDS, Alert, AlertKey

log = structlog.get_logger()

SUMMARY_DELAY = 5.0
"""Seconds without a further chat after which an alert is taken to have reached all that it reaches now."""

REMEMBER_SECONDS = 900.0
"""Seconds for which a chat with a delay, which has it later, does not make a line of its own."""

_REQUEST_HISTOGRAM, _ACCEPTED_HISTOGRAM = ALERT_STEP_SECONDS.labels("request"), ALERT_STEP_SECONDS.labels("accepted")


@dataclass(slots=True)
class AlertReach:
    """How far one revision has come: its chats, the slowest of them in milliseconds, and when the last one had it."""

    alert: Alert
    since: float
    last: float
    chats: int = 0
    slowest: float = 0.0
    summed: bool = False


class DeliveryLog:
    """Hears of every delivery of the courier."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._reached: dict[tuple[AlertKey, int], AlertReach] = {}

    def __call__(self, plan: MessagePlan, result: DeliveryResult) -> None:
        """Telegram took something: the first of a revision is a line; others, and match cards, are for whoever looks closely."""
        _count_delivery(plan, result)
        alert, now = plan.alert, self._clock.monotonic()
        reach = self._reached.get((alert.key, alert.seq))
        if reach is None and alert.kind not in LIVE_MESSAGE_KINDS:
            reach = self._reached[alert.key, alert.seq] = AlertReach(alert, now, now)
            log.info("alert_told", **_delivery_log_values(plan, result))
        else:
            log.debug("told", op=plan.operation, chat=result.item.chat.chat_id, action=alert.key.action_id, number=alert.seq)
        if reach is not None:
            _update_reach(reach, plan, result, now)

    async def run(self) -> None:
        """Tell for ever of the alerts that have reached their chats."""
        while True:
            await asyncio.sleep(SUMMARY_DELAY)
            self.settle()

    def settle(self) -> None:
        """One line for each alert that more than one chat had, when no further chat gets it for a while."""
        now = self._clock.monotonic()
        for reach in [reach for reach in self._reached.values() if not reach.summed and reach.last <= now - SUMMARY_DELAY]:
            reach.summed = True
            if reach.chats > 1:
                log.info("alert_spread", **_reach_log_values(reach))
        self._reached = {name: reach for name, reach in self._reached.items() if reach.last > now - REMEMBER_SECONDS}


def _update_reach(reach: AlertReach, plan: MessagePlan, result: DeliveryResult, now: float) -> None:
    reach.last, reach.chats = now, reach.chats + (plan.operation != "reply")
    reach.slowest = max(reach.slowest, result.latency.total or 0.0)


def _count_delivery(plan: MessagePlan, result: DeliveryResult) -> None:
    DELIVERIES.labels(plan.operation, plan.alert.kind, plan.reason.value).inc()
    latency = result.latency
    if latency.request is not None:
        _REQUEST_HISTOGRAM.observe(latency.request / 1000)
    if latency.telegram is not None:
        _ACCEPTED_HISTOGRAM.observe(latency.telegram / 1000)
    if latency.total is not None:
        ALERT_TOTAL_SECONDS.observe(latency.total / 1000)


def _delivery_log_values(plan: MessagePlan, result: DeliveryResult) -> dict[str, object]:
    alert, latency = plan.alert, result.latency
    named = {"fixture": alert.key.fixture_id, "action": alert.key.action_id, "number": alert.seq, "state": alert.state.value}
    named |= {"rule": alert.rule, "kind": alert.kind, "op": plan.operation, "reason": plan.reason.value}
    steps = {
        "lag": latency.feed,
        "outbox": latency.outbox,
        "waited": latency.waited,
        "request": latency.request,
        "accepted": latency.telegram,
    }
    return (
        named
        | {"chat": result.item.chat.chat_id}
        | {f"{step}_ms": _round_ms(ms) for step, ms in (steps | {"own": latency.total}).items()}
    )


def _reach_log_values(reach: AlertReach) -> dict[str, object]:
    key = reach.alert.key
    named = {"fixture": key.fixture_id, "action": key.action_id, "number": reach.alert.seq, "chats": reach.chats}
    return named | {"took_ms": _round_ms((reach.last - reach.since) * 1000), "slowest_ms": _round_ms(reach.slowest)}


def _round_ms(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else round(milliseconds, 1)
