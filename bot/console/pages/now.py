"""The page "Now": what a running bot does at this moment."""

from __future__ import annotations

import msgspec
from nicegui import ui

from bot.console.live import LiveConsole, Overview
from bot.console.pages.elements import read_or_tell
from bot.monitoring.conditions import format_utc

HANDBOOK = "docs/operate/messages.md"
"""Has a section for each incident, by its name."""

REFRESH = 2.0
"""Seconds between two looks at the running process."""


def draw_now(live: LiveConsole) -> None:
    """Draw the page, and again every REFRESH seconds."""
    content = ui.column().classes("w-full")
    chart = _draw_chart()

    async def refresh() -> None:
        overview = await read_or_tell(live.read_overview)
        if overview is None:
            return
        content.clear()
        with content:
            _draw_overview(overview)
        _update_chart(chart, overview)

    ui.timer(REFRESH, refresh)


def _draw_overview(overview: Overview) -> None:
    if overview.not_ready:
        ui.label("Not ready: " + "; ".join(overview.not_ready)).classes("text-negative")
    else:
        ui.label("Ready").classes("text-positive").props("data-ready")
    for name, incident in overview.incidents:
        with ui.card().classes("w-full"):
            ui.label(f"🛠 {name}, since {format_utc(incident.opened_at)}")
            ui.label(incident.detail)
            ui.label(f"What to do: {HANDBOOK}, under {name}")
    ui.label(
        f"{overview.messages_per_second:.1f} messages a second of {overview.allowance:.0f} allowed; {overview.waiting} waiting, "
        f"{overview.due} due, the oldest for {overview.oldest_seconds:.0f} s; "
        f"{overview.too_many_requests} times told to slow down (429)"
    )
    ui.label(f"{len(overview.connections)} matches connected, {overview.planned} planned")
    rows = [msgspec.structs.asdict(row) for row in overview.connections]
    columns = [
        {"name": name, "label": label, "field": name, "align": "left", "sortable": True}
        for name, label in (
            ("title", "Match"),
            ("score", "Score"),
            ("minute", "Minute"),
            ("state", "Connection"),
            ("seconds_since_frame", "Last frame (s ago)"),
            ("lag_ms", "Lag (ms)"),
            ("reconnects", "Reconnects"),
        )
    ]
    if rows:
        ui.table(rows=rows, columns=columns, row_key="fixture_id").classes("w-full")


def _draw_chart() -> ui.echart:
    return ui.echart(
        {
            "xAxis": {"type": "time"},
            "yAxis": [{"type": "value", "name": "messages/s"}, {"type": "value", "name": "waiting"}],
            "series": [
                {"type": "line", "name": "messages/s", "showSymbol": False, "data": []},
                {"type": "line", "name": "waiting", "showSymbol": False, "yAxisIndex": 1, "data": []},
            ],
            "tooltip": {"trigger": "axis"},
            "aria": {"enabled": True},
        }
    ).classes("w-full h-64")


def _update_chart(chart: ui.echart, overview: Overview) -> None:
    samples = overview.samples
    chart.options["series"][0]["data"] = [[one.at.timestamp() * 1000, one.messages_per_second] for one in samples]
    chart.options["series"][1]["data"] = [[one.at.timestamp() * 1000, one.waiting] for one in samples]
    chart.update()
