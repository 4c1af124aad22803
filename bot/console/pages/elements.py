"""Elements that several pages share: an editor for YAML with completion, and the notice about an unusable database."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from nicegui import ui
from nicegui.events import ValueChangeEventArguments

from bot.console.completion import Completions, Option, complete, find_caret, insert
from bot.errors import StorageError
from rules.engine.text import TEXT_VARIABLES

TYPING_PAUSE = 0.7
"""Seconds without a key after which what was typed is checked."""

_STEP_PAUSE = 0.05
"""Seconds between two changes of the editor's text that must not reach the browser as one."""

# It has no width, so that nobody sees it in the moment between the two changes.
_PLACEHOLDER = "\N{WORD JOINER}"

T = TypeVar("T")


class YamlEditor:
    """An editor with highlighting and completion, which passes on what was typed after a pause."""

    def __init__(
        self,
        text: str,
        on_change: Callable[[str], Awaitable[None]],
        label: str,
        schema: Mapping[str, Any],
        *,
        height: str = "26rem",
        on_typing: Callable[[], object] = lambda: None,
    ) -> None:
        """Draw the editor. `schema` is the JSON Schema of the file, by which it completes.

        `on_change` gets the text after a pause. `on_typing` is called at each key: what was found in the text before is outdated.
        """
        self._on_change, self._on_typing, self._schema = on_change, on_typing, schema
        self._before, self._offered, self._marked = text, Completions(), 0
        self._timer: ui.timer | None = None
        self._is_inserting = False
        self._box = ui.column().classes("w-full gap-1")
        with self._box:
            self._draw(text, label, height)

    def _draw(self, text: str, label: str, height: str) -> None:
        self._element = (
            ui.codemirror(
                text,
                on_change=self._on_typed,
                language="YAML",
                indent="  ",
                line_wrapping=True,
                keymap={"Mod-Enter": self._insert_marked, "Mod-.": self._mark_next},
            )
            .classes("w-full editor")
            .style(f"height: {height}")
            .props(f'role=group aria-label="{label}"')
        )
        with (
            ui.row()
            .classes("w-full items-center gap-1 completions")
            .props('role=group aria-label="What may stand here"') as self._row
        ):
            ui.label(_HINT).classes("text-caption")

    @property
    def text(self) -> str:
        """What stands in the editor."""
        return str(self._element.value or "")

    @text.setter
    def text(self, text: str) -> None:
        self._element.value = text

    def show_mistakes(self, sentences: Mapping[int, str]) -> None:
        """Show a sentence at each of these lines, while the mouse is over it, and mark the line."""
        self._element.line_tooltips = dict(sentences)
        # Sentences may be about a text that was longer, and the editor fails on a line that is not there.
        last = self.text.count("\n") + 1
        self._element.decorations = [
            {"kind": "line", "line": line, "class": "cm-mistake"} for line in sorted(sentences) if 1 <= line <= last
        ]

    def _on_typed(self, event: ValueChangeEventArguments[Any]) -> None:
        # The placeholder of `_insert` is not what somebody typed.
        if self._is_inserting:
            return
        text = str(event.value or "")
        self._offer(complete(text, find_caret(self._before, text), self._schema, tuple(TEXT_VARIABLES)))
        if text != self._before:
            self._on_typing()
        self._before = text
        if self._timer:
            self._timer.cancel()
        # A new timer at each key, so that a text is checked once and not at every letter. In the box: what called this may be a
        # button that `_offer` has just removed.
        with self._box:
            self._timer = ui.timer(TYPING_PAUSE, lambda: self._on_change(text), once=True)

    def _offer(self, completions: Completions, marked: int = 0) -> None:
        self._offered, self._marked = completions, marked
        self._row.clear()
        with self._row:
            if not completions.options:
                ui.label(_HINT).classes("text-caption")
            for number, option in enumerate(completions.options):
                chip = ui.button(option.label, on_click=lambda _, option=option: self._insert(option))
                chip.props(f"dense no-caps size=sm {'unelevated' if number == marked else 'outline'}")
                if option.help:
                    chip.tooltip(option.help)
            if completions.options and (about := completions.options[marked].help):
                ui.label(about).classes("text-caption w-full")

    async def _insert_marked(self) -> None:
        if self._offered.options:
            await self._insert(self._offered.options[self._marked])

    def _mark_next(self) -> None:
        if self._offered.options:
            self._offer(self._offered, (self._marked + 1) % len(self._offered.options))

    async def _insert(self, option: Option) -> None:
        completions, text = self._offered, insert(self.text, self._offered, option)
        # The cursor stays before what is inserted at its place, and goes behind what replaces the character before it. So that
        # character is replaced twice: by a placeholder, and then by itself with the rest.
        self._is_inserting = True
        if completions.end > 0:
            before = self.text
            self._element.value = before[: completions.end - 1] + _PLACEHOLDER + before[completions.end :]
            await asyncio.sleep(_STEP_PAUSE)
        self._is_inserting = False
        self._element.value = text


_HINT = "Ctrl-Enter takes the first word offered here, Ctrl-. marks the next one (on a Mac ⌘). Esc, then Tab leaves the editor."


async def read_or_tell(read: Callable[[], Awaitable[T]]) -> T | None:
    """Return what `read` returns; None while the database cannot be used, of which the page shows a notice."""
    try:
        return await read()
    except StorageError as error:
        ui.notify(str(error), type="negative")
        return None
