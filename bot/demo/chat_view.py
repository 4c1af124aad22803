"""Shows chats of the fake Telegram as lines in a terminal or a pipe: messages, edits, strikes, buttons and alerts."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
from rich.console import Console
from rich.text import Text

from bot.fake_telegram import FakeBotApi, Message
from bot.telegram.html import mark_styles, to_terminal
from rules.engine.text import escape_html

_GUTTER = "  │ "
"""Begins each line of a message."""


class NumberedButton(msgspec.Struct, frozen=True):
    """A button that can be pressed by its number."""

    number: int
    chat_id: int
    message_id: int
    label: str
    data: str
    url: str = ""


class _Shown(msgspec.Struct):
    """What the terminal shows of one message."""

    versions: int = 0
    is_deleted: bool = False
    is_pinned: bool = False


class ChatView:
    """Prints what changed in the chats since it last looked. Every button that is on the screen has a number of its own."""

    def __init__(self, console: Console, redraw_prompt: Callable[[], None] | None = None) -> None:
        """`redraw_prompt` is called after lines were printed while somebody types."""
        self.buttons: dict[int, NumberedButton] = {}
        self._console, self._redraw_prompt = console, redraw_prompt
        self._shown: dict[int, _Shown] = {}
        self._last_number = 0

    def update(self, telegram: FakeBotApi, name_of: Callable[[int], str]) -> None:
        """Print what changed in any chat, in the order in which it happened."""
        changed: list[tuple[float, int, Message]] = []
        for chat in telegram.chats.values():
            for message in chat.everything:
                shown = self._shown.get(message.id, _Shown())
                # Compared as a whole, since there may be several changes of a message at once.
                state = _Shown(len(message.versions), message.deleted, message.pinned)
                if message.by_bot and state != shown:
                    # By the first version that is not shown yet. A pin or a deletion has no time of its own: by the last one.
                    changed.append((message.versions[min(shown.versions, len(message.versions) - 1)].at, message.id, message))
        for _, _, message in sorted(changed, key=lambda change: change[:2]):
            self._print_message(message, name_of(message.chat_id))

    def find_button(self, chat_id: int, words: str) -> NumberedButton | None:
        """Return the newest button of a chat with these words on it."""
        found = [b for b in self.buttons.values() if b.chat_id == chat_id and words.casefold() in b.label.casefold()]
        return max(found, key=lambda button: (button.message_id, -button.number), default=None)

    def show_note(self, text: str) -> None:
        """Print a line that is not of a chat."""
        self._print(*(Text(line, "dim") for line in text.splitlines()))

    def show_typed(self, name: str, line: str) -> None:
        """Print what somebody typed; for scripts, whose lines no terminal has echoed."""
        self._print(Text(f"{name}> {line}", "bold"))

    def show_popup(self, text: str, *, is_alert: bool) -> None:
        """Print the answer to a button: a notice that passes, or an alert that has to be closed."""
        self._print(Text(f"  {'❗' if is_alert else '💬'} {text}", "yellow"))

    def show_inline(self, results: Sequence[Mapping[str, Any]]) -> None:
        """Print the cards that an inline query offers."""
        lines = [Text(f"  🃏 {result.get('title', '')} · {result.get('description', '')}") for result in results]
        self._print(*(lines or [Text("  no cards", "dim")]))

    def _print_message(self, message: Message, chat_name: str) -> None:
        shown = self._shown.setdefault(message.id, _Shown())
        lines: list[Text] = []
        if shown.versions == 0:
            reply = f" ↩ #{message.reply_to}" if message.reply_to else ""
            sound = "🔕 silent" if message.silent else "🔔 loud"
            topic = f" (topic {message.topic})" if message.topic else ""
            lines.append(Text(f"✉ to {chat_name}{topic}  #{message.id}{reply}  {sound}", "cyan"))
            lines += self._format_content(message)
        elif len(message.versions) > shown.versions:
            is_same_text = message.now.html == message.versions[shown.versions - 1].html
            words = "other buttons" if is_same_text else "edited"
            lines.append(Text(f"✎ to {chat_name}  #{message.id}  {words}", "cyan"))
            lines += self._format_buttons(message) if is_same_text else self._format_content(message)
        if message.pinned != shown.is_pinned:
            lines.append(Text(f"📌 to {chat_name}  #{message.id}  {'pinned' if message.pinned else 'no longer pinned'}", "cyan"))
        if message.deleted and not shown.is_deleted:
            self._number_buttons(message, ())
            lines.append(Text(f"🗑 to {chat_name}  #{message.id}  deleted", "cyan"))
        shown.versions, shown.is_deleted, shown.is_pinned = len(message.versions), message.deleted, message.pinned
        self._print(*lines)

    def _format_content(self, message: Message) -> list[Text]:
        has_styles = self._console.is_terminal and self._console.color_system is not None
        # A rich message is shown as its reader sees it, line by line.
        html = escape_html(message.text) if message.is_rich else message.html
        html = html if has_styles else mark_styles(html)
        lines = [Text("  🖼 picture", "dim")] if message.photo else []
        for line in to_terminal(html).split("\n", allow_blank=True):
            lines += [Text.assemble(_GUTTER, part) for part in self._break(line, len(_GUTTER))]
        return lines + self._format_buttons(message)

    def _break(self, line: Text, indent: int) -> list[Text]:
        """Break a line where the terminal ends, so that what continues it stands under it. A pipe gets every line whole."""
        if not self._console.is_terminal:
            return [line]
        return list(line.wrap(self._console, max(self._console.width - indent, 8)))

    def _format_buttons(self, message: Message) -> list[Text]:
        numbered = iter(self._number_buttons(message, [button for row in message.buttons for button in row]))
        lines: list[Text] = []
        for row in message.buttons:
            labels = [f"[{button.number}] {button.label}" for _, button in zip(row, numbered, strict=False)]
            whole = Text(f"    {'  '.join(labels)}", "green")
            is_too_long = self._console.is_terminal and whole.cell_len > self._console.width
            lines += [Text(f"    {label}", "green") for label in labels] if is_too_long else [whole]
        return lines

    def _number_buttons(self, message: Message, buttons: Sequence[Any]) -> list[NumberedButton]:
        """Number the buttons of a message. One that was there before an edit keeps its number; others are gone."""
        before = {(b.label, b.data, b.url): b for b in self.buttons.values() if b.message_id == message.id}
        numbered = []
        for button in buttons:
            known = before.pop((button.text, button.data, button.url), None)
            if known is None:
                self._last_number += 1
                known = NumberedButton(self._last_number, message.chat_id, message.id, button.text, button.data, button.url)
            numbered.append(known)
        # Numbers are never used again: one that somebody is typing must not come to press another button.
        self.buttons = {n: b for n, b in self.buttons.items() if b.message_id != message.id}
        self.buttons |= {button.number: button for button in numbered}
        return numbered

    def _print(self, *lines: Text) -> None:
        if not lines:
            return
        if self._redraw_prompt:
            # The line that somebody types stands below: it is cleared first, and drawn again after.
            sys.stdout.write("\r\x1b[K")
            sys.stdout.flush()
        for line in lines:
            # What is still too long is wrapped by the terminal itself: a pipe gets every line whole.
            self._console.print(line, soft_wrap=True, highlight=False)
        if self._redraw_prompt:
            self._redraw_prompt()
