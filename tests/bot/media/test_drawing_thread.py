"""Pictures are drawn in a thread that holds up nothing, least of all the stop."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import textwrap
import threading

import pytest

from bot.media import renderer
from bot.media.renderer import render_match
from rules.football.match import Match
from tests.packets import FIXTURE
from tests.tasks import cancel_tasks
from tests.waiting import DEADLINE

STOP = """
import asyncio, threading
from bot.media import renderer
from rules.football.match import Match
from rules.football.action import Fixture

drawing = threading.Event()

def draw(*_args, **_more):
    drawing.set()
    threading.Event().wait()

renderer.render_picture = draw

async def main():
    task = asyncio.create_task(renderer.render_match(Match(Fixture("f1"))))
    await asyncio.to_thread(drawing.wait)
    task.cancel()

asyncio.run(main())
print("stopped")
"""


@pytest.mark.slow
def test_a_picture_that_is_never_done_does_not_hold_up_the_end_of_the_process() -> None:
    command = [sys.executable, "-c", textwrap.dedent(STOP)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE, check=False)

    assert (ended.returncode, ended.stdout) == (0, "stopped\n"), ended.stderr


async def test_pictures_are_drawn_one_after_the_other_and_a_cancelled_one_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go, drawn = threading.Event(), threading.Event(), list[str]()

    def draw(timeline: object, **_more: object) -> bytes:
        begun.set()
        go.wait()
        drawn.append(threading.current_thread().name)
        return b"png"

    monkeypatch.setattr(renderer, "render_picture", draw)
    first, second, third = (asyncio.create_task(render_match(Match(FIXTURE))) for _ in range(3))
    await asyncio.to_thread(begun.wait)
    await cancel_tasks(second)
    go.set()

    assert (await first, await third) == (b"png", b"png")
    assert drawn == ["pictures", "pictures"]


async def test_a_picture_that_fails_says_so_and_the_next_one_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    results = iter([RuntimeError("broken"), b"png"])

    def draw(timeline: object, **_more: object) -> bytes:
        if isinstance(result := next(results), Exception):
            raise result
        return result

    monkeypatch.setattr(renderer, "render_picture", draw)
    with pytest.raises(RuntimeError, match="broken"):
        await render_match(Match(FIXTURE))

    assert await render_match(Match(FIXTURE)) == b"png"
