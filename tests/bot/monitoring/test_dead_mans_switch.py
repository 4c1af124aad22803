"""An address is called while nothing is wrong, and not otherwise."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import aiohttp
import pytest
from aiohttp import web
from pydantic import SecretStr
from structlog.testing import capture_logs

from bot.config.models import HttpSettings
from bot.monitoring.http import DeadMansSwitch
from tests.tasks import cancel_tasks
from tests.waiting import until


@dataclass
class Service:
    """Records its calls, and answers as the test says; it is the configuration too."""

    dead_man_url: SecretStr | None = None
    dead_man_every: dt.timedelta = dt.timedelta(seconds=0.02)
    calls: list[str] = field(default_factory=list)
    status: int = 200
    troubles: tuple[str, ...] = ()

    def settings(self) -> HttpSettings:
        # Not validated: the least interval of a configuration is 10 s.
        return HttpSettings.model_construct(dead_man_url=self.dead_man_url, dead_man_every=self.dead_man_every)

    async def record_call(self, request: web.Request) -> web.Response:
        self.calls.append(request.path)
        return web.Response(status=self.status)


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    known, app = Service(), web.Application()
    app.router.add_get("/{secret}", known.record_call)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    known.dead_man_url = SecretStr(f"http://127.0.0.1:{runner.addresses[0][1]}/secret-of-the-alarm")
    yield known
    await runner.cleanup()


async def call_once(service: Service) -> str:
    """Call once; return what is logged."""
    async with aiohttp.ClientSession() as http:
        with capture_logs() as logged:
            await DeadMansSwitch(service.settings, http, lambda: service.troubles).call()
    return str(logged)


async def test_the_address_is_called_again_and_again_while_nothing_is_wrong(service: Service) -> None:
    async with aiohttp.ClientSession() as http:
        calling = asyncio.create_task(DeadMansSwitch(service.settings, http, lambda: service.troubles).run())
        await until(lambda: len(service.calls) >= 3)
        await cancel_tasks(calling)

    assert set(service.calls) == {"/secret-of-the-alarm"}


async def test_a_shorter_interval_and_another_address_hold_at_once(service: Service) -> None:
    service.dead_man_every = dt.timedelta(hours=1)
    async with aiohttp.ClientSession() as http:
        switch = DeadMansSwitch(service.settings, http, lambda: service.troubles)
        calling = asyncio.create_task(switch.run())
        await until(lambda: len(service.calls) == 1)
        assert service.dead_man_url is not None
        service.dead_man_url = SecretStr(service.dead_man_url.get_secret_value() + "-2")
        switch.on_settings_changed()
        await until(lambda: len(service.calls) == 2)
        service.dead_man_every = dt.timedelta(seconds=0.02)
        switch.on_settings_changed()
        await until(lambda: len(service.calls) >= 4)
        await cancel_tasks(calling)

    assert service.calls[:3] == ["/secret-of-the-alarm", *["/secret-of-the-alarm-2"] * 2]


@pytest.mark.virtual_time
async def test_changes_of_other_settings_neither_add_a_call_nor_put_one_off() -> None:
    calls: list[float] = []

    def note_call() -> tuple[str, ...]:
        calls.append(asyncio.get_running_loop().time())
        return ("not ready, so that nothing is sent",)

    service = Service(SecretStr("http://127.0.0.1:9/"), dt.timedelta(seconds=60))
    async with aiohttp.ClientSession() as http:
        switch = DeadMansSwitch(service.settings, http, note_call)
        calling = asyncio.create_task(switch.run())
        for _ in range(15):
            await asyncio.sleep(10)
            switch.on_settings_changed()
        await cancel_tasks(calling)

    assert [round(at - calls[0]) for at in calls] == [0, 60, 120]


async def test_it_is_left_out_while_something_is_not_well_or_it_is_switched_off(service: Service) -> None:
    service.troubles = ("telegram: no request got through",)
    logged_text = await call_once(service)
    service.troubles, service.dead_man_url = (), None
    logged_text += await call_once(service)

    assert service.calls == []
    assert logged_text.count("dead_man_call_skipped") == 1 and "no request got through" in logged_text


@pytest.mark.parametrize("trouble", ["status", "nobody", "no address"])
async def test_a_failure_is_only_logged_and_never_with_the_address(service: Service, trouble: str, refusing_port: int) -> None:
    if trouble == "status":
        service.status = 500
    else:
        nobody = f"http://127.0.0.1:{refusing_port}/secret-of-the-alarm"
        service.dead_man_url = SecretStr(nobody if trouble == "nobody" else "http://[secret")

    logged_text = await call_once(service)
    assert "dead_man_call_failed" in logged_text and "secret" not in logged_text
