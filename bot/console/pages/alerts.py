"""The page of alerts: a search through all matches."""

from __future__ import annotations

from urllib.parse import urlencode

from nicegui import ui

from bot.console.alerts import AlertReader, read_query
from bot.console.pages.elements import read_or_tell
from bot.console.pages.matches import AlertList

_FIELDS = {
    "words": "Team, player, competition or text",
    "rule": "Rule",
    "chat": "Chat (its id, or words of its title)",
    "since": "From (UTC)",
    "until": "Until (UTC)",
}
"""What can be searched for, by the name that links give it."""


def link_to_alerts(**fields: str) -> str:
    """Return the address of a search."""
    return f"/alerts?{urlencode(fields)}"


class AlertSearch:
    """The fields of the search, and what it finds."""

    def __init__(self, reader: AlertReader, values: dict[str, str]) -> None:
        """`values` are those of the address, by the names of _FIELDS."""
        self._reader, self._values = reader, values
        self._list = AlertList(reader, names_match=True)
        self._runs = 0

    def draw(self) -> None:
        """Draw the page."""
        self._inputs: dict[str, ui.input] = {}
        with ui.row().classes("w-full items-end"):
            for name, label in _FIELDS.items():
                field = ui.input(label, value=self._values.get(name, ""), on_change=lambda _: self._search())
                field.props("debounce=500 clearable").classes("grow")
                if name in ("since", "until"):
                    field.props("type=datetime-local stack-label")
                self._inputs[name] = field
        self._notice = ui.label("").props('role=status aria-live="polite"')
        self._list.draw()
        # After the page is sent: somebody who opens it does not wait for the search to see its fields.
        ui.timer(0, self._search, once=True)

    async def _search(self) -> None:
        self._runs += 1
        run = self._runs
        query = read_query(**{name: field.value or "" for name, field in self._inputs.items()})
        result = await read_or_tell(lambda: self._reader.find_alerts(query))
        # A later search is on its way, and may even have answered first.
        if result is None or run != self._runs:
            return
        count = "1 alert" if len(result.rows) == 1 else f"{len(result.rows)} alerts"
        self._notice.text = count if result.is_complete else f"The latest {count} that fit"
        self._list.show(result.rows, "No alert fits.")
