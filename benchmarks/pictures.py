"""Milliseconds for the picture of a match: Touchline's beside one of the same kind by matplotlib.

python -m pip install -e .[bench,pictures]
python -m benchmarks.pictures          # --times 20
"""

from __future__ import annotations

import argparse
import io
import statistics
import time
from collections.abc import Callable

from benchmarks.extras import require_modules
from rules.football.action import Side
from rules.football.advance import advance
from rules.football.match import Match
from rules.football.timeline import Timeline, build_timeline
from rules.scenarios.builder import build_packets
from rules.scenarios.parser import load_scenario
from tests.bot.media.timelines import full


def by_matplotlib(timeline: Timeline) -> bytes:
    """Teams, score, an axis, and minute and name of every event and kick: no signs, and nothing keeps names apart."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    height = 500 + 62 * len(timeline.events) + 31 * len(timeline.kicks)
    figure = Figure((12.8, height / 100), dpi=100)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, 1280)
    axes.set_ylim(height, 0)
    axes.axis("off")
    axes.text(640, 150, f"{timeline.home.name} {timeline.score} {timeline.away.name}", ha="center", size=40, weight="bold")
    axes.plot((640, 640), (400, height - 40), color="lightgrey", linewidth=4)
    names = [(f"{event.minute}' {event.player}", event.side) for event in timeline.events]
    names += [(f"{'✓' if kick.is_goal else '✗'} {kick.player}", kick.side) for kick in timeline.kicks]
    for number, (words, side) in enumerate(names):
        y = 420 + (height - 460) * number / len(names)
        home = side is Side.HOME
        axes.plot((640,), (y,), "o", color="tab:blue" if home else "tab:red")
        axes.text(600 if home else 680, y, words, ha="right" if home else "left", va="center", size=24)
    data = io.BytesIO()
    FigureCanvasAgg(figure).print_png(data)
    return data.getvalue()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=20)
    times = parser.parse_args().times
    require_modules("matplotlib", "PIL", "anyascii", extra="bench,pictures")
    from bot.media.picture import draw_picture

    print(f"{'':34}{'first':>8}{'median':>8}{'worst':>8}{'KiB':>8}{'matplotlib':>12}")
    for name, timeline in (
        ("opener", _told("opener")),
        ("final, with shootout", _told("final")),
        ("32 events and 18 kicks", full()),
    ):
        ours, theirs = _timed(draw_picture, timeline, times), _timed(by_matplotlib, timeline, times)
        size = len(draw_picture(timeline)) / 1024
        figures = (ours[0], statistics.median(ours[1:]), max(ours[1:]), size)
        print(f"{name:34}" + "".join(f"{figure:8.0f}" for figure in figures) + f"{statistics.median(theirs[1:]):12.0f}")


def _told(name: str) -> Timeline:
    scenario = load_scenario(name)
    match = Match(scenario.fixture)
    for packet in build_packets(scenario):
        match = advance(match, packet).after
    return build_timeline(match)


def _timed(drawn: Callable[[Timeline], bytes], timeline: Timeline, times: int) -> list[float]:
    """Milliseconds, the first with all that it loads."""
    took = []
    for _ in range(times + 1):
        started = time.perf_counter()
        drawn(timeline)
        took.append((time.perf_counter() - started) * 1000)
    return took


if __name__ == "__main__":
    main()
