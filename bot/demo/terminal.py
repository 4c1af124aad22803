"""A chat drawn in the terminal; a Messenger."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, Self

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
from bot.telegram.messenger import Messenger
from rules.football.match import Match
from rules.football.minute import Period

_WIDTH = 64


@dataclass(slots=True)
class TerminalMessage:
    """One message as the chat shows it."""

    html: str
    minute: str = ""
    is_silent: bool = False
    is_edited: bool = False
    reply_to: int | None = None


class TerminalMessenger(Messenger, Protocol):
    """What the demo needs of a chat in a terminal: a Messenger that knows the match clock."""

    def on_match(self, match: Match) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(self, *error: object) -> None: ...


def choose_terminal(console: Console) -> TerminalMessenger:
    """A chat drawn live where the console is a terminal, told line by line where it is not."""
    return LiveTerminal(console) if console.is_terminal and not console.is_dumb_terminal else PlainTerminal(console)


class PlainTerminal:
    """One line for each message (✉), edit (✎) and reply (↩), what is struck through between ~~: for pipes and logs."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._messages: list[TerminalMessage] = []
        self._clock = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        """Nothing is left open."""

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
        """Print a new message, and return its number."""
        html = _mark_picture(html, picture)
        self._messages.append(TerminalMessage(html, self._clock, silent, reply_to=reply_to))
        number = len(self._messages)
        mark = "✉" if reply_to is None else "↩"
        self._line(mark, f"#{number}" if reply_to is None else f"#{number} to #{reply_to}", html)
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
        """Print what a message says now; raise `MessageGone` where there is none."""
        html = _mark_picture(html, picture)
        _find_message(self._messages, message_id).html = html
        self._line("✎", f"#{message_id}", html)

    async def pin(self, chat: ChatRef, message_id: int, *, is_pinned: bool) -> None:
        """There is no place for pins in a terminal."""

    def on_match(self, match: Match) -> None:
        """Know the clock that the next lines are told at."""
        self._clock = clock_text(match)

    def _line(self, mark: str, number: str, html: str) -> None:
        print(f"{self._clock:>7}  {mark} {number:<10} {to_one_line(html)}", file=self._console.file, flush=True)


class LiveTerminal:
    """Bubbles under a score board, drawn again whenever something changes."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._messages: list[TerminalMessage] = []
        self._match: Match | None = None
        self._live = Live(console=console, get_renderable=self._screen, refresh_per_second=12, vertical_overflow="crop")

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
        """Let a new bubble appear, and return its number."""
        self._messages.append(TerminalMessage(_mark_picture(html, picture), self._minute(), silent, reply_to=reply_to))
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
        """Change a bubble in its place; raise `MessageGone` where there is none."""
        bubble = _find_message(self._messages, message_id)
        bubble.html, bubble.is_edited = _mark_picture(html, picture), True

    async def pin(self, chat: ChatRef, message_id: int, *, is_pinned: bool) -> None:
        """There is no place for pins in a terminal."""

    def on_match(self, match: Match) -> None:
        """Move clock and score on."""
        self._match = match

    def __rich__(self) -> RenderableType:
        return self._screen()

    def _minute(self) -> str:
        return clock_text(self._match) if self._match else ""

    def _screen(self) -> RenderableType:
        board = render_score_board(self._match)
        room = self._console.height - 5
        shown: list[RenderableType] = []
        for bubble in reversed(self._messages):
            drawn = self._drawn(bubble)
            room -= len(self._console.render_lines(drawn))
            if room < 0:
                break
            shown.insert(0, drawn)
        return Group(board, *shown)

    def _drawn(self, bubble: TerminalMessage) -> RenderableType:
        lines: list[RenderableType] = [to_terminal(bubble.html)]
        if bubble.reply_to is not None:
            told = to_terminal(self._messages[bubble.reply_to - 1].html).split("\n")[0]
            told.truncate(_WIDTH - 8, overflow="ellipsis")
            lines.insert(0, Text.assemble(("▎ ", "green"), told, style="dim"))
        marks = " ".join(filter(None, (bubble.minute, "🔕" if bubble.is_silent else "", "edited" if bubble.is_edited else "✓✓")))
        panel = Panel(
            Group(*lines),
            box=box.ROUNDED,
            border_style="green" if bubble.reply_to is not None else "blue",
            subtitle=Text(marks, "dim"),
            subtitle_align="right",
            width=min(_WIDTH, self._console.width),
        )
        return Padding(panel, (0, 0, 0, 4 if bubble.reply_to is not None else 0))


def _mark_picture(html: str, picture: PictureAttachment | None) -> str:
    """A terminal shows no pictures: a sign stands in its place."""
    return f"🖼 {html}" if picture else html


def _find_message(messages: list[TerminalMessage], message_id: int) -> TerminalMessage:
    if not 0 < message_id <= len(messages):
        raise MessageGone(f"there is no message {message_id}")
    return messages[message_id - 1]


def clock_text(match: Match) -> str:
    """`67'`, `45+2'`, `pens`; empty before kick-off."""
    if match.is_completed:
        return "FT"
    if match.period is Period.SHOOTOUT:
        return "pens"
    return f"{match.minute}'" if match.minute else ""


def render_score_board(match: Match | None) -> RenderableType:
    """Teams, score, clock and period in one frame."""
    if match is None:
        return Panel(Align.center(Text("Touchline", "bold")), box=box.HEAVY, width=_WIDTH)
    pens = f" ({match.shootout} pens)" if match.shootout else ""
    row = Table.grid(Column(ratio=1, justify="right"), Column(justify="center"), Column(ratio=1), expand=True)
    home, away = (Text(team.name, "bold") for team in (match.fixture.home, match.fixture.away))
    row.add_row(home, Text(f"  {match.score}{pens}  ", "bold reverse"), away)
    title = match.fixture.competition.name or None
    return Panel(Group(row, Align.center(Text(_period_text(match), "dim"))), title=title, box=box.HEAVY, width=_WIDTH)


def _period_text(match: Match) -> str:
    """`67:12 · second half`; the clock only where it runs."""
    if match.is_completed:
        return "full time"
    if match.period in (Period.BEFORE, Period.SHOOTOUT):
        return match.period.value
    return f"{match.clock // 60:02}:{match.clock % 60:02} · {match.period.value}"
