"""The addresses of the pages, and what is around every page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from nicegui import ui

from bot.console.live import LiveConsole
from bot.console.pages.chats import ChatList
from bot.console.pages.elements import read_or_tell
from bot.console.pages.matches import draw_match, draw_matches
from bot.console.pages.now import draw_now
from bot.console.pages.playground import Playground
from bot.console.pages.rules import RulesEditor
from bot.console.playground import PlayRequest, unpack_link
from bot.console.rules import RunDryRun

_CSS = """
.phone { width: 24rem; max-width: 100%; border: 1px solid rgba(128,128,128,.5); border-radius: 1.5rem; padding: 1rem .75rem;
  height: 70vh; overflow-y: auto; background: rgba(64,128,192,.12) }
.bubble { border-radius: .9rem; padding: .5rem .75rem; margin: .35rem 0; white-space: pre-line; overflow-wrap: anywhere;
  background: #fff; color: #111 }
.body--dark .bubble { background: #1f2c38; color: #eee }
.bubble .quote { border-left: 3px solid #3b8ad9; padding-left: .5rem; opacity: .8; font-size: .85em }
.bubble .foot { font-size: .75em; opacity: .75; text-align: right }
tg-spoiler { background: #888; color: #888; border-radius: .2rem }
tg-spoiler:hover, tg-spoiler:focus { background: transparent; color: inherit }
.cm-mistake { background: rgba(220,60,60,.25) }
.cm-warning { background: rgba(220,170,40,.25) }
"""


class Console:
    """The pages of one process. `live` is None where only the playground and the rules are shown."""

    def __init__(
        self, run_dry_run: RunDryRun, live: LiveConsole | None, recordings: Sequence[str] = (), *, has_login: bool = False
    ) -> None:
        """`recordings` are the matches that the playground offers beside those that ship."""
        self._run_dry_run, self._live, self._recordings, self._has_login = run_dry_run, live, tuple(recordings), has_login

    def add_pages(self) -> None:
        """Register the pages with NiceGUI."""
        if self._live:
            ui.page("/")(self._show_now)
            ui.page("/matches")(self._show_matches)
            ui.page("/matches/{fixture_id}")(self._show_match)
            ui.page("/chats")(self._show_chats)
        else:
            ui.page("/")(self._show_playground)
        ui.page("/rules")(self._show_rules)
        ui.page("/playground")(self._show_playground)

    @contextmanager
    def _frame(self, title: str) -> Iterator[None]:
        """Draw what is around every page."""
        ui.add_css(_CSS)
        ui.page_title(f"{title} · Touchline")
        dark = ui.dark_mode(None)
        links = [("Now", "/"), ("Matches", "/matches"), ("Chats", "/chats")] if self._live else []
        with ui.header().classes("items-center wrap"):
            ui.label("Touchline").classes("text-h6")
            for name, target in (*links, ("Rules", "/rules"), ("Playground", "/playground")):
                ui.link(name, target).classes("text-white q-px-sm")
            ui.space()
            ui.button(icon="contrast", on_click=lambda: dark.set_value(not dark.value)).props(
                'flat color=white aria-label="Light or dark"'
            )
            if self._has_login:
                ui.html('<form method="post" action="/logout"><button>Log out</button></form>', sanitize=False)
        with ui.column().classes("w-full q-pa-sm").props("role=main"):
            ui.label(title).classes("text-h5").props("role=heading aria-level=1")
            yield

    def _show_playground(self, s: str = "") -> None:
        request = (unpack_link(s) if s else None) or PlayRequest()
        with self._frame("Playground"):
            Playground(request, self._recordings).draw()

    def _show_rules(self) -> None:
        with self._frame("Rules"):
            RulesEditor(self._run_dry_run, self._live, self._recordings).draw()

    def _show_now(self) -> None:
        with self._frame("Now"):
            draw_now(self._require_live())

    async def _show_matches(self) -> None:
        with self._frame("Matches"):
            await draw_matches(self._require_live())

    async def _show_match(self, fixture_id: str) -> None:
        live = self._require_live()
        titles = {row.fixture_id: row.title for row in await read_or_tell(live.list_matches) or ()}
        with self._frame(titles.get(fixture_id, "Match")):
            await draw_match(live, fixture_id)

    def _show_chats(self) -> None:
        with self._frame("Chats"):
            ChatList(self._require_live()).draw()

    def _require_live(self) -> LiveConsole:
        if self._live is None:
            raise LookupError("this console shows no running bot")
        return self._live
