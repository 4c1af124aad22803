"""Two hundred mistakes that a person makes, and how many of them get a sentence that names the cure.

The files in `tests/common_mistakes` hold what was written, then `⇒` and words of the cure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from bot.commands.check import check_config

FOLDER = Path(__file__).parent / "common_mistakes"

RULE = """\
texts: {{scored: "Goal {{{{ match }}}}"}}
rules:
  - name: corners
    match: {match}
    alert:
      kind: corners
      text: {text}
"""


class CommonMistake(NamedTuple):
    """A whole file with one mistake, and the words that its sentence must have."""

    name: str
    text: str
    cure: str


def read_mistakes() -> Iterator[CommonMistake]:
    for name in ("texts", "matches", "settings"):
        for line in (FOLDER / f"{name}.txt").read_text(encoding="utf-8").splitlines():
            written, cure = line.rsplit(" ⇒ ", 1)
            if name == "texts":
                text = RULE.format(match="{action_type: Corner}", text=written)
            else:
                text = RULE.format(match=written, text='"{{ match }}"') if name == "matches" else written
            yield CommonMistake(f"{name}: {written}", text, cure)
    for block in (FOLDER / "files.txt").read_text(encoding="utf-8").split("----\n"):
        text, cure = block.rsplit("⇒ ", 1)
        yield CommonMistake(f"files: {text[:40]!r}", text, cure.strip())


@pytest.mark.slow
def test_common_mistakes_get_sentences_that_name_the_cure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    mistakes, missed = list(read_mistakes()), []
    for mistake in mistakes:
        Path("config.yaml").write_text(mistake.text, encoding="utf-8")
        lines, _ = check_config(Path("config.yaml"), {})
        # A sentence at a line and a column, not the summary.
        if not any(mistake.cure in line and re.match(r"config\.yaml:\d+:\d+: ", line) for line in lines[:-1]):
            missed.append(f"{mistake.name}\n    wanted: {mistake.cure}\n    got: {lines}")
    print(f"{len(mistakes) - len(missed)} of {len(mistakes)} mistakes get a sentence that names the cure")  # noqa: T201  # `pytest -s` shows it

    assert len(mistakes) >= 200
    # Nine of ten, and whoever loses a sentence notices it.
    assert len(mistakes) - len(missed) >= 280, "\n".join(missed)
