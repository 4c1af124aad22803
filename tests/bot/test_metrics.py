"""What is counted for every frame comes out as the library's own metrics do."""

from __future__ import annotations

import pytest
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

from bot import metrics

BUCKETS = (0.5, 1.0, 60.0)


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> CollectorRegistry:
    registry = CollectorRegistry()
    monkeypatch.setattr(metrics, "REGISTRY", registry)
    return registry


def test_a_histogram_of_plain_numbers_is_rendered_like_the_librarys(registry: CollectorRegistry) -> None:
    plain, others = metrics.TallyHistogram("lag_seconds", "Lag.", BUCKETS), CollectorRegistry()
    usual = Histogram("lag_seconds", "Lag.", buckets=BUCKETS, registry=others)

    for seconds in (-1.0, 0.5, 0.75, 60.0, 1000.0):
        plain.observe(seconds)
        usual.observe(seconds)

    assert generate_latest(registry) == generate_latest(others)


def test_a_counter_of_plain_numbers_is_rendered_like_the_librarys(registry: CollectorRegistry) -> None:
    plain, others = metrics.TallyCounter("frames", "Frames.", "kind"), CollectorRegistry()
    usual = Counter("frames", "Frames.", ["kind"], registry=others)

    plain.counts |= {"packet": 2, "heartbeat": 0}
    usual.labels("packet").inc(2)
    usual.labels("heartbeat")

    assert generate_latest(registry) == generate_latest(others)
