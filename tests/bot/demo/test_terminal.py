"""The chat in the terminal shows what Telegram would show."""

from __future__ import annotations

import io
import re
from typing import Literal

import pytest
from rich.cells import cell_len
from rich.console import Console

from bot.demo.terminal import LiveTerminal, choose_terminal, clock_text
from bot.errors import MessageGone
from bot.subscribers import ChatRef
from bot.telegram.html import to_terminal
from rules.football.match import Match
from rules.scenarios.parser import load_scenario
from tests.packets import play_scenario

CHAT = ChatRef(1)


def _console(*, terminal: bool) -> Console:
    colours: Literal["standard"] | None = "standard" if terminal else None
    return Console(file=io.StringIO(), force_terminal=terminal, width=80, height=40, color_system=colours)


def _output(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


_ERASED = "\x1b[2K"


def _what_stays(output: str) -> str:
    """Return what a terminal shows in the end, scroll-back and all: it erases lines and moves its cursor up as it is told."""
    lines, row = [""], 0
    for text, code in re.findall(r"([^\x1b\n\r]+)|(\n|\r|\x1b\[\??\d*[A-Za-z])", re.sub(r"\x1b\[[\d;]*m", "", output)):
        if text:
            lines[row] += text
        elif code == "\n":
            row += 1
            lines += [""] * (row == len(lines))
        elif code == _ERASED:
            lines[row] = ""
        elif code.endswith("A"):
            row -= int(code[2:-1] or 1)
    return "\n".join(lines)


async def test_a_pipe_gets_one_line_for_each_message_edit_and_reply() -> None:
    console = _console(terminal=False)
    with choose_terminal(console) as chat:
        first = await chat.send(CHAT, "⚽ <b>Goal?</b>\n10'", silent=False)
        await chat.edit(CHAT, first, "⚽ <b>Goal!</b>\n10' Messi")
        await chat.edit(CHAT, first, "<s>Goal!</s>")
        await chat.send(CHAT, "Disallowed", silent=False, reply_to=first)

    assert [line.split() for line in _output(console).splitlines()] == [
        ["✉", "#1", "⚽", "Goal?", "·", "10'"],
        ["✎", "#1", "⚽", "Goal!", "·", "10'", "Messi"],
        ["✎", "#1", "~~Goal!~~"],
        ["↩", "#2", "to", "#1", "Disallowed"],
    ]


async def test_a_terminal_shows_the_edited_message_in_its_place_and_the_reply_under_a_quotation() -> None:
    console = _console(terminal=True)
    with choose_terminal(console) as chat:
        first = await chat.send(CHAT, "Goal?", silent=True)
        await chat.edit(CHAT, first, "<s>Goal!</s>")
        await chat.send(CHAT, "Disallowed", silent=False, reply_to=first)

    # After the last frame of the screen, which is erased, everything is printed for good.
    last = _output(console).rpartition(_ERASED)[2]
    assert last.count("Goal!") == 2
    assert "▎" in last
    assert "edited" in last


async def test_the_score_board_shows_the_shootout_separately() -> None:
    console = _console(terminal=True)
    with choose_terminal(console) as chat:
        chat.on_match(play_scenario("final"))

    assert "3–3 (4–2 pens)" in _output(console)
    assert "full time" in _output(console)


@pytest.mark.slow
async def test_every_message_stays_in_the_scroll_back_once_and_the_newest_are_on_the_screen() -> None:
    console = _console(terminal=True)
    with choose_terminal(console) as chat:
        for number in range(30):
            await chat.send(CHAT, f"message-{number}.", silent=False)
        assert isinstance(chat, LiveTerminal)
        screen = console.render_lines(chat)
    drawn = "".join(segment.text for line in screen for segment in line)

    assert "message-29." in drawn
    assert "message-3." not in drawn
    assert len(screen) < console.height
    # A terminal that erases what it is told to erase keeps every message once.
    assert [int(n) for n in re.findall(r"message-(\d+)\.", _what_stays(_output(console)))] == list(range(30))


@pytest.mark.slow
async def test_a_message_that_has_scrolled_away_is_shown_again_when_it_is_edited() -> None:
    console = _console(terminal=True)
    with choose_terminal(console) as chat:
        first = await chat.send(CHAT, "Goal?", silent=False)
        for number in range(30):
            await chat.send(CHAT, f"message-{number}.", silent=False)
        await chat.edit(CHAT, first, "<s>Goal?</s>")

    stays = _what_stays(_output(console))
    assert stays.count("Goal?") == 2
    assert stays.rindex("Goal?") > stays.index("message-29.")


async def test_no_line_is_wider_than_a_narrow_terminal_and_struck_text_is_marked_where_there_are_no_styles() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=40, height=20, color_system=None)
    with choose_terminal(console) as chat:
        first = await chat.send(CHAT, "⚽ Goal! Wolverhampton Wanderers 1–0 Brighton & Hove Albion", silent=False)
        await chat.edit(CHAT, first, "<s>Goal!</s>")
        await chat.send(CHAT, "No goal: Wolverhampton Wanderers 0–0 Brighton", silent=False, reply_to=first)
        chat.on_match(play_scenario("final"))

    stays = _what_stays(_output(console))
    assert max(cell_len(line) for line in stays.splitlines()) == 40
    assert "~~Goal!~~" in stays


@pytest.mark.parametrize("terminal", [True, False])
async def test_editing_an_unknown_message_raises_message_gone(terminal: bool) -> None:
    chat = choose_terminal(_console(terminal=terminal))

    with pytest.raises(MessageGone):
        await chat.edit(CHAT, 1, "anything")


def test_telegrams_html_becomes_styles_and_entities_become_characters() -> None:
    text = to_terminal(
        '<b>Köln &amp; <s>co</s></b> <a href="https://example.org">x</a> <span class="tg-spoiler">2–1</span> &lt;3'
    )

    assert text.plain == "Köln & co x 2–1 <3"
    styles = {text.plain[span.start : span.end]: str(span.style) for span in text.spans}
    assert styles == {"Köln & ": "bold", "co": "bold strike", "x": "blue underline link https://example.org", "2–1": "reverse"}


def test_the_clock_is_ft_after_the_match_and_empty_before_it() -> None:
    assert clock_text(play_scenario("final")) == "FT"
    assert clock_text(Match(load_scenario("final").fixture)) == ""
