"""What the demo shows after the match: its card, its picture, and what to do next."""

from __future__ import annotations

import base64
import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from rich.console import Console
from rich.panel import Panel

from bot.errors import UserMistake
from bot.media.card import render_card
from bot.media.renderer import is_available, render_picture
from bot.telegram.html import mark_styles, to_terminal
from rules.football.match import Match
from rules.football.timeline import build_timeline

_KITTY_CHUNK = 4096
"""Letters of base64 in one escape sequence of kitty's protocol, at most."""

_COLUMNS = 60
"""How wide a picture is shown, in columns of the terminal."""

_NARROW = 72
"""Columns of a terminal below which a next step has its command in a line of its own, so that it can be copied."""


def show_ending(console: Console, match: Match) -> None:
    """Print the card and the picture of a match that was played, and what somebody may want to do next."""
    html = render_card(match, is_closed=True)
    if console.is_terminal:
        card = to_terminal(html if console.color_system else mark_styles(html))
        width = min(64, console.width)
        # A title that does not fit would be cut in the middle of a word.
        title = "📌 /alerts +card pins this and keeps it up to date" if width >= 60 else "📌 /alerts +card pins this"
        console.print(Panel(card, title=title, width=width))
    else:
        console.print("\n".join(f"         {line}" for line in to_terminal(mark_styles(html)).plain.splitlines()), soft_wrap=True)
    if is_available():
        _show_picture(console, match)
    is_checkout = Path("Makefile").is_file() and Path("bot/cli.py").is_file()
    is_narrow = console.is_terminal and console.width < _NARROW
    for line in list_next_steps(is_checkout=is_checkout, is_narrow=is_narrow):
        console.print(line, soft_wrap=True, highlight=False, markup=False)


def list_next_steps(*, is_checkout: bool, is_narrow: bool = False) -> tuple[str, ...]:
    """Return what to do next, a line each: a bot of one's own, rules, the console. `is_checkout`: make is at hand."""
    setup, command = ("make setup && ", ".venv/bin/touchline") if is_checkout else ("", "touchline")
    steps = {
        "Your own bot": f"{setup}{command} init football",
        "Your own rules": f"{command} test football/rules.test.yaml",
        "In the browser": "make console" if is_checkout else "touchline console",
    }
    if is_narrow:
        return ("", *(line for label, step in steps.items() for line in (f"{label}:", step)))
    return ("", *(f"{label + ':':17}{step}" for label, step in steps.items()))


def _show_picture(console: Console, match: Match) -> None:
    """Show the match along its time line where the terminal can; else write it to a file, and say where."""
    try:
        png = render_picture(build_timeline(match))
    except UserMistake:
        return
    if console.is_terminal and (escape := format_inline_picture(png, os.environ)):
        # Past rich, which would count the letters of the escape sequence and break it into lines.
        console.file.write(f"{escape}\n")
        console.file.flush()
        return
    name = re.sub(r"\W+", "-", f"{match.fixture.home.name} {match.fixture.away.name}").strip("-").lower()
    path = Path(tempfile.gettempdir()) / f"touchline-{name}.png"
    try:
        path.write_bytes(png)
    except OSError:
        return  # the demo ends well without its picture, as on a full disk
    console.print(f"The match as a picture: {path}", soft_wrap=True, highlight=False, markup=False)


def format_inline_picture(png: bytes, environment: Mapping[str, str]) -> str:
    """Return the escape sequence that shows a picture in this terminal; empty for a terminal not known to show any.

    Raises nothing. See https://sw.kovidgoyal.net/kitty/graphics-protocol and https://iterm2.com/documentation-images.html.
    """
    # A multiplexer passes neither on.
    if environment.get("TMUX") or environment.get("STY"):
        return ""
    program, term = environment.get("TERM_PROGRAM", ""), environment.get("TERM", "")
    if "kitty" in term or "ghostty" in term or program == "ghostty":
        return "".join(_format_for_kitty(png))
    if program in ("iTerm.app", "WezTerm"):
        data = base64.b64encode(png).decode()
        return f"\x1b]1337;File=inline=1;size={len(png)};width={_COLUMNS};preserveAspectRatio=1:{data}\x07"
    return ""


def _format_for_kitty(png: bytes) -> Iterator[str]:
    data = base64.b64encode(png).decode()
    chunks = [data[i : i + _KITTY_CHUNK] for i in range(0, len(data), _KITTY_CHUNK)]
    for number, chunk in enumerate(chunks):
        # a=T: show it at once; f=100: a PNG; m=1: more follows.
        first = f"a=T,f=100,c={_COLUMNS}," if number == 0 else ""
        yield f"\x1b_G{first}m={int(number + 1 < len(chunks))};{chunk}\x1b\\"
