"""The pages, drawn with NiceGUI from the values of the other modules. They decide nothing."""

from __future__ import annotations

import html
import re
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

import msgspec
from nicegui import ui

from bot.config.rule_versions import RulesOutdated
from bot.console.live import AlertRow, ChatRow, LiveConsole, Overview
from bot.console.playground import (
    SHIPPED_NAMES,
    PhoneMessage,
    PlayedMatch,
    PlayRequest,
    pack_link,
    play_in_child,
    show_phone,
    unpack_link,
)
from bot.console.rules import RulesPreview, RunDryRun, preview_rules
from bot.errors import StorageError
from bot.monitoring.conditions import format_utc
from rules.engine.text import LANGUAGES
from rules.loading.loader import RulesInvalid

HANDBOOK = "docs/operate/messages.md"
"""Has a section for each incident, by its name."""

REFRESH = 2.0
"""Seconds between two looks at the running process."""

FIRST_RULES = """\
# Asked from top to bottom; what no rule here fires for goes to those that ship.
extends: default

rules:
  - name: late goals
    match: {action_type: Goal, minute: {from: 80}}
    alert:
      kind: goal
      importance: major
      text: "🚨 <b>{{ score }}</b> {{ minute }}' {{ player }}"
"""
"""What the editor begins with where no rules were applied by hand."""

TYPING_PAUSE = 700
"""Milliseconds without a key after which what was typed is checked."""

T = TypeVar("T")

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

_ALLOWED_TAG = re.compile(r"&lt;(/?)(b|i|u|s|code|pre|em|strong|del|tg-spoiler|blockquote)&gt;")


def to_safe_html(text: str) -> str:
    """Return Telegram's HTML with nothing but its own plain tags: everything else is shown as text."""
    return _ALLOWED_TAG.sub(r"<\1\2>", html.escape(html.unescape(text), quote=True))


def render_bubble(message: PhoneMessage) -> str:
    """Return one message as HTML."""
    quote = f'<div class="quote">{html.escape(message.quote)}</div>' if message.quote else ""
    foot = [message.rule, "🔕 silent" if message.is_silent else "🔔 loud"]
    if message.edits:
        foot.append(f"edited {message.edits}×" if message.edits > 1 else "edited")
    return (
        f'<div class="bubble" data-message="{message.message_id}">{quote}{to_safe_html(message.html)}'
        f'<div class="foot">{html.escape(" · ".join(filter(None, foot)))}</div></div>'
    )


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
        live = self._require_live()
        with self._frame("Now"):
            content = ui.column().classes("w-full")
            chart = _draw_chart()

            async def refresh() -> None:
                overview = await _read(live.read_overview)
                if overview is None:
                    return
                content.clear()
                with content:
                    _draw_overview(overview)
                _update_chart(chart, overview)

            ui.timer(REFRESH, refresh)

    async def _show_matches(self) -> None:
        live = self._require_live()
        with self._frame("Matches"):
            rows = await _read(live.list_matches) or ()
            if not rows:
                ui.label("No alert has been stored yet. Matches appear here with their first alert.")
            for row in rows:
                with ui.row().classes("items-center"):
                    ui.link(row.title, f"/matches/{row.fixture_id}")
                    ui.label(f"{row.alerts} alerts, the last at {format_utc(row.last_at)}")

    async def _show_match(self, fixture_id: str) -> None:
        live = self._require_live()
        titles = {row.fixture_id: row.title for row in await _read(live.list_matches) or ()}
        with self._frame(titles.get(fixture_id, "Match")):
            content = ui.column().classes("w-full")

            async def refresh() -> None:
                rows = await _read(lambda: live.list_alerts(fixture_id))
                if rows is None:
                    return
                content.clear()
                with content:
                    _draw_alerts(rows)

            await refresh()
            ui.button("Refresh", on_click=refresh)

    def _show_chats(self) -> None:
        live = self._require_live()
        with self._frame("Chats"):
            ChatList(live).draw()

    def _require_live(self) -> LiveConsole:
        if self._live is None:
            raise LookupError("this console shows no running bot")
        return self._live


class Playground:
    """A match, rules and settings on the left, the phone on the right."""

    def __init__(self, request: PlayRequest, recordings: Sequence[str]) -> None:
        self._request, self._recordings = request, recordings
        self._played = PlayedMatch()
        self._runs = 0

    def draw(self) -> None:
        """Draw the page, and play the match."""
        request = self._request
        with ui.row().classes("w-full items-start"):
            with ui.column().classes("col-12 col-md"):
                matches = list(dict.fromkeys([*SHIPPED_NAMES, *self._recordings]))
                ui.select(
                    {name: name.rsplit("/", 1)[-1] for name in matches},
                    label="Match",
                    value=request.match if request.match in matches else matches[0],
                    on_change=lambda event: self._change(match=event.value),
                ).classes("w-full")
                with ui.row().classes("items-center"):
                    ui.select(
                        dict(LANGUAGES),
                        label="Language",
                        value=request.language if request.language in LANGUAGES else "en",
                        on_change=lambda event: self._change(language=event.value),
                    )
                    ui.number(
                        "Delay in seconds",
                        value=request.delay,
                        min=0,
                        max=300,
                        on_change=lambda event: self._change(delay=int(event.value or 0)),
                    )
                    ui.checkbox("Hide scores", value=request.spoilers, on_change=lambda event: self._change(spoilers=event.value))
                    ui.checkbox("Digests", value=request.digests, on_change=lambda event: self._change(digests=event.value))
                    ui.checkbox(
                        "Every kind of alert",
                        value=request.every_kind,
                        on_change=lambda event: self._change(every_kind=event.value),
                    )
                with ui.expansion("Rules (empty: those that ship)", value=bool(request.rules)).classes("w-full"):
                    _editor(request.rules, lambda text: self._change(rules=text), "Rules")
                with ui.expansion("A scenario of your own, instead of the match", value=bool(request.scenario)).classes("w-full"):
                    _editor(request.scenario, lambda text: self._change(scenario=text), "Scenario")
                self._said = ui.column().props('role=status aria-live="polite"')
                with ui.row():
                    self._link = ui.link("Link to exactly this", self._make_link())
            with ui.column().classes("col-12 col-md-auto items-center"):
                self._clock = ui.label("").classes("text-h6").props("data-clock")
                self._slider = ui.slider(min=0, max=1, value=max(request.minute, 0), on_change=self._on_moved).classes("w-full")
                self._slider.props('aria-label="Moment of the match"')
                self._phone = ui.html("", sanitize=False).classes("phone").props('role=log aria-label="The chat"')
        ui.timer(0, self._play, once=True)

    async def _change(self, **changes: object) -> None:
        if not changes.keys().isdisjoint(("match", "scenario")):
            changes["minute"] = -1  # the end of the new match
        self._request = msgspec.structs.replace(self._request, **changes)
        await self._play()

    async def _play(self) -> None:
        self._runs += 1
        run = self._runs
        self._say(["Playing…"])
        played = await play_in_child(self._request, self._recordings)
        if run != self._runs:
            return  # outdated: a later change is already being played
        self._link.props(f'href="{self._make_link()}"')
        self._say([*(f"❌ {line}" for line in played.mistakes), *(f"⚠️ {line}" for line in played.warnings)])
        if played.mistakes:
            return  # the phone goes on showing the last match that could be played
        self._played = played
        last = max(len(played.moments) - 1, 0)
        self._slider.props(f"max={last}")
        self._slider.value = last if self._request.minute < 0 else min(self._request.minute, last)
        self._show_moment()

    def _on_moved(self) -> None:
        self._request = msgspec.structs.replace(self._request, minute=int(self._slider.value or 0))
        self._link.props(f'href="{self._make_link()}"')
        self._show_moment()

    def _show_moment(self) -> None:
        moments, number = self._played.moments, int(self._slider.value or 0)
        if not moments:
            return
        moment = moments[min(number, len(moments) - 1)]
        self._clock.text = f"{self._played.title} {moment.score} · {moment.minute}"
        messages = show_phone(self._played.events, number)
        self._phone.content = "".join(map(render_bubble, messages)) or "<p>Nothing has been sent yet.</p>"

    def _say(self, lines: Sequence[str]) -> None:
        self._said.clear()
        with self._said:
            for line in lines:
                ui.label(line).style("white-space: pre-line")

    def _make_link(self) -> str:
        return f"/playground?s={pack_link(self._request)}"


class RulesEditor:
    """The rules in effect, an editor with checks, what would change, and the versions."""

    def __init__(self, run_dry_run: RunDryRun, live: LiveConsole | None, recordings: Sequence[str]) -> None:
        self._run_dry_run, self._live = run_dry_run, live
        self._recordings = tuple(recordings) or (tuple(live.list_recordings()) if live else ())
        self._runs = 0
        self._text = (live.active_text() if live else "") or FIRST_RULES
        self._fingerprint = live.active_rules.fingerprint if live else ""
        self._preview: RulesPreview | None = None

    def draw(self) -> None:
        """Draw the page."""
        if self._live:
            self._draw_active(self._live)
        with ui.row().classes("w-full items-start"):
            with ui.column().classes("col-12 col-md"):
                self._editor = _editor(self._text, self._on_typed, "Rules")
                self._marks = ui.column().props('role=status aria-live="polite"')
                with ui.row():
                    ui.button("What would change?", on_click=self._compare)
                    if self._live:
                        self._apply_button = ui.button("Apply", on_click=self._apply)
                        self._apply_button.disable()
                        ui.button("Roll back", on_click=self._roll_back).props("outline")
            with ui.column().classes("col-12 col-md"):
                self._summary = ui.label("")
                self._changes = ui.column().classes("w-full")
        self._history = ui.column()
        if self._live:
            ui.timer(0, self._draw_history, once=True)

    def _draw_active(self, live: LiveConsole) -> None:
        active, fired = live.active_rules, live.count_fired()
        origin = "those of the configuration" if active.from_files or active.version is None else active.version.name
        ui.label(f"In effect since {format_utc(active.since)}: {origin}, {len(active.rules.rules)} rules").props("data-active")
        with ui.expansion("How often each has fired since the start").classes("w-full"):
            for rule in active.rules.rules:
                ui.label(f"{rule.name}: {fired.get(rule.name, 0)}")

    async def _on_typed(self, text: str) -> None:
        # The editor may tell the same text twice; what was found out about it, such as what it would change, stays.
        if text != self._text or self._preview is None:
            self._text = text
            await self._check(())

    async def _compare(self) -> None:
        await self._check((*SHIPPED_NAMES, *self._recordings))

    async def _check(self, matches: Sequence[str]) -> None:
        self._runs += 1
        run = self._runs
        self._summary.text = "Playing the matches under both…" if matches else ""
        preview = await preview_rules(
            self._text,
            self._run_dry_run,
            config_path=self._live.config_path if self._live else "",
            active_text=self._live.active_text() if self._live else "",
            matches=matches,
        )
        if run != self._runs:
            return
        self._preview = preview
        self._summary.text = preview.summary
        self._marks.clear()
        with self._marks:
            if not preview.marks:
                ui.label("✅ No mistakes")
            for mark in preview.marks:
                place = f"line {mark.line}, column {mark.column}: " if mark.line else ""
                ui.label(f"{'❌' if mark.is_mistake else '⚠️'} {place}{mark.sentence}").style("white-space: pre-line")
        self._editor.line_tooltips = {mark.line: mark.sentence for mark in preview.marks if mark.line}
        self._changes.clear()
        with self._changes:
            if preview.changes:
                rows = [{**msgspec.structs.asdict(change), "id": number} for number, change in enumerate(preview.changes)]
                columns = [
                    {"name": name, "label": name.capitalize(), "field": name, "align": "left"}
                    for name in ("change", "minute", "before", "after")
                ]
                ui.table(rows=rows, columns=columns, row_key="id", pagination=20).classes("w-full").props("wrap-cells")
        if self._live:
            # Only what was compared with the matches can be applied: nobody applies rules that he has not seen at work.
            self._apply_button.set_enabled(bool(matches) and not preview.has_mistakes)

    async def _apply(self) -> None:
        live = self._live
        if live is None:
            return

        async def apply() -> None:
            await live.apply_rules(self._text, self._fingerprint)

        await self._change_rules(live, apply, "Applied: these rules are in effect.")

    async def _roll_back(self) -> None:
        if live := self._live:
            await self._change_rules(live, live.roll_back, "Rolled back: the rules before are in effect again.")

    async def _change_rules(self, live: LiveConsole, change: Callable[[], Awaitable[object]], sentence: str) -> None:
        try:
            await change()
        except RulesOutdated:
            ui.notify("Other rules have come into effect meanwhile. Load the page again and compare.", type="warning")
            return
        except (RulesInvalid, StorageError) as error:
            ui.notify(str(error), type="negative")
            return
        self._fingerprint = live.active_rules.fingerprint
        self._apply_button.disable()
        ui.notify(sentence, type="positive")
        await self._draw_history()

    async def _draw_history(self) -> None:
        if self._live is None:
            return
        versions = await _read(self._live.list_versions) or ()
        self._history.clear()
        with self._history:
            if versions:
                ui.label("History").classes("text-h6")
            for version in versions:
                who = version.user_name or "the files"
                ui.label(f"{format_utc(version.at)} {version.origin.value}: {version.name}, by {who}")


class ChatList:
    """Search, and what can be done with a chat."""

    def __init__(self, live: LiveConsole) -> None:
        self._live = live

    def draw(self) -> None:
        """Draw the page."""
        self._search = ui.input("Search by title, id or team", on_change=lambda _: self._refresh()).classes("w-full")
        self._search.props("debounce=400 clearable")
        self._content = ui.column().classes("w-full")
        ui.timer(0, self._refresh, once=True)

    async def _refresh(self) -> None:
        rows = await _read(lambda: self._live.find_chats(self._search.value or ""))
        if rows is None:
            return
        self._content.clear()
        with self._content:
            if not rows:
                ui.label("No chat fits.")
            for row in rows:
                self._draw_chat(row)

    def _draw_chat(self, row: ChatRow) -> None:
        chat = row.chat
        state = "" if chat.is_active else f" · suspended: {row.suspended_because}"
        topic = f", topic {chat.ref.topic}" if chat.ref.topic else ""
        name = f"{chat.title or 'without a title'} ({chat.type}, {chat.ref.chat_id}{topic}) · follows {row.follows}{state}"
        with ui.expansion(name).classes("w-full") as expansion:
            content = ui.column()

            async def show() -> None:
                content.clear()
                with content:
                    await self._draw_details(row)

            expansion.on_value_change(lambda event: show() if event.value else None)

    async def _draw_details(self, row: ChatRow) -> None:
        ref = row.chat.ref
        following = await _read(lambda: self._live.read_subscriptions(ref)) or ()
        ui.label("Follows: " + (", ".join(one.name or one.scope.value for one in following) or "nothing"))
        for delivery in await _read(lambda: self._live.read_deliveries(ref)) or ():
            ui.label(f"{format_utc(delivery.at)} {delivery.status}, {delivery.reason}: {delivery.text or delivery.rule}")
        with ui.row():
            if not row.chat.is_active:
                ui.button("Resume", on_click=lambda: self._do(lambda: self._live.resume_chat(ref.chat_id), "Resumed."))
            ui.button("Send a test", on_click=lambda: self._do(lambda: self._live.send_test(ref), "A test is on its way."))
            ui.button("Remove", on_click=lambda: self._ask_to_remove(row)).props("color=negative outline")

    def _ask_to_remove(self, row: ChatRow) -> None:
        with ui.dialog() as dialog, ui.card():
            ui.label(f"Forget {row.chat.title or row.chat.ref.chat_id} with everything that it follows?")

            async def remove() -> None:
                dialog.close()
                await self._do(lambda: self._live.erase_chat(row.chat.ref), "Removed.")

            with ui.row():
                ui.button("Remove", on_click=remove).props("color=negative")
                ui.button("Keep", on_click=dialog.close)
        dialog.open()

    async def _do(self, change: Callable[[], Awaitable[None]], sentence: str) -> None:
        try:
            await change()
        except StorageError as error:
            ui.notify(str(error), type="negative")
            return
        ui.notify(sentence, type="positive")
        await self._refresh()


def _editor(text: str, on_change: Callable[[str], Awaitable[None]], label: str) -> ui.codemirror:
    """Draw a YAML editor that tells what was typed once nobody types for a moment."""
    waiting: list[ui.timer] = []

    def wait(event: object) -> None:
        for timer in waiting:
            timer.cancel()
        value = str(getattr(event, "value", ""))
        waiting[:] = [ui.timer(TYPING_PAUSE / 1000, lambda: on_change(value), once=True)]

    return (
        ui.codemirror(text, on_change=wait, language="YAML", indent="  ", line_wrapping=True)
        .classes("w-full")
        .style("height: 26rem")
        .props(f'aria-label="{label}"')
    )


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


def _draw_alerts(rows: Sequence[AlertRow]) -> None:
    if not rows:
        ui.label("There is no alert of this match.")
    for row in rows:
        strike = "text-decoration: line-through" if row.state == "retracted" else ""
        with ui.expansion(f"{format_utc(row.at)} · {row.kind} · {row.text}").classes("w-full").style(strike):
            ui.label(f"Rules: {row.rules}; {row.state}; revision {row.revisions}; in {row.told} chats, {row.waiting} waiting")
            for line in row.conditions:
                ui.label(line)


async def _read(read: Callable[[], Awaitable[T]]) -> T | None:
    """Return what was read; None while the database cannot be used, which the page says."""
    try:
        return await read()
    except StorageError as error:
        ui.notify(str(error), type="negative")
        return None
