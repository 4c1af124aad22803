"""A running process says which names of its configuration no fixture has: in the log, in `/status`, and in `/rules`."""

from __future__ import annotations

import asyncio
import datetime as dt
from pathlib import Path

import aiohttp
import pytest
import structlog

from bot.app.application import Application
from bot.app.services import Services
from bot.clock import ManualClock
from bot.cluster.roles import ALL_ROLES
from bot.config.load import load_config
from bot.config.rule_versions import RuleOrigin
from bot.storage.database import Database
from bot.telegram.http import ApiHealth
from bot.telegram.limits.rate_limits import RateLimiter
from bot.telegram.messenger import build_bot
from rules.football.action import Fixture
from tests.bot.chat.fixtures import FIXTURES, NOW
from tests.sqlite import new_sqlite
from tests.tasks import cancel_tasks
from tests.waiting import until

GOALS = "rules: [{name: goals, match: {action_type: Goal, team: Arsenall}, alert: {kind: goal, text: Goal}}]\n"


async def test_the_log_and_status_say_what_no_fixture_has_and_follow_the_rules_in_effect(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(GOALS)
    clock, database = ManualClock(NOW), await Database.open(new_sqlite(tmp_path))
    async with aiohttp.ClientSession() as http:
        services = Services(
            load_config(path, {}),
            clock,
            database,
            "test",
            build_bot("1:test", "http://127.0.0.1:1"),
            RateLimiter(30),
            http,
            ApiHealth(clock),
        )
        application = Application(services, ALL_ROLES)
        await application.start()

        async def fetch_fixtures(_first: dt.date, _last: dt.date) -> tuple[Fixture, ...]:
            return FIXTURES

        monkeypatch.setattr(services.feed_api, "fetch_fixtures", fetch_fixtures)
        with structlog.testing.capture_logs() as logged:

            def list_logged() -> list[str]:
                return [line["reason"] for line in logged if line["event"] == "name_not_in_fixtures"]

            assert application.feed
            working = [asyncio.create_task(application.feed.scheduler.run()), asyncio.create_task(application.name_check.run())]
            await until(lambda: bool(list_logged()))
            status = await services.monitor.render_status()
            versions = services.rule_versions
            sent = GOALS.replace("Arsenall", "Chelsae")
            await versions.apply(sent, "sent.yaml", RuleOrigin.SENT, versions.active.fingerprint, (7, "Ann"))
            await until(lambda: len(list_logged()) == 2)
            await cancel_tasks(*working)
    await database.close()

    sentence = "no fixture of the next 14 days has a team {}; did you mean {}?"
    assert list_logged() == [sentence.format("Arsenall", "Arsenal"), sentence.format("Chelsae", "Chelsea")]
    assert status.splitlines()[0] == f"⚠️ config.yaml:1: rule goals: {sentence.format('Arsenall', 'Arsenal')}"
