"""The demo plays a real match through the whole bot, into a chat."""

from __future__ import annotations

import asyncio
import io
import re
from functools import cache

import async_solipsism
import pytest
from rich.console import Console

from bot.demo.play import DEFAULT_SECONDS, pace_script, play_demo
from bot.feed.match_source import open_match
from bot.feed.simulator.script import script_from_match
from rules.football.catalogue import load_catalogue as catalogue
from rules.loading.loader import load_pack
from tests.fakes.feed import LoopClock


@cache
def _transcript(match: str) -> tuple[list[str], float]:
    """Return the lines that the demo of a match prints, and the seconds of virtual time that it takes."""
    console = Console(file=io.StringIO(), width=200, color_system=None)

    async def play() -> float:
        begun = asyncio.get_running_loop().time()
        await play_demo(match, DEFAULT_SECONDS, load_pack(), catalogue(), console, LoopClock())
        return asyncio.get_running_loop().time() - begun

    with asyncio.Runner(loop_factory=async_solipsism.EventLoop) as runner:
        seconds = runner.run(play())
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines(), seconds


def _final_texts(lines: list[str]) -> dict[str, str]:
    """Return the last line of each message by its number."""
    return {found[1]: line for line in lines if (found := re.search(r"[✉✎↩] #(\d+)", line))}


def test_the_opener_ends_one_two_and_every_retracted_goal_is_struck_through_and_replied_to() -> None:
    lines, _ = _transcript("opener")
    final = list(_final_texts(lines).values())

    retracted = [line for line in final if "~~" in line]
    assert len(retracted) == sum("↩" in line for line in lines) == 3
    for scorer in ("Messi", "Al-Shehri", "Al-Dawsari", "Al-Malki", "Al-Bulaihi", "Abdulhamid", "Al-Abed", "Al-Owais"):
        assert any(scorer in line for line in final)
    assert any("FT: Argentina 1–2 Saudi Arabia" in line for line in final)


@pytest.mark.slow
def test_the_final_ends_with_its_shootout() -> None:
    lines, _ = _transcript("final")
    final = list(_final_texts(lines).values())

    assert any("Argentina win 4–2 on penalties" in line and "3–3 (4–2 pens)" in line for line in final)


def test_the_first_message_is_the_kick_off_and_the_match_takes_its_seconds() -> None:
    lines, seconds = _transcript("opener")

    assert "Kick-off: " in lines[1] or "Kick-off: " in lines[0]
    assert seconds == pytest.approx(DEFAULT_SECONDS, abs=1)


def test_a_fixture_that_is_moved_twice_is_told_twice_and_then_played_in_the_same_seconds() -> None:
    lines, seconds = _transcript("moved")

    alerts = [line.split("  ")[-1] for line in lines if "✉ #" in line]
    assert [line.partition(" · ")[0].strip() for line in alerts[:4]] == [
        "🕓 Kick-off 15:30 UTC: Fulham v Everton",
        "🕓 Kick-off 16:15 UTC: Fulham v Everton",
        "📋 Line-ups: Fulham v Everton",
        "🟢 Kick-off: Fulham v Everton",
    ]
    assert any("FT: Fulham 1–0 Everton" in line for line in alerts)
    assert seconds == pytest.approx(DEFAULT_SECONDS, abs=1)


def test_the_script_of_a_match_takes_a_minute() -> None:
    for name in ("opener", "final"):
        frames = pace_script(script_from_match(open_match(name))).frames
        assert (frames[-1].at - frames[0].at).total_seconds() == pytest.approx(DEFAULT_SECONDS)


class _ClosedAfter(io.StringIO):
    """An output that nobody reads any more after some lines, as `| head` leaves it."""

    def __init__(self, lines: int) -> None:
        super().__init__()
        self._lines = lines

    def write(self, text: str) -> int:
        if self.getvalue().count("\n") >= self._lines:
            raise BrokenPipeError
        return super().write(text)


def test_a_reader_who_has_seen_enough_ends_the_demo_and_nothing_is_logged(capsys: pytest.CaptureFixture[str]) -> None:
    file = _ClosedAfter(lines=3)

    with (
        asyncio.Runner(loop_factory=async_solipsism.EventLoop) as runner,
        pytest.raises(BrokenPipeError),
    ):
        runner.run(play_demo("opener", DEFAULT_SECONDS, load_pack(), catalogue(), Console(file=file), LoopClock()))
    assert file.getvalue().count("\n") == 3
    assert capsys.readouterr() == ("", "")
