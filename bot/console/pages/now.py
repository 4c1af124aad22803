"""The page "Now": what a running bot does at this moment."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from nicegui import ui

from bot.console.now import NowReader, Overview
from bot.console.pages.elements import read_or_tell
from bot.monitoring.conditions import format_utc

REFRESH = 2.0
"""Seconds between two readings of the running process."""

_CONNECTION_COLUMNS = (
    ("title", "Match"),
    ("score", "Score"),
    ("minute", "Minute"),
    ("state", "Connection"),
    ("seconds_since_frame", "Last frame (s ago)"),
    ("lag_ms", "Lag (ms)"),
    ("reconnects", "Reconnects"),
)

_CHART_TEXT = {"color": "#7f858c"}
"""The style of words in the chart, which does not know whether the page is light or dark: read on both."""


class NowPage:
    """Figures, incidents, the table of connections and the chart. Only what has changed is sent to the browser."""

    def __init__(self, reader: NowReader) -> None:
        self._reader = reader
        self._shown: Overview | None = None

    def draw(self) -> None:
        """Draw the page, and bring it up to date every REFRESH seconds."""
        self._state = ui.label("Loading…").props('role=status aria-live="polite" data-ready')
        self._incidents = ui.column().classes("w-full")
        with ui.row().classes("w-full gap-4"):
            self._rate, self._waiting, self._throttled, self._matches = (
                _draw_figure(name) for name in ("Messages a second", "Waiting", "Told to slow down (429)", "Matches connected")
            )
        self._limits = ui.label("")
        self._connections = _draw_table(_CONNECTION_COLUMNS, "fixture_id", "Connections")
        self._processes = _draw_table((("name", "Process"), ("roles", "Roles"), ("summary", "What it does")), "name", "Processes")
        ui.label("The last hour").classes("text-h6").props("role=heading aria-level=2")
        self._chart = _draw_chart()
        ui.timer(REFRESH, self._refresh)

    async def _refresh(self) -> None:
        overview = await read_or_tell(self._reader.read)
        if overview is None or overview == self._shown:
            return
        before, self._shown = self._shown, overview
        depth = overview.depth
        self._state.text = "Not ready: " + "; ".join(overview.not_ready) if overview.not_ready else "Ready"
        self._state.classes(replace="text-negative" if overview.not_ready else "text-positive")
        self._rate.text = f"{overview.messages_per_second:.1f} of {overview.allowance:.0f} allowed"
        self._waiting.text = f"{depth.waiting}, of them {depth.due} due, the oldest for {depth.oldest_seconds:.0f} s"
        self._throttled.text = f"{overview.too_many_requests} times"
        self._matches.text = f"{len(overview.connections)}, and {overview.planned} planned"
        self._limits.text = overview.limits
        # A screen reader reads a new alert aloud, so one that stays is not drawn again.
        if before is None or before.incidents != overview.incidents:
            self._draw_incidents(overview)
        # With one process the figures above say everything.
        has_several = len(overview.processes) > 1
        _update_table(self._connections, overview.connections, is_shown=bool(overview.connections))
        _update_table(self._processes, overview.processes, is_shown=has_several)
        if before is None or before.samples != overview.samples:
            _update_chart(self._chart, overview)

    def _draw_incidents(self, overview: Overview) -> None:
        self._incidents.clear()
        with self._incidents:
            for incident in overview.incidents:
                with ui.card().classes("w-full").props("role=alert"):
                    ui.label(f"🛠 {incident.name}, since {format_utc(incident.opened_at)}").classes("text-weight-bold")
                    ui.label(incident.detail)
                    ui.label(f"What to do: {incident.advice}")


def _draw_figure(name: str) -> ui.label:
    with ui.column().classes("gap-0"):
        ui.label(name).classes("text-caption")
        return ui.label("–").classes("text-subtitle1")


def _draw_table(columns: Sequence[tuple[str, str]], key: str, title: str) -> ui.table:
    table = ui.table(
        rows=[],
        columns=[{"name": name, "label": label, "field": name, "align": "left", "sortable": True} for name, label in columns],
        row_key=key,
        title=title,
    )
    table.set_visibility(False)
    return table.classes("w-full").props("dense flat bordered")


def _update_table(table: ui.table, rows: Sequence[msgspec.Struct], *, is_shown: bool) -> None:
    table.set_visibility(is_shown)
    new = [msgspec.structs.asdict(row) for row in rows] if is_shown else []
    # Every assignment sends the whole table to the browser, also one of equal rows.
    if new != table.rows:
        table.rows = new


def _draw_chart() -> ui.echart:
    return ui.echart(
        {
            "grid": {"left": 45, "right": 45, "top": 40, "bottom": 30},
            "legend": {"top": 0, "textStyle": _CHART_TEXT},
            "xAxis": {"type": "time", "axisLabel": {"hideOverlap": True, **_CHART_TEXT}},
            # Two axes: after a great match thousands of messages may wait, of which some thirty leave in a second.
            "yAxis": [
                {"type": "value", "minInterval": 1, "axisLabel": _CHART_TEXT, "splitLine": {"lineStyle": {"opacity": 0.3}}},
                {"type": "value", "minInterval": 1, "axisLabel": _CHART_TEXT, "splitLine": {"show": False}},
            ],
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
