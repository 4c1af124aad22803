"""The chat in the terminal shows what Telegram would show."""

from __future__ import annotations

import io
from typing import Literal

import pytest
from rich.console import Console

from bot.demo.terminal import choose_terminal, clock_text
from bot.errors import MessageGone
from bot.subscribers import ChatRef
from bot.telegram.html import to_terminal
from rules.football.advance import advance
from rules.football.match import Match
from rules.scenarios.builder import build_packets
from rules.scenarios.parser import load_scenario

CHAT = ChatRef(1)


def _console(*, terminal: bool) -> Console:
    colours: Literal["standard"] | None = "standard" if terminal else None
    return Console(file=io.StringIO(), force_terminal=terminal, width=80, height=40, color_system=colours)


def _output(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def _match_at_full_time() -> Match:
    scenario = load_scenario("final")
    match = Match(scenario.fixture)
    for packet in build_packets(scenario):
        match = advance(match, packet).after
    return match


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

    last = _output(console).rpartition("Touchline")[2]
    assert last.count("Goal!") == 2
    assert "▎" in last
    assert "edited" in last


async def test_the_score_board_shows_the_shootout_separately() -> None:
    console = _console(terminal=True)
    with choose_terminal(console) as chat:
        chat.on_match(_match_at_full_time())

    assert "3–3 (4–2 pens)" in _output(console)
    assert "full time" in _output(console)


async def test_only_the_latest_messages_are_drawn_if_the_terminal_is_low() -> None:
    console = _console(terminal=True)
    with choose_terminal(console) as chat:
        for number in range(30):
            await chat.send(CHAT, f"message-{number}.", silent=False)

    last = _output(console).rpartition("Touchline")[2]
    assert "message-29." in last
    assert "message-3." not in last


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
    assert clock_text(_match_at_full_time()) == "FT"
    assert clock_text(Match(load_scenario("final").fixture)) == ""
