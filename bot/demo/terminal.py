"""A Messenger that shows the chat in the terminal: live bubbles, or one line for each message."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Self

from rich import box
from rich.align import Align
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Column, Table
from rich.text import Text

from bot.errors import MessageGone
from bot.media.renderer import PictureAttachment
from bot.subscribers import ChatRef
from bot.telegram.html import to_one_line, to_terminal
from rules.football.match import Match
from rules.football.minute import Period

# About the width of a chat on a phone, so that lines break where they would there.
_WIDTH = 64
"""Columns of a bubble and of the score board; less if the terminal is narrower."""


@dataclass(slots=True)
class TerminalMessage:
    """One message with its latest text. `reply_to` is the number of a message in the same chat."""

    html: str
    minute: str = ""
    is_silent: bool = False
    is_edited: bool = False
    reply_to: int | None = None


def choose_terminal(console: Console) -> LiveTerminal | PlainTerminal:
    """Return a live chat if the console is a terminal, otherwise one that prints a line for each message."""
    # A dumb terminal cannot move its cursor up, so it would print the whole chat again for each frame.
    return LiveTerminal(console) if console.is_terminal and not console.is_dumb_terminal else PlainTerminal(console)


class PlainTerminal:
    """Prints one line for each message (✉), edit (✎) and reply (↩), for pipes and logs. Struck text stands between ~~."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._messages: list[TerminalMessage] = []
        self._minute = ""
        self.closed = asyncio.Event()
        """Set when nobody reads the output any more, as after `| head`."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    async def send(
        self,
        chat: ChatRef,
        html: str,
        *,
        silent: bool,
        reply_to: int | None = None,
        keyboard: bytes | None = None,
        picture: PictureAttachment | None = None,
    ) -> int:
        """Print a new message and return its number."""
        html = _mark_picture(html, picture)
        self._messages.append(TerminalMessage(html, self._minute, silent, reply_to=reply_to))
        number = len(self._messages)
        mark = "✉" if reply_to is None else "↩"
        self._print_line(mark, f"#{number}" if reply_to is None else f"#{number} to #{reply_to}", html)
        return number

    async def edit(
        self,
        chat: ChatRef,
        message_id: int,
        html: str,
        *,
        keyboard: bytes | None = None,
        picture: PictureAttachment | None = None,
    ) -> None:
        """Print the new text of a message. Raises MessageGone if there is no such message."""
        html = _mark_picture(html, picture)
        _find_message(self._messages, message_id).html = html
        self._print_line("✎", f"#{message_id}", html)

    async def pin(self, chat: ChatRef, message_id: int, *, is_pinned: bool) -> None:
        """Do nothing: the demo shows no pins."""

    async def ping(self) -> None:
        """Do nothing: a terminal answers."""

    def on_match(self, match: Match) -> None:
        """Remember the minute that the next lines begin with."""
        self._minute = clock_text(match)

    def _print_line(self, mark: str, number: str, html: str) -> None:
        # Plain print and flushed: rich would wrap the line, and a pipe shall show it at once.
        try:
            print(f"{self._minute:>7}  {mark} {number:<10} {to_one_line(html)}", file=self._console.file, flush=True)
        # Not raised: the sender would take it for a failed delivery, log it and try the message again.
        except BrokenPipeError:
            self.closed.set()


class LiveTerminal:
    """Draws bubbles under a score board, twelve times a second."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._messages: list[TerminalMessage] = []
        self._match: Match | None = None
        self.closed = asyncio.Event()
        """Never set: a terminal is there as long as the process."""
        self._live = Live(console=console, get_renderable=self._render_screen, refresh_per_second=12, vertical_overflow="crop")

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._live.stop()

    async def send(
        self,
        chat: ChatRef,
        html: str,
        *,
        silent: bool,
        reply_to: int | None = None,
        keyboard: bytes | None = None,
        picture: PictureAttachment | None = None,
    ) -> int:
        """Add a bubble and return its number."""
        minute = clock_text(self._match) if self._match else ""
        self._messages.append(TerminalMessage(_mark_picture(html, picture), minute, silent, reply_to=reply_to))
        return len(self._messages)

    async def edit(
        self,
        chat: ChatRef,
        message_id: int,
        html: str,
        *,
        keyboard: bytes | None = None,
        picture: PictureAttachment | None = None,
    ) -> None:
        """Change the text of a bubble. Raises MessageGone if there is no such message."""
        message = _find_message(self._messages, message_id)
        message.html, message.is_edited = _mark_picture(html, picture), True

    async def pin(self, chat: ChatRef, message_id: int, *, is_pinned: bool) -> None:
        """Do nothing: the demo shows no pins."""

    async def ping(self) -> None:
        """Do nothing: a terminal answers."""

    def on_match(self, match: Match) -> None:
        """Show the new score and clock."""
        self._match = match

    def __rich__(self) -> RenderableType:
        return self._render_screen()

    def _render_screen(self) -> RenderableType:
        # The newest messages that fit below the board, which has four lines, and above the line of the cursor.
        free_lines = self._console.height - 5
        bubbles: list[RenderableType] = []
        for message in reversed(self._messages):
            bubble = self._render_message(message)
            free_lines -= len(self._console.render_lines(bubble))
            if free_lines < 0:
                break
            bubbles.insert(0, bubble)
        return Group(render_score_board(self._match), *bubbles)

    def _render_message(self, message: TerminalMessage) -> RenderableType:
        lines: list[RenderableType] = [to_terminal(message.html)]
        if message.reply_to is not None:
            # The first line only, as Telegram quotes.
            quoted = to_terminal(self._messages[message.reply_to - 1].html).split("\n")[0]
            quoted.truncate(_WIDTH - 8, overflow="ellipsis")
            lines.insert(0, Text.assemble(("▎ ", "green"), quoted, style="dim"))
        marks = " ".join(
            filter(None, (message.minute, "🔕" if message.is_silent else "", "edited" if message.is_edited else "✓✓"))
        )
        panel = Panel(
            Group(*lines),
            box=box.ROUNDED,
            border_style="green" if message.reply_to is not None else "blue",
            subtitle=Text(marks, "dim"),
            subtitle_align="right",
            width=min(_WIDTH, self._console.width),
        )
        return Padding(panel, (0, 0, 0, 4 if message.reply_to is not None else 0))


def _mark_picture(html: str, picture: PictureAttachment | None) -> str:
    """Put a sign where the picture would be: a terminal shows none."""
    return f"🖼 {html}" if picture else html


def _find_message(messages: list[TerminalMessage], message_id: int) -> TerminalMessage:
    if not 0 < message_id <= len(messages):
        raise MessageGone(f"there is no message {message_id}")
    return messages[message_id - 1]


def clock_text(match: Match) -> str:
    """Return `67'`, `45+2'`, `pens` or `FT`; empty before kick-off."""
    if match.is_completed:
        return "FT"
    if match.period is Period.SHOOTOUT:
        return "pens"
    return f"{match.minute}'" if match.minute else ""


def render_score_board(match: Match | None) -> RenderableType:
    """Draw teams, score, clock and period in a frame. Without a match it shows the name of the bot."""
    if match is None:
        return Panel(Align.center(Text("Touchline", "bold")), box=box.HEAVY, width=_WIDTH)
    pens = f" ({match.shootout} pens)" if match.shootout else ""
    row = Table.grid(Column(ratio=1, justify="right"), Column(justify="center"), Column(ratio=1), expand=True)
    home, away = (Text(team.name, "bold") for team in (match.fixture.home, match.fixture.away))
    row.add_row(home, Text(f"  {match.score}{pens}  ", "bold reverse"), away)
    title = match.fixture.competition.name or None
    return Panel(Group(row, Align.center(Text(_period_text(match), "dim"))), title=title, box=box.HEAVY, width=_WIDTH)


def _period_text(match: Match) -> str:
    """Return `67:12 · second half`, without the clock if it is not running."""
    if match.is_completed:
        return "full time"
    if match.period in (Period.BEFORE, Period.SHOOTOUT):
        return match.period.value
    return f"{match.clock // 60:02}:{match.clock % 60:02} · {match.period.value}"
