"""The page of rules: those in effect, an editor with checks, what would change, and the versions."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import msgspec
from nicegui import ui

from bot.config.rule_versions import RulesOutdated
from bot.console.live import LiveConsole
from bot.console.pages.elements import draw_editor, read_or_tell
from bot.console.playground import SHIPPED_NAMES
from bot.console.rules import RulesPreview, RunDryRun, preview_rules
from bot.errors import StorageError
from bot.monitoring.conditions import format_utc
from rules.loading.loader import RulesInvalid

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
                self._editor = draw_editor(self._text, self._on_typed, "Rules")
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
        versions = await read_or_tell(self._live.list_versions) or ()
        self._history.clear()
        with self._history:
            if versions:
                ui.label("History").classes("text-h6")
            for version in versions:
                who = version.user_name or "the files"
                ui.label(f"{format_utc(version.at)} {version.origin.value}: {version.name}, by {who}")
