"""What the metrics counted while a test ran."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from bot.metrics import render_metrics

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def read_samples(page: str) -> Samples:
    """Return every sample of a page, by its name and labels."""
    families = text_string_to_metric_families(page)
    return {(s.name, frozenset(s.labels.items())): s.value for family in families for s in family.samples}


class MetricChanges:
    """How much a metric has grown since this was made: `changes("touchline_telegram_requests_total", op="send", answer="ok")`."""

    def __init__(self) -> None:
        self._before = read_samples(render_metrics().decode())

    def __call__(self, name: str, /, **labels: str) -> float:
        key = (name, frozenset(labels.items()))
        return read_samples(render_metrics().decode()).get(key, 0.0) - self._before.get(key, 0.0)
