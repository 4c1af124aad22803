"""What is counted, for Prometheus."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest

REGISTRY = CollectorRegistry()

PACKETS = Counter("touchline_packets", "Packets taken from the feed.", registry=REGISTRY)
ALERTS = Counter("touchline_alerts", "Alerts that rules made, by kind and state.", ["kind", "state"], registry=REGISTRY)
DELIVERIES = Counter("touchline_deliveries", "Messages, edits and replies that Telegram took.", ["op"], registry=REGISTRY)
DECISIONS = Counter("touchline_decisions", "What became of alerts in chats, by reason.", ["reason"], registry=REGISTRY)
FOLLOWING = Gauge("touchline_connections", "Fixtures that have a connection.", registry=REGISTRY)


def exposition() -> bytes:
    """All of it in Prometheus' text format."""
    return generate_latest(REGISTRY)
