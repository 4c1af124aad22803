"""A wait ends when its condition holds, and a test that fails says what its fakes and processes have seen."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.stage import touchline
from tests.waiting import DEADLINE, add_witness, until

ROOT = Path(__file__).parents[1]
FAILING = """
import aiohttp
from tests.e2e.story import stepped
from tests.fakes.bot_api import FakeBotApi


async def test_it(tmp_path):
    async with FakeBotApi() as telegram, stepped() as feed, aiohttp.ClientSession(telegram.url) as http:
        await feed.send_until("Red Card")
        async with http.post("/bot1:test/sendMessage", json={"chat_id": 42, "text": "Hello"}):
            assert telegram.chat(42).messages == []
"""


@pytest.mark.virtual_time
async def test_a_wait_gives_what_its_condition_gives_and_counts_as_a_hang_after_a_minute() -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()

    async def find() -> str:
        return "so" if loop.time() >= began + 5 else ""

    assert await until(lambda: loop.time() >= began + 3)
    assert await until(find) == "so"
    assert loop.time() - began < 6
    with pytest.raises(AssertionError, match="still not true after 60 s"):
        await until(lambda: False)
    assert 5 + DEADLINE <= loop.time() - began < 7 + DEADLINE


class Broken:
    """A process that has ended by itself, and cannot even tell why."""

    is_over = has_died = True

    def report(self) -> str:
        raise ValueError("the log is lost")

    def __repr__(self) -> str:
        return "Broken()"


@pytest.mark.virtual_time
async def test_a_wait_for_what_has_died_fails_at_once_unless_its_condition_holds() -> None:
    loop = asyncio.get_running_loop()
    add_witness(Broken())

    assert await until(lambda: "so") == "so"
    with pytest.raises(AssertionError, match=r"waits in vain:\nBroken\(\) cannot report: ValueError\('the log is lost'\)"):
        await until(lambda: False)
    assert loop.time() < DEADLINE


@pytest.mark.whole_process
async def test_a_wait_shows_the_last_lines_of_a_process_that_has_died(tmp_path: Path) -> None:
    await touchline("replay", "nowhere.jsonl", folder=tmp_path)

    with pytest.raises(AssertionError, match=r"`touchline replay nowhere\.jsonl`, ended with 1:\n +there is no match"):
        await until(lambda: False)


@pytest.mark.whole_process
async def test_a_process_that_the_test_has_ended_has_not_died(tmp_path: Path) -> None:
    finished = await touchline("replay", "nowhere.jsonl", folder=tmp_path)
    assert await finished.wait() == 1
    killed = await touchline("simulate", "--port", "0", "nowhere.jsonl", folder=tmp_path)
    await killed.end("SIGKILL")

    assert await until(lambda: finished.is_over and killed.is_over)
    assert not finished.has_died and not killed.has_died


@pytest.mark.whole_process
def test_a_test_that_fails_shows_the_last_requests_and_the_step_of_the_feed(tmp_path: Path) -> None:
    (tmp_path / "test_failing.py").write_text(FAILING)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "tests.conftest",
        "-p",
        "no:cacheprovider",
        "-q",
        "-c",
        str(ROOT / "pyproject.toml"),
    ]
    done = subprocess.run(
        [*command, "--rootdir", str(tmp_path), tmp_path / "test_failing.py"], capture_output=True, text=True, cwd=ROOT
    )

    assert done.returncode == 1
    assert "seen when the call failed" in done.stdout
    assert "sendMessage(chat_id='42', text='Hello') -> 200" in done.stdout
    assert "Arsenal v Chelsea: sent 4 of 8 (last: Red Card r1 Confirmed 29:05)" in done.stdout
