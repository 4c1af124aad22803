"""The real process seen from outside: not ready while the feed is down, counts that agree with Telegram's, admins told twice."""

from __future__ import annotations

import asyncio
import re
import socket
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp

from tests.e2e.stage import ADMIN, BOT_TOKEN, configuration, running
from tests.e2e.story import RULES, STANDING, feed, full_time, shown
from tests.fakes.bot_api import FakeBotApi
from tests.fakes.counts import Samples, samples
from tests.packets import FIXTURE

BAD = RULES.replace("Red Card", "Red Crad")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Outside:
    """Whoever asks the pages."""

    def __init__(self, port: int) -> None:
        self.listen, self._http = f"127.0.0.1:{port}", aiohttp.ClientSession(f"http://127.0.0.1:{port}")

    async def get(self, page: str) -> tuple[int, str]:
        async with self._http.get(page) as answer:
            return answer.status, await answer.text()

    async def until(self, status: int, within: float = 60.0) -> str:
        """Wait until /readyz answers so; what it says."""
        async with asyncio.timeout(within):
            while (found := await self.get("/readyz"))[0] != status:
                await asyncio.sleep(0.1)
        return found[1]

    async def metrics(self) -> Samples:
        return samples((await self.get("/metrics"))[1])

    async def close(self) -> None:
        await self._http.close()


def counted(page: Samples, name: str, **labels: str) -> float:
    """The sum of all samples that have these labels."""
    return sum(value for (found, of), value in page.items() if found == name and set(labels.items()) <= of)


async def test_what_is_seen_from_outside_is_what_happens(tmp_path: Path) -> None:
    outside = Outside(free_port())
    async with FakeBotApi(BOT_TOKEN) as telegram, AsyncExitStack() as stack:
        stack.push_async_callback(outside.close)

        def configured(rules: str) -> Path:
            config = configuration(tmp_path, urls.stream, urls.api, telegram, rules)
            config.write_text(config.read_text().replace("listen: null", f"listen: {outside.listen}"))
            return config

        async with feed(speed=150.0) as urls:
            bot = await stack.enter_async_context(running(configured(RULES)))
            configured(BAD)
            await telegram.until(lambda: telegram.chat(ADMIN).messages, within=60)
            configured(RULES)
            await bot.says("configuration_reloaded", within=60)
            await telegram.until(lambda: len(shown(telegram)[0]) >= 1, within=60)
            ready = await outside.until(200)
        not_ready = await outside.until(503)
        async with feed(port=int(urls.api.rpartition(":")[2])):
            await full_time(telegram, within=60)
            await outside.until(200)
            await telegram.until(lambda: len(telegram.chat(ADMIN).messages) == 2, within=60)
        page, alive = await outside.metrics(), await outside.get("/healthz")
        calls = {method: len(telegram.calls(method)) for method in ("sendMessage", "editMessageText")}
        told = [message.text for message in telegram.chat(ADMIN).messages]

    assert (ready, alive) == ("ready\n", (200, "alive\n"))
    assert re.search(rf"^feed: fixture {FIXTURE.id} \(Arsenal v Chelsea\) has had no frame since \S+Z, \w+$", not_ready, re.M)
    assert told[0].startswith("🛠 rules-refused: ") and "Red Crad" in told[0]
    assert told[1].startswith("✅ rules-refused is over: it lasted ")
    sent = counted(page, "touchline_sends_total", answer="ok")
    assert (sent, sent - counted(page, "touchline_sends_total", answer="ok", op="edit")) == (
        sum(calls.values()),
        calls["sendMessage"],
    )
    assert counted(page, "touchline_deliveries_total", op="send") == sum(map(len, shown(telegram))) >= len(STANDING)
    assert counted(page, "touchline_rule_fired_total", rule="reds") == 1
    assert counted(page, "touchline_news_seconds_count") > 0 and counted(page, "touchline_outbox_waiting") == 0
    assert (counted(page, "touchline_reloads_total", result="refused"), counted(page, "touchline_ready")) == (1, 1)
