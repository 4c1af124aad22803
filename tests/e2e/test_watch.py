"""The real process seen from outside: not ready while the feed is down, counts that agree with Telegram's, admins told twice."""

from __future__ import annotations

import json
import re
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Self

import aiohttp

from tests.e2e.stage import ADMIN, BOT_TOKEN, configuration, running
from tests.e2e.story import RED, RULES, STANDING, play, shown, stepped
from tests.fakes.bot_api import FakeBotApi
from tests.fakes.metric_changes import Samples, read_samples
from tests.packets import FIXTURE
from tests.waiting import until

MISSPELT = RULES.replace("Red Card", "Red Crad")


class HttpClient:
    """Reads the pages of a process."""

    def __init__(self, port: int) -> None:
        self._http = aiohttp.ClientSession(f"http://127.0.0.1:{port}")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.close()

    async def get(self, page: str) -> tuple[int, str]:
        async with self._http.get(page) as answer:
            return answer.status, await answer.text()

    async def until(self, status: int) -> str:
        """Wait until /readyz answers so, and return its text."""

        async def read() -> str:
            found, text = await self.get("/readyz")
            return text if found == status else ""

        return await until(read)

    async def read_metrics_after(self, sends: int) -> Samples:
        """Return the metrics once the answers to so many messages and edits have come."""

        async def read() -> Samples | None:
            page = read_samples((await self.get("/metrics"))[1])
            return page if sum_samples(page, "touchline_telegram_requests_total", answer="ok") >= sends else None

        found = await until(read)
        assert found
        return found


def sum_samples(page: Samples, name: str, **labels: str) -> float:
    """Return the sum of all samples that have these labels."""
    return sum(value for (found, of), value in page.items() if found == name and set(labels.items()) <= of)


async def test_what_is_seen_from_outside_is_what_happens(tmp_path: Path) -> None:
    async with FakeBotApi(BOT_TOKEN) as telegram, stepped() as feed, AsyncExitStack() as stack:

        def write_config(rules: str) -> Path:
            config = configuration(tmp_path, feed.urls.stream, feed.urls.api, telegram, rules)
            config.write_text(config.read_text().replace("listen: null", "listen: 127.0.0.1:0"))
            return config

        bot = await stack.enter_async_context(running(write_config(RULES)))
        outside = await stack.enter_async_context(HttpClient(json.loads(await bot.says("health_pages_served"))["port"]))
        write_config(MISSPELT)
        await telegram.until(lambda: telegram.chat(ADMIN).messages)
        write_config(RULES)
        await bot.says("configuration_reloaded")
        await play(feed, telegram, to=RED)
        ready = await outside.until(200)
        await feed.go_away()
        not_ready = await outside.until(503)
        feed.come_back()
        await feed.until_connected()
        await play(feed, telegram)
        await outside.until(200)
        await telegram.until(lambda: len(telegram.chat(ADMIN).messages) == 2)
        await bot.says('"rule": "full time"')
        calls = {method: len(telegram.calls(method)) for method in ("sendMessage", "editMessageText")}
        page = await outside.read_metrics_after(sum(calls.values()))
        alive = await outside.get("/healthz")
        notices = [message.text for message in telegram.chat(ADMIN).messages]

    assert (ready, alive) == ("ready\n", (200, "alive\n"))
    assert re.search(rf"^feed: fixture {FIXTURE.id} \(Arsenal v Chelsea\) has had no frame since \S+Z, \w+$", not_ready, re.M)
    assert notices[0].startswith("🛠 rules-refused: ") and "Red Crad" in notices[0]
    assert notices[1].startswith("✅ rules-refused is over: it lasted ")
    sent = sum_samples(page, "touchline_telegram_requests_total", answer="ok")
    assert (sent, sent - sum_samples(page, "touchline_telegram_requests_total", answer="ok", op="edit")) == (
        sum(calls.values()),
        calls["sendMessage"],
    )
    assert sum_samples(page, "touchline_deliveries_total", op="send") == sum(map(len, shown(telegram))) >= len(STANDING)
    assert sum_samples(page, "touchline_rule_fired_total", rule="reds") == 1
    assert sum_samples(page, "touchline_news_seconds_count") > 0 and sum_samples(page, "touchline_outbox_waiting") == 0
    assert (sum_samples(page, "touchline_reloads_total", result="refused"), sum_samples(page, "touchline_ready")) == (1, 1)
