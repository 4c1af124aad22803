"""The pictures of the documentation are made by a script from the matches that ship."""

from __future__ import annotations

from pathlib import Path

import pytest

from docs.make_pictures import FOLDER, make


@pytest.mark.slow
def test_the_script_makes_every_picture_that_is_shown(tmp_path: Path) -> None:
    make(tmp_path)

    made = {path.name: path.read_bytes()[:4] for path in tmp_path.iterdir()}
    assert set(made) == {path.name for path in FOLDER.iterdir() if path.is_file()}
    assert {start for name, start in made.items() if name.endswith(".png")} == {b"\x89PNG"}


@pytest.mark.slow
def test_the_chat_in_the_terminal_shows_a_goal_struck_and_needs_nothing_from_the_network(tmp_path: Path) -> None:
    make(tmp_path)
    svg = (tmp_path / "chat.svg").read_text(encoding="utf-8")

    assert "line-through" in svg and "@font-face" not in svg and "url(http" not in svg
