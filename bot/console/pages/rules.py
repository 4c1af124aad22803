"""The page of rules: those in effect, an editor with checks, what would change, their tests, and the versions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable, Mapping, Sequence

from nicegui import ui

from bot.config.json_schema import build_rules_file_schema, build_tests_schema
from bot.config.rule_versions import RulesOutdated, RuleVersion
from bot.console.live import LiveConsole
from bot.console.pages.alerts import link_to_alerts
from bot.console.pages.elements import YamlEditor, read_or_tell
from bot.console.playground import SHIPPED_NAMES
from bot.console.rule_tests import RuleTestReport, RuleTestRequest, run_rule_tests
from bot.console.rules import ChangedAlert, RulesPreview, RunDryRun, preview_rules
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

FIRST_TESTS = """\
tests:
  - name: a late goal is loud, an early one is left to the rules that ship
    match: Arsenal v Chelsea
    events: ["10' goal Saka (Arsenal)", "88' goal Palmer (Chelsea)"]
    kinds: [goal]
    expect: ["10' goal loud", "88' goal (late goals) loud: 1–1 88' Palmer"]
"""
"""What the editor of tests begins with; it fits FIRST_RULES."""

MAX_CHANGES = 100
"""Changed alerts that are listed of each sort."""

_SIGNS = {"added": "➕", "dropped": "➖", "reworded": "✏️", "louder": "🔔", "quieter": "🔕"}


class RulesEditor:
    """The rules in effect, an editor with checks, what would change, their tests, and the versions."""

    def __init__(self, run_dry_run: RunDryRun, live: LiveConsole | None, recordings: Sequence[str]) -> None:
        self._run_dry_run, self._live = run_dry_run, live
        self._desk = live.rules if live else None
        # Those that were named when the console was started, else the last matches of the running bot.
        self._recordings = tuple(recordings) or (tuple(live.list_recordings()) if live else ())
        self._runs = self._test_runs = 0
        self._text = (self._desk.active_text if self._desk else "") or FIRST_RULES
        # The first tests are of the first rules, and would fail under any others.
        self._tests = FIRST_TESTS if self._text == FIRST_RULES else ""
        self._fingerprint = self._desk.active.fingerprint if self._desk else ""
        self._preview: RulesPreview | None = None

    def draw(self) -> None:
        """Draw the page."""
        if self._live:
            self._active = ui.column().classes("w-full gap-0")
        with ui.row().classes("w-full items-start"):
            with ui.column().classes("col-12 col-md min-w-0"):
                self._editor = YamlEditor(
                    self._text, self._on_typed, "Rules", build_rules_file_schema(), on_typing=lambda: self._marks.clear()
                )
                self._marks = ui.column().classes("gap-0").props('role=status aria-live="polite"')
                with ui.row():
                    ui.button("What would change?", on_click=lambda: self._check((*SHIPPED_NAMES, *self._recordings)))
                    if self._live:
                        self._apply_button = ui.button("Apply", on_click=self._apply)
                        self._apply_button.disable()
                        ui.button("Roll back", on_click=self._roll_back).props("outline")
                with ui.expansion("Tests of these rules", value=bool(self._tests)).classes("w-full"):
                    YamlEditor(self._tests, self._on_tests_typed, "Tests", build_tests_schema(), height="14rem")
                    self._outcome = ui.column().classes("w-full gap-0").props('role=status aria-live="polite"')
            with ui.column().classes("col-12 col-md min-w-0"):
                self._summary = ui.label("").props('role=status aria-live="polite"')
                self._changes = ui.column().classes("w-full gap-0")
        self._history = ui.column().classes("w-full")
        ui.timer(0, self._run_tests, once=True)
        if self._live:
            ui.timer(0, self._draw_active, once=True)
            ui.timer(0, self._draw_history, once=True)

    async def _draw_active(self) -> None:
        live = self._live
        if live is None:
            return
        # Since midnight in UTC, as the label says: the server does not know the reader's time zone.
        active, today = live.rules.active, dt.datetime.now(dt.UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        fired: Mapping[str, int] = await read_or_tell(lambda: live.alerts.count_fired(today)) or {}
        origin = "those of the configuration" if active.from_files or active.version is None else active.version.name
        self._active.clear()
        with self._active:
            ui.label(f"In effect since {format_utc(active.since)}: {origin}, {len(active.rules.rules)} rules").props(
                "data-active"
            )
            with ui.expansion("How often each has fired today (UTC)").classes("w-full"), ui.list().props("dense"):
                for rule in active.rules.rules:
                    with ui.item().classes("q-px-none"), ui.item_section():
                        link = link_to_alerts(rule=rule.name, since=f"{today:%Y-%m-%dT%H:%M}")
                        ui.link(f"{rule.name}: {fired.get(rule.name, 0)}", link)

    async def _on_typed(self, text: str) -> None:
        # The editor may tell the same text twice; what was found out about it, such as what it would change, stays.
        if text == self._text and self._preview:
            self._draw_marks(self._preview)
            return
        self._text = text
        await self._check(())
        await self._run_tests()

    async def _on_tests_typed(self, text: str) -> None:
        if text != self._tests:
            self._tests = text
            await self._run_tests()

    async def _check(self, matches: Sequence[str]) -> None:
        self._runs += 1
        run = self._runs
        self._summary.text = "Playing the matches under both…" if matches else ""
        preview = await preview_rules(
            self._text,
            self._run_dry_run,
            config_path=self._desk.config_path if self._desk else "",
            active_text=self._desk.active_text if self._desk else "",
            matches=matches,
        )
        # Somebody has typed on meanwhile: a later check is on its way, and this one is about an old text.
        if run != self._runs:
            return
        self._preview = preview
        self._summary.text = preview.summary
        self._draw_marks(preview)
        self._draw_changes(preview.changes)
        if self._live:
            # Only what was compared with the matches can be applied: nobody applies rules that he has not seen at work.
            self._apply_button.set_enabled(bool(matches) and not preview.has_mistakes)

    def _draw_marks(self, preview: RulesPreview) -> None:
        self._marks.clear()
        with self._marks:
            if not preview.marks:
                ui.label("✅ No mistakes")
            for mark in preview.marks:
                place = f"line {mark.line}, column {mark.column}: " if mark.line else ""
                ui.label(f"{'❌' if mark.is_mistake else '⚠️'} {place}{mark.sentence}").style("white-space: pre-line")
        self._editor.show_mistakes({mark.line: mark.sentence for mark in preview.marks if mark.line})

    def _draw_changes(self, changes: Sequence[ChangedAlert]) -> None:
        self._changes.clear()
        with self._changes:
            for sort, sign in _SIGNS.items():
                some = [change for change in changes if change.change == sort]
                if not some:
                    continue
                with (
                    # Open if it is short, or the only one: a long list would push the others out of sight.
                    ui.expansion(f"{sign} {len(some)} {sort}", value=len(some) <= 10 or len(some) == len(changes)).classes(
                        "w-full"
                    ),
                    ui.list().props("separator dense").classes("w-full"),
                ):
                    for change in some[:MAX_CHANGES]:
                        _draw_change(change)
                    if len(some) > MAX_CHANGES:
                        ui.label(f"and {len(some) - MAX_CHANGES} more")

    async def _run_tests(self) -> None:
        self._test_runs += 1
        run = self._test_runs
        if not self._tests.strip():
            self._outcome.clear()
            return
        report = await run_rule_tests(RuleTestRequest(self._text, self._tests))
        # As in `_check`: the answer may be about an old text.
        if run == self._test_runs:
            self._outcome.clear()
            with self._outcome:
                _draw_report(report)

    async def _apply(self) -> None:
        if desk := self._desk:
            await self._change_rules(lambda: desk.apply(self._text, self._fingerprint), "Applied: these rules are in effect.")

    async def _roll_back(self) -> None:
        if desk := self._desk:
            await self._change_rules(desk.roll_back, "Rolled back: the rules before are in effect again.")

    async def _change_rules(self, change: Callable[[], Awaitable[object]], sentence: str) -> None:
        try:
            await change()
        except RulesOutdated:
            ui.notify("Other rules have come into effect meanwhile. Load the page again and compare.", type="warning")
            return
        except (RulesInvalid, StorageError) as error:
            ui.notify(str(error), type="negative")
            return
        if self._desk:
            self._fingerprint = self._desk.active.fingerprint
        # What was compared is in effect now, or other rules are: either way a new comparison has to come first.
        self._apply_button.disable()
        ui.notify(sentence, type="positive")
        await self._draw_active()
        await self._draw_history()

    async def _draw_history(self) -> None:
        if self._desk is None:
            return
        versions = await read_or_tell(self._desk.list_versions) or ()
        self._history.clear()
        with self._history:
            if versions:
                ui.label("History").classes("text-h6").props("role=heading aria-level=2")
            with ui.list().props("separator dense").classes("w-full"):
                for version in versions:
                    self._draw_version(version)

    def _draw_version(self, version: RuleVersion) -> None:
        with ui.item().classes("q-px-none"):
            with ui.item_section():
                who = version.user_name or "the files"
                ui.label(f"{format_utc(version.at)} {version.origin.value}: {version.name}, by {who}")
            if version.text:
                with ui.item_section().props("side"):
                    button = ui.button("Into the editor", on_click=lambda: self._load(version.text)).props("flat dense no-caps")
                    button.props(f'aria-label="Load the rules of {format_utc(version.at)} into the editor"')

    def _load(self, text: str) -> None:
        # Into the editor only: a version goes into effect by the same steps as new rules.
        self._editor.text = text
        ui.notify("These rules are in the editor. Nothing has been applied.")


def _draw_change(change: ChangedAlert) -> None:
    with ui.item().classes("q-px-none"), ui.item_section():
        ui.item_label(" ".join(filter(None, (change.match, change.minute)))).props("caption")
        if change.before:
            ui.item_label(change.before).classes("before" if change.after else "").props('lines="3"')
        if change.after:
            ui.item_label(change.after).props('lines="3"')


def _draw_report(report: RuleTestReport) -> None:
    for line in report.mistakes:
        ui.label(f"❌ {line}").style("white-space: pre-line")
    if report.outcomes:
        ui.label(report.summary)
    for outcome in report.outcomes:
        ui.label(f"{'❌' if outcome.diff else '✅'} {outcome.name}" + (f" (line {outcome.line})" if outcome.diff else ""))
        for line in outcome.diff:
            ui.label(line).classes("diff")
