"""The pages of matches: which there are, and the alerts of one with their way from the frame to the chats."""

from __future__ import annotations

from nicegui import ui

from bot.console.alerts import MAX_COUNTED_CHATS, AlertReader, AlertRow
from bot.console.pages.elements import read_or_tell
from bot.console.traces import RevisionTrace, describe_trace
from bot.monitoring.conditions import format_utc

REFRESH = 5.0
"""Seconds between two readings of the alerts of a match."""


async def draw_matches(reader: AlertReader) -> None:
    """Draw the list of matches."""
    rows = await read_or_tell(reader.list_matches) or ()
    if not rows:
        ui.label("No alert has been stored yet. Matches appear here with their first alert.")
    with ui.list().props("separator").classes("w-full"):
        for row in rows:
            with ui.item().classes("q-px-none"), ui.item_section():
                ui.link(row.title, f"/matches/{row.fixture_id}")
                ui.item_label(f"{row.alerts} alerts, the last at {format_utc(row.last_at)}").props("caption")


class MatchPage:
    """The alerts of one match, brought up to date while the page is open."""

    def __init__(self, reader: AlertReader, fixture_id: str) -> None:
        self._reader, self._fixture_id = reader, fixture_id
        self._rows: tuple[AlertRow, ...] | None = None
        self._list = AlertList(reader)

    async def draw(self) -> None:
        """Draw the page."""
        self._list.draw()
        await self._refresh()
        ui.timer(REFRESH, self._refresh)

    async def _refresh(self) -> None:
        rows = await read_or_tell(lambda: self._reader.list_alerts(self._fixture_id))
        # Drawn again only when something changed: it would take away what somebody is reading or has selected.
        if rows is not None and rows != self._rows:
            self._rows = rows
            self._list.show(rows, "There is no alert of this match.")


class AlertList:
    """Alerts, each with its rules and the trace of its revisions once it is opened."""

    def __init__(self, reader: AlertReader, *, names_match: bool = False) -> None:
        """`names_match`: the alerts are of several matches."""
        self._reader, self._names_match = reader, names_match
        self._opened: set[str] = set()

    def draw(self) -> None:
        """Draw an empty list."""
        self._content = ui.column().classes("w-full gap-0")

    def show(self, rows: tuple[AlertRow, ...], nothing: str) -> None:
        """Show these alerts; what was opened stays open. `nothing` is shown if there are none."""
        self._content.clear()
        with self._content:
            if not rows:
                ui.label(nothing)
            for row in rows:
                self._draw_row(row)

    def _draw_row(self, row: AlertRow) -> None:
        name = f"{row.key.fixture_id}/{row.key.action_id}"
        match = row.match if self._names_match else ""
        parts = (format_utc(row.at), match, row.kind, row.state, row.in_chat or describe_chat_count(row))
        # Taken back before any chat had it, it has no text.
        with ui.expansion(row.text or "(without a text)", caption=" · ".join(filter(None, parts))) as expansion:
            content = ui.column().classes("w-full gap-1")
        expansion.classes(f"w-full alert {'retracted' if row.state == 'retracted' else ''}")

        async def toggle(is_open: bool) -> None:
            self._opened.discard(name)
            if is_open:
                self._opened.add(name)
                traces = await read_or_tell(lambda: self._reader.read_trace(row.key)) or ()
                content.clear()
                with content:
                    _draw_details(row, traces)

        expansion.on_value_change(lambda event: toggle(event.value))
        # After the handler was set, so that opening it again by this line reads its details too.
        expansion.value = name in self._opened


def describe_chat_count(row: AlertRow) -> str:
    """Return `in 3 chats, 1 waiting`."""
    if row.reached + row.waiting >= MAX_COUNTED_CHATS:
        return f"in {MAX_COUNTED_CHATS} chats or more"
    chats = "in 1 chat" if row.reached == 1 else f"in {row.reached} chats"
    return f"{chats}, {row.waiting} waiting" if row.waiting else chats


def _draw_details(row: AlertRow, traces: tuple[RevisionTrace, ...]) -> None:
    ui.label("Rules: " + (", ".join(row.rules) or "none"))
    for line in row.conditions:
        ui.label(line).classes("text-caption")
    if not traces:
        ui.label("No chat has it, and its frame was not kept.")
    for trace in traces:
        ui.label(f"Revision {trace.seq}" + (f", {trace.state}" if trace.state else "")).classes("text-weight-bold q-mt-sm")
        with ui.element("ol").classes("trace"):
            for step in describe_trace(trace):
                with ui.element("li"):
                    ui.label(step)
        if trace.frame:
            with ui.expansion("The packet as it came", icon="data_object").classes("w-full") as packet:
                place = ui.column().classes("w-full")
            # As defaults, which are bound now: at the click the names of the loop stand for the last trace.
            packet.on_value_change(lambda event, place=place, frame=trace.frame: _show_frame(place, frame, is_open=event.value))


def _show_frame(place: ui.column, frame: str, *, is_open: bool) -> None:
    """Draw the packet when somebody asks for it: most look at the times only."""
    place.clear()
    if is_open:
        with place:
            ui.code(frame, language="json").classes("w-full")
