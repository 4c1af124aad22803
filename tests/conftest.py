"""What all tests share: which event loop runs a test, and hypothesis without a stopwatch."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

import async_solipsism
import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("touchline", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("touchline")


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """`@pytest.mark.virtual_time` (or `pytestmark`): time leaps whenever nothing is left to do; no threads, no real sockets."""
    if item.get_closest_marker("virtual_time"):
        return {"virtual": async_solipsism.EventLoop}
    return {"real": asyncio.new_event_loop}
