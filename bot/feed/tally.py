"""What connections count, for Prometheus: bound beforehand, so that a frame costs one addition."""

from __future__ import annotations

from bot.feed.backoff import Trouble
from bot.feed.decode import ControlKind
from bot.metrics import CONNECTED, FRAMES, LAG, LOST, UNREADABLE

PACKET = FRAMES.labels("packet")
CONTROL = {kind: FRAMES.labels(kind.value) for kind in ControlKind}
ENDED = {trouble: LOST.labels(trouble.value) for trouble in Trouble}
LET_IN, LAGGED = CONNECTED, LAG
_NO_USE = FRAMES.labels("unreadable")


def unreadable(kind: str) -> None:
    """A frame cannot be used, for one of few reasons."""
    _NO_USE.inc()
    UNREADABLE.labels(kind).inc()
