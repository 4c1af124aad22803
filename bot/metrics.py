"""What is counted, for Prometheus. What can be read off when somebody asks, is: bot/watch/gauges.py.

Labels take few values: states, reasons, and the names and kinds that the rules have.
"""

from __future__ import annotations

import platform
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from typing import Protocol

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    Info,
    Metric,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

disable_created_metrics()  # type: ignore[no-untyped-call]  # twice the lines for nothing
REGISTRY = CollectorRegistry()

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_MOMENTS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
_LAGS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)

FRAMES = Counter("touchline_frames", "Frames that came from the feed, by what they are.", ["kind"], registry=REGISTRY)
UNREADABLE = Counter("touchline_frames_unreadable", "Frames that cannot be used, by why.", ["kind"], registry=REGISTRY)
PACKETS = Counter("touchline_packets", "Packets taken from the feed, each once.", registry=REGISTRY)
UNKNOWN = Counter("touchline_unknown_names", "Packets of an action type that the catalogue does not know.", registry=REGISTRY)
LAG = Histogram("touchline_feed_lag_seconds", "From a live packet's timestamp to its arrival.", buckets=_LAGS, registry=REGISTRY)
CONNECTED = Counter("touchline_feed_connected", "Connections that the feed let in.", registry=REGISTRY)
LOST = Counter("touchline_feed_lost", "Connections that were not made, or ended, by cause.", ["cause"], registry=REGISTRY)

FIRED = Counter("touchline_rule_fired", "Alerts that rules made, by rule.", ["rule"], registry=REGISTRY)
ALERTS = Counter("touchline_alerts", "Alerts that rules made, by kind and state.", ["kind", "state"], registry=REGISTRY)
DECISIONS = Counter("touchline_decisions", "What became of alerts in chats, by reason.", ["reason"], registry=REGISTRY)
DELIVERIES = Counter(
    "touchline_deliveries", "Alerts that Telegram took, by op, kind and reason.", ["op", "kind", "reason"], registry=REGISTRY
)
SENDS = Counter(
    "touchline_sends", "Requests of the courier and to admins, by op and answer.", ["op", "answer"], registry=REGISTRY
)
STEP = Histogram(
    "touchline_step_seconds",
    "The way of an alert: frame to outbox, outbox to request, request to Telegram's answer.",
    ["step"],
    buckets=_MOMENTS,
    registry=REGISTRY,
)
NEWS = Histogram("touchline_news_seconds", "From the frame to Telegram's answer.", buckets=_MOMENTS, registry=REGISTRY)

RELOADS = Counter("touchline_reloads", "Changes of the configuration, by result.", ["result"], registry=REGISTRY)
TOLD_ADMINS = Counter("touchline_admin_sentences", "What admins were to be told, by trouble.", ["trouble"], registry=REGISTRY)
BUILD = Info("touchline_build", "What is running.", registry=REGISTRY)

ProcessCollector(registry=REGISTRY)


class Readings(Protocol):
    """What is read off when somebody asks."""

    def collect(self) -> Iterable[Metric]: ...


def exposition(readings: Readings | None = None) -> bytes:
    """All of it in Prometheus' text format."""
    read = generate_latest(readings) if readings else b""
    return generate_latest(REGISTRY) + read


def release() -> str:
    """The version that is installed; empty for one that is not."""
    try:
        return version("touchline")
    except PackageNotFoundError:
        return ""


def _begin() -> None:
    """Values that are known beforehand stand at nought from the start, so that a rate has where to begin."""
    BUILD.info({"version": release(), "python": platform.python_version()})
    for step in ("outbox", "request", "accepted"):
        STEP.labels(step)
    for result in ("accepted", "refused"):
        RELOADS.labels(result)


_begin()
