"""The health pages /healthz, /readyz and /metrics, and the dead man's switch."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import aiohttp
import structlog
from aiohttp import web
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

from bot.config.models import HttpSettings
from bot.errors import UserMistake, explain_bind_error
from bot.feed.session import SessionState
from bot.metrics import CONTENT_TYPE
from bot.monitoring.health import FeedHealth, ProcessHealth
from bot.monitoring.incidents import INCIDENT_POLICIES
from bot.network import find_proxy
from bot.outbox.depth import OutboxDepth
from bot.web_server import serve_application


def build_web_application(
    reasons_not_ready: Callable[[], Sequence[str]], render_metrics: Callable[[], Awaitable[bytes]]
) -> web.Application:
    """Build the application with the three pages: a line for each reason not to be ready; metrics in Prometheus' text format."""

    async def healthz(_: web.Request) -> web.Response:
        # Nothing is looked at: it answers as long as the event loop turns. A restart mends neither Telegram nor the database,
        # so their state belongs to /readyz.
        return web.Response(text="alive\n")

    async def readyz(_: web.Request) -> web.Response:
        # 503 is what load balancers and Kubernetes take for "not ready".
        lines = reasons_not_ready()
        return web.Response(text="\n".join(lines or ("ready",)) + "\n", status=503 if lines else 200)

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(body=await render_metrics(), headers={"Content-Type": CONTENT_TYPE})

    app = web.Application()
    app.add_routes([web.get("/healthz", healthz), web.get("/readyz", readyz), web.get("/metrics", metrics)])
    return app


@asynccontextmanager
async def serve(
    listen: str | None,
    reasons_not_ready: Callable[[], Sequence[str]],
    render_metrics: Callable[[], Awaitable[bytes]],
    *,
    is_required: bool = True,
) -> AsyncIterator[int | None]:
    """Serve on `host:port` while the block runs, and yield the port, or None if nothing is served; port 0 means any free one.

    If the port is taken, raise UserMistake if the pages are `is_required`; otherwise, with the default port, only warn.
    """
    if listen is None:
        yield None
        return
    app = build_web_application(reasons_not_ready, render_metrics)
    async with AsyncExitStack() as stack:
        host, _, port = listen.rpartition(":")
        found: int | None = None
        try:
            # IPv6 addresses are written in brackets, because of the colon before the port; the socket takes them without.
            found = await stack.enter_async_context(serve_application(app, host.strip("[]"), int(port)))
        except OSError as error:
            sentence = f"http.listen: cannot listen on {listen}: {explain_bind_error(error)}; choose another, or null for none"
            if is_required:
                raise UserMistake(sentence) from error
            # Nobody asked for the default port: a second process on the same machine shall not fail for its sake.
            log.warning("health_pages_not_served", reason=sentence)
        else:
            log.info("health_pages_served", port=found)
        yield found


def collect_gauges(
    health: ProcessHealth,
    *,
    is_ready: bool,
    rules: int,
    open_incidents: Collection[str] = (),
    depth: OutboxDepth | None = None,
    backlog: int | None = None,
) -> Iterator[Metric]:
    """Yield the gauges as metric families of prometheus_client.

    `rules` is how many are in effect, `depth` is None if the database did not answer, `backlog` if this process sends nothing.
    """
    yield _make_gauge("touchline_ready", "1 while all is well, as /readyz says.", is_ready)
    yield _make_gauge("touchline_rules", "Rules in effect.", rules)
    yield _make_gauge("touchline_tasks", "Tasks of the event loop.", len(asyncio.all_tasks()))
    # Every name at every scrape, also at 0: an alert rule on a series that does not exist yet never fires.
    is_open = {name: float(name in open_incidents) for name in INCIDENT_POLICIES}
    yield _make_labelled_gauge("touchline_incident_open", "1 while an incident is open.", "incident", is_open)
    yield _make_gauge("touchline_database_up", "1 while the database can be used.", health.database is None)
    if health.feed:
        yield from _collect_feed_gauges(health.feed, health)
    # What is not known has no series. A zero would look like a measurement.
    if health.telegram.clock_skew is not None:
        skew = health.telegram.clock_skew
        yield _make_gauge("touchline_clock_skew_seconds", "By how much our clock is ahead of Telegram's.", skew)
    if depth:
        yield _make_gauge("touchline_outbox_waiting", "Deliveries that wait, those of suspended chats included.", depth.waiting)
        yield _make_gauge("touchline_outbox_due", "Deliveries of active chats that are due.", depth.due)
        yield _make_gauge(
            "touchline_outbox_oldest_due_seconds",
            "For how long the oldest delivery has been due, or news unspread.",
            depth.oldest_seconds,
        )
        yield _make_gauge("touchline_outbox_fanouts", "Revisions whose fan-out has chats left to reach.", depth.unfinished_news)
    if backlog is not None:
        yield _make_gauge("touchline_sender_backlog", "Messages in the sender's memory, those in flight included.", backlog)
    if budget := health.paid_budget:
        yield _make_gauge("touchline_paid_messages_used", "Messages paid for today, in UTC, by all processes.", budget.use.used)
        if budget.limit is not None:
            limit = budget.limit
            yield _make_gauge("touchline_paid_messages_limit", "Messages that may be paid for in a day.", limit)
    if health.free_disk_bytes is not None:
        yield _make_gauge("touchline_disk_free_bytes", "Room on the disk where the database lies.", health.free_disk_bytes)


def _collect_feed_gauges(feed: FeedHealth, health: ProcessHealth) -> Iterator[Metric]:
    # All states, also those that no connection is in: a graph of a state that vanishes would have gaps.
    states = Counter(status.state for status in feed.connections)
    yield _make_labelled_gauge(
        "touchline_connections", "Connections, by state.", "state", {state.value: float(states[state]) for state in SessionState}
    )
    yield _make_gauge(
        "touchline_connections_planned", "Connections that will be opened before kick-off.", feed.planned_connections
    )
    yield _make_gauge("touchline_matches_due", "Matches that should be connected now, in any process.", feed.due_matches)
    yield _make_gauge("touchline_matches_held_back", "Matches that wait for one of limits.matches to end.", feed.held_back)
    missing = sum(status.missing for status in feed.connections)
    yield _make_gauge("touchline_feed_missing_packets", "Numbers that never came, of the matches in play.", missing)
    yield _make_gauge("touchline_fixtures", "Fixtures known.", len(feed.titles))
    if feed.fixtures_read_at:
        age = (health.now - feed.fixtures_read_at).total_seconds()
        yield _make_gauge("touchline_fixtures_age_seconds", "Since the fixtures were read last.", age)


def _make_gauge(name: str, help_text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, help_text, value=float(value))


def _make_labelled_gauge(name: str, help_text: str, label: str, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(name, help_text, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family


log = structlog.get_logger()

# Shorter than any sensible interval between calls, so that one that hangs does not delay the next.
_CALL_TIMEOUT = aiohttp.ClientTimeout(total=10)

_FIRST_ERROR_STATUS = 400


class DeadMansSwitch:
    """Calls an address while the process is ready, for a service that raises an alarm when the calls stop.

    The address is a secret and never logged: with it anybody can silence the alarm.
    """

    def __init__(
        self,
        settings: Callable[[], HttpSettings],
        http: aiohttp.ClientSession,
        reasons_not_ready: Callable[[], tuple[str, ...]],
    ) -> None:
        """`settings` is called before each request: a reload may change the address."""
        self._settings, self._http, self._reasons_not_ready = settings, http, reasons_not_ready

    async def run(self) -> None:
        """Call until cancelled."""
        while True:
            await self.call()
            await asyncio.sleep(self._settings().dead_man_every.total_seconds())

    async def call(self) -> None:
        """Call once, unless no address is set or the process is not ready; a failure is only logged, without the address."""
        url = self._settings().dead_man_url
        if url is None:
            return
        # Silence is the signal: the service raises the alarm when no call has come for a while.
        if lines := self._reasons_not_ready():
            log.warning("dead_man_call_skipped", reason="; ".join(lines))
            return
        address = url.get_secret_value()
        try:
            async with self._http.get(address, timeout=_CALL_TIMEOUT, proxy=find_proxy(address, None)) as response:
                if response.status >= _FIRST_ERROR_STATUS:
                    log.warning("dead_man_call_failed", reason=f"HTTP {response.status}")
        # ValueError is what aiohttp raises for an address that it cannot read. The text of any of them may contain the address.
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            log.warning("dead_man_call_failed", reason=type(error).__name__)
