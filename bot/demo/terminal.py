"""A Messenger that shows the chat in the terminal: bubbles above a score board, or one line for each message."""

from __future__ import annotations

import asyncio
import time
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
from bot.telegram.html import mark_styles, to_one_line, to_terminal
from rules.football.match import Match
from rules.football.minute import Period

# About the width of a chat on a phone, so that lines break where they would there.
_WIDTH = 64
"""Columns of a bubble and of the score board; less if the terminal is narrower."""


_DRAW_INTERVAL = 1 / 12
"""Seconds between two drawings of the clock."""


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
        self.match: Match | None = None
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
        picture: PictureAttachment | None = None,
        **_: object,
    ) -> int:
        """Print a new message and return its number."""
        html = _mark_picture(html, picture)
        self._messages.append(TerminalMessage(html, self._minute, silent, reply_to=reply_to))
        number = len(self._messages)
        mark = "✉" if reply_to is None else "↩"
        self._print_line(mark, f"#{number}" if reply_to is None else f"#{number} to #{reply_to}", html)
        return number

    async def edit(
        self, chat: ChatRef, message_id: int, html: str, *, picture: PictureAttachment | None = None, **_: object
    ) -> None:
        """Print the new text of a message. Raises MessageGone if there is no such message."""
        html = _mark_picture(html, picture)
        # Found first: an edit of a message that does not exist is refused here as by Telegram, and nothing is printed.
        _find_message(self._messages, message_id).html = html
        self._print_line("✎", f"#{message_id}", html)

    async def pin(self, chat: ChatRef, message_id: int, *, is_pinned: bool) -> None:
        """Do nothing: the demo shows no pins."""

    async def ping(self) -> None:
        """Do nothing: a terminal answers."""

    def on_match(self, match: Match) -> None:
        """Remember the minute that the next lines begin with."""
        self.match, self._minute = match, clock_text(match)

    def _print_line(self, mark: str, number: str, html: str) -> None:
        # Plain print and flushed: rich would wrap the line, and a pipe shall show it at once.
        try:
            print(f"{self._minute:>7}  {mark} {number:<10} {to_one_line(html)}", file=self._console.file, flush=True)
        # Not raised: the sender would take it for a failed delivery, log it and try the message again.
        except BrokenPipeError:
            self.closed.set()


class LiveTerminal:
    """Draws bubbles above a score board. What no longer fits on the screen is printed for good, and stays in the scroll-back."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._messages: list[TerminalMessage] = []
        self._on_screen: list[TerminalMessage] = []
        """The newest ones, which an edit changes in their place."""
        self.match: Match | None = None
        self._drawn_at = float("-inf")
        self.closed = asyncio.Event()
        """Never set: a terminal is there as long as the process."""
        self._live = Live(
            console=console,
            get_renderable=self._render_screen,
            # Rich would draw in a thread of its own, whose writes could come between those of a message that is printed for good.
            auto_refresh=False,
            vertical_overflow="crop",
            # The bubbles and the board are printed for good at the end.
            transient=True,
        )

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *error: object) -> None:
        # Stopped first, which clears the drawn lines: they are printed once more, as lines that stay.
        self._live.stop()
        for message in self._on_screen:
            self._console.print(self._render_message(message))
        self._console.print(self._render_board())

    async def send(
        self,
        chat: ChatRef,
        html: str,
        *,
        silent: bool,
        reply_to: int | None = None,
        picture: PictureAttachment | None = None,
        **_: object,
    ) -> int:
        """Add a bubble and return its number."""
        minute = clock_text(self.match) if self.match else ""
        self._messages.append(TerminalMessage(_mark_picture(html, picture), minute, silent, reply_to=reply_to))
        self._add_bubble(self._messages[-1])
        self._draw()
        return len(self._messages)

    async def edit(
        self, chat: ChatRef, message_id: int, html: str, *, picture: PictureAttachment | None = None, **_: object
    ) -> None:
        """Change the text of a bubble. Raises MessageGone if there is no such message."""
        message = _find_message(self._messages, message_id)
        message.html, message.is_edited = _mark_picture(html, picture), True
        # By identity, since two messages may say the same. One that was printed for good cannot change: it is shown once more.
        if not any(shown is message for shown in self._on_screen):
            self._add_bubble(message)
        self._draw()

    async def pin(self, chat: ChatRef, message_id: int, *, is_pinned: bool) -> None:
        """Do nothing: the demo shows no pins."""

    async def ping(self) -> None:
        """Do nothing: a terminal answers."""

    def on_match(self, match: Match) -> None:
        """Show the new score and clock, at most twelve times a second."""
        self.match = match
        # In a match of a minute packets come faster than a slow terminal draws.
        if time.monotonic() - self._drawn_at >= _DRAW_INTERVAL:
            self._draw()

    def __rich__(self) -> RenderableType:
        return self._render_screen()

    def _draw(self) -> None:
        self._live.refresh()
        self._drawn_at = time.monotonic()

    def _add_bubble(self, message: TerminalMessage) -> None:
        """Show a bubble, and print the oldest ones for good that no longer fit above the board."""
        self._on_screen.append(message)
        # The line of the cursor is free, too.
        room = self._console.height - 1 - self._count_lines(self._render_board())
        while len(self._on_screen) > 1 and sum(self._count_lines(self._render_message(one)) for one in self._on_screen) > room:
            self._live.console.print(self._render_message(self._on_screen.pop(0)))

    def _count_lines(self, drawn: RenderableType) -> int:
        return len(self._console.render_lines(drawn))

    def _render_screen(self) -> RenderableType:
        return Group(*map(self._render_message, tuple(self._on_screen)), self._render_board())

    def _render_board(self) -> RenderableType:
        return render_score_board(self.match, min(_WIDTH, self._console.width))

    def _render_message(self, message: TerminalMessage) -> RenderableType:
        lines: list[RenderableType] = [self._format(message.html)]
        indent = 0 if message.reply_to is None else 4
        width = min(_WIDTH, self._console.width - indent)
        if message.reply_to is not None:
            # The first line only, as Telegram quotes.
            quoted = self._format(self._messages[message.reply_to - 1].html).split("\n")[0]
            quoted.truncate(width - 8, overflow="ellipsis")
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
            width=width,
        )
        return Padding(panel, (0, 0, 0, indent))

    def _format(self, html: str) -> Text:
        return to_terminal(html if self._console.color_system else mark_styles(html))


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


def render_score_board(match: Match | None, width: int = _WIDTH) -> RenderableType:
    """Draw teams, score, clock and period in a frame. Without a match it shows the name of the bot."""
    if match is None:
        return Panel(Align.center(Text("Touchline", "bold")), box=box.HEAVY, width=width)
    pens = f" ({match.shootout} pens)" if match.shootout else ""
    row = Table.grid(Column(ratio=1, justify="right"), Column(justify="center"), Column(ratio=1), expand=True)
    home, away = (Text(team.name, "bold") for team in (match.fixture.home, match.fixture.away))
    row.add_row(home, Text(f"  {match.score}{pens}  ", "bold reverse"), away)
    title = match.fixture.competition.name or None
    return Panel(Group(row, Align.center(Text(_period_text(match), "dim"))), title=title, box=box.HEAVY, width=width)


def _period_text(match: Match) -> str:
    """Return `67:12 · second half`, without the clock if it is not running."""
    if match.is_completed:
        return "full time"
    if match.period in (Period.BEFORE, Period.SHOOTOUT):
        return match.period.value
    return f"{match.clock // 60:02}:{match.clock % 60:02} · {match.period.value}"
