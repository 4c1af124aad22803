"""The pages of matches: which there are, and the alerts of one."""

from __future__ import annotations

from collections.abc import Sequence

from nicegui import ui

from bot.console.live import AlertRow, LiveConsole
from bot.console.pages.elements import read_or_tell
from bot.monitoring.conditions import format_utc


async def draw_matches(live: LiveConsole) -> None:
    """Draw the list of matches."""
    rows = await read_or_tell(live.list_matches) or ()
    if not rows:
        ui.label("No alert has been stored yet. Matches appear here with their first alert.")
    for row in rows:
        with ui.row().classes("items-center"):
            ui.link(row.title, f"/matches/{row.fixture_id}")
            ui.label(f"{row.alerts} alerts, the last at {format_utc(row.last_at)}")


async def draw_match(live: LiveConsole, fixture_id: str) -> None:
    """Draw one match with its alerts."""
    content = ui.column().classes("w-full")

    async def refresh() -> None:
        rows = await read_or_tell(lambda: live.list_alerts(fixture_id))
        if rows is None:
            return
        content.clear()
        with content:
            _draw_alerts(rows)

    await refresh()
    ui.button("Refresh", on_click=refresh)


def _draw_alerts(rows: Sequence[AlertRow]) -> None:
    if not rows:
        ui.label("There is no alert of this match.")
    for row in rows:
        strike = "text-decoration: line-through" if row.state == "retracted" else ""
        with ui.expansion(f"{format_utc(row.at)} · {row.kind} · {row.text}").classes("w-full").style(strike):
            ui.label(f"Rules: {row.rules}; {row.state}; revision {row.revisions}; in {row.told} chats, {row.waiting} waiting")
            for line in row.conditions:
                ui.label(line)
