"""Catalogues are compiled if they are newer than their compiled file."""

from __future__ import annotations

import os
from pathlib import Path

from bot.i18n.compile import compile_catalogues

WRITTEN = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\nmsgid "Goal"\nmsgstr "Gol"\n'


def test_only_catalogues_that_are_newer_than_their_compiled_file_are_compiled(tmp_path: Path) -> None:
    written = tmp_path / "es" / "LC_MESSAGES" / "touchline.po"
    written.parent.mkdir(parents=True)
    written.write_text(WRITTEN, encoding="utf-8")

    made = [compile_catalogues(tmp_path), compile_catalogues(tmp_path)]
    os.utime(written, (2e9, 2e9))
    made.append(compile_catalogues(tmp_path))

    assert [len(files) for files in made] == [1, 0, 1]
    assert b"Gol" in written.with_suffix(".mo").read_bytes()
