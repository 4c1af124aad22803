"""The pages for machines, over real HTTP on loopback."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from bot.errors import UserMistake
from bot.metrics import PACKETS, render_metrics
from bot.monitoring.http import serve


def process(*troubles: str) -> tuple[Callable[[], Sequence[str]], Callable[[], Awaitable[bytes]]]:
    """What the pages show: these reasons not to be ready, and the metrics of this process."""

    async def render() -> bytes:
        return render_metrics()

    return lambda: troubles, render


async def get(port: int | None, page: str, host: str = "127.0.0.1") -> tuple[int, str]:
    assert port
    async with aiohttp.ClientSession() as http, http.get(f"http://{host}:{port}{page}") as response:
        return response.status, await response.text()


@pytest.mark.parametrize(
    ("page", "troubles", "answer"),
    [
        ("/healthz", (), (200, "alive\n")),
        ("/healthz", ("the feed is stale",), (200, "alive\n")),
        ("/readyz", (), (200, "ready\n")),
        ("/readyz", ("the feed is stale", "Telegram is away"), (503, "the feed is stale\nTelegram is away\n")),
    ],
)
async def test_health_is_told_in_words_and_status(page: str, troubles: tuple[str, ...], answer: tuple[int, str]) -> None:
    async with serve("127.0.0.1:0", *process(*troubles)) as port:
        assert await get(port, page) == answer


async def test_prometheus_can_read_what_is_counted() -> None:
    PACKETS.inc()
    async with serve("127.0.0.1:0", *process()) as port:
        status, page = await get(port, "/metrics")

    families = {family.name: family for family in text_string_to_metric_families(page)}
    assert status == 200
    assert {"touchline_packets", "touchline_alerts", "touchline_deliveries", "touchline_telegram_requests"} <= set(families)
    assert next(s.value for s in families["touchline_packets"].samples if s.name.endswith("_total")) >= 1


async def test_other_pages_are_not_found() -> None:
    async with serve("127.0.0.1:0", *process()) as port:
        assert (await get(port, "/"))[0] == 404


async def test_nothing_listens_where_it_is_switched_off_or_after_the_end() -> None:
    async with serve(None, *process()) as port:
        assert port is None
    async with serve("127.0.0.1:0", *process()) as port:
        pass

    with pytest.raises(aiohttp.ClientConnectorError):
        await get(port, "/healthz")


async def test_a_taken_port_is_a_mistake_where_somebody_named_it_and_else_only_a_warning() -> None:
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    listen = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        with pytest.raises(
            UserMistake, match=f"http.listen: cannot listen on {listen}: the port is taken; choose another, or null"
        ):
            async with serve(listen, *process()):
                pass
        async with serve(listen, *process(), is_required=False) as port:
            assert port is None


async def test_an_address_of_ipv6_is_written_in_brackets() -> None:
    async with serve("[::1]:0", *process()) as port:
        assert await get(port, "/healthz", "[::1]") == (200, "alive\n")
