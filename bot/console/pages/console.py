"""The addresses of the pages, and what is around every page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from nicegui import app, ui

from bot.console.live import LiveConsole
from bot.console.pages.alerts import AlertSearch
from bot.console.pages.chats import ChatList
from bot.console.pages.elements import read_or_tell
from bot.console.pages.matches import MatchPage, draw_matches
from bot.console.pages.now import NowPage
from bot.console.pages.playground import Playground
from bot.console.pages.rules import RulesEditor
from bot.console.playground import PlayRequest, unpack_link
from bot.console.rules import RunDryRun

_CSS = """
a { color: #1a5fb4 }
.body--dark a { color: #8ab4f8 }
.body--dark { color-scheme: dark }
.top { flex-wrap: nowrap }
.top nav { display: flex; flex: 1 1 auto; min-width: 0; overflow-x: auto; gap: .25rem }
.top nav a, .body--dark .top nav a { color: #fff; text-decoration: none; padding: .5rem .6rem; white-space: nowrap;
  border-bottom: 3px solid transparent }
.top nav a[aria-current=page], .body--dark .top nav a[aria-current=page] { border-color: #fff }
header form { white-space: nowrap }
@media (max-width: 599px) {
  .top { flex-wrap: wrap }
  .top .brand { flex: 1 1 auto }
  .top nav { order: 9; flex-basis: 100%; gap: 0; justify-content: space-between }
  .top nav a { padding: .4rem .3rem; font-size: .9rem }
}
header nav a:focus-visible, header button:focus-visible { outline: 2px solid #fff; outline-offset: -2px }
.skip { position: absolute; left: -99rem }
.skip:focus { left: .5rem; top: .5rem; z-index: 9999; background: #fff; color: #111 !important; padding: .5rem }
body:not(.body--dark) .text-positive { color: #146c2e !important }
.phone { width: 24rem; max-width: 100%; border: 1px solid rgba(128,128,128,.5); border-radius: 1.5rem; padding: 1rem .75rem;
  height: 70vh; overflow-y: auto; background: rgba(64,128,192,.12) }
.bubble { border-radius: .9rem; padding: .5rem .75rem; margin: .35rem 0; white-space: pre-line; overflow-wrap: anywhere;
  background: #fff; color: #111 }
.body--dark .bubble { background: #1f2c38; color: #eee }
.bubble .quote { border-left: 3px solid #3b8ad9; padding-left: .5rem; opacity: .8; font-size: .85em }
.bubble .foot { font-size: .75em; opacity: .75; text-align: right }
tg-spoiler { background: #888; color: #888; border-radius: .2rem }
tg-spoiler:hover, tg-spoiler:focus { background: transparent; color: inherit }
.q-item__label--caption { color: #5f6368 }
.body--dark .q-item__label--caption { color: #bdc1c6 }
.retracted > .q-expansion-item__container > .q-item .q-item__label:first-child, .before { text-decoration: line-through }
.trace { border-left: 3px solid rgba(128,128,128,.5); padding-left: .75rem; margin: 0 }
.diff { font-family: monospace; white-space: pre-wrap; font-size: .85em }
.editor { border: 1px solid rgba(128,128,128,.5); overflow: hidden }
.editor .cm-mistake { background: rgba(220,60,60,.25) }
.body--dark .editor .cm-editor { background: #1b1f23; color: #e6e6e6 }
.body--dark .editor .cm-gutters { background: #14171a; color: #9aa0a6; border: 0 }
.body--dark .editor .cm-activeLine, .body--dark .editor .cm-activeLineGutter { background: rgba(255,255,255,.07) }
.body--dark .editor .cm-content { caret-color: #fff }
.body--dark .editor .cm-cursor { border-left-color: #fff }
.body--dark .editor .cm-line span { filter: brightness(1.5) }
.body--dark .editor .cm-tooltip { background: #2b3036; color: #eee }
"""

_PRIMARY = "#1a5fb4"
"""White on it, and it on white, can be read by people with weak eyes (a contrast of 6 to 1)."""

_COLOURS = {None: ("as the system has them", "brightness_auto"), True: ("dark", "dark_mode"), False: ("light", "light_mode")}
"""By the value of NiceGUI's dark mode: what the button says, and its icon."""


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
            ui.page("/alerts")(self._show_alerts)
            ui.page("/chats")(self._show_chats)
        else:
            ui.page("/")(self._show_playground)
        ui.page("/rules")(self._show_rules)
        ui.page("/playground")(self._show_playground)

    @contextmanager
    def _frame(self, title: str) -> Iterator[None]:
        """Draw what is around every page."""
        ui.add_css(_CSS)
        ui.colors(primary=_PRIMARY)
        ui.page_title(f"{title} · Touchline")
        live = [("Now", "/"), ("Matches", "/matches"), ("Alerts", "/alerts"), ("Chats", "/chats")] if self._live else []
        with ui.header(fixed=False).classes("top items-center q-py-none q-px-sm"):
            ui.link("To the content", "#content").classes("skip")
            ui.label("Touchline").classes("text-subtitle1 brand")
            with ui.element("nav").props('aria-label="Pages"'):
                for name, target in (*live, ("Rules", "/rules"), ("Playground", "/playground")):
                    link = ui.link(name, target)
                    if name == title:
                        link.props("aria-current=page")
            _draw_colour_button()
            if self._has_login:
                # A form and no link: a link of another page could log somebody out.
                ui.html('<form method="post" action="/logout"><button>Log out</button></form>', sanitize=False)
        with ui.column().classes("w-full q-pa-sm").props("role=main id=content"):
            ui.label(title).classes("text-h5").props("role=heading aria-level=1")
            yield

    def _show_playground(self, s: str = "") -> None:
        # A link that was cut off on its way opens the playground as without a link.
        request = (unpack_link(s) if s else None) or PlayRequest()
        with self._frame("Playground"):
            Playground(request, self._recordings).draw()

    def _show_rules(self) -> None:
        with self._frame("Rules"):
            RulesEditor(self._run_dry_run, self._live, self._recordings).draw()

    def _show_now(self) -> None:
        with self._frame("Now"):
            NowPage(self._require_live().now).draw()

    async def _show_matches(self) -> None:
        with self._frame("Matches"):
            await draw_matches(self._require_live().alerts)

    async def _show_match(self, fixture_id: str) -> None:
        reader = self._require_live().alerts
        with self._frame(await read_or_tell(lambda: reader.read_title(fixture_id)) or "Match"):
            await MatchPage(reader, fixture_id).draw()

    def _show_alerts(self, words: str = "", rule: str = "", chat: str = "", since: str = "", until: str = "") -> None:
        with self._frame("Alerts"):
            values = {"words": words, "rule": rule, "chat": chat, "since": since, "until": until}
            AlertSearch(self._require_live().alerts, values).draw()

    def _show_chats(self) -> None:
        with self._frame("Chats"):
            ChatList(self._require_live().chats).draw()

    def _require_live(self) -> LiveConsole:
        # For the type checker: `add_pages` registers these pages only for a running bot.
        if self._live is None:
            raise LookupError("this console shows no running bot")
        return self._live


def _draw_colour_button() -> None:
    """Draw the button that chooses light or dark. The tab of the browser keeps the choice from page to page."""
    dark = ui.dark_mode(None)

    def show() -> None:
        words, icon = _COLOURS[dark.value]
        button.props(f'icon={icon} aria-label="Colours: {words}"')

    def choose_next() -> None:
        values = list(_COLOURS)
        dark.value = app.storage.tab["dark"] = values[(values.index(dark.value) + 1) % len(values)]
        show()

    async def restore() -> None:
        # The tab's storage is known once the browser has connected.
        await ui.context.client.connected()
        if (chosen := app.storage.tab.get("dark")) is not None:
            dark.value = chosen
            show()

    button = ui.button(icon="brightness_auto", on_click=choose_next).props("flat dense color=white")
    show()
    ui.timer(0, restore, once=True)
