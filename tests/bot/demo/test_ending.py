"""After the match the demo shows its card, its picture, and what to do next."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console

from bot.demo.ending import format_inline_picture, list_next_steps, show_ending
from rules.football.match import Match
from tests.packets import play_scenario

PNG = bytes(range(256)) * 40


@pytest.fixture
def match() -> Match:
    return play_scenario("opener")


def test_a_pipe_gets_the_card_the_path_of_the_picture_and_three_next_steps(
    match: Match, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    console = Console(file=io.StringIO(), width=80)

    show_ending(console, match)

    assert isinstance(console.file, io.StringIO)
    lines = console.file.getvalue().splitlines()
    assert lines[0].strip() == "Argentina 1–2 Saudi Arabia"
    assert "~~Messi 22' · Lautaro Martínez 27', 34'~~" in console.file.getvalue()
    path = tmp_path / "touchline-argentina-saudi-arabia.png"
    assert f"The match as a picture: {path}" in lines
    assert path.read_bytes().startswith(b"\x89PNG")
    assert [line.split(":")[0] for line in lines[-3:]] == ["Your own bot", "Your own rules", "In the browser"]


def test_a_folder_without_rights_costs_the_demo_nothing_but_the_picture(
    match: Match, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "absent"))
    console = Console(file=io.StringIO(), width=80)

    show_ending(console, match)

    assert isinstance(console.file, io.StringIO)
    assert "picture" not in console.file.getvalue()


def test_the_card_fits_a_narrow_terminal(match: Match, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    console = Console(file=io.StringIO(), force_terminal=True, width=40, color_system=None)

    show_ending(console, match)

    assert isinstance(console.file, io.StringIO)
    card = [line for line in console.file.getvalue().splitlines() if line.startswith(("╭", "│", "╰"))]
    assert {cell_len(line) for line in card} == {40}


@pytest.mark.parametrize("is_checkout", [True, False])
def test_the_next_steps_fit_a_terminal_of_eighty_columns(is_checkout: bool) -> None:
    steps = list_next_steps(is_checkout=is_checkout)

    assert max(map(len, steps)) <= 80
    assert any("make console" in step for step in steps) is is_checkout


def test_in_a_narrow_terminal_commands_have_lines_of_their_own_and_the_title_is_whole(
    match: Match, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    console = Console(file=io.StringIO(), force_terminal=True, width=40, color_system=None)

    show_ending(console, match)

    assert isinstance(console.file, io.StringIO)
    lines = console.file.getvalue().splitlines()
    assert "📌 /alerts +card pins this ─" in lines[0]
    assert lines[-6::2] == ["Your own bot:", "Your own rules:", "In the browser:"]
    assert lines[-1] in ("make console", "touchline console")


def test_kitty_gets_the_picture_in_pieces_that_together_are_the_whole() -> None:
    sequence = format_inline_picture(PNG, {"TERM": "xterm-kitty"})

    pieces = re.findall(r"\x1b_G([^;]*);([^\x1b]*)\x1b\\", sequence)
    assert base64.b64decode("".join(data for _, data in pieces)) == PNG
    assert [keys.rpartition("m=")[2] for keys, _ in pieces] == ["1"] * (len(pieces) - 1) + ["0"]
    assert max(len(data) for _, data in pieces) == 4096


def test_iterm_gets_the_picture_and_other_terminals_and_multiplexers_get_none() -> None:
    sequence = format_inline_picture(PNG, {"TERM_PROGRAM": "iTerm.app", "TERM": "xterm-256color"})

    assert base64.b64decode(sequence.rpartition(":")[2].rstrip("\x07")) == PNG
    assert format_inline_picture(PNG, {"TERM": "xterm-256color"}) == ""
    assert format_inline_picture(PNG, {"TERM": "xterm-kitty", "TMUX": "%1"}) == ""
