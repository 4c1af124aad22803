"""Logs and measures each delivered alert."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import structlog

from bot.clock import Clock
from bot.metrics import ALERT_STEP_SECONDS, ALERT_TOTAL_SECONDS, DELIVERIES
from bot.monitoring.traffic import HourlyTraffic
from bot.outbox.delivery import DeliveryResult, Reason
from bot.outbox.latency import LatencyTrace
from bot.telegram.plan import Edit, MessagePlan, Reply
from rules.engine.alert import LIVE_MESSAGE_KINDS, Alert, AlertKey

log = structlog.get_logger()

# A fan-out to many chats has no pauses of this length: after one, its last chat was reached.
SUMMARY_DELAY = 5.0
"""Seconds without a further chat after which an alert counts as delivered to all chats that get it now."""

REMEMBER_SECONDS = 900.0
"""Seconds for which an alert is remembered: a chat with a delay, which gets it later, makes no line of its own."""

# Looked up once: `labels` takes a lock and builds a key, up to 1,000 times a second.
_REQUEST_HISTOGRAM, _TELEGRAM_HISTOGRAM = ALERT_STEP_SECONDS.labels("request"), ALERT_STEP_SECONDS.labels("telegram")


@dataclass(slots=True)
class AlertReach:
    """How many chats one revision of an alert has reached. Times are those of the monotonic clock."""

    alert: Alert
    first_at: float
    last_at: float
    chats: int = 0
    slowest_ms: float = 0.0
    is_logged: bool = False


@dataclass(slots=True)
class AlertSkip:
    """How many chats an alert was not sent to for a reason, and when that was last decided, by the monotonic clock."""

    chats: int = 0
    last_at: float = 0.0


class DeliveryLog:
    """Logs and measures every message that Telegram accepted, and counts the chats to which an alert was not sent."""

    def __init__(self, clock: Clock, traffic: HourlyTraffic | None = None) -> None:
        """`traffic` counts what is delivered, for /status; None where nobody asks."""
        self._clock, self._traffic = clock, traffic
        self._reaches: dict[tuple[AlertKey, int], AlertReach] = {}
        self._skips: dict[tuple[AlertKey, Reason], AlertSkip] = {}

    def on_skipped(self, key: AlertKey, reason: Reason) -> None:
        """Count a chat to which an alert was not sent. The chats of one alert and reason are one line: there may be thousands."""
        skip = self._skips.setdefault((key, reason), AlertSkip())
        skip.chats += 1
        skip.last_at = self._clock.monotonic()

    def on_delivered(self, plan: MessagePlan, result: DeliveryResult) -> None:
        """Count and measure a message. The first of a revision is a line in the log; others and match cards are debug lines."""
        _measure(plan, result.latency)
        if self._traffic:
            # A reply follows an edit that was measured, and its own time says nothing.
            lag = None if isinstance(plan, Reply) else result.latency.total
            self._traffic.add(lag, is_edit=isinstance(plan, Edit))
        alert, now = plan.alert, self._clock.monotonic()
        reach = self._reaches.get((alert.key, alert.seq))
        # A card is edited every minute of a match: it is not news that anybody looks for in the log.
        if reach is None and alert.kind not in LIVE_MESSAGE_KINDS:
            reach = self._reaches[alert.key, alert.seq] = AlertReach(alert, now, now)
            log.info("alert_delivered", **_describe(plan, result))
        else:
            facts = {"chat": result.item.chat.chat_id, "action": alert.key.action_id, "number": alert.seq}
            log.debug("message_delivered", trace_id=alert.key.trace_id, op=plan.operation, **facts)
        if reach is not None:
            reach.last_at = now
            reach.chats += not isinstance(plan, Reply)  # a reply follows the edit that was counted
            # The slowest chat is what operators are asked about.
            reach.slowest_ms = max(reach.slowest_ms, result.latency.total or 0.0)

    async def run(self) -> None:
        """Log alerts that have reached their chats, until cancelled."""
        while True:
            await asyncio.sleep(SUMMARY_DELAY)
            self.log_completed()

    def log_completed(self) -> None:
        """Log a line for each alert that more than one chat got, or that was skipped, once no further chat came for a while."""
        now = self._clock.monotonic()
        for (key, reason), skip in list(self._skips.items()):
            if skip.last_at <= now - SUMMARY_DELAY:
                del self._skips[key, reason]
                facts = {"fixture": key.fixture_id, "action": key.action_id, "reason": reason.value, "chats": skip.chats}
                log.info("alert_skipped", trace_id=key.trace_id, **facts)
        for reach in self._reaches.values():
            if reach.is_logged or reach.last_at > now - SUMMARY_DELAY:
                continue
            reach.is_logged = True
            # For one chat the first line has all there is to log.
            if reach.chats > 1:
                key = reach.alert.key
                log.info(
                    "alert_reached_chats",
                    trace_id=key.trace_id,
                    fixture=key.fixture_id,
                    action=key.action_id,
                    number=reach.alert.seq,
                    chats=reach.chats,
                    took_ms=_round((reach.last_at - reach.first_at) * 1000),
                    slowest_ms=_round(reach.slowest_ms),
                )
        self._reaches = {name: reach for name, reach in self._reaches.items() if reach.last_at > now - REMEMBER_SECONDS}


def _measure(plan: MessagePlan, latency: LatencyTrace) -> None:
    # The step to the outbox is measured when an alert is stored: it is the same for all chats.
    DELIVERIES.labels(plan.operation, plan.alert.kind, plan.reason.value).inc()
    if latency.request is not None:
        _REQUEST_HISTOGRAM.observe(latency.request / 1000)
    if latency.telegram is not None:
        _TELEGRAM_HISTOGRAM.observe(latency.telegram / 1000)
    if latency.total is not None:
        ALERT_TOTAL_SECONDS.observe(latency.total / 1000)


def _describe(plan: MessagePlan, result: DeliveryResult) -> dict[str, object]:
    alert, latency = plan.alert, result.latency
    return {
        "trace_id": alert.key.trace_id,
        "feed_trace_id": alert.feed_trace_id or None,
        "fixture": alert.key.fixture_id,
        "action": alert.key.action_id,
        "number": alert.seq,
        "state": alert.state.value,
        "rule": alert.rule,
        "kind": alert.kind,
        "op": plan.operation,
        "reason": plan.reason.value,
        "chat": result.item.chat.chat_id,
        "feed_ms": _round(latency.feed),
        "outbox_ms": _round(latency.outbox),
        "waited_ms": _round(latency.waited),
        "request_ms": _round(latency.request),
        "telegram_ms": _round(latency.telegram),
        "total_ms": _round(latency.total),
    }


def _round(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else round(milliseconds, 1)
